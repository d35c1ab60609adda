"""The arrays of a bundle from outside: their headers are read before any of their numbers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np
from numpy.lib import format as npy

from healthdash.errors import RefusedModel

__all__ = ["check"]

_MOST_ARRAYS = 32
_MOST_BYTES = 64 << 20
_MOST_RATIO = 2_000
_SMALL = 1 << 20


def check(content: bytes, inputs: Mapping[str, tuple[int, ...]], rows: int) -> None:
    """Raise `RefusedModel` unless `background.npz` holds a background of each input, and numbers only.

    Parameters
    ----------
    inputs : dict
        Shape of each input of the network without the batch.
    rows : int
        The background must have more rows than this: the golden inputs are among them.

    Raises
    ------
    RefusedModel
        An object array (a pickle), a shape that the file does not hold, an input without background or
        with one of another shape, an infinite number. A gap (NaN) is a legal value of a table.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            shapes = {name: _checked(archive, name) for name in _names(archive)}
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, ValueError, SyntaxError) as error:
        raise RefusedModel("damaged arrays", "background.npz cannot be read") from error
    for name, shape in inputs.items():
        if name not in shapes or shapes[name][1:] != tuple(shape) or shapes[name][0] <= rows:
            raise RefusedModel("another signature", "the background does not fit the inputs of the network")


def _names(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of the arrays."""
    infos = archive.infolist()
    names = [info.filename for info in infos]
    if len(names) > _MOST_ARRAYS or len(set(names)) < len(names) or any(info.is_dir() for info in infos):
        raise RefusedModel("damaged arrays", f"expected at most {_MOST_ARRAYS} arrays, each of its own name")
    if sum(info.file_size for info in infos) > _MOST_BYTES or any(_is_bomb(info) for info in infos):
        raise RefusedModel("a decompression bomb", "background.npz would become far larger than it is")
    if not all(name.endswith(".npy") and "/" not in name for name in names):
        raise RefusedModel("an extra file", "background.npz holds something else than arrays")
    return [name.removesuffix(".npy") for name in names]


def _is_bomb(info: zipfile.ZipInfo) -> bool:
    return info.file_size > _SMALL and info.file_size > _MOST_RATIO * max(info.compress_size, 1)


def _checked(archive: zipfile.ZipFile, name: str) -> tuple[int, ...]:
    """Return the shape of an array of finite numbers or gaps."""
    data = archive.read(f"{name}.npy")
    stream = io.BytesIO(data)
    version = npy.read_magic(stream)
    read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read_header is None:
        raise RefusedModel("damaged arrays", "an array has a form that numpy does not write for numbers")
    shape, _, dtype = read_header(stream)
    if dtype.hasobject:
        raise RefusedModel("a pickle", "an array holds objects, which run code when they are read")
    if dtype.kind not in "fiub" or not shape:
        raise RefusedModel("damaged arrays", "expected arrays of numbers")
    if int(np.prod(shape, dtype=object)) * dtype.itemsize != len(data) - stream.tell():
        raise RefusedModel("damaged arrays", "an array announces a shape that it does not hold")
    if dtype.kind == "f" and np.isinf(np.frombuffer(data, dtype, offset=stream.tell())).any():
        raise RefusedModel("numbers that are none", "an array holds an infinite number")
    return tuple(int(n) for n in shape)
