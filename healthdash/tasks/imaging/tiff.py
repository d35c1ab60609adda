"""TIFF pages whose values Pillow would change: colours of 16 bits, signed and double numbers."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .colour import on_black
from .upright import upright

__all__ = ["exact_page", "is_negative"]

_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _SAMPLES, _EXTRA, _FORMAT = 256, 257, 258, 262, 277, 338, 339
#: Kinds whose samples are greys, or red, green and blue; others, such as inks, are left to Pillow.
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
#: What an extra sample may be: opacity by which the colours are not yet multiplied (TIFF 6.0, section 18).
_UNASSOCIATED = 2
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
# Bits and sample format of one sample that Pillow keeps as they are.
_KEPT = {(1, _UNSIGNED), (8, _UNSIGNED), (16, _UNSIGNED), (32, _SIGNED), (32, _FLOAT)}


def exact_page(data: bytes, picture: Image.Image, number: int) -> NDArray[Any] | None:
    """Return a page's values upright and on black, (height, width) or (height, width, samples).

    None: Pillow keeps them. Needed codecs beyond Deflate are not installed; such a page is left to it too.

    Parameters
    ----------
    picture : Image
        At this page, which is not loaded yet: Pillow forgets how to turn it.
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
    tags: Any = picture.tag_v2  # type: ignore[attr-defined]
    size = (tags.get(_HEIGHT), tags.get(_WIDTH))
    array = np.moveaxis(array, 0, -1) if array.ndim == 3 and array.shape[1:] == size else array
    if array.shape[:2] != size or array.ndim not in (2, 3) or array.dtype.kind not in "uif":
        return None
    extra = np.atleast_1d(tags.get(_EXTRA, 0))[0]
    is_see_through = extra == _UNASSOCIATED and array.shape[2:] == (4,) and array.dtype.kind == "u"
    return upright(on_black(array) if is_see_through else array, picture)


def is_negative(picture: Image.Image, exact: NDArray[Any] | None) -> bool:
    """Say whether greater values of a page, as they were read, are darker (WhiteIsZero).

    Pillow turns such pages of up to 8 bits round, deeper ones it gives as stored, as `exact_page` does.
    """
    tags: Any = getattr(picture, "tag_v2", {})
    is_stored = exact is not None or picture.mode not in ("1", "L")
    return picture.format == "TIFF" and tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO and is_stored


def _is_kept(picture: Image.Image) -> bool:
    tags: Any = getattr(picture, "tag_v2", {})
    if tags.get(_PHOTOMETRIC, _WHITE_IS_ZERO) not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB):
        return True
    bits, form = np.atleast_1d(tags.get(_BITS, 1)), np.atleast_1d(tags.get(_FORMAT, _UNSIGNED))
    if int(tags.get(_SAMPLES, 1)) > 1:
        return int(bits.max()) <= 8
    return (int(bits[0]), int(form[0])) in _KEPT
