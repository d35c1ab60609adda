"""Read the first sheet of an Excel workbook (.xlsx) as text, with the standard library alone.

An .xlsx file is a zip of XML (ECMA-376 part 1, SpreadsheetML). Formulas give their stored
values; dates stay serial numbers. Sizes are checked before anything is unpacked.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

import pandas as pd

from healthdash.errors import InvalidInput, UnreadableUpload

__all__ = ["read_workbook"]

_MOST_BYTES = 512 << 20
_SHEET = re.compile(r"xl/worksheets/sheet(\d+)\.xml")
_HINT = "Save the sheet as CSV, and upload that."


def read_workbook(data: bytes, most_rows: int) -> pd.DataFrame:
    """Return the cells of the first sheet, text, without empty rows.

    Raises
    ------
    UnreadableUpload
        Not a workbook, or a damaged one.
    InvalidInput
        It unpacks to more than 512 MiB, or has too many rows.
    """
    with _zip_errors(), zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheets = sorted(
            (name for name in archive.namelist() if _SHEET.fullmatch(name)),
            key=lambda name: int(_SHEET.fullmatch(name)[1]),  # type: ignore[index]
        )
        if not sheets:
            raise UnreadableUpload("expected a table, got a zip archive without a sheet", hint=_HINT)
        if sum(entry.file_size for entry in archive.infolist()) > _MOST_BYTES:
            raise InvalidInput("expected a workbook of at most 512 MB when unpacked, got more", hint=_HINT)
        strings = _shared_strings(archive)
        rows = list(_rows(_parsed(archive, sheets[0]), strings, most_rows))
    width = max((len(row) for row in rows), default=0)
    if width < 2:
        raise UnreadableUpload("expected a table with two columns or more on the first sheet", hint=_HINT)
    return pd.DataFrame([row + [""] * (width - len(row)) for row in rows], dtype=object)


@contextmanager
def _zip_errors() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, ElementTree.ParseError, KeyError, RuntimeError, EOFError) as error:
        raise UnreadableUpload("expected an Excel workbook, the file is damaged", hint=_HINT) from error


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


def _rows(sheet: ElementTree.Element, strings: list[str], most_rows: int) -> Iterator[list[str]]:
    count = 0
    for row in sheet.iter():
        if _local(row) != "row":
            continue
        cells: list[str] = []
        for cell in row:
            column = _column(cell.get("r", ""), len(cells))
            cells.extend([""] * (column - len(cells)))
            cells.append(_value(cell, strings).strip())
        if any(cells):
            count += 1
            if count > most_rows + 1:
                raise InvalidInput(f"expected at most {most_rows:,} rows, got more", hint=_HINT)
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


def _value(cell: ElementTree.Element, strings: list[str]) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return _text(cell)
    stored = next((part.text or "" for part in cell if _local(part) == "v"), "")
    if kind == "s" and stored.isdigit() and int(stored) < len(strings):
        return strings[int(stored)]
    return stored
