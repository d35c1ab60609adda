"""Delimited text: find its encoding and separator, and cut it into cells."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pandas as pd

from healthdash.errors import UnreadableUpload

from . import layout
from .layout import HINT, SEPARATORS

__all__ = ["cells_of", "decoded", "first_lines", "separator_of"]

#: Encodings that can be chosen; those that are found by themselves are among them.
CODECS = {
    "UTF-8": "utf-8-sig", "UTF-16": "utf-16", "Windows-1252": "cp1252", "GB18030": "gb18030",
    "Windows-1251": "cp1251", "Windows-1250": "cp1250", "Big5": "big5", "Shift-JIS": "cp932",
    "EUC-KR": "cp949", "ISO-8859-15": "iso8859-15",
}  # fmt: skip
_SNIFFED_LINES = 50
#: A first line with so many times the columns that a table may have is no table.
_MANY_TIMES = 2
_SNIFFED_CHARACTERS = 200_000
_FEWEST_LINES, _FEWEST_NAMES = 3, 2


def decoded(data: bytes, chosen: Mapping[str, Any]) -> tuple[str, str, tuple[str, ...]]:
    """Return the text, the encoding's name for people, and a notice where it was guessed.

    Raises
    ------
    UnreadableUpload
        The bytes are not text, or not in the encoding that was chosen.
    """
    if chosen.get("encoding") in CODECS:
        name = str(chosen["encoding"])
        return _checked(data, CODECS[name]), name, ()
    for bom, codec, name in (
        (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
        (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
        (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
    ):
        if data.startswith(bom):
            return _checked(data, codec), name, ()
    for codec in ("utf-16-le", "utf-16-be"):
        # Every other byte of Latin text in UTF-16 is zero.
        if data[codec == "utf-16-le" : 400 : 2].count(0) > len(data[:400:2]) * 0.7:
            return _checked(data, codec), "UTF-16", ()
    try:
        return _without_controls(data.decode("utf-8")), "UTF-8", ()
    except UnicodeDecodeError:
        name = _old_encoding(data)
        notice = f"The file is not UTF-8; it was read as {name}, check special letters."
        return _without_controls(data.decode(CODECS[name], errors="replace")), name, (notice,)


def _old_encoding(data: bytes) -> str:
    """Return the likely encoding of text that is not Unicode, by the bytes above 127.

    A hanzi is two such bytes in GBK (GB18030-2022, 2-byte part), and nearly all hanzi of running text
    are of level 1 of GB 2312, whose first byte is B0 to D7. A Cyrillic word is a run of C0 to FF in
    Windows-1251. A letter with an accent mostly stands alone.
    """
    runs = re.findall(rb"[\x80-\xff]+", data[:_SNIFFED_CHARACTERS])
    high = sum(map(len, runs))
    even = [run for run in runs if len(run) % 2 == 0]
    pairs = [run[place] for run in even for place in range(0, len(run), 2)]
    hanzi = sum(0xB0 <= first <= 0xD7 for first in pairs)
    if 2 * len(pairs) > 0.9 * high and hanzi > 0.7 * len(pairs):
        try:
            data.decode("gb18030")
        except UnicodeDecodeError:
            pass
        else:
            return "GB18030"
    words = [run for run in runs if len(run) > 2 and min(run) >= 0xC0]
    return "Windows-1251" if sum(map(len, words)) > 0.7 * high else "Windows-1252"


def first_lines(text: str) -> list[str]:
    """Return the first lines that are not empty; without the line by which Excel is told the separator."""
    text = re.sub(r"\A\"?sep=.\"?\r?\n", "", text[: _SNIFFED_CHARACTERS + 8])
    lines = (line for line in text[:_SNIFFED_CHARACTERS].splitlines() if line.strip())
    return [line for _, line in zip(range(_SNIFFED_LINES), lines, strict=False)]


def separator_of(lines: list[str]) -> str:
    """Return the separator that cuts the first lines into equally many fields, more than one.

    Raises
    ------
    UnreadableUpload
        None does.
    """
    best, score, agreed = "", 0.0, dict.fromkeys(SEPARATORS, 0.0)
    for separator in SEPARATORS:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=separator))
        except csv.Error:
            continue
        if not widths:  # nothing but marks that are no lines to it
            continue
        width, times = max(widths.items(), key=lambda item: (item[1], item[0]))
        # Agreement of the lines counts first; then more columns win.
        agreed[separator] = times / sum(widths.values()) if width > 1 else 0.0
        found = agreed[separator] + min(width, 1000) / 10_000
        if width > 1 and found > score:
            best, score = separator, found
    if best == "," and agreed[";"] >= agreed[","]:
        best = ";"  # the commas stand before decimals
    if not best:
        names = ", ".join(SEPARATORS.values())
        raise UnreadableUpload(
            f"expected columns separated by {names}; found one column in the first lines", hint=HINT
        )
    return best


def cells_of(text: str, separator: str) -> pd.DataFrame:
    """Return all cells as text, without empty rows and without titles above the table."""
    text = re.sub(r"\A\"?sep=.\"?\r?\n", "", text)
    text = _with_whole_header(text, separator)
    text = _with_doubled_quotes(text[_titles_end(text, separator) :], separator)
    # Counted before they are parsed, which takes seconds; the rest of a line may be a long quoted text.
    widest = max((line.count(separator) for line in first_lines(text)), default=0)
    if widest > _MANY_TIMES * layout.MOST_COLUMNS:
        layout.check_size(0, widest)
    with _pandas_errors():
        cells = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            header=None,
            dtype=object,
            na_filter=False,
            skipinitialspace=True,
            nrows=max(layout.MOST_ROWS, layout.MOST_EVENTS) + 2,
        )
    layout.check_size(*cells.shape, may_be_events=True)
    if _has_loose_blanks(text, separator):
        cells = cells.apply(lambda column: column.str.strip())
    return cells[(cells != "").any(axis=1)]


def _with_doubled_quotes(text: str, separator: str) -> str:
    """Write a quote within a cell as two, where the file writes a backslash before it.

    A backslash at the end of a cell is none of these: the quote after it ends the cell.
    """
    if '\\"' not in text:
        return text
    return re.sub(rf'(?<=[^\\{re.escape(separator)}\n])\\"(?![{re.escape(separator)}\r\n]|\Z)', '""', text)


def _with_whole_header(text: str, separator: str) -> str:
    """Give a header that has one cell less than every row another: at the end, or above R's row names."""
    lines = text[:_SNIFFED_CHARACTERS].splitlines()[:_SNIFFED_LINES]
    is_cut = len(text) > _SNIFFED_CHARACTERS and len(lines) < _SNIFFED_LINES
    if len(lines) < _FEWEST_LINES or not lines[0].strip() or is_cut:
        return text
    first, *rows = (_fields(line, separator) for line in lines if line.strip())
    if len(first) < _FEWEST_NAMES or any(len(row) != len(first) + 1 for row in rows):
        return text
    end = len(lines[0])
    if not any(row[-1].strip() for row in rows):
        return f"{text[:end]}{separator}{text[end:]}"
    is_counted = all(row[0].strip() == str(number) for number, row in enumerate(rows, 1))
    return f"{separator}{text}" if is_counted else text


def _fields(line: str, separator: str) -> list[str]:
    """Return the fields of one line; none where one is longer than any cell."""
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def _titles_end(text: str, separator: str) -> int:
    """Return where the table begins: titles above it are narrower than most of its lines."""
    head = text[:_SNIFFED_CHARACTERS]
    if '"' in head.split("\n", 1)[0]:
        return 0  # a quoted cell may go over several lines
    lines = head.splitlines(keepends=True)[:_SNIFFED_LINES]
    if len(lines) < 4:
        return 0
    widths = [len(_fields(line, separator)) for line in lines]
    usual, times = Counter(widths).most_common(1)[0]
    first = widths.index(usual)
    is_title = times > len(lines) / 2 and all(width < usual for width in widths[:first])
    return sum(map(len, lines[:first])) if is_title else 0


def _has_loose_blanks(text: str, separator: str) -> bool:
    """Say whether cells may begin or end with blanks; stripping all cells is half of the reading time."""
    around = (f" {separator}", f"{separator} ", " \n", " \r", "\n ", '"', "\t\n", "\t\r", "\t,")
    return any(blank in text for blank in around) or text[:1] == " " or text[-1:] == " "


def _checked(data: bytes, codec: str) -> str:
    try:
        return _without_controls(data.decode(codec))
    except UnicodeDecodeError as error:
        raise UnreadableUpload(
            "expected text, the bytes break their own encoding (the file is damaged or cut off)", hint=HINT
        ) from error


def _without_controls(text: str) -> str:
    if re.search(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]", text):
        raise UnreadableUpload("expected a table as text, got binary data", hint=HINT)
    return text


@contextmanager
def _pandas_errors() -> Iterator[None]:
    """Translate what pandas raises for text that is no table."""
    try:
        yield
    except pd.errors.EmptyDataError as error:
        raise UnreadableUpload("expected a table, got an empty file", hint=HINT) from error
    except pd.errors.ParserError as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        where = "line {1}: expected {0} columns, got {2}".format(*found.groups()) if found else ""
        raise UnreadableUpload(
            where or "expected a table, the quotes or line ends are damaged", hint=HINT
        ) from error
