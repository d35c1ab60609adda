"""Read a sheet of an Excel workbook (.xlsx) as text, with the standard library alone.

An .xlsx file is a zip of XML (ECMA-376 part 1, SpreadsheetML). Formulas give their stored
values and are never run; cells with a date format give ISO dates. Sizes are checked before
anything is unpacked.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.etree import ElementTree

import pandas as pd

from healthdash.errors import InvalidInput, UnreadableUpload

from . import layout

__all__ = ["read_workbook"]

_MOST_BYTES = 512 << 20
_SHEET = re.compile(r"xl/worksheets/sheet(\d+)\.xml")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_HINT = "Save the sheet as CSV, and upload that."
#: Number formats of dates and times that need no definition, ECMA-376 part 1, 18.8.30.
_DATE_FORMATS = {*range(14, 23), *range(45, 48)}


def read_workbook(data: bytes, sheet: str = "") -> tuple[pd.DataFrame, str, tuple[str, ...]]:
    """Return the cells of a sheet, text, without empty rows; its name, and the names of all sheets.

    Parameters
    ----------
    sheet : str
        Empty: the first one that holds a table.

    Raises
    ------
    UnreadableUpload
        Not a workbook, or a damaged one, or there is no such sheet.
    InvalidInput
        It unpacks to more than 512 MB, or has too many rows.
    """
    with _zip_errors(), zipfile.ZipFile(io.BytesIO(data)) as archive:
        _check_unpacked(archive)
        sheets = _sheets(archive)
        if not sheets:
            raise UnreadableUpload(f"expected a table, got {_what(archive)}", hint=_HINT)
        if sheet and sheet not in sheets:
            raise UnreadableUpload(
                f"expected a sheet of the workbook: {', '.join(sheets)}", hint="Choose one."
            )
        book = _Book(_shared_strings(archive), *_dates(archive))
        for name in [sheet] if sheet else sheets:
            rows = list(_rows(_parsed(archive, sheets[name]), book))
            width = max((len(row) for row in rows), default=0)
            layout.check_size(len(rows), width)
            if width > 1:
                cells = pd.DataFrame([row + [""] * (width - len(row)) for row in rows], dtype=object)
                return cells, name, tuple(sheets)
    raise UnreadableUpload("expected a table with two columns or more on a sheet", hint=_HINT)


@dataclass(frozen=True, slots=True)
class _Book:
    """What the cells of all sheets refer to: texts, the styles of dates, and day 0."""

    strings: list[str]
    date_styles: frozenset[int]
    day_0: datetime


@contextmanager
def _zip_errors() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, ElementTree.ParseError, KeyError, RuntimeError, EOFError) as error:
        raise UnreadableUpload("expected an Excel workbook, the file is damaged", hint=_HINT) from error


def _check_unpacked(archive: zipfile.ZipFile) -> None:
    if sum(entry.file_size for entry in archive.infolist()) > _MOST_BYTES:
        raise InvalidInput("expected a workbook of at most 512 MB when unpacked, got more", hint=_HINT)


def _what(archive: zipfile.ZipFile) -> str:
    if "mimetype" in archive.namelist() and b"opendocument.spreadsheet" in archive.read("mimetype"):
        return "an OpenDocument spreadsheet (.ods)"
    return "a zip archive without a sheet"


def _sheets(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the place of each sheet by its name, in the workbook's order."""
    names = archive.namelist()
    by_number = sorted((int(found[1]), name) for name in names if (found := _SHEET.fullmatch(name)))
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        return {f"sheet {number}": name for number, name in by_number}
    links = _parsed(archive, "xl/_rels/workbook.xml.rels")
    targets = {link.get("Id"): f"xl/{link.get('Target', '').removeprefix('/xl/')}" for link in links}
    book = _parsed(archive, "xl/workbook.xml")
    listed = {
        one.get("name", ""): targets.get(one.get(_RELATION), "")
        for one in book.iter()
        if _local(one) == "sheet"
    }
    held = {name: place for name, place in listed.items() if place in names and "worksheets/" in place}
    return held or {f"sheet {number}": name for number, name in by_number}


def _dates(archive: zipfile.ZipFile) -> tuple[frozenset[int], datetime]:
    """Return the numbers of the cell styles that are dates, and the day from which they count."""
    names = archive.namelist()
    day_0 = datetime(1899, 12, 30)
    if "xl/workbook.xml" in names:
        book = _parsed(archive, "xl/workbook.xml")
        since_1904 = any(one.get("date1904") in ("1", "true") for one in book if _local(one) == "workbookPr")
        day_0 = datetime(1904, 1, 1) if since_1904 else day_0
    if "xl/styles.xml" not in names:
        return frozenset(), day_0
    styles = _parsed(archive, "xl/styles.xml")
    own = {one.get("numFmtId"): one.get("formatCode", "") for one in styles.iter() if _local(one) == "numFmt"}
    used = next((one for one in styles if _local(one) == "cellXfs"), ())
    return frozenset(
        place for place, style in enumerate(used) if _is_date(style.get("numFmtId", "0"), own)
    ), day_0


def _is_date(number: str, own: dict[str | None, str]) -> bool:
    if number in own:
        plain = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", own[number]).lower()
        return re.search(r"[dy]|h.*m|m.*s", plain) is not None and "general" not in plain
    return number.isdigit() and int(number) in _DATE_FORMATS


def _parsed(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    content = archive.read(name)
    if b"<!DOCTYPE" in content[:4096]:
        # Workbooks have none; entity definitions are how XML bombs are made.
        raise UnreadableUpload("expected an Excel workbook, got XML with a document type", hint=_HINT)
    return ElementTree.fromstring(content)  # noqa: S314  (no document type, size checked above)


def _local(element: ElementTree.Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _text(element: ElementTree.Element) -> str:
    return "".join(part.text or "" for part in element.iter() if _local(part) == "t")


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    return [_text(item) for item in _parsed(archive, "xl/sharedStrings.xml")]


def _rows(sheet: ElementTree.Element, book: _Book) -> Iterator[list[str]]:
    count = 0
    for row in sheet.iter():
        if _local(row) != "row":
            continue
        cells: list[str] = []
        for cell in row:
            column = _column(cell.get("r", ""), len(cells))
            layout.check_size(0, column)
            cells.extend([""] * (column - len(cells)))
            cells.append(_value(cell, book).strip())
        while cells and cells[-1] == "":
            cells.pop()
        if cells:
            count += 1
            layout.check_size(count, 0)
            yield cells


def _column(reference: str, following: int) -> int:
    """Return the column number, from 0, of a reference such as "AB12"."""
    letters = re.match(r"[A-Z]{1,3}", reference)
    if letters is None:
        return following
    number = 0
    for letter in letters[0]:
        number = number * 26 + ord(letter) - 64
    return max(number - 1, following)


def _value(cell: ElementTree.Element, book: _Book) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return _text(cell)
    stored = next((part.text or "" for part in cell if _local(part) == "v"), "")
    if kind == "s" and stored.isdigit() and int(stored) < len(book.strings):
        return book.strings[int(stored)]
    if kind == "e":
        return ""  # an error such as #N/A holds no value
    style = cell.get("s", "")
    if kind == "n" and style.isdigit() and int(style) in book.date_styles:
        return _date(stored, book.day_0)
    return stored


def _date(stored: str, day_0: datetime) -> str:
    """Return the ISO date of a serial number of days; what is none stays as it is."""
    try:
        days = float(stored)
        moment = day_0 + timedelta(days=days) if math.isfinite(days) else None
    except (ValueError, OverflowError):
        return stored
    if moment is None or days < 1:
        return stored  # a time of day alone
    return moment.date().isoformat() if days == int(days) else moment.isoformat(" ", "seconds")
