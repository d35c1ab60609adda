"""Colours and their grey."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["is_grey", "luminance", "on_black"]

# Luminance of ITU-R BT.601, which Pillow's and most viewers' grey conversion use.
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
# Channels of a grey picture saved in colour differ by JPEG rounding only.
_GREY_TOLERANCE = 8


def luminance(colours: NDArray[Any]) -> NDArray[np.float32]:
    """Return the grey of colours (..., 3)."""
    return np.asarray(colours, np.float32) @ _LUMINANCE


def is_grey(colours: NDArray[np.uint8]) -> bool:
    """Say whether a picture (..., 3) in colour shows greys only, but for rounding."""
    return int(np.ptp(colours.astype(np.int16), axis=-1).max(initial=0)) <= _GREY_TOLERANCE


def on_black(values: NDArray[Any]) -> NDArray[Any]:
    """Put a see-through picture on black, as X-ray viewers do.

    Parameters
    ----------
    values : unsigned integers (height, width, 2 or 4)
        A grey or three colours, and their opacity from 0 to the largest of the type.

    Returns
    -------
    of the same type, (height, width) or (height, width, 3)
    """
    opaque = values[..., -1:] / np.float32(np.iinfo(values.dtype).max)
    seen = np.rint(values[..., :-1] * opaque).astype(values.dtype)
    return seen[..., 0] if seen.shape[2] == 1 else seen
