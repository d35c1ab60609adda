"""Fewer points for a screen without losing a peak: the lowest and the highest value of each stretch."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["min_max"]

Real = TypeVar("Real", np.float32, np.float64)


def min_max(values: NDArray[Real], most: int) -> tuple[NDArray[np.int64], NDArray[Real]]:
    """Keep the lowest and the highest value of each of `most` / 2 stretches of equal length.

    Parameters
    ----------
    values : float32 or float64, shape (n,)
        In any unit; NaN where there is a gap. Not changed.
    most : int
        Points that may remain, at least 2.

    Returns
    -------
    int64 (m,), float (m,)
        Places (rising) and values of those kept, m <= `most`; all of them where n <= `most`. The extremes
        of the whole are always among them. A stretch that is all gap keeps one NaN, so that a line breaks.

    Raises
    ------
    ValueError
        `most` is below 2.
    """
    if most < 2:
        raise ValueError(f"expected room for 2 points or more, got {most}")
    n = len(values)
    if n <= most:
        return np.arange(n), values
    width = -(-n // (most // 2))
    whole = n // width * width
    places = _extremes(values[:whole].reshape(-1, width))
    if whole < n:
        places = np.concatenate([places, _extremes(values[None, whole:]) + whole])
    return places, values[places]


def _extremes(blocks: NDArray[Any]) -> NDArray[np.int64]:
    """Return the places of the extremes of each row, counted through all rows, each place once."""
    low, high = blocks.argmin(axis=1), blocks.argmax(axis=1)
    rows = np.arange(len(blocks))
    # NaN wins every comparison of numpy: rows with one are looked at again without it.
    gapped = np.flatnonzero(np.isnan(blocks[rows, low]))
    if len(gapped):
        with_gap = blocks[gapped]
        is_gap = np.isnan(with_gap)
        low[gapped] = np.where(is_gap, np.inf, with_gap).argmin(axis=1)
        high[gapped] = np.where(is_gap, -np.inf, with_gap).argmax(axis=1)
    pairs = np.sort(np.stack([low, high], axis=1), axis=1) + rows[:, None] * blocks.shape[1]
    flat = pairs.ravel().astype(np.int64)
    once: NDArray[np.int64] = flat[np.append(True, flat[1:] != flat[:-1])]
    return once
