"""The arrays of a message, beside its JSON."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Broken", "Buffers", "empty"]

#: Truth, whole numbers, floats, complex ones, text, bytes, times: never objects (O) or records (V).
_KINDS = "biufcUSmM"
_MOST_DIMENSIONS = 16


class Broken(Exception):
    """A message is not what it was declared to be."""


class Buffers:
    """Arrays by number, in the order in which they were put."""

    def __init__(self, arrays: list[NDArray[Any]] | None = None) -> None:
        self.arrays: list[NDArray[Any]] = arrays or []

    def put(self, array: NDArray[Any]) -> int:
        """Keep an array and return its number."""
        if array.dtype.kind not in _KINDS:
            raise TypeError(f"an array of {array.dtype} cannot be sent")
        self.arrays.append(np.ascontiguousarray(array).reshape(array.shape))
        return len(self.arrays) - 1

    def take(self, number: Any, declared: np.dtype[Any] | None = None) -> NDArray[Any]:
        """Return an array by its number, of a declared type."""
        if type(number) is not int or not 0 <= number < len(self.arrays):
            raise Broken("expected the number of an array")
        array = self.arrays[number]
        if declared is not None:
            is_text = declared.kind in "USmM"
            if array.dtype.kind != declared.kind or not (is_text or array.itemsize == declared.itemsize):
                raise Broken(f"expected an array of {declared}, got {array.dtype}")
        return array

    def table(self) -> list[Any]:
        """Return type and shape of each array, for the header of a message."""
        return [[array.dtype.str, list(array.shape)] for array in self.arrays]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.arrays)


def empty(table: Any, most: int) -> Buffers:
    """Return arrays to be filled, of the types and shapes that a header tells.

    Parameters
    ----------
    most : int, bytes
        Of all together; nothing is reserved before they were added up.

    Raises
    ------
    Broken
        They are of other types, or more.
    """
    if not isinstance(table, list):
        raise Broken("expected a table of arrays")
    told = [_told(entry) for entry in table]
    if sum(dtype.itemsize * math.prod(shape) for dtype, shape in told) > most:
        raise Broken("more than was told")
    return Buffers([np.empty(shape, dtype) for dtype, shape in told])


def _told(entry: Any) -> tuple[np.dtype[Any], tuple[int, ...]]:
    name, shape = entry if isinstance(entry, list) and len(entry) == 2 else (None, None)
    if not isinstance(name, str) or len(name) > 24 or not isinstance(shape, list):
        raise Broken("expected type and shape of an array")
    try:
        dtype = np.dtype(name)
    except (TypeError, ValueError, SyntaxError) as error:
        raise Broken("expected the type of an array") from error
    is_shape = len(shape) <= _MOST_DIMENSIONS and all(type(n) is int and n >= 0 for n in shape)
    if dtype.kind not in _KINDS or dtype.names or dtype.shape or not is_shape:
        raise Broken("expected an array of plain values")
    return dtype, tuple(shape)
