"""Tables of text and numbers to arrays and back; a text that occurs often is sent once."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .buffers import Broken, Buffers

__all__ = ["pack", "unpack"]

_MOST_ROWS = 1 << 40


def pack(frame: pd.DataFrame, buffers: Buffers) -> Any:
    """Return a table as JSON and buffers hold it: its index, the names of its columns, its columns."""
    names = [name if isinstance(name, str) else int(name) for name in frame.columns]
    columns = [_pack_column(frame.iloc[:, place], buffers) for place in range(len(names))]
    return [_pack_index(frame.index, buffers), names, columns]


def unpack(node: Any, buffers: Buffers) -> pd.DataFrame:
    """Return the table that was packed; raise `Broken` where it is none."""
    if not isinstance(node, list) or len(node) != 3:
        raise Broken("expected a table")
    kept, names, columns = node
    index = _unpack_index(kept, buffers)
    if not isinstance(names, list) or not isinstance(columns, list) or len(names) != len(columns):
        raise Broken("expected a name for each column")
    if not all(type(name) in (str, int) for name in names):
        raise Broken("expected names of columns")
    values = {place: _unpack_column(column, buffers) for place, column in enumerate(columns)}
    if any(one.shape != (len(index),) for one in values.values()):
        raise Broken("expected columns of one length")
    frame = pd.DataFrame(values, index=index)
    frame.columns = pd.Index(names, dtype=object) if names else pd.Index([], dtype=object)
    return frame


def _pack_column(column: pd.Series, buffers: Buffers) -> Any:
    if column.dtype != object:
        return [buffers.put(np.asarray(column))]
    codes, found = pd.factorize(column, use_na_sentinel=False)
    texts = [None if isinstance(one, float) and one != one else one for one in found.tolist()]
    if not all(one is None or isinstance(one, str) for one in texts):
        raise TypeError("expected a column of text or of numbers")
    return [buffers.put(_smallest(codes)), buffers.put(_as_bytes(texts))]


def _unpack_column(node: Any, buffers: Buffers) -> NDArray[Any]:
    if not isinstance(node, list) or len(node) not in (1, 2):
        raise Broken("expected a column")
    values = buffers.take(node[0])
    if len(node) == 1:
        return values
    texts = _texts(buffers.take(node[1], np.dtype(np.uint8)))
    if values.dtype.kind != "u" or (values.size and int(values.max()) >= len(texts)):
        raise Broken("expected the numbers of texts")
    among = np.empty(len(texts), dtype=object)
    among[:] = texts
    found: NDArray[Any] = among[values]
    return found


def _texts(data: NDArray[np.uint8]) -> list[str | None]:
    try:
        texts = json.loads(data.tobytes())
    except (ValueError, RecursionError) as error:
        raise Broken("expected texts") from error
    if not isinstance(texts, list) or not all(one is None or isinstance(one, str) for one in texts):
        raise Broken("expected texts")
    return texts


def _as_bytes(texts: list[str | None]) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(texts).encode(), np.uint8)


def _smallest(codes: NDArray[np.int64]) -> NDArray[Any]:
    most = int(codes.max()) if codes.size else 0
    return codes.astype(np.min_scalar_type(most))


def _pack_index(index: pd.Index, buffers: Buffers) -> Any:
    name = index.name if isinstance(index.name, str) else None
    if isinstance(index, pd.RangeIndex):
        return [name, index.start, index.stop, index.step]
    if index.dtype == object:
        return [name, *_pack_column(index.to_series(), buffers)]
    return [name, buffers.put(np.asarray(index))]


def _unpack_index(node: Any, buffers: Buffers) -> pd.Index:
    if not isinstance(node, list) or len(node) not in (2, 3, 4) or not isinstance(node[0], str | None):
        raise Broken("expected an index")
    name, *kept = node
    if len(kept) < 3:
        found: pd.Index = pd.Index(_unpack_column(kept, buffers), name=name)
        return found
    if not all(type(one) is int and abs(one) < _MOST_ROWS for one in kept) or kept[2] == 0:
        raise Broken("expected a range")
    start, stop, step = kept
    return pd.RangeIndex(start, stop, step, name=name)
