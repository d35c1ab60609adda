"""PNG of 16 bits in colour or see-through, of which Pillow keeps the upper eight."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .colour import on_black
from .upright import upright

__all__ = ["deep_png"]

_UPPER, _LOWER = ";16B", ";16L"
_COLOURS, _GREYS = ("RGB;16B", "RGBA;16B"), "LA;16B"
#: The raw mode whose pixels have as many bytes as two samples of 16 bits.
_FOUR_BYTES = "RGBA"


def deep_png(data: bytes, picture: Image.Image) -> NDArray[Any] | None:
    """Return the values upright and on black, (height, width) or (height, width, 3).

    None: Pillow keeps them as they are. Of colours it takes one byte of each two, that which the raw mode
    names: the other one comes by asking for the other order of bytes.
    """
    raw = picture.tile[0].args if picture.format == "PNG" and picture.tile else None
    if raw == _GREYS:
        values = _bytes(data, _FOUR_BYTES).view(">u2").astype(np.uint16)
    elif raw in _COLOURS:
        upper, lower = (_bytes(data, str(raw).replace(_UPPER, order)) for order in (_UPPER, _LOWER))
        values = np.asarray(upper.astype(np.uint16) << 8 | lower)
    else:
        return None
    is_opaque = values.shape[2] == 3
    return upright(values if is_opaque else on_black(values), picture)


def _bytes(data: bytes, raw: str) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data), formats=("PNG",)) as opened:
        opened.tile = [tile._replace(args=raw) for tile in opened.tile]
        return np.asarray(opened, np.uint8)
