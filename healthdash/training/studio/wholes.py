"""What a whole is judged by where items are windows of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .items import Labelled, Rows

__all__ = ["by_whole", "counted"]

Floats = NDArray[np.float32]


def by_whole(labelled: Labelled, rows: Rows, probabilities: Floats) -> tuple[Rows, Floats]:
    """Return one item of each whole that items are windows of, with the mean of their probabilities.

    A recording is judged by all its windows; items that are windows of nothing stay as they are.
    """
    wholes = _wholes(labelled)[rows]
    names, first, codes = np.unique(wholes, return_index=True, return_inverse=True)
    if len(names) == len(rows):
        return rows, probabilities
    sums = np.zeros((len(names), probabilities.shape[1]), np.float64)
    np.add.at(sums, codes, probabilities)
    return rows[first], (sums / np.bincount(codes)[:, None]).astype(np.float32)


def counted(labelled: Labelled, parts: Mapping[str, Rows], what: str = "") -> dict[str, int]:
    """Return how many wholes each part has, and how many windows where items are windows of wholes.

    Parameters
    ----------
    parts : mapping of str to int64 (m,)
        Items of each part, by its name.
    what : str
        What a whole is called, behind the name of the part.
    """
    wholes = _wholes(labelled)
    counts = {f"{name}{what}": len(np.unique(wholes[rows])) for name, rows in parts.items()}
    windows = {f"{name} windows": len(rows) for name, rows in parts.items()}
    return counts | windows if list(windows.values()) != list(counts.values()) else counts


def _wholes(labelled: Labelled) -> Rows:
    return np.asarray(getattr(labelled, "whole", np.arange(len(labelled))))
