"""The weights of a `.keras` archive, an HDF5 file: its structure is walked before Keras reads it.

HDF5 can name other files, hide data behind filters and links, and announce shapes that it does not store.
None of that is in a file that Keras writes.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from healthdash.errors import RefusedModel

__all__ = ["check"]

_DEEPEST = 40
_MOST_OBJECTS = 50_000
_MOST_ATTRIBUTES = 16
#: Kinds of numbers: floats, whole numbers with and without sign (states of random layers), truth values.
_KINDS = "fiub"


def check(content: bytes, *, values: bool = False) -> int:
    """Walk an HDF5 file and return how many numbers it stores.

    Parameters
    ----------
    content : bytes
        The `model.weights.h5` of a `.keras` archive.
    values : bool
        Also read every number and refuse those that are not finite.

    Raises
    ------
    RefusedModel
        A link, data in another file, a virtual or filtered dataset, something else than numbers, a shape
        that the file does not store, a number that is not finite.
    """
    import h5py

    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            return _Walk(h5py, len(content), values).group(file)
    except (OSError, KeyError, ValueError, RuntimeError, RecursionError) as error:
        raise RefusedModel("damaged weights", "the weights are no HDF5 file that can be read") from error


class _Walk:
    """One walk through a file; remembers what it has seen."""

    def __init__(self, h5py: Any, stored_bytes: int, values: bool) -> None:
        self._h5py, self._left, self._values = h5py, stored_bytes, values
        self._seen: set[int] = set()

    def group(self, group: Any, depth: int = 0) -> int:
        """Return the numbers stored below a group."""
        if depth > _DEEPEST:
            raise RefusedModel("deep nesting", f"expected at most {_DEEPEST} levels of weights")
        self._once(group)
        total = 0
        for name in group:
            if not isinstance(group.get(name, getlink=True), self._h5py.HardLink):
                raise RefusedModel("a link", "the weights point to another place or file")
            item = group[name]
            if isinstance(item, self._h5py.Group):
                total += self.group(item, depth + 1)
            elif isinstance(item, self._h5py.Dataset):
                total += self._dataset(item)
            else:
                raise RefusedModel("damaged weights", "expected groups and numbers only")
        return total

    def _once(self, item: Any) -> None:
        """Count an object; the same one in two places is a loop or a trick to read it many times."""
        address = self._h5py.h5o.get_info(item.id).addr
        if address in self._seen:
            raise RefusedModel("a link", "two names of the weights stand for one object")
        self._seen.add(address)
        if len(self._seen) > _MOST_OBJECTS:
            raise RefusedModel("its size", f"the weights have more than {_MOST_OBJECTS:,} parts")
        if len(item.attrs) > _MOST_ATTRIBUTES:
            raise RefusedModel("damaged weights", "a part of the weights has too many attributes")

    def _dataset(self, data: Any) -> int:
        self._once(data)
        if data.external or data.is_virtual:
            raise RefusedModel("data in another file", "a part of the weights lies outside of the file")
        if data.dtype.kind not in _KINDS or data.shape is None:
            raise RefusedModel("damaged weights", "expected numbers, got something else")
        if data.id.get_create_plist().get_nfilters():
            raise RefusedModel("a decompression bomb", "a part of the weights is compressed")
        announced = int(np.prod(data.shape, dtype=object)) * data.dtype.itemsize
        self._left -= announced
        if self._left < 0 or data.id.get_storage_size() != announced:
            raise RefusedModel("a giant layer", "a part of the weights is larger than what is stored of it")
        if self._values and data.dtype.kind == "f":
            _check_finite(data)
        return int(data.size)


def _check_finite(data: Any) -> None:
    """Raise on a number that is NaN or infinite."""
    if not np.isfinite(np.asarray(data[()], np.float32)).all():
        raise RefusedModel("numbers that are none", "a weight is not finite")
