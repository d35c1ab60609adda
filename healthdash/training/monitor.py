"""Looks at a fit while it goes on: means of batches, pace, memory and outputs, at a bounded cost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from healthdash.errors import TrainingError
from healthdash.training import checkpoint, memory
from healthdash.training.live import Output, Snapshot
from healthdash.training.watched import Watched

__all__ = ["BatchCurve", "Monitor", "Rhythm"]

#: Points of the curve over batches; with more of them, two neighbours become one.
_MOST_POINTS = 400
#: Shortest time between two turns (seconds), and the largest share of time, of each piece of work.
_POINTS, _WRITES, _OUTPUTS = (0.1, 0.003), (0.5, 0.003), (2.0, 0.004)


class Rhythm:
    """When a piece of work has its next turn: not soon, and never for more than a share of the time."""

    def __init__(self, least_s: float, share: float) -> None:
        self._least_s, self._share = least_s, share
        self._next = time.perf_counter() + least_s

    @property
    def is_due(self) -> bool:
        """Whether its turn has come."""
        return time.perf_counter() >= self._next

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Work, and put the next turn off by what it cost."""
        begun = time.perf_counter()
        yield
        ended = time.perf_counter()
        self._next = ended + max(self._least_s, (ended - begun) / self._share)


class BatchCurve:
    """Measures over the batches: a point is the mean of the batches since the last; thinned as they grow."""

    def __init__(self, most: int = _MOST_POINTS) -> None:
        self._most = most
        self._points: list[tuple[float, float, dict[str, float]]] = []

    def add(self, epoch: float, examples: float, means: Mapping[str, float]) -> None:
        """Add the mean of some examples up to a moment, in epochs."""
        self._points.append((epoch, examples, dict(means)))
        if len(self._points) > self._most:
            pairs = zip(self._points[::2], self._points[1::2], strict=False)
            odd = self._points[-1:] if len(self._points) % 2 else []
            self._points = [_joined(*pair) for pair in pairs] + odd

    def columns(self) -> dict[str, list[float]]:
        """Return the points as columns; a measure that some points lack is left out."""
        named = [set(means) for _, _, means in self._points]
        names = sorted(set.intersection(*named)) if named else []
        columns = {name: [_short(means[name]) for _, _, means in self._points] for name in names}
        return {"epoch": [_short(epoch) for epoch, _, _ in self._points], **columns}


class Monitor:
    """Looks at one fit and writes what it saw.

    Parameters
    ----------
    model : keras.Model
        Compiled; neither its weights nor any of its states are touched.
    path : Path
        JSON file of a `Snapshot`, replaced in one step.
    validation : Any
        As `keras.Model.fit` takes it; some of its items are watched.
    """

    def __init__(
        self, model: Any, path: Path, labels: tuple[str, ...], run: str, epochs: int, batches: int,
        validation: Any,
    ) -> None:  # fmt: skip
        self._model, self._path, self._labels, self._run = model, path, labels, run
        self._epochs, self._batches = epochs, batches
        self._watched = Watched.of(validation)
        self._outputs: tuple[Output, ...] = ()
        self._curve = BatchCurve()
        self._points, self._writes, self._looks = Rhythm(*_POINTS), Rhythm(*_WRITES), Rhythm(*_OUTPUTS)
        self._pace = _Pace()
        self._epoch = self._batch = 0
        self._before: dict[str, tuple[float, float]] = {}

    def begin(self, epoch: int) -> None:
        """Begin an epoch, from 0; Keras has set its means back."""
        self._epoch, self._batch, self._before = epoch, 0, {}
        self._pace.begin()

    def batch(self, number: int) -> None:
        """Look before a batch, from 0."""
        self._batch = number
        if self._points.is_due:
            with self._points.turn():
                self._point()
            if self._writes.is_due:
                self.write()

    def trained(self) -> None:
        """Look after the last batch of an epoch, before a validation sets the sums back."""
        if self._batch < self._batches:
            self._batch = self._batches
            if self._points.is_due:
                with self._points.turn():
                    self._point()

    def end(self) -> None:
        """Look at the end of an epoch."""
        self.trained()
        if self._watched and self._looks.is_due:
            with self._looks.turn():
                self._outputs = self._watched.outputs(self._model)
        if self._writes.is_due:
            self.write()

    def write(self) -> None:
        """Replace the file; one that cannot be written is no reason to end a training."""
        with self._writes.turn():
            try:
                with checkpoint.written(self._path) as partial:
                    partial.write_text(json.dumps(asdict(self._now()), allow_nan=False))
            except (OSError, TrainingError, ValueError):
                return

    def _point(self) -> None:
        """Take the means of the batches since the last point, from the sums that Keras keeps."""
        now = {one.name: (float(one.total), float(one.count)) for one in _means(self._model.metrics)}
        if "loss" not in now or not self._batch:
            return
        since = {name: _less(sums, self._before.get(name, (0.0, 0.0))) for name, sums in now.items()}
        self._pace.look(self._batch, now["loss"][1])
        self._before = now
        if since["loss"][1] > 0:
            means = {name: total / count for name, (total, count) in since.items() if count > 0}
            place = self._epoch + self._batch / self._batches
            self._curve.add(place, since["loss"][1], means)

    def _now(self) -> Snapshot:
        done = self._epoch + self._batch / self._batches
        return Snapshot(
            run=self._run, epoch=self._epoch + 1, epochs=self._epochs, batch=self._batch,
            batches=self._batches, learning_rate=_short(float(self._model.optimizer.learning_rate)),
            examples_per_s=self._pace.examples_per_s,
            seconds_left=self._pace.seconds_left(self._epochs - done, self._batches),
            memory_mb=memory.process_mb(), device_memory_mb=memory.device_mb(), curve=self._curve.columns(),
            outputs=self._outputs, labels=self._labels, written=time.time(),
        )  # fmt: skip


class _Pace:
    """How quickly a fit goes on."""

    def __init__(self) -> None:
        self._begun: float | None = None
        self._epoch_s: float | None = None
        self._since: tuple[int, float, float] | None = None
        self._rate: tuple[float, float] | None = None

    def begin(self) -> None:
        """Begin an epoch; the one before took, with its validation, until now."""
        now = time.perf_counter()
        if self._begun is not None:
            self._epoch_s = now - self._begun
            self._since = (0, 0.0, now)
        # In the first epoch the first batch waits for TensorFlow to compile: what comes after it counts.
        self._begun = now

    def look(self, batches: int, examples: float) -> None:
        """Note how many batches and examples of this epoch are done."""
        now = time.perf_counter()
        if self._since is None:
            self._since = (batches, examples, now)
            return
        some, seconds = batches - self._since[0], now - self._since[2]
        if some > 0 and seconds > 0:
            self._rate = ((examples - self._since[1]) / seconds, some / seconds)

    @property
    def examples_per_s(self) -> float | None:
        """Examples a second over this epoch so far, up to the last look."""
        return None if self._rate is None else _short(self._rate[0])

    def seconds_left(self, epochs: float, batches: int) -> float | None:
        """Return the time that so many epochs take, by the last whole one, else by the batches so far."""
        if self._epoch_s is not None:
            return _short(epochs * self._epoch_s)
        return None if self._rate is None else _short(epochs * batches / self._rate[1])


def _means(metrics: Sequence[Any]) -> Iterator[Any]:
    """Yield the metrics that are means over examples, with the sums that they are made of."""
    for metric in metrics:
        if hasattr(metric, "total") and hasattr(metric, "count") and metric.total.shape == ():
            yield metric
        # Keras keeps those of `compile` in a metric of metrics.
        yield from _means(getattr(metric, "metrics", ()))


def _less(now: tuple[float, float], before: tuple[float, float]) -> tuple[float, float]:
    return now[0] - before[0], now[1] - before[1]


def _joined(
    one: tuple[float, float, dict[str, float]], other: tuple[float, float, dict[str, float]]
) -> tuple[float, float, dict[str, float]]:
    """Return two neighbouring points as one."""
    (_, n, first), (epoch, m, second) = one, other
    means = {name: (n * first[name] + m * second[name]) / (n + m) for name in first.keys() & second.keys()}
    return epoch, n + m, means


def _short(value: float) -> float:
    return float(f"{value:.5g}")
