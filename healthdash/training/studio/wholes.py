"""What a whole is judged by where items are windows of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .items import Labelled, Rows

__all__ = ["by_whole"]

Floats = NDArray[np.float32]


def by_whole(labelled: Labelled, rows: Rows, probabilities: Floats) -> tuple[Rows, Floats]:
    """Return one item of each whole that items are windows of, with the mean of their probabilities.

    A recording is judged by all its windows; items that are windows of nothing stay as they are.
    """
    wholes = np.asarray(getattr(labelled, "whole", np.arange(len(labelled))))[rows]
    names, first, codes = np.unique(wholes, return_index=True, return_inverse=True)
    if len(names) == len(rows):
        return rows, probabilities
    sums = np.zeros((len(names), probabilities.shape[1]), np.float64)
    np.add.at(sums, codes, probabilities)
    return rows[first], (sums / np.bincount(codes)[:, None]).astype(np.float32)
