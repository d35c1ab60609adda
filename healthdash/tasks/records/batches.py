"""Rows of a table in batches, in an order of its own for every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from numpy.typing import NDArray

from healthdash.training.resumable import batch_rng

__all__ = ["RowBatches"]


class RowBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of some arrays of equal length; the order depends on the seed and the epoch only.

    Parameters
    ----------
    arrays : sequence of arrays (n, ...)
        Features, labels, and perhaps weights.
    batch_size : int
        The last batch of an epoch is smaller where the rows do not divide.
    """

    def __init__(self, arrays: Sequence[NDArray[Any]], batch_size: int, *, seed: int) -> None:
        super().__init__()
        self._arrays, self._batch_size, self._seed = tuple(arrays), batch_size, seed
        self.begin(0)

    def begin(self, epoch: int) -> None:
        """Order the rows anew for an epoch, counted from 0."""
        order = batch_rng(self._seed, epoch).permutation(len(self._arrays[0]))
        # Once an epoch: to gather rows batch by batch takes longer.
        self._ordered = tuple(values[order] for values in self._arrays)

    def identity(self) -> tuple[NDArray[Any], ...]:
        """Return all rows, which tell these batches from others."""
        return self._arrays

    def __len__(self) -> int:
        return -(-len(self._arrays[0]) // self._batch_size)

    def __getitem__(self, number: int) -> tuple[NDArray[Any], ...]:
        start = number * self._batch_size
        return tuple(values[start : start + self._batch_size] for values in self._ordered)
