"""What beats of the same shape have in common: the rhythm in which they come, and their other waves.

One ventricular beat may come late and look like conduction; thirty beats of its shape that come early
tell it. Each beat therefore brings the mean of the features of those that look like it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ALIKE", "means_of_alike"]

Floats = NDArray[np.float32]
#: Beside the means: how alike they are, and how many there are, both from 0 to 1.
ALIKE = ("how alike they are", "how many there are")
_BLOCK = 500


def means_of_alike(complexes: Floats, features: Floats, config: Mapping[str, Any]) -> Floats:
    """Return the mean features of the beats whose QRS complex looks alike.

    Parameters
    ----------
    complexes : float32 (n, samples)
        QRS complexes of all leads of a beat, one after another.
    features : float32 (n, f)
    config : mapping
        "alike_beats": how many are taken; "alike_within": among so many beats before and after;
        "alike_from": correlation from which a beat counts.

    Returns
    -------
    float32 (n, f + 2)
        The beat itself is left out; zeros where no other looks alike.
    """
    n, most, reach, least = (
        len(complexes),
        config["alike_beats"],
        config["alike_within"],
        config["alike_from"],
    )
    centred = complexes - complexes.mean(axis=1, keepdims=True)
    units = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)
    found = np.zeros((n, features.shape[1] + 2), np.float32)
    for start in range(0, n, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, n))
        around = np.arange(max(0, start - reach), min(n, start + _BLOCK + reach))
        likeness = units[rows] @ units[around].T
        likeness[np.arange(len(rows)), rows - around[0]] = -1.0
        k = min(most, len(around) - 1)
        if k < 1:
            continue
        best = np.argpartition(-likeness, k - 1, axis=1)[:, :k]
        weight = np.maximum(np.take_along_axis(likeness, best, axis=1) - least, 0) / (1 - least)
        total = weight.sum(axis=1)
        means = (weight[..., None] * features[around][best]).sum(axis=1) / np.maximum(total, 1e-6)[:, None]
        counted = (weight > 0).sum(axis=1)
        found[rows] = np.column_stack([means, total / np.maximum(counted, 1), counted / most])
    return found
