"""The record of a training run: one row an epoch, kept as CSV while it grows."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from healthdash.errors import TrainingDiverged
from healthdash.training import checkpoint

if TYPE_CHECKING:
    import keras

__all__ = ["EpochRow", "HistoryFile", "read_history", "recorded", "reporter"]

#: Epoch (from 1), loss, val_loss, metrics, learning_rate; `run` tells members and folds apart.
EpochRow = Mapping[str, float | int | str]


class HistoryFile:
    """Appends epochs to a CSV file that can be read at any moment.

    Parameters
    ----------
    path : Path
        The file; it is begun anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[EpochRow] = []

    def __call__(self, row: EpochRow) -> None:
        """Add an epoch and replace the file at once, so that a reader never sees half a row."""
        self.rows.append(dict(row))
        write_history(self.path, self.rows)


def write_history(path: Path, rows: Sequence[EpochRow]) -> None:
    """Write all epochs; columns are the union over the rows, in order of appearance."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with checkpoint.written(path) as partial, partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows([{k: _short(v) for k, v in row.items()} for row in rows])


def read_history(path: Path) -> pd.DataFrame:
    """Return the epochs of a run; an absent file is an empty table."""
    return pd.read_csv(path) if path.exists() else pd.DataFrame()


def recorded(on_epoch: Callable[[EpochRow], None]) -> tuple[list[EpochRow], Callable[[EpochRow], None]]:
    """Return a list that grows by a copy of each epoch, and the function that is to be told of them.

    It tells `on_epoch` after the epoch is kept, which may raise `TrainingStopped`.
    """
    history: list[EpochRow] = []

    def report(row: EpochRow) -> None:
        history.append(dict(row))
        on_epoch(row)

    return history, report


def reporter(on_epoch: Callable[[EpochRow], None], *, run: str = "") -> keras.callbacks.Callback:
    """Return a Keras callback that reports each epoch, from 1 on, and stops on a loss that is no number.

    `on_epoch` may raise `TrainingStopped`, which ends `fit`.
    """
    import keras

    class _Reporter(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
            logs = dict(logs or {})
            if not math.isfinite(logs.get("loss", 0.0)):
                raise TrainingDiverged(
                    f"the loss is no longer a number in epoch {epoch + 1}",
                    hint="Lower the learning rate, or look for extreme values in the data.",
                )
            learning_rate = float(self.model.optimizer.learning_rate)
            row = {"run": run} if run else {}
            on_epoch({**row, "epoch": epoch + 1, **logs, "learning_rate": learning_rate})

    return _Reporter()


def _short(value: float | int | str) -> float | int | str:
    return float(f"{float(value):.6g}") if isinstance(value, float) or hasattr(value, "dtype") else value
