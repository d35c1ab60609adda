"""Means of items that show no patient: the background of explanations of pictures and signals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST_ITEMS", "means_of_many"]

Floats = NDArray[np.float32]
FEWEST_ITEMS = 12
#: Items of one patient are alike: the mean of a dozen frames of one patient is that patient.
_FEWEST_GROUPS = 5


def means_of_many(
    items: Floats,
    labels: NDArray[np.int64],
    groups: NDArray[Any],
    clustered: Callable[[Floats], NDArray[np.int64]],
) -> Floats:
    """Return means of clusters of each label, each of 12 items and 5 groups or more.

    Every group counts the same in a mean, however many items it has. A label without such a cluster gives
    the mean of all its items; where not even these are of 5 groups it gives nothing. Where no label gives
    anything, the mean of all items stands for them, and of fewer than 5 groups their mean value
    everywhere: one grey, or a flat line.

    Parameters
    ----------
    items : float32 (n, ..., channels)
    labels, groups : (n,)
    clustered : function
        Takes the items of a label and returns the number of each item's cluster.

    Returns
    -------
    float32 (m, ..., channels)
        One or more.
    """
    means: list[Floats] = []
    for label in np.unique(labels):
        own, whose = items[labels == label], groups[labels == label]
        codes = clustered(own)
        members = [codes == code for code in np.unique(codes)]
        large = [one for one in members if one.sum() >= FEWEST_ITEMS and _is_of_many(whose[one])]
        if large:
            means += [_mean(own[one], whose[one]) for one in large]
        elif _is_of_many(whose):
            means.append(_mean(own, whose))
    if not means:
        value = items.mean(axis=tuple(range(items.ndim - 1)))
        means = [_mean(items, groups) if _is_of_many(groups) else np.broadcast_to(value, items.shape[1:])]
    return np.stack(means).astype(np.float32)


def _is_of_many(groups: NDArray[Any]) -> bool:
    return len(np.unique(groups)) >= _FEWEST_GROUPS


def _mean(items: Floats, groups: NDArray[Any]) -> Floats:
    each = np.stack([items[groups == group].mean(axis=0) for group in np.unique(groups)])
    return np.asarray(each.mean(axis=0), np.float32)
