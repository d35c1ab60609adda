"""From grey pixels to the network's input; the same code for training and prediction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["INPUT", "from_bytes", "to_square"]

#: Name of the network's only input: float32 (n, size, size, 1), grey 0 to 1.
INPUT = "image"


def from_bytes(stored: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return grey 0 to 1 of stored bytes, any shape."""
    return np.asarray(stored, np.float32) / np.float32(255)


def to_square(pixels: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Bring a grey picture to the size that the network takes.

    Parameters
    ----------
    pixels : float32 (height, width), 0 black to 1 white
        The whole picture; it is not changed.
    size : int
        Height and width of the result. The picture is squashed to a square, as those of
        the training were; anti-aliased, so that large and small originals look alike.

    Returns
    -------
    float32 (1, size, size, 1), 0 to 1
    """
    image = Image.fromarray(np.ascontiguousarray(pixels, np.float32))
    resized = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC), np.float32)
    return np.clip(resized, 0, 1)[None, :, :, None]
