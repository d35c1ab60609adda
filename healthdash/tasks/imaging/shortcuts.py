"""What trivial statistics of a picture give away about its label, and weights against it.

A network learns brightness, sharpness and aspect where these tell labels apart, and fails
where they do not. Pictures whose statistics contradict their label are drawn more often in
training, and weigh more when a threshold is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["giveaway", "overlap_weights", "statistics", "told_by_statistics"]

_PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
_EDGE_SHARE = 28  # an edge strip is 1/28 of the picture, 8 of 224 pixels
_SMALLEST_WEIGHT = 0.05


def statistics(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return statistics of grey values, edges, sharpness and aspect.

    Parameters
    ----------
    pictures : uint8 (n, size, size)

    Returns
    -------
    float32 (n, 18)
        None of them can tell where in the lungs something is.
    """
    return np.stack([_of_one(picture.astype(np.float32) / 255) for picture in pictures])


def giveaway(
    pictures: NDArray[np.uint8], labels: NDArray[np.int64], groups: ArrayLike, *, seed: int, folds: int = 4
) -> NDArray[np.float32]:
    """Return how probable each picture's own label is by its statistics alone.

    Cross-fitted: the statistics of a group are never judged by a model that saw the group.

    Returns
    -------
    float32 (n,), 0 to 1
    """
    from sklearn.model_selection import StratifiedGroupKFold

    cutter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    cut = [test for _, test in cutter.split(labels, labels, np.asarray(groups))]
    probability = told_by_statistics(pictures, labels, cut, seed=seed)
    return probability[np.arange(len(labels)), labels]


def told_by_statistics(
    pictures: NDArray[np.uint8], labels: NDArray[np.int64], folds: Sequence[NDArray[np.int64]], *, seed: int
) -> NDArray[np.float32]:
    """Return the probabilities of the labels by the statistics alone, float32 (n, labels).

    Gradient boosting that saw every picture but those of the fold; rows in no fold stay zero.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    features, count = statistics(pictures), int(labels.max()) + 1
    found = np.zeros((len(labels), count), np.float32)
    for fold in folds:
        rest = np.setdiff1d(np.arange(len(labels)), fold)
        model = HistGradientBoostingClassifier(max_iter=100, learning_rate=0.05, random_state=seed)
        model.fit(features[rest], labels[rest])
        found[np.ix_(fold, model.classes_)] = model.predict_proba(features[fold])
    return found


def overlap_weights(own_probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return weights under which the statistics say less about the label; seldom nothing.

    References
    ----------
    Li, Morgan and Zaslavsky 2018, JASA 113:390, Balancing covariates via propensity score
    weighting (overlap weights: the probability of the other class).
    """
    return np.maximum(1 - own_probability, _SMALLEST_WEIGHT).astype(np.float32)


def _of_one(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    strip = max(1, grey.shape[0] // _EDGE_SHARE)
    edges = [
        grey[:strip].mean(),
        grey[-strip:].mean(),
        np.concatenate([grey[:, :strip], grey[:, -strip:]], axis=1).mean(),
    ]
    inner = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    sharpness = [np.log(inner.std() + 1e-6), np.log(np.median(np.abs(inner)) + 1e-6)]
    across, down = np.abs(np.diff(grey, axis=1)).mean(), np.abs(np.diff(grey, axis=0)).mean()
    aspect = [np.log((across + 1e-6) / (down + 1e-6))]
    ends = [(grey < 0.02).mean(), (grey > 0.98).mean()]
    middle = [grey.mean(), grey.std(), *np.percentile(grey, _PERCENTILES), grey[grey.shape[0] // 2].std()]
    return np.array([*middle, *edges, *sharpness, *aspect, *ends], np.float32)
