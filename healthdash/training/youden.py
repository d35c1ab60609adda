"""The operating point of two labels that weighs both kinds of error alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from healthdash.bundles import OperatingPoint

__all__ = ["youden_point"]


def youden_point(label: str, truth: ArrayLike, probability: ArrayLike, where: str) -> OperatingPoint:
    """Return the threshold with the largest sensitivity + specificity.

    Parameters
    ----------
    label : str
        The second of two labels, decided from the threshold on.
    truth : (n,)
        0 or 1.
    probability : (n,)
        Of the second label.
    where : str
        On which rows, in words.

    References
    ----------
    Youden 1950, Cancer 3:32.
    """
    from sklearn.metrics import roc_curve

    scores = np.asarray(probability, np.float64)
    false_positive, true_positive, thresholds = roc_curve(truth, scores)
    # The first threshold is above every row, infinite.
    score = float(thresholds[1 + int((true_positive - false_positive)[1:].argmax())])
    # Between two scores: rounding, or a last bit of another device, must not move the row that set it.
    below = scores[scores < score]
    threshold = (score + float(below.max())) / 2 if len(below) else score
    rule = f"largest sensitivity + specificity (Youden) on {where}"
    return OperatingPoint(label=label, threshold=threshold, rule=rule)
