"""How well a score ranks items: the area under the ROC curve, of two labels or more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

__all__ = ["auc", "separation"]


def auc(truth: NDArray[np.int64], score: NDArray[np.float64]) -> float:
    """Return the area under the ROC curve by ranks: many times faster than by the curve.

    References
    ----------
    Mann & Whitney 1947, Annals of Mathematical Statistics 18:50.
    """
    positive = int(truth.sum())
    ranks = rankdata(score)[truth == 1].sum()
    return float((ranks - positive * (positive + 1) / 2) / (positive * (len(truth) - positive)))


def separation(truth: NDArray[np.int64], score: NDArray[np.float64]) -> float:
    """Return the area under the curve; of several labels its mean, each label against the rest.

    Parameters
    ----------
    truth : int64 (n,)
    score : float (n,) or (n, k)
        Larger means the second label, or the label of the column.

    Returns
    -------
    float
        NaN where a label of several has no row.

    References
    ----------
    Provost & Domingos 2003, Machine Learning 52:199, with equal weights.
    """
    if score.ndim == 1:
        return auc(truth, score)
    counts = np.bincount(truth, minlength=score.shape[1])
    if not counts.all():
        return float("nan")
    return float(np.mean([auc((truth == k).astype(np.int64), score[:, k]) for k in range(score.shape[1])]))
