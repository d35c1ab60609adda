"""How near probabilities and decisions come to the truth, in plain numpy.

A bootstrap takes each score a thousand times: the same scores of scikit-learn check their input anew every
time, which takes a hundred times longer than the sum itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["balanced_accuracy", "brier", "log_loss"]

#: A label that was given no probability at all costs this much of it instead of an infinite loss.
_LEAST_PROBABILITY = 1e-12


def balanced_accuracy(truth: NDArray[np.int64], decided: NDArray[np.int64]) -> float:
    """Return the mean sensitivity of the labels that have items; both arrays hold numbers of labels (n,)."""
    return float(np.mean([(decided[truth == k] == k).mean() for k in np.unique(truth)]))


def brier(truth: NDArray[np.int64], probability: NDArray[np.float64]) -> float:
    """Return the mean square distance of probabilities from the truth; smaller is better.

    Parameters
    ----------
    truth : int64 (n,)
    probability : float (n,) or (n, k)
        Of the second of two labels, for a score of 0 to 1; or of each label, for the sum over labels, 0 to 2.

    References
    ----------
    Brier 1950, Monthly Weather Review 78:1.
    """
    if probability.ndim == 1:
        return float(((probability - truth) ** 2).mean())
    return float(((probability - np.eye(probability.shape[1])[truth]) ** 2).sum(axis=1).mean())


def log_loss(truth: NDArray[np.int64], probability: NDArray[np.float64]) -> float:
    """Return the mean negative natural logarithm of the true labels' probabilities (n, k)."""
    of_truth = probability[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(of_truth, _LEAST_PROBABILITY)).mean())
