"""Read a sheet of an OpenDocument spreadsheet (.ods) as text, with the standard library and defusedxml.

An .ods file is a zip with one XML file of all sheets. A cell says its value beside what it shows
(OpenDocument 1.3 part 3, 19.385 office:value-type), and how often it is repeated; that number is
bounded before anything is repeated. Formulas give their stored values and are never run.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

from healthdash.errors import InvalidInput, UnreadableUpload

from . import layout
from .number_formats import in_percent
from .sheets import Grid, Merge, Read, choose, stripped
from .workbook import check_unpacked, parsed, zip_errors

__all__ = ["is_opendocument", "read_opendocument"]

_HINT = "Save the sheet as CSV, and upload that."
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_MIMETYPE = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"


def is_opendocument(data: bytes) -> bool:
    """Say whether a zip archive begins as an OpenDocument spreadsheet does (part 2, 3.3 MIME type)."""
    return _MIMETYPE in data[:200]


def read_opendocument(data: bytes, sheet: str = "") -> Read:
    """Return the table of a sheet, text, without empty rows.

    Raises
    ------
    UnreadableUpload
        Not a spreadsheet, or a damaged one, or there is no such sheet.
    InvalidInput
        It unpacks to more than 512 MB, or has too many rows, columns or cells.
    """
    with zip_errors(), zipfile.ZipFile(io.BytesIO(data)) as archive:
        check_unpacked(archive)
        root = parsed(archive.read("content.xml"))
    tables = {one.get(f"{_TABLE}name", ""): one for one in root.iter(f"{_TABLE}table")}
    if not tables:
        raise UnreadableUpload("expected a spreadsheet with a sheet, got none", hint=_HINT)
    return choose(list(tables), lambda name: _grid(tables[name]), sheet)


def _grid(table: ElementTree.Element) -> Grid:
    rows: list[tuple[int, list[str]]] = []
    merges: list[Merge] = []
    number = cells_so_far = 0
    for row in table.iter(f"{_TABLE}table-row"):
        times = _repeated(row, "rows")
        cells, spans = _row(row, number)
        merges += spans
        if cells:
            layout.check_size(len(rows) + times, len(cells))
            cells_so_far += times * len(cells)
            if cells_so_far > layout.MOST_CELLS:
                raise InvalidInput(f"expected at most {layout.MOST_CELLS:,} cells, got more", hint=_HINT)
            rows += [(number + again, list(cells)) for again in range(times)]
        number += times
    return Grid(tuple(rows), tuple(merges))


def _row(row: ElementTree.Element, number: int) -> tuple[list[str], list[Merge]]:
    """Return the cells of a row, none where it is empty, and what is merged from it on."""
    cells: list[str] = []
    merges: list[Merge] = []
    waiting = 0
    for cell in row:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        times, text = _repeated(cell, "columns"), _value(cell)
        if not text:
            waiting += times  # empty cells to the end of the sheet are never made
            continue
        layout.check_size(0, len(cells) + waiting + times)
        cells += [""] * waiting
        down, right = _spanned(cell, "rows"), _spanned(cell, "columns")
        if down > 1 or right > 1:
            merges.append((number, len(cells), number + down - 1, len(cells) + right - 1))
        cells += [text] * times
        waiting = 0
    return stripped(cells), merges


def _value(cell: ElementTree.Element) -> str:
    kind = cell.get(f"{_OFFICE}value-type", "")
    if kind in ("float", "percentage", "currency"):
        stored = cell.get(f"{_OFFICE}value", "")
        return in_percent(stored) if kind == "percentage" else stored
    if kind == "date":
        day, _, time = cell.get(f"{_OFFICE}date-value", "").partition("T")
        return f"{day} {time.split('.')[0]}" if time.strip("0:.") else day
    if kind == "boolean":
        return cell.get(f"{_OFFICE}boolean-value", "")
    return "\n".join(_texts(cell))


def _texts(cell: ElementTree.Element) -> Iterator[str]:
    for paragraph in cell.findall(f"{_TEXT}p"):
        yield "".join(paragraph.itertext())


def _repeated(element: ElementTree.Element, what: str) -> int:
    return _number(element.get(f"{_TABLE}number-{what}-repeated", "1"))


def _spanned(element: ElementTree.Element, what: str) -> int:
    return _number(element.get(f"{_TABLE}number-{what}-spanned", "1"))


def _number(text: str) -> int:
    return max(1, int(text)) if text.isdecimal() and len(text) < 10 else 1
