"""Batches for networks that make items; noise comes with them, so that no random layer has a state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from healthdash.training.resumable import batch_rng

__all__ = ["MadeBatches"]

Floats = NDArray[np.float32]
#: Makes the network's inputs, and what it is to give, of a batch of rows.
Make = Callable[[NDArray[np.int64], np.random.Generator], tuple[Any, Any]]


class MadeBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches that depend on their seed, epoch and number only.

    Parameters
    ----------
    rows : int64 (n,)
        Numbers of the items.
    make : function
        Called for each batch, with a generator of its own.
    balanced : int64 (n,) or None
        The label of each row: then every label is drawn about equally often.
    least : int
        Batches of an epoch; a small set is gone through several times in one.
    """

    def __init__(
        self,
        rows: NDArray[np.int64],
        batch_size: int,
        make: Make,
        *,
        seed: int,
        balanced: NDArray[np.int64] | None = None,
        least: int = 1,
    ) -> None:
        super().__init__()
        self._rows, self._make, self._seed = rows, make, seed
        self._batch_size = min(batch_size, len(rows))
        self._number = max(len(rows) // self._batch_size, least)
        self._balanced = balanced
        self.begin(0)

    def begin(self, epoch: int) -> None:
        """Order the rows anew for an epoch, counted from 0."""
        self._epoch, rng = epoch, batch_rng(self._seed, epoch)
        wanted = self._number * self._batch_size
        if self._balanced is None:
            rounds = -(-wanted // len(self._rows))
            order = np.concatenate([rng.permutation(len(self._rows)) for _ in range(rounds)])
        else:
            order = _drawn_evenly(self._balanced, wanted, rng)
        self._order = self._rows[order[:wanted]]

    def identity(self) -> list[NDArray[np.int64]]:
        """Return the rows, and their labels where these are known."""
        return [self._rows] if self._balanced is None else [self._rows, self._balanced]

    def __len__(self) -> int:
        return self._number

    def __getitem__(self, number: int) -> tuple[Any, Any]:
        start = number * self._batch_size
        rows = self._order[start : start + self._batch_size]
        return self._make(rows, batch_rng(self._seed, self._epoch, number))


def _drawn_evenly(labels: NDArray[np.int64], wanted: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return places of rows, each label about equally often."""
    names = np.unique(labels)
    each = -(-wanted // len(names))
    drawn = []
    for name in names:
        at = np.flatnonzero(labels == name)
        drawn += [np.concatenate([rng.permutation(at) for _ in range(-(-each // len(at)))])[:each]]
    return rng.permutation(np.concatenate(drawn)).astype(np.int64)
