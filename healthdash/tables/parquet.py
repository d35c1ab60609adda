"""Read Parquet as text; its sizes are checked before anything is decoded."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd

from healthdash.errors import InvalidInput, UnreadableUpload

from .layout import HINT, check_size
from .number_formats import plain_number

__all__ = ["read_parquet"]

_MOST_BYTES = 512 << 20
_BATCH = 4096


def read_parquet(data: bytes) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the cells as text (gaps are "") and the kind of each column as its type tells.

    Raises
    ------
    UnreadableUpload
        A damaged file, or columns that hold lists, structures or bytes.
    InvalidInput
        Too many rows or columns, or more than 512 MB when unpacked.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with _arrow_errors():
        source = pq.ParquetFile(io.BytesIO(data), thrift_string_size_limit=1 << 24)
        described = source.metadata
        check_size(described.num_rows, described.num_columns)
        if sum(described.row_group(i).total_byte_size for i in range(described.num_row_groups)) > _MOST_BYTES:
            raise InvalidInput("expected at most 512 MB when unpacked, got more", hint=HINT)
        schema = source.schema_arrow
        odd = [n for n, one in zip(schema.names, schema.types, strict=True) if not _is_plain(pa, one)]
        if odd:
            raise UnreadableUpload("expected plain columns, got lists, structures or bytes", hint=HINT)
        # Texts stay as codes into a dictionary: a small file may repeat a long one a million times.
        texts = [n for n, one in zip(schema.names, schema.types, strict=True) if _is_text(pa, one)]
        source = pq.ParquetFile(io.BytesIO(data), read_dictionary=texts)
        frames, size = [], 0
        for batch in source.iter_batches(batch_size=_BATCH, use_threads=False):
            size += batch.nbytes
            if size > _MOST_BYTES:
                raise InvalidInput("expected at most 512 MB when unpacked, got more", hint=HINT)
            frames.append(_as_text(batch))
    if not frames:
        raise InvalidInput("expected at least one row, got none", hint=HINT)
    kinds = {n: _kind(pa, one) for n, one in zip(schema.names, schema.types, strict=True)}
    return pd.concat(frames, ignore_index=True), {name: kind for name, kind in kinds.items() if kind}


@contextmanager
def _arrow_errors() -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableUpload("expected a Parquet file, it is damaged", hint=HINT) from error


def _is_plain(pa: Any, kind: Any) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return not (pa.types.is_nested(value) or pa.types.is_binary(value) or pa.types.is_large_binary(value))


def _is_text(pa: Any, kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _kind(pa: Any, kind: Any) -> str:
    if pa.types.is_dictionary(kind) or pa.types.is_boolean(kind):
        return "category"
    return "date" if pa.types.is_temporal(kind) else ""


def _as_text(batch: Any) -> pd.DataFrame:
    """Return the cells of a batch as Python writes them; whole floats without decimals."""
    columns = {}
    for place in range(batch.num_columns):
        column = batch.column(place)
        if hasattr(column, "dictionary"):
            # Each text is made once and shared by its rows.
            known = [_cell(value) for value in column.dictionary.to_pylist()]
            columns[place] = ["" if code is None else known[code] for code in column.indices.to_pylist()]
        else:
            columns[place] = [_cell(value) for value in column.to_pylist()]
    frame = pd.DataFrame(columns, dtype=object)
    frame.columns = list(batch.schema.names)
    return frame


def _cell(value: object) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        return plain_number(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value).strip()
