"""Prepared pictures on the disk: a set may be larger than the memory."""

from __future__ import annotations

import tempfile

import numpy as np
from numpy.typing import NDArray

__all__ = ["PictureStore"]


class PictureStore:
    """Square pictures as bytes in files without a name, which vanish with the process.

    They lie in the folder for temporary files (``TMPDIR``).

    Parameters
    ----------
    count, size : int
        How many pictures, and their height and width.
    """

    def __init__(self, count: int, size: int) -> None:
        self.size = size
        self._grey = _file((count, size, size, 1))
        self._colour: NDArray[np.uint8] | None = None
        self._is_coloured = np.zeros(count, bool)
        self._channels = 1

    def __len__(self) -> int:
        return len(self._grey)

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour; see `decide`."""
        return self._channels

    def put(self, number: int, grey: NDArray[np.uint8], colours: NDArray[np.uint8] | None = None) -> None:
        """Keep a picture (size, size) and, where it has colours, those (size, size, 3)."""
        self._grey[number, ..., 0] = grey
        if colours is not None:
            if self._colour is None:  # the file is sparse: pictures without colour take no room in it
                self._colour = _file((len(self), self.size, self.size, 3))
            self._colour[number], self._is_coloured[number] = colours, True

    def decide(self, least_coloured: float) -> None:
        """Give all pictures in colour from this share of coloured ones on, else all in grey."""
        if self._colour is not None and self._is_coloured.mean() >= least_coloured:
            self._channels = 3

    def take(self, numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return pictures, uint8 (m, size, size, channels)."""
        grey = self._grey[numbers]
        if self._channels == 1 or self._colour is None:
            return np.asarray(grey)
        is_coloured = self._is_coloured[numbers][:, None, None, None]
        return np.where(is_coloured, self._colour[numbers], grey)


def _file(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    with tempfile.TemporaryFile(prefix="healthdash-") as file:
        # The map keeps the file, which has no name any more, until it is forgotten itself.
        return np.memmap(file, np.uint8, "w+", shape=(max(shape[0], 1), *shape[1:]))
