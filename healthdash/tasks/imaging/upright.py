"""Pictures whose values Pillow would change, turned as it turns those that it reads itself."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from PIL import ExifTags, Image

__all__ = ["upright"]

#: Steps along rows and columns that each orientation takes; those from 5 on have rows and columns swapped.
_STEPS = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 5: (1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}
_SWAPPED = 5


def upright(values: NDArray[Any], picture: Image.Image) -> NDArray[Any]:
    """Return stored values, (height, width) or with samples behind, as people should see them.

    Parameters
    ----------
    picture : Image
        That holds them. A TIFF must not be loaded yet: it forgets its orientation.

    References
    ----------
    TIFF 6.0, section 8, Orientation (274).
    """
    orientation = int(picture.getexif().get(ExifTags.Base.Orientation, 1))
    rows, columns = _STEPS.get(orientation, (1, 1))
    turned = values.swapaxes(0, 1) if orientation in _STEPS and orientation >= _SWAPPED else values
    return turned[::rows, ::columns]
