"""TIFF pages whose values Pillow would change: colours of 16 bits, signed and double numbers."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["exact_page", "is_negative"]

_BITS, _PHOTOMETRIC, _SAMPLES, _FORMAT = 258, 262, 277, 339
_WHITE_IS_ZERO = 0
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
# Bits and sample format of one sample that Pillow keeps as they are.
_KEPT = {(1, _UNSIGNED), (8, _UNSIGNED), (16, _UNSIGNED), (32, _SIGNED), (32, _FLOAT)}


def exact_page(data: bytes, picture: Image.Image, number: int) -> NDArray[Any] | None:
    """Return a page's values as stored, (height, width) or (height, width, samples); None: Pillow keeps them.

    Needed codecs beyond Deflate are not installed; such a page is left to Pillow too.
    """
    if picture.format != "TIFF" or _is_kept(picture):
        return None
    import tifffile  # few files need it

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as opened:
            page = opened.pages[number]
            array = np.asarray(page.asarray())
    except Exception:  # a codec that is missing, or what Pillow will complain about itself
        return None
    array = np.moveaxis(array, 0, -1) if array.ndim == 3 and array.shape[1:] == picture.size[::-1] else array
    is_picture = array.shape[:2] == picture.size[::-1] and array.ndim in (2, 3) and array.dtype.kind in "uif"
    return array if is_picture else None


def is_negative(picture: Image.Image, exact: NDArray[Any] | None) -> bool:
    """Say whether greater values of a page, as they were read, are darker (WhiteIsZero).

    Pillow turns such pages of up to 8 bits round, deeper ones it gives as stored, as `exact_page` does.
    """
    tags: Any = getattr(picture, "tag_v2", {})
    is_stored = exact is not None or picture.mode not in ("1", "L")
    return picture.format == "TIFF" and tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO and is_stored


def _is_kept(picture: Image.Image) -> bool:
    tags: Any = getattr(picture, "tag_v2", {})
    bits, form = np.atleast_1d(tags.get(_BITS, 1)), np.atleast_1d(tags.get(_FORMAT, _UNSIGNED))
    if int(tags.get(_SAMPLES, 1)) > 1:
        return int(bits.max()) <= 8
    return (int(bits[0]), int(form[0])) in _KEPT
