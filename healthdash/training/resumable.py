"""A fit that goes on where it was ended, to the same weights as one that was never ended.

What a Keras fit depends on between two epochs: the weights and the states of the random layers, the
optimizer's slots and step, what early stopping has seen, and the order and the changes of the
batches. The first three are kept. The last is no state at all: the batches of an epoch are made
from the seed and the number of the epoch, so nothing has to be wound forward.
"""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from healthdash.errors import TrainingDiverged
from healthdash.training import checkpoint, devices, identity, live
from healthdash.training.history import EpochRow, reporter

__all__ = ["EpochBatches", "batch_rng", "fit"]

#: A checkpoint costs a few milliseconds to some tenths of a second; an epoch may be shorter.
_LEAST_S = 2.0
#: Of the time, at most, that checkpoints between epochs may take.
_MOST_SHARE = 0.02
#: What a checkpoint costs, about, in times of reading and hashing the weights.
_COST_OF_WEIGHTS = 4
_SEEN = ("wait", "stopped_epoch", "best", "best_epoch")
Arrays = list[NDArray[Any]]


class EpochBatches(Protocol):
    """Batches that depend on their seed, their epoch and their number only.

    They may have a method `identity` that returns arrays, of all items and whatever the epoch: labels
    and weights, and inputs that lie in memory. Without it all batches of an epoch are made to see them.
    """

    def begin(self, epoch: int) -> None:
        """Make the batches of an epoch, counted from 0."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> Any: ...


def batch_rng(seed: int, epoch: int, number: int | None = None) -> np.random.Generator:
    """Return the generator of an epoch's order, or of one batch of it; always the same one."""
    return np.random.default_rng((seed, epoch) if number is None else (seed, epoch, number + 1))


def fit(
    model: keras.Model,
    batches: EpochBatches,
    *,
    epochs: int,
    on_epoch: Callable[[EpochRow], None],
    run: str = "",
    first: Sequence[keras.callbacks.Callback] = (),
    stopping: keras.callbacks.EarlyStopping | None = None,
    **options: Any,
) -> None:
    """Fit a compiled model; inside `checkpoint.kept_in` it goes on where the same fit was ended.

    Parameters
    ----------
    model : keras.Model
        Compiled; its layers, initial weights, loss and optimizer tell one fit from another, as do
        the first batch, all labels and the number of epochs.
    on_epoch : function of a row
        Gets every epoch, also those before it was ended; may raise `TrainingStopped`.
    run : str
        Tells the fits of one training apart, in the history and among the checkpoints.
    first : sequence of callbacks
        Called before all others. Their state must be the same at the beginning of every epoch.
    **options
        Further arguments of `keras.Model.fit`.

    Raises
    ------
    TrainingDiverged
        The loss is no number; the last good weights lie beside the checkpoint, as `.keras`.
    TrainingError
        The disk is full; the last checkpoint is kept.
    """
    watched = options.pop("validation_data", None)
    kept = _Kept(model, stopping, run)
    kept.identify(batches, epochs=epochs, first=first, watched=watched)
    before = kept.read()
    rows: list[EpochRow] = []

    def report(row: EpochRow) -> None:
        rows.append({name: v if isinstance(v, (str, int)) else float(v) for name, v in row.items()})
        on_epoch(row)

    for row in before.rows:
        report(row)
    if before.is_finished:
        _assign(model.variables, before.weights)
        return
    shown = live.callback(run=run, epochs=epochs, batches=len(batches), validation=watched)
    others = [*first, reporter(report, run=run), *filter(None, [stopping, shown])]
    keeper = _keeper(kept, batches, before, rows)
    devices.ready(model, batches)
    try:
        # The batches have their order; Keras would shuffle them by Python's own generator, a state.
        model.fit(
            _streamed(batches), epochs=epochs, initial_epoch=before.epoch, shuffle=False, verbose=0,
            callbacks=[*others, keeper], validation_data=_streamed(watched), **options,
        )  # fmt: skip
    except TrainingDiverged:
        kept.rescue()
        raise
    kept.write(_State(epochs, rows, _values(model.variables), is_finished=True))


@dataclass
class _State:
    """How far a fit is: all that the next epoch depends on.

    Attributes
    ----------
    epoch : int
        The epoch that comes next, from 0.
    seen, best : dict, list of arrays
        What early stopping has seen, and its best weights.
    """

    epoch: int = 0
    rows: Sequence[EpochRow] = ()
    weights: Arrays = field(default_factory=list)
    slots: Arrays = field(default_factory=list)
    seen: Mapping[str, float | None] = field(default_factory=dict)
    best: Arrays = field(default_factory=list)
    is_finished: bool = False


class _Kept:
    """The checkpoint of one fit on disk; without a folder nothing is kept and nothing found."""

    def __init__(self, model: keras.Model, stopping: keras.callbacks.EarlyStopping | None, run: str) -> None:
        self.model, self.stopping = model, stopping
        folder = checkpoint.folder()
        stem = hashlib.sha256(run.encode()).hexdigest()[:16]
        self._file = folder / f"{stem}.npz" if folder else None
        self._key, self._written, self._cost_s = "", time.monotonic(), 0.0

    def identify(
        self, batches: EpochBatches, *, epochs: int, first: Sequence[keras.callbacks.Callback], watched: Any
    ) -> None:
        """Find out what tells this fit from any other: where it begins and what it is fed."""
        if self._file is None:
            return
        self.model.optimizer.build(self.model.trainable_variables)
        batches.begin(0)
        fed = identity.of_fit(
            self.model, batches, epochs=epochs, stopping=self.stopping, first=first, watched=watched
        )
        begun = time.monotonic()
        self._key = identity.of_values(_values(self.model.variables)) + fed
        self._written = time.monotonic()
        # As long as none was written: the optimizer keeps two arrays a weight, and all go to disk.
        self._cost_s = _COST_OF_WEIGHTS * (self._written - begun)

    @property
    def is_due(self) -> bool:
        """Whether the last checkpoint, or the beginning, is long enough ago."""
        wait = max(_LEAST_S, self._cost_s / _MOST_SHARE)
        return self._file is not None and time.monotonic() - self._written >= wait

    def read(self) -> _State:
        """Return where the same fit was ended; the beginning where there is none such."""
        if self._file is None or not self._file.is_file():
            return _State()
        try:
            with np.load(self._file, allow_pickle=False) as stored:
                told: dict[str, Any] = json.loads(stored["told"].tobytes())
                if told.pop("key") != self._key:
                    return _State()
                told |= {name: _numbered(stored, name) for name in ("weights", "slots", "best")}
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return _State()
        return _State(**told)

    def now(self, epoch: int, rows: Sequence[EpochRow]) -> _State:
        """Return the state before an epoch."""
        state = _State(epoch, rows, _values(self.model.variables), _values(self.model.optimizer.variables))
        if self.stopping is not None:
            state.seen = {name: getattr(self.stopping, name, None) for name in _SEEN}
            state.best = list(self.stopping.best_weights or [])
        return state

    def write(self, state: _State) -> None:
        """Put a state in the place of the last one."""
        if self._file is None or not devices.is_chief():
            return
        told = {
            "key": self._key, "epoch": state.epoch, "rows": list(state.rows),
            "seen": {n: None if v is None else float(v) for n, v in state.seen.items()},
            "is_finished": state.is_finished,
        }  # fmt: skip
        begun = time.monotonic()
        parts = {"weights": state.weights, "slots": state.slots, "best": state.best}
        arrays: dict[str, Any] = {
            f"{name}{i}": v for name, values in parts.items() for i, v in enumerate(values)
        }
        arrays["told"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
        with checkpoint.written(self._file) as partial, partial.open("wb") as opened:
            np.savez(opened, **arrays)
        self._written = time.monotonic()
        self._cost_s = self._written - begun

    def rescue(self) -> None:
        """Write the last good weights as a network that Keras opens by itself."""
        state = self.read()
        if self._file is not None and state.epoch:
            _assign(self.model.variables, state.weights)
            if state.best:
                self.model.set_weights(state.best)
            # Without loss and optimizer, which only a recipe knows.
            keras.Model(self.model.inputs, self.model.outputs).save(self._file.with_suffix(".keras"))


def _keeper(
    kept: _Kept, batches: EpochBatches, before: _State, rows: Sequence[EpochRow]
) -> keras.callbacks.Callback:
    """Return the callback that begins every epoch; it comes after all others."""

    class _Keeper(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_begin(self, logs: Any = None) -> None:
            if before.epoch:
                _assign(kept.model.variables, before.weights)
                _assign(kept.model.optimizer.variables, before.slots)
                _remind(kept.stopping, before)

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            batches.begin(epoch)
            # Here, for at the end of an epoch other callbacks are not through with the weights.
            if epoch > before.epoch and kept.is_due:
                kept.write(kept.now(epoch, rows))

    return _Keeper()


def _remind(stopping: keras.callbacks.EarlyStopping | None, state: _State) -> None:
    """Give early stopping back what it has seen."""
    if stopping is not None:
        for name, value in state.seen.items():
            if value is not None:
                setattr(stopping, name, value if name == "best" else int(value))
        stopping.best_weights = state.best or None


def _streamed(batches: Any) -> Any:
    """Return batches as TensorFlow gathers them by itself, where they can be: Python is slower."""
    stream = getattr(batches, "stream", None)
    found = stream() if stream else None
    return batches if found is None else found


def _values(variables: Sequence[keras.Variable]) -> Arrays:
    return [np.asarray(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _assign(variables: Sequence[keras.Variable], values: Arrays) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _numbered(stored: Mapping[str, NDArray[Any]], name: str) -> Arrays:
    count = sum(key.startswith(name) for key in stored)
    return [stored[f"{name}{i}"] for i in range(count)]
