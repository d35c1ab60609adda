"""How far a picture is from those of the training: the gate's measure of another modality.

Principal components of 32 x 32 thumbnails of the training pictures; a picture that they
cannot rebuild shows something else than they did.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from healthdash.training.studio.group_means import FEWEST_ITEMS, means_of_many

from .prepare import from_bytes

__all__ = ["centroids", "fit_familiarity", "fit_thumbnails", "strangeness", "thumbnails"]

_SIDE = 32
_COMPONENTS = 48
# Scales come from pictures left out of the fit, in so many parts.
_SCALE_PARTS = 10
_SCALE_QUANTILE = 0.99


def thumbnails(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return thumbnails with mean 0 and standard deviation 1.

    Parameters
    ----------
    pictures : float32 (n, size, size, channels), 0 to 1

    Returns
    -------
    float32 (n, 1024)
        Contrast and brightness do not matter; a picture of one grey gives zeros.
    """
    small = [
        np.asarray(Image.fromarray(picture.mean(axis=-1)).resize((_SIDE, _SIDE), Image.Resampling.BOX))
        for picture in pictures
    ]
    flat = np.stack(small).reshape(len(pictures), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / (flat.std(axis=1, keepdims=True) + 1e-3), np.float32)


def fit_familiarity(
    pictures: NDArray[np.float32], groups: NDArray[np.str_] | None = None, *, seed: int = 0
) -> dict[str, NDArray[np.float32]]:
    """Fit the arrays that `strangeness` needs.

    Parameters
    ----------
    pictures : float32 (n, size, size, 1), 0 to 1
    groups : str array (n,) or None
        Patients, so that the scale is that of patients who were not seen.

    Returns
    -------
    dict
        `gate_mean` (1024,), `gate_components` (k, 1024), `gate_spreads` (k,) and `gate_scales`
        (2,): no row of a real patient.
    """
    return fit_thumbnails(thumbnails(pictures), groups, seed)


def fit_thumbnails(
    flat: NDArray[np.float32], groups: NDArray[np.str_] | None, seed: int
) -> dict[str, NDArray[np.float32]]:
    """Fit the same arrays to thumbnails (n, 1024), where the pictures themselves are too many for memory."""
    arrays = _components(flat)
    parts = _parts(len(flat), groups, seed)
    unseen = [_distances(flat[parts == p], _components(flat[parts != p])) for p in np.unique(parts)]
    scales = np.quantile(np.concatenate(unseen, axis=1), _SCALE_QUANTILE, axis=1)
    return {**arrays, "gate_scales": np.asarray(scales, np.float32)}


def strangeness(
    pictures: NDArray[np.float32], arrays: Mapping[str, NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Return how far each picture is from those of the training.

    Parameters
    ----------
    pictures : float32 (n, size, size, 1), 0 to 1
    arrays : dict
        What `fit_familiarity` returned.

    Returns
    -------
    float32 (n,)
        The larger of two distances: what the components cannot rebuild, and how unusual the
        mixture of components is. 1 is the 99 percentile of training patients who were left
        out of the fit. Compare with `warn_above` and `refuse_above`.
    """
    distances = _distances(thumbnails(pictures), arrays)
    return np.asarray((distances / arrays["gate_scales"][:, None]).max(axis=0), np.float32)


def _components(flat: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    mean = flat.mean(axis=0)
    # The covariance is 1024 x 1024 however many pictures there are.
    values, vectors = np.linalg.eigh((flat - mean).T @ (flat - mean) / len(flat))
    count = min(_COMPONENTS, max(1, len(flat) // 4))
    return {
        "gate_mean": mean,
        "gate_components": np.asarray(vectors[:, ::-1][:, :count].T, np.float32),
        "gate_spreads": np.sqrt(np.maximum(values[::-1][:count], 1e-6)).astype(np.float32),
    }


def _distances(flat: NDArray[np.float32], arrays: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return what is left of each thumbnail, and the size of its mixture: (2, n) mean squares."""
    centred = flat - arrays["gate_mean"]
    mixture = centred @ arrays["gate_components"].T
    left = np.square(centred - mixture @ arrays["gate_components"]).mean(axis=1)
    return np.stack([left, np.square(mixture / arrays["gate_spreads"]).mean(axis=1)])


def _parts(count: int, groups: NDArray[np.str_] | None, seed: int) -> NDArray[np.int64]:
    """Deal groups out to parts."""
    _, codes = np.unique(np.arange(count) if groups is None else groups, return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(int(codes.max()) + 1) % _SCALE_PARTS
    return np.asarray(dealt[codes], np.int64)


def centroids(
    pictures: NDArray[np.float32],
    labels: NDArray[np.int64],
    groups: NDArray[np.str_] | None = None,
    *,
    per_label: int,
    seed: int,
) -> NDArray[np.float32]:
    """Return mean pictures of clusters, the background of explanations.

    Parameters
    ----------
    pictures : float32 (n, size, size, channels), 0 to 1
    labels : int64 (n,)
    groups : str array (n,) or None
        Patients; None where each picture is of another.

    Returns
    -------
    float32 (m, size, size, channels)
        At most `per_label` for each label; each is the mean of at least 12 pictures of 5 groups, or what
        `means_of_many` gives for fewer, so that none is a patient's.
    """
    from sklearn.cluster import KMeans

    def clustered(own: NDArray[np.float32]) -> NDArray[np.int64]:
        count = min(per_label, max(1, len(own) // (3 * FEWEST_ITEMS)))
        return np.asarray(KMeans(count, n_init=2, random_state=seed).fit_predict(thumbnails(own)), np.int64)

    whose = np.arange(len(pictures)) if groups is None else groups
    means = means_of_many(pictures, labels, whose, clustered)
    # In whole bytes, as pictures are kept: these compress well.
    return from_bytes(np.rint(means * 255).astype(np.uint8))
