"""Read data sets of SPSS (portable files too), Stata and SAS as text, by pyreadstat (Apache-2.0).

The file says the type of each column, its long name, and what its codes mean: codes with meanings become
categories. Sizes are looked at before any row is read; missing values of the user's count as gaps.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

import pandas as pd

from healthdash.errors import InvalidInput, UnreadableUpload

from . import layout
from .layout import HINT, TableFormat, TextTable
from .number_formats import plain_number

__all__ = ["read_statistics", "statistics_kind"]

Kind = Literal["spss", "portable", "stata", "xport", "sas"]
#: Rows at a time: what a compressed file unpacks to is looked at again and again.
_BLOCK = 20_000
_MOST_BYTES = 512 << 20
#: First bytes, by the published layouts: SPSS system file (PSPP developer's guide, file header record), Stata
#: dta 117 and later, SAS transport (TS-140, TS-140 v8), and the magic number of a sas7bdat.
_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"$FL2@(#)", "spss"),
    (b"$FL3@(#)", "spss"),
    (b"<stata_dta>", "stata"),
    (b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!", "xport"),
    (b"HEADER RECORD*******LIBV8   HEADER RECORD!!!!!!!", "xport"),
    (bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\x00\x09\xc7\x31\x8c", "sas"),
)
#: Versions 8 to 15 of Stata: format number, byte order, file type 1, unused 0.
_OLD_STATA = tuple(bytes((version, order, 1, 0)) for version in (113, 114, 115) for order in (1, 2))
#: The tag after five splash strings of 40 and the table of 256 characters, in lines of 80 (PSPP developer's
#: guide, portable file header).
_PORTABLE, _PORTABLE_WITHIN = b"SPSSPORT", 480
#: Names of codes that stand for no value.
_MISSING = re.compile(r"missing|refus|unknown|n[o']t (know|answer|appl)|no answer|n/?a\b", re.IGNORECASE)


def statistics_kind(data: bytes) -> Kind | None:
    """Say from the first bytes which program wrote a data set; None: none of these."""
    if data[:4] in _OLD_STATA:
        return "stata"
    if _PORTABLE in data[:_PORTABLE_WITHIN].replace(b"\r", b"").replace(b"\n", b""):
        return "portable"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def read_statistics(data: bytes, kind: Kind) -> TextTable:
    """Return the cells as text, the kinds that the file declares, and the long names of its columns.

    Raises
    ------
    UnreadableUpload
        A damaged or encrypted file.
    InvalidInput
        Too many rows, columns or cells.
    """
    if kind == "portable" and not data.rstrip(b"\r\n").endswith(b"Z"):
        # A portable file is filled up with Z: without them rows may be missing, and nobody would know.
        raise UnreadableUpload("expected a whole SPSS portable file, got one that is cut off", hint=HINT)
    with _readstat_errors():
        _, meta = _reader(kind)(io.BytesIO(data), metadataonly=True)
        rows, width = meta.number_rows or 0, meta.number_columns or 0
        layout.check_size(rows, width)
        if rows * width > layout.MOST_CELLS:
            raise InvalidInput(f"expected at most {layout.MOST_CELLS:,} cells, got more", hint=HINT)
        frames = list(_blocks(data, kind, rows, meta.variable_value_labels))
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=meta.column_names)
    titles = {name: title for name, title in meta.column_names_to_labels.items() if title}
    declared = {name: "category" for name in meta.variable_value_labels if _is_coded(frame, meta, name)}
    declared |= {name: "date" for name in frame.columns if _holds_dates(frame[name])}
    codes = {name: _codes(known) for name, known in meta.variable_value_labels.items()}
    return TextTable(frame, "", (), TableFormat(file=kind), declared, titles=titles, codes=codes)


def _blocks(
    data: bytes, kind: Kind, told: int, labels: Mapping[str, Mapping[Any, str]]
) -> Iterator[pd.DataFrame]:
    """Yield the rows as text, some at a time; never more than fit in memory. `told`: rows by the header."""
    read, size, meanings = _reader(kind), 0, dict[str, Mapping[Any, str]]()
    for start in range(0, layout.MOST_ROWS + 1, _BLOCK):
        block, _ = read(io.BytesIO(data), row_offset=start, row_limit=_BLOCK)
        if len(block):
            for name in set(block.columns) - set(meanings):
                meanings[name] = _meanings(block[name], labels.get(name, {}))
            texts = {name: _texts(block[name], meanings[name]) for name in block.columns}
            size += sum(int(column.str.len().sum()) for column in texts.values())
            if size > _MOST_BYTES:
                raise InvalidInput("expected at most 512 MB when unpacked, got more", hint=HINT)
            yield pd.DataFrame(texts, dtype=object)
        if len(block) < _BLOCK or start + _BLOCK == told:
            return
    raise InvalidInput(f"expected at most {layout.MOST_ROWS:,} rows, got more", hint=HINT)


def _reader(kind: Kind) -> Any:
    import pyreadstat

    readers = {
        "spss": pyreadstat.read_sav,
        "portable": pyreadstat.read_por,
        "stata": pyreadstat.read_dta,
        "xport": pyreadstat.read_xport,
        "sas": pyreadstat.read_sas7bdat,
    }
    return readers[kind]


@contextmanager
def _readstat_errors() -> Iterator[None]:
    from pyreadstat import PyreadstatError, ReadstatError

    try:
        yield
    except InvalidInput:
        raise
    except (PyreadstatError, ReadstatError, ValueError, OverflowError, LookupError, OSError) as error:
        raise UnreadableUpload(
            "expected a data set of SPSS, Stata or SAS, the file is damaged or encrypted", hint=HINT
        ) from error


def _meanings(column: pd.Series, labels: Mapping[Any, str]) -> Mapping[Any, str]:
    """Return the meanings that stand for their codes; among numbers a named one stays a number.

    Of a count with `0 = none` the nought is a number, as one between the others is; `97 = refused` beyond
    them is none, nor is one whose name says that it is missing.
    """
    values = column.dropna().unique()
    numbers = [value for value in values if value not in labels]
    if not pd.api.types.is_numeric_dtype(column) or len(numbers) <= len(values) / 2:
        return labels
    low, high = min(numbers), max(numbers)
    return {
        code: name
        for code, name in labels.items()
        if not (code == 0 or (low <= code <= high and not _MISSING.search(name)))
    }


def _codes(labels: Mapping[Any, str]) -> dict[str, str]:
    """Return the code of each meaning, as text; of what means that a value is missing it is empty."""
    named = {str(name).strip(): code for code, name in labels.items()}
    return {name: "" if _MISSING.search(name) else _text(code, {}) for name, code in named.items()}


def _texts(column: pd.Series, labels: Mapping[Any, str]) -> pd.Series:
    """Return the cells as text; a code that has a meaning as its meaning."""
    known = {value: _text(value, labels) for value in column.dropna().unique()}
    return column.map(known).fillna("").astype(object)


def _text(value: Any, labels: Mapping[Any, str]) -> str:
    if value in labels:
        return str(labels[value]).strip()
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return value.date().isoformat() if midnight else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    if isinstance(value, float):
        return plain_number(value)
    return str(value).strip()


def _is_coded(frame: pd.DataFrame, meta: Any, name: str) -> bool:
    """Say whether the codes of a column have meanings, and not only its missing ones."""
    meanings = {str(one).strip() for one in meta.variable_value_labels[name].values()}
    found = set(frame[name]) - {""} if name in frame else set()
    return bool(found) and len(found & meanings) > len(found) / 2


def _holds_dates(column: pd.Series) -> bool:
    known = column[column != ""].head(100)
    return bool(len(known)) and bool(known.str.fullmatch(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?").all())
