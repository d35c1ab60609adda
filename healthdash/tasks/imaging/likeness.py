"""How alike pictures are: the check that no synthetic picture is a near copy of a training one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Nearest", "nearest_of_others", "nearest_to", "similarity"]

Floats = NDArray[np.float32]

_SIDE = 48
_BOX = 7
_CHUNK = 512
# SSIM's constants for grey values from 0 to 1 (Wang et al. 2004).
_LIGHT, _CONTRAST = 0.01**2, 0.03**2


@dataclass(frozen=True, slots=True)
class Nearest:
    """The most alike training picture of each picture.

    Attributes
    ----------
    rows : int64 (n,)
        Its number.
    correlation : float32 (n,)
        Of 48 x 48 thumbnails; 1 is the same picture but for brightness and contrast.
    similarity : float32 (n,)
        SSIM with it, over 7 x 7 boxes; 1 is the same picture.
    """

    rows: NDArray[np.int64]
    correlation: Floats
    similarity: Floats


def nearest_to(pictures: Floats, training: Floats) -> Nearest:
    """Find the training picture that is most like each picture.

    Parameters
    ----------
    pictures, training : float32 (n, side, side), (m, side, side), 0 to 1
    """
    correlations = _thumbnails(pictures) @ _thumbnails(training).T
    rows = correlations.argmax(axis=1)
    pairs = zip(pictures, training[rows], strict=True)
    return Nearest(rows, correlations.max(axis=1), np.array([similarity(a, b) for a, b in pairs], np.float32))


def nearest_of_others(training: Floats, groups: NDArray[np.str_], *, count: int, seed: int) -> Nearest:
    """Find, for some training pictures, the most alike picture of another patient."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(training))[:count]
    small = _thumbnails(training)
    rows, correlation = np.zeros(len(chosen), np.int64), np.zeros(len(chosen), np.float32)
    for start in range(0, len(chosen), _CHUNK):
        part = chosen[start : start + _CHUNK]
        found = np.where(groups[part][:, None] == groups[None, :], -1, small[part] @ small.T)
        rows[start : start + _CHUNK] = found.argmax(axis=1)
        correlation[start : start + _CHUNK] = found.max(axis=1)
    pairs = zip(training[chosen], training[rows], strict=True)
    return Nearest(rows, correlation, np.array([similarity(a, b) for a, b in pairs], np.float32))


def similarity(a: Floats, b: Floats) -> float:
    """Return the mean structural similarity of two pictures (height, width), 0 to 1.

    References
    ----------
    Wang, Bovik, Sheikh and Simoncelli 2004, IEEE Transactions on Image Processing 13:600.
    """
    from scipy.ndimage import uniform_filter

    a, b = a.astype(np.float64), b.astype(np.float64)
    mean_a, mean_b = uniform_filter(a, _BOX), uniform_filter(b, _BOX)
    variance = uniform_filter(a * a, _BOX) - mean_a**2 + uniform_filter(b * b, _BOX) - mean_b**2
    covariance = uniform_filter(a * b, _BOX) - mean_a * mean_b
    light = (2 * mean_a * mean_b + _LIGHT) / (mean_a**2 + mean_b**2 + _LIGHT)
    return float((light * (2 * covariance + _CONTRAST) / (variance + _CONTRAST)).mean())


def _thumbnails(pictures: Floats) -> Floats:
    """Return thumbnails of mean 0 and length 1, (n, 2304)."""
    small = [
        np.asarray(Image.fromarray(p.astype(np.float32)).resize((_SIDE, _SIDE), Image.Resampling.BOX))
        for p in pictures
    ]
    flat = np.stack(small).reshape(len(pictures), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-6), np.float32)
