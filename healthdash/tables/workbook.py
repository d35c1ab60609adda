"""Read a sheet of an Excel workbook (.xlsx) as text, with the standard library and defusedxml.

An .xlsx file is a zip of XML (ECMA-376 part 1, SpreadsheetML). Formulas give their stored
values and are never run; numbers are told as their formats show them, dates as ISO dates.
Sizes are checked before anything is unpacked.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from xml.etree import ElementTree

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from healthdash.errors import InvalidInput, UnreadableUpload

from . import layout
from .number_formats import Shown, shown, shown_by
from .sheets import Grid, Merge, Read, choose, stripped

__all__ = ["check_unpacked", "parsed", "read_workbook", "zip_errors"]

_MOST_BYTES = 512 << 20
_SHEET = re.compile(r"xl/worksheets/sheet(\d+)\.xml")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_HINT = "Save the sheet as CSV, and upload that."
_DAMAGED = (
    zipfile.BadZipFile, ElementTree.ParseError, KeyError, RuntimeError, EOFError, zlib.error, UnicodeError,
)  # fmt: skip


def read_workbook(data: bytes, sheet: str = "") -> Read:
    """Return the table of a sheet, text, without empty rows.

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
    with zip_errors(), zipfile.ZipFile(io.BytesIO(data)) as archive:
        check_unpacked(archive)
        if "xl/workbook.bin" in archive.namelist():
            raise UnreadableUpload(
                "expected an Excel workbook with XML (.xlsx), got a binary one (.xlsb)",
                hint="In Excel choose Save As and 'Excel Workbook (*.xlsx)', and upload that.",
            )
        sheets = _sheets(archive)
        if not sheets:
            raise UnreadableUpload("expected a table, got a zip archive without a sheet", hint=_HINT)
        book = _Book(_shared_strings(archive), *_styles(archive))
        found = choose(list(sheets), lambda name: _grid(_parsed(archive, sheets[name]), book), sheet)
        if any(name.startswith("xl/vbaProject") for name in archive.namelist()):
            found = replace(found, notices=(*found.notices, "The workbook holds macros; they were not run."))
        return found


@dataclass(frozen=True, slots=True)
class _Book:
    """What the cells of all sheets refer to: texts, what styles show, and day 0."""

    strings: list[str]
    styles: dict[int, Shown]
    day_0: datetime


@contextmanager
def zip_errors() -> Iterator[None]:
    """Translate what the standard library raises for a damaged archive or XML."""
    try:
        yield
    except _DAMAGED as error:
        raise UnreadableUpload("expected an Excel workbook, the file is damaged", hint=_HINT) from error


def check_unpacked(archive: zipfile.ZipFile) -> None:
    """Raise `InvalidInput` where the files of an archive would be too large together."""
    if sum(entry.file_size for entry in archive.infolist()) > _MOST_BYTES:
        raise InvalidInput("expected a workbook of at most 512 MB when unpacked, got more", hint=_HINT)


def _sheets(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the place of each sheet by its name, in the workbook's order, hidden ones last."""
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
    hidden = {one.get("name", "") for one in book.iter() if _local(one) == "sheet" and one.get("state")}
    listed = dict(sorted(listed.items(), key=lambda item: item[0] in hidden))
    held = {name: place for name, place in listed.items() if place in names and "worksheets/" in place}
    return held or {f"sheet {number}": name for number, name in by_number}


def _styles(archive: zipfile.ZipFile) -> tuple[dict[int, Shown], datetime]:
    """Return what cell styles show beside the number itself, and the day from which dates count."""
    names = archive.namelist()
    day_0 = datetime(1899, 12, 30)
    if "xl/workbook.xml" in names:
        book = _parsed(archive, "xl/workbook.xml")
        since_1904 = any(one.get("date1904") in ("1", "true") for one in book if _local(one) == "workbookPr")
        day_0 = datetime(1904, 1, 1) if since_1904 else day_0
    if "xl/styles.xml" not in names:
        return {}, day_0
    styles = _parsed(archive, "xl/styles.xml")
    own = {one.get("numFmtId"): one.get("formatCode", "") for one in styles.iter() if _local(one) == "numFmt"}
    used = next((one for one in styles if _local(one) == "cellXfs"), ())
    numbers = [style.get("numFmtId", "0") for style in used]
    found = {place: shown_by(number, own.get(number)) for place, number in enumerate(numbers)}
    return {place: how for place, how in found.items() if how}, day_0


def parsed(content: bytes) -> ElementTree.Element:
    """Return the root of an XML file; one with a document type is refused, whatever its encoding."""
    try:
        root: ElementTree.Element = fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        # Spreadsheets have none; entity definitions are how XML bombs are made.
        raise UnreadableUpload("expected a spreadsheet, got XML with a document type", hint=_HINT) from error
    return root


def _parsed(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    return parsed(archive.read(name))


def _local(element: ElementTree.Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _text(element: ElementTree.Element) -> str:
    """Return a text with all of its runs, without the pronunciation that may stand beside them."""
    runs = (run for run in element if _local(run) != "rPh")
    parts = (part for run in runs for part in ([run] if _local(run) == "t" else run))
    return "".join(part.text or "" for part in parts if _local(part) == "t")


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    return [_text(item) for item in _parsed(archive, "xl/sharedStrings.xml")]


def _grid(sheet: ElementTree.Element, book: _Book) -> Grid:
    """Return the rows of a sheet that are not empty, each with its number, and what is merged."""
    rows: list[tuple[int, list[str]]] = []
    number = -1
    for row in sheet.iter():
        if _local(row) != "row":
            continue
        told = row.get("r", "")
        number = max(int(told) - 1, number + 1) if told.isdecimal() and len(told) < 8 else number + 1
        cells: list[str] = []
        for cell in row:
            column = _column(cell.get("r", ""), len(cells))
            layout.check_size(0, column)
            cells.extend([""] * (column - len(cells)))
            cells.append(_value(cell, book))
        cells = stripped(cells)
        if cells:
            rows.append((number, cells))
            layout.check_size(len(rows), 0)
    merged = (one.get("ref", "") for one in sheet.iter() if _local(one) == "mergeCell")
    return Grid(tuple(rows), tuple(_merge(reference) for reference in merged))


def _merge(reference: str) -> Merge:
    """Return what is merged, from "A1:B3"."""
    corners = re.fullmatch(r"([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})", reference)
    if corners is None:
        return (0, 0, 0, 0)
    left, top, right, bottom = corners.groups()
    return int(top) - 1, _column(left, 0), int(bottom) - 1, _column(right, 0)


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
        return "".join(_text(part) for part in cell if _local(part) == "is")
    stored = next((part.text or "" for part in cell if _local(part) == "v"), "")
    if kind == "s" and stored.isdigit() and int(stored) < len(book.strings):
        return book.strings[int(stored)]
    if kind == "e":
        return ""  # an error such as #N/A holds no value
    if kind == "b":
        return "true" if stored == "1" else "false"
    style = cell.get("s", "")
    if kind == "n" and style.isdigit() and int(style) in book.styles:
        return shown(stored, book.styles[int(style)], book.day_0)
    return stored
