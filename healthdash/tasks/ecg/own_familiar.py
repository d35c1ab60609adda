"""How far a window of a signal is from those of the training: the gate's measure."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from healthdash.training.studio.group_means import FEWEST_ITEMS, means_of_many

__all__ = ["centroids", "features", "fit_familiarity", "strangeness"]

Floats = NDArray[np.float32]
_QUANTILE = 0.99
_SMALLEST = 1e-6
_BANDS = 4
_CENTROIDS_PER_LABEL = 8


def features(windows: Floats) -> Floats:
    """Return what a window is like without where in it something is.

    Parameters
    ----------
    windows : float32 (n, samples, leads)

    Returns
    -------
    float32 (n, 7 * leads)
        Of each lead the logarithm of its spread and of its height in spreads, how often it crosses its
        mean, and the share of its energy in four bands of frequency.
    """
    centred = windows - windows.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1)
    height = np.ptp(centred, axis=1) / (spread + _SMALLEST)
    crossings = (np.diff(np.signbit(centred), axis=1)).mean(axis=1)
    energy = np.square(np.abs(np.fft.rfft(centred, axis=1)[:, 1:]))
    edges = np.geomspace(1, energy.shape[1], _BANDS + 1).astype(int)
    total = energy.sum(axis=1) + _SMALLEST
    bands = [energy[:, a : max(a + 1, b)].sum(axis=1) / total for a, b in pairwise(edges)]
    parts = [np.log(spread + _SMALLEST), np.log(height + _SMALLEST), crossings, *bands]
    return np.concatenate(parts, axis=1).astype(np.float32)


def fit_familiarity(found: Floats) -> dict[str, Floats]:
    """Return the arrays that `strangeness` needs, from the features (n, f) of training windows."""
    mean, spread = found.mean(axis=0), found.std(axis=0) + 1e-3
    distances = np.sqrt(np.square((found - mean) / spread).mean(axis=1))
    scale = np.quantile(distances, _QUANTILE)
    return {
        "gate_mean": np.asarray(mean, np.float32),
        "gate_spread": np.asarray(spread, np.float32),
        "gate_scale": np.asarray([max(float(scale), _SMALLEST)], np.float32),
    }


def strangeness(windows: Floats, arrays: Mapping[str, Floats]) -> Floats:
    """Return how far each window is from those of the training, float32 (n,); 1 is their 99th percentile."""
    distances = (features(windows) - arrays["gate_mean"]) / arrays["gate_spread"]
    return np.asarray(np.sqrt(np.square(distances).mean(axis=1)) / arrays["gate_scale"][0], np.float32)


def centroids(windows: Floats, labels: NDArray[np.int64], groups: NDArray[np.str_], seed: int) -> Floats:
    """Return mean windows of clusters, at most 8 a label; each of 12 windows and 5 groups or more."""
    from sklearn.cluster import KMeans

    def clustered(own: Floats) -> NDArray[np.int64]:
        count = min(_CENTROIDS_PER_LABEL, max(1, len(own) // (3 * FEWEST_ITEMS)))
        codes = KMeans(count, n_init=2, random_state=seed).fit_predict(own.reshape(len(own), -1))
        return np.asarray(codes, np.int64)

    return means_of_many(windows, labels, groups, clustered)
