"""Whether a picture can be a slice of a chest CT in the lung window: physics, not learning."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["enclosed_air", "middle_grey", "slice_limits"]

_OUTLINE_SIDE = 64
_GREY_SIDE = 128  # the share of blurred edges depends on the resolution, so it is measured at one
# In the window -500 / 1500 HU: 0.5 is -500 HU, between air or lung and tissue; 0.35 to 0.7 is
# -725 to -200 HU, where neither healthy lung, nor air, nor tissue is.
_TISSUE = 0.5
_BETWEEN = (0.35, 0.7)
_MARGIN = 0.8


def slice_limits(pictures: NDArray[np.float32]) -> dict[str, float]:
    """Return limits that every training slice keeps with a margin, for a bundle's gate.

    Parameters
    ----------
    pictures : float32 (n, size, size, 1), 0 to 1
    """
    return {
        "enclosed_air_at_least": _MARGIN * float(enclosed_air(pictures).min()),
        "middle_grey_at_most": float(middle_grey(pictures).max()) / _MARGIN,
    }


def enclosed_air(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return which share of the body's outline is dark inside, for each CT slice.

    Parameters
    ----------
    pictures : float32 (n, size, size, 1), 0 to 1
        In the lung window -500 / 1500 HU, where 0.5 parts air and lung from tissue.

    Returns
    -------
    float32 (n,)
        Lungs make it 0.08 to 0.5 in the training slices; heads, necks and bellies stay below 0.05.
    """
    from scipy import ndimage  # the first page must not wait for it

    shares = []
    for picture in pictures:
        tissue = _small(picture, _OUTLINE_SIDE) > _TISSUE
        parts, count = ndimage.label(ndimage.binary_fill_holes(tissue))
        body = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:])) if count else tissue
        shares.append((body & ~tissue).sum() / max(1, body.sum()))
    return np.asarray(shares, np.float32)


def middle_grey(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the share of pixels between lung and tissue, float32 (n,); an X-ray has mostly such."""
    low, high = _BETWEEN
    small = np.stack([_small(picture, _GREY_SIDE) for picture in pictures])
    return np.asarray(((small > low) & (small < high)).mean(axis=(1, 2)), np.float32)


def _small(picture: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return a picture (size, size, 1) as (side, side)."""
    return np.asarray(Image.fromarray(picture[..., 0]).resize((side, side), Image.Resampling.BOX))
