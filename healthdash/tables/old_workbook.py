"""Read a sheet of an old Excel workbook (.xls, BIFF 2 to 8) as text, by xlrd (BSD).

xlrd keeps what cells hold and runs nothing: formulas give their stored values, macros are not looked at.
python-calamine reads more kinds, but makes every cell between the first and the last one, and where memory
does not do ends the whole process; so it is not used for files from outside.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from healthdash.errors import UnreadableUpload

from . import layout
from .number_formats import Shown, plain_number, shown, shown_by
from .sheets import Grid, Read, choose, stripped

__all__ = ["is_old_workbook", "read_old_workbook"]

_HINT = "Save the sheet as CSV or .xlsx, and upload that."
#: What xlrd raises of damaged records, which it takes as they come.
_DAMAGED = (
    AssertionError, LookupError, ValueError, TypeError, ArithmeticError, AttributeError, RuntimeError,
    struct.error,
)  # fmt: skip
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: Day 0 of the two ways to count days, [MS-XLS] 2.4.77 Date1904.
_DAYS_0 = (datetime(1899, 12, 30), datetime(1904, 1, 1))
#: Streams of a workbook in a compound file: [MS-XLS] 2.1.2, and "Book" of Excel 5 and 95.
_STREAMS = tuple(name.encode("utf-16-le") for name in ("Workbook", "Book"))


def is_old_workbook(data: bytes) -> bool:
    """Say whether a compound file (as Word writes too) holds a workbook."""
    return data.startswith(_COMPOUND) and any(name in data for name in _STREAMS)


def read_old_workbook(data: bytes, sheet: str = "") -> Read:
    """Return the table of a sheet, text, without empty rows.

    Raises
    ------
    UnreadableUpload
        A damaged or encrypted workbook, or there is no such sheet.
    InvalidInput
        Too many rows or columns.
    """
    import xlrd

    with _xlrd_errors():
        with xlrd.open_workbook(
            file_contents=data, on_demand=True, ragged_rows=True, formatting_info=_has_formats(data),
            logfile=io.StringIO(),
        ) as book:  # fmt: skip
            return choose(book.sheet_names(), lambda name: _grid(book.sheet_by_name(name), book), sheet)


def _has_formats(data: bytes) -> bool:
    """Say whether xlrd can tell what is merged: it looks at that from BIFF 8 on only."""
    return _STREAMS[0] in data


@contextmanager
def _xlrd_errors() -> Iterator[None]:
    from xlrd.biffh import XLRDError
    from xlrd.compdoc import CompDocError

    try:
        yield
    except XLRDError as error:
        what = "is encrypted" if "ncrypted" in str(error) else "is damaged"
        raise UnreadableUpload(f"expected an Excel workbook, the file {what}", hint=_HINT) from error
    except (CompDocError, *_DAMAGED) as error:
        raise UnreadableUpload("expected an Excel workbook, the file is damaged", hint=_HINT) from error


def _grid(sheet: Any, book: Any) -> Grid:
    layout.check_size(sheet.nrows, sheet.ncols)
    rows = ((row, stripped([_text(cell, book) for cell in sheet.row(row)])) for row in range(sheet.nrows))
    # xlrd counts the end of a range as outside of it.
    merges = [(top, left, bottom - 1, right - 1) for top, bottom, left, right in sheet.merged_cells]
    return Grid(tuple((row, cells) for row, cells in rows if cells), tuple(merges))


def _text(cell: Any, book: Any) -> str:
    import xlrd

    if cell.ctype == xlrd.XL_CELL_TEXT:
        return str(cell.value)
    if cell.ctype in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE):
        is_date = cell.ctype == xlrd.XL_CELL_DATE
        return shown(
            plain_number(cell.value), _shown(cell, book, is_date=is_date), _DAYS_0[book.datemode == 1]
        )
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return "true" if cell.value else "false"
    return ""  # empty, or an error such as #N/A


def _shown(cell: Any, book: Any, *, is_date: bool) -> Shown:
    """Return what the format of a cell shows; without formats xlrd says only which cells are dates."""
    if cell.xf_index is None:
        return "date" if is_date else ""
    number = book.xf_list[cell.xf_index].format_key
    return shown_by(number, book.format_map[number].format_str)
