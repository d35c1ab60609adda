"""Read a table from bytes: find out its format and layout; never trust the name.

Everything stays text here: what a column means is decided by a task, or by `kinds.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from healthdash import archive, settings
from healthdash.errors import InputError, InvalidInput, UnreadableUpload

from . import layout
from .arff import looks_like_arff, read_arff
from .decimals import find_marks, with_points
from .delimited import cells_of, decoded, first_lines, separator_of
from .event_files import is_of_tables, read_folder, read_zip
from .find_events import columns_of_events
from .header import find_header, is_value, with_lower_lines, without_repeats
from .layout import HINT, FileKind, TableFormat, TextTable, canonical
from .old_workbook import is_old_workbook, read_old_workbook
from .opendocument import is_opendocument, read_opendocument
from .parquet import read_parquet
from .sheets import Read
from .statistics import read_statistics, statistics_kind
from .workbook import read_workbook

__all__ = ["TableFormat", "TextTable", "canonical", "looks_like_table", "read_path", "read_text_table"]

_PARQUET = b"PAR1"
#: Files that say themselves that they are tables, however narrow.
_ONE_COLUMN = ("excel", "xls", "ods", "spss", "portable", "stata", "xport", "sas")
_SPREADSHEETS = ("excel", "xls", "ods")
_PICKLE = "a Python pickle, which is never opened because it can run code"

#: First bytes of what people upload by mistake.
_FOREIGN = (
    *((b"\x80" + bytes([protocol]), _PICKLE) for protocol in range(2, 6)),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"%PDF", "a PDF document"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"SQLite format 3", "an SQLite database"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
)
# A pickle of protocol 0 has no magic number; this is how those of frames and dicts begin.
_OLD_PICKLE = re.compile(rb"^\(?(?:lp\d+|dp\d+|c(?:pandas|numpy|copy_reg|builtins|__builtin__|os|posix)\b)")


def read_text_table(
    data: bytes,
    known: Sequence[str] = (),
    headerless: Sequence[Sequence[str]] = (),
    chosen: Mapping[str, Any] | None = None,
) -> TextTable:
    """Read text, a spreadsheet, Parquet, ARFF, SPSS, Stata or SAS, or a zip of tables of events.

    Parameters
    ----------
    data : bytes
    known : sequence of str
        Column names of the task; one of the first lines that has one of them is the header.
    headerless : sequence of sequences of str
        Column names of published forms without a header line, tried by their number of columns.
    chosen : dict or None
        Attributes of `TableFormat` that are taken as they are; the others are found.

    Raises
    ------
    UnreadableUpload
        Not a table: another format, no text, no separator, rows of unequal length.
    InvalidInput
        A table without rows, or too large.
    """
    chosen = dict(chosen or {})
    layout.check_chosen(chosen)
    _refuse_foreign(data)
    if archive.is_zip(data) and is_of_tables(archive.names(data)):
        # What is in the archive is no archive again.
        return read_zip(data, lambda one: _read_one(one, known, headerless, chosen))
    return _read_one(data, known, headerless, chosen)


def _read_one(
    data: bytes,
    known: Sequence[str],
    headerless: Sequence[Sequence[str]],
    chosen: Mapping[str, Any],
) -> TextTable:
    _refuse_foreign(data)
    if data[:4] == _PARQUET:
        frame, declared = read_parquet(data)
        table = TextTable(frame, "", (), TableFormat(file="parquet"), declared)
    elif kind := statistics_kind(data):
        table = read_statistics(data, kind)
    else:
        table = _read_cells(data, known, headerless, chosen)
    if not len(table.frame):
        raise InvalidInput("expected at least one row below the header, got none", hint=HINT)
    if table.frame.shape[1] < 2 and table.found.file not in _ONE_COLUMN:
        raise UnreadableUpload("expected a table with two columns or more", hint=HINT)
    return replace(table, frame=table.frame.reset_index(drop=True), format=table.found.words)


def read_path(path: Path, chosen: Mapping[str, Any] | None = None, *, asked: str = "--data") -> TextTable:
    """Read a file, or a folder of tables of events; one that cannot be opened is an `InputError`."""
    try:
        if path.is_dir():
            return read_folder(path, lambda one: _read_one(one, (), (), chosen or {}))
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"the data cannot be opened: {error.strerror}", hint=f"Check {asked}.") from error
    return read_text_table(data, chosen=chosen)


def looks_like_table(data: bytes) -> bool:
    """Say from the first bytes whether this is a table in a format that is read; never raises."""
    head = data[:65_536]
    if archive.is_zip(head):
        is_book = b"xl/" in data or b"[Content_Types].xml" in head or is_opendocument(data)
        return is_book or is_of_tables(archive.names(data))
    if head[:4] == _PARQUET or is_old_workbook(data) or statistics_kind(head):
        return True
    try:
        _refuse_foreign(head)
        text, _, _ = decoded(head[: len(head) // 2 * 2], {})
        if not looks_like_arff(text):
            # The last line is cut off.
            lines = first_lines(text)
            separator_of(lines[:-1] or lines)
    except InputError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of a file with all of its rows, and what was found of its layout so far."""

    cells: pd.DataFrame
    found: TableFormat
    notices: tuple[str, ...] = ()


def _refuse_foreign(data: bytes) -> None:
    limit = settings.current().max_upload_mb
    if len(data) > limit << 20:
        raise UnreadableUpload(
            f"expected at most {limit} MB, got {len(data) / 2**20:.0f} MB",
            hint="Split the table into parts, or set HEALTHDASH_MAX_UPLOAD_MB to allow more.",
        )
    if not data.strip():
        raise UnreadableUpload("expected a table, got an empty file", hint=HINT)
    found = next((name for magic, name in _FOREIGN if data.startswith(magic)), None)
    if data[128:132] == b"DICM":
        found = "a DICOM file"
    if _OLD_PICKLE.match(data):
        found = _PICKLE
    if data.startswith(b"\xd0\xcf\x11\xe0") and not is_old_workbook(data):
        found = "a document of an old Office program"
    if found:
        raise UnreadableUpload(f"expected a table as text, got {found}", hint=HINT)


def _read_cells(
    data: bytes, known: Sequence[str], headerless: Sequence[Sequence[str]], chosen: Mapping[str, Any]
) -> TextTable:
    spreadsheet = _spreadsheet(data, str(chosen.get("sheet", "")))
    if spreadsheet is not None:
        file, book = spreadsheet
        found = TableFormat(file=file, sheet=book.sheet, sheets=book.sheets)
        read = _Cells(book.cells, found, book.notices)
    else:
        text, encoding, notices = decoded(data, chosen)
        if looks_like_arff(text):
            frame, declared = read_arff(text)
            found = TableFormat(file="arff", encoding=encoding)
            # Numbers are found by themselves, and may be numbers of patients.
            told = {name: kind for name, kind in declared.items() if kind in ("category", "date")}
            return TextTable(frame, "", notices, found, told)
        separator = str(chosen.get("separator") or separator_of(first_lines(text)))
        found = TableFormat(file="text", encoding=encoding, separator=separator)
        read = _Cells(cells_of(text, separator), found, notices)
    return _named(read, known, headerless, chosen)


def _spreadsheet(data: bytes, sheet: str) -> tuple[FileKind, Read] | None:
    if is_old_workbook(data):
        return "xls", read_old_workbook(data, sheet)
    if not archive.is_zip(data):
        return None
    if is_opendocument(data):
        return "ods", read_opendocument(data, sheet)
    return "excel", read_workbook(data, sheet)


def _named(
    read: _Cells, known: Sequence[str], headerless: Sequence[Sequence[str]], chosen: Mapping[str, Any]
) -> TextTable:
    """Take the names from the header, from a published order without header, or number the columns."""
    cells, notices = read.cells, read.notices
    row = chosen["header_row"] if "header_row" in chosen else find_header(cells, known)
    if row is not None and row >= len(cells):
        raise InvalidInput(f"expected a header among {len(cells):,} rows", hint="Choose another row.")
    names = None if row is not None else _published(cells, headerless)
    if row is None and names is None:
        names = [f"column {number}" for number in range(1, cells.shape[1] + 1)]
        notices = (*notices, "The file has no header line; its columns were numbered.")
    elif row is None:
        notices = (*notices, "The file has no header line; the published column order was assumed.")
    else:
        header = [str(cell) for cell in cells.iloc[row]]
        names, start = with_lower_lines(header, cells, row)
        body, repeats = without_repeats(cells.iloc[start:], header)
        notices = (*notices, *repeats)
    layout.check_size(*cells.shape, may_be_events=columns_of_events(list(names or ())) is not None)
    frame = (cells if row is None else body).set_axis(list(names or ()), axis=1)
    is_stored = read.found.file in _SPREADSHEETS
    decimal, thousands = find_marks(frame, read.found.separator, is_stored=is_stored)
    decimal = str(chosen.get("decimal", decimal))
    thousands = str(chosen.get("thousands", thousands if thousands != decimal else ""))
    found = replace(read.found, header_row=row, decimal=decimal, thousands=thousands)
    frame = with_points(frame, decimal, thousands, is_stored=is_stored)
    return TextTable(frame, "", notices, found)


def _published(cells: pd.DataFrame, headerless: Sequence[Sequence[str]]) -> list[str] | None:
    """Return the published names of a file without header line, by its number of columns."""
    first = [str(cell) for cell in cells.iloc[0]]
    if not all(is_value(cell) for cell in first):
        return None
    return next((list(names) for names in headerless if len(names) == len(first)), None)
