"""What a fit shows of itself while it goes on, for whoever looks: a small file, written now and then.

The cost is bounded: after each piece of work its next turn comes so late that all of them together
take at most a hundredth of the time, however slow the disk or the network is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

__all__ = ["LIVE", "Output", "Snapshot", "callback", "shown_in"]

#: Name of the file, beside the history.
LIVE = "live.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What the network says of one watched validation item.

    Attributes
    ----------
    item : int
        Place of the item in the validation part, from 1.
    truth : int
        Number of its label.
    probabilities : tuple of float
        Not calibrated, one a label.
    """

    item: int
    truth: int
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """How a fit stood when it was last written down.

    Attributes
    ----------
    run : str
        Which network of the training: a fold, a member; empty where there is one only.
    epoch, epochs, batch, batches : int
        The epoch that goes on, from 1, of at most so many; batches done of it.
    examples_per_s : float or None
        Of the training steps alone; None before the second batch.
    seconds_left : float or None
        To the last epoch of this network; early stopping may end it before.
    memory_mb, device_memory_mb : float or None, mebibyte
        Of the process, and of the GPU that it uses; None where that is not known.
    curve : dict of float sequences
        "epoch", a fraction, and each measure, averaged over the batches since the point before.
    outputs : tuple of Output
    labels : tuple of str
    written : float, seconds since 1970
    """

    run: str = ""
    epoch: int
    epochs: int
    batch: int
    batches: int
    learning_rate: float
    examples_per_s: float | None = None
    seconds_left: float | None = None
    memory_mb: float | None = None
    device_memory_mb: float | None = None
    curve: Mapping[str, Sequence[float]] = field(default_factory=dict)
    outputs: tuple[Output, ...] = ()
    labels: tuple[str, ...] = ()
    written: float = 0.0


_shown: ContextVar[tuple[Path, tuple[str, ...]] | None] = ContextVar("live", default=None)


@contextmanager
def shown_in(path: Path | None, labels: Sequence[str] = ()) -> Iterator[None]:
    """Let every fit inside write how it stands into a file, one after the other.

    Parameters
    ----------
    path : Path or None
        JSON, replaced in one step; None writes nothing.
    labels : sequence of str
        Names of the network's outputs.
    """
    entered = _shown.set(None if path is None else (path, tuple(labels)))
    try:
        yield
    finally:
        _shown.reset(entered)


def callback(*, run: str, epochs: int, batches: int, validation: Any) -> keras.callbacks.Callback | None:
    """Return the callback that writes how a fit stands; None where nobody wants to know.

    Parameters
    ----------
    run : str
        Name of the fit in the history.
    batches : int
        In an epoch.
    validation : Any
        As `keras.Model.fit` takes it; some of its items are watched.
    """
    shown = _shown.get()
    if shown is None:
        return None
    import keras

    from healthdash.training.monitor import Monitor

    path, labels = shown

    class _Live(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_train_begin(self, logs: Any = None) -> None:
            self.monitor = Monitor(self.model, path, labels, run, epochs, batches, validation)

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.monitor.begin(epoch)

        # Not at the end of a batch: Keras would wait for the device there, and hand its figures over.
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.monitor.batch(batch)

        def on_test_begin(self, logs: Any = None) -> None:
            self.monitor.trained()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.monitor.end()

        def on_train_end(self, logs: Any = None) -> None:
            self.monitor.write()

    return _Live()
