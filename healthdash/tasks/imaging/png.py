"""PNG of 16 bits in colour, of which Pillow keeps the upper eight."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["deep_png", "on_black"]

_UPPER, _LOWER = ";16B", ";16L"
_DEEP = ("RGB;16B", "RGBA;16B")


def deep_png(data: bytes, picture: Image.Image) -> NDArray[np.uint16] | None:
    """Return the values as stored, (height, width, 3 or 4); None: Pillow keeps them as they are.

    Pillow takes one byte of each two, that which the raw mode names: the other one comes by asking for the
    other order of bytes.
    """
    if picture.format != "PNG" or not picture.tile or picture.tile[0].args not in _DEEP:
        return None
    upper, lower = (_bytes(data, order) for order in (_UPPER, _LOWER))
    return np.asarray(upper.astype(np.uint16) << 8 | lower)


def on_black(values: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Put a see-through picture (height, width, 4) on black, as X-ray viewers do."""
    if values.shape[2] == 3:
        return values
    opaque = values[..., 3:] / np.float32(np.iinfo(np.uint16).max)
    return np.asarray(np.rint(values[..., :3] * opaque), np.uint16)


def _bytes(data: bytes, order: str) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data), formats=("PNG",)) as opened:
        opened.tile = [
            tile._replace(args=str(tile.args).replace(_UPPER, order))  # type: ignore[union-attr]
            for tile in opened.tile
        ]
        return np.asarray(opened, np.uint8)
