"""Read a table from bytes: find out encoding, separator and header; never trust the name.

Everything stays text here: what a column means is decided in `columns.py`.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd

from healthdash import settings
from healthdash.errors import InputError, InvalidInput, UnreadableUpload

from .workbook import read_workbook

__all__ = ["TextTable", "canonical", "looks_like_table", "read_text_table"]

MOST_ROWS = 1_000_000
MOST_COLUMNS = 2_000
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SNIFFED_LINES = 50
_SNIFFED_CHARACTERS = 200_000
_HINT = "Save the table as CSV (UTF-8, comma separated) with one header line, and upload that."

_PICKLE = "a Python pickle, which is never opened because it can run code"

#: First bytes of what people upload by mistake.
_FOREIGN = (
    *((b"\x80" + bytes([protocol]), _PICKLE) for protocol in range(2, 6)),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"PAR1", "a Parquet file"),
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


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table as text.

    Attributes
    ----------
    frame : DataFrame of str
        One column for each header cell, in file order; cells are stripped, gaps are "".
    format : str
        "CSV, semicolon separated, UTF-8".
    has_header : bool
        False when the names were given by `headerless`.
    notices : tuple of str
        Odd but usable things.
    """

    frame: pd.DataFrame
    format: str
    has_header: bool
    notices: tuple[str, ...] = ()


def canonical(name: str) -> str:
    """Return a column name without case, blanks and punctuation, for comparing."""
    return re.sub(r"[^a-z0-9]+", "", name.lower())


def read_text_table(
    data: bytes, known: Sequence[str] = (), headerless: Sequence[Sequence[str]] = ()
) -> TextTable:
    """Read a delimited text file or an Excel workbook.

    Parameters
    ----------
    data : bytes
    known : sequence of str
        Column names of the task; a first line that has one of them is a header.
    headerless : sequence of sequences of str
        Column names of published forms without a header line, tried by their number of columns.

    Raises
    ------
    UnreadableUpload
        Not a table: another format, no text, no separator, rows of unequal length.
    InvalidInput
        A table without rows, or too large.
    """
    _refuse_foreign(data)
    notices: tuple[str, ...] = ()
    if data[:4] == b"PK\x03\x04":
        cells, form = read_workbook(data, MOST_ROWS), "Excel workbook (.xlsx)"
    else:
        cells, form, notices = _read_delimited(data)
    frame, has_header = _with_names(cells, known, headerless)
    if not len(frame):
        raise InvalidInput("expected at least one row below the header, got none", hint=_HINT)
    if not has_header:
        notices = (*notices, "The file has no header line; the published column order was assumed.")
    return TextTable(frame.reset_index(drop=True), form, has_header, notices)


def looks_like_table(data: bytes) -> bool:
    """Say from the first bytes whether this is delimited text or a workbook; never raises."""
    head = data[:65_536]
    if head[:4] == b"PK\x03\x04":
        return b"xl/" in data or b"[Content_Types].xml" in head
    try:
        _refuse_foreign(head)
        text, _, _ = _decoded(head[: len(head) // 2 * 2])
        # The last line is cut off.
        lines = [line for _, line in zip(range(_SNIFFED_LINES), _lines(text), strict=False)]
        _separator(lines[:-1] or lines)
    except InputError:
        return False
    return True


def _refuse_foreign(data: bytes) -> None:
    limit = settings.current().max_upload_mb
    if len(data) > limit << 20:
        raise UnreadableUpload(
            f"expected at most {limit} MB, got {len(data) / 2**20:.0f} MB", hint="Split the table into parts."
        )
    if not data.strip():
        raise UnreadableUpload("expected a table, got an empty file", hint=_HINT)
    found = next((name for magic, name in _FOREIGN if data.startswith(magic)), None)
    if data[128:132] == b"DICM":
        found = "a DICOM file"
    if _OLD_PICKLE.match(data):
        found = _PICKLE
    if found:
        raise UnreadableUpload(f"expected a table as text, got {found}", hint=_HINT)


def _read_delimited(data: bytes) -> tuple[pd.DataFrame, str, tuple[str, ...]]:
    text, encoding, notices = _decoded(data)
    lines = [line for _, line in zip(range(_SNIFFED_LINES), _lines(text), strict=False)]
    separator = _separator(lines)
    with _pandas_errors():
        cells = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            header=None,
            dtype=object,
            na_filter=False,
            skipinitialspace=True,
            nrows=MOST_ROWS + 2,
        )
    _check_size(cells)
    if _has_loose_blanks(text, separator):
        cells = cells.apply(lambda column: column.str.strip())
    form = f"CSV, {_SEPARATORS[separator]} separated, {encoding}"
    return cells[(cells != "").any(axis=1)], form, notices


def _has_loose_blanks(text: str, separator: str) -> bool:
    """Say whether cells may begin or end with blanks; stripping all cells is half of the reading time."""
    around = (f" {separator}", f"{separator} ", " \n", " \r", "\n ", '"')
    return any(blank in text for blank in around) or text[:1] == " " or text[-1:] == " "


def _decoded(data: bytes) -> tuple[str, str, tuple[str, ...]]:
    """Return the text, the encoding's name for people, and a notice where it was guessed."""
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
        notice = "The file is not UTF-8; it was read as Windows-1252, check special letters."
        return _without_controls(data.decode("cp1252", errors="replace")), "Windows-1252", (notice,)


def _checked(data: bytes, codec: str) -> str:
    try:
        return _without_controls(data.decode(codec))
    except UnicodeDecodeError as error:
        raise UnreadableUpload(
            "expected text, the bytes break their own encoding (the file is damaged or cut off)", hint=_HINT
        ) from error


def _without_controls(text: str) -> str:
    if re.search(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]", text):
        raise UnreadableUpload("expected a table as text, got binary data", hint=_HINT)
    return text


def _lines(text: str) -> Iterator[str]:
    return (line for line in text[:_SNIFFED_CHARACTERS].splitlines() if line.strip())


def _separator(lines: list[str]) -> str:
    """Return the separator that cuts the first lines into equally many fields, more than one."""
    best, score = "", 0.0
    for separator in _SEPARATORS:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=separator))
        except csv.Error:
            continue
        width, times = max(widths.items(), key=lambda item: (item[1], item[0]))
        # Agreement of the lines counts first; then more columns win.
        found = times / sum(widths.values()) + min(width, 1000) / 10_000
        if width > 1 and found > score:
            best, score = separator, found
    if not best:
        names = ", ".join(_SEPARATORS.values())
        raise UnreadableUpload(
            f"expected columns separated by {names}; found one column in the first lines", hint=_HINT
        )
    return best


@contextmanager
def _pandas_errors() -> Iterator[None]:
    """Translate what pandas raises for text that is no table."""
    try:
        yield
    except pd.errors.EmptyDataError as error:
        raise UnreadableUpload("expected a table, got an empty file", hint=_HINT) from error
    except pd.errors.ParserError as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        where = "line {1}: expected {0} columns, got {2}".format(*found.groups()) if found else ""
        raise UnreadableUpload(
            where or "expected a table, the quotes or line ends are damaged", hint=_HINT
        ) from error


def _check_size(cells: pd.DataFrame) -> None:
    if len(cells) > MOST_ROWS or cells.shape[1] > MOST_COLUMNS:
        raise InvalidInput(
            f"expected at most {MOST_ROWS:,} rows and {MOST_COLUMNS:,} columns, got more",
            hint="Split the table into parts.",
        )


def _with_names(
    cells: pd.DataFrame, known: Sequence[str], headerless: Sequence[Sequence[str]]
) -> tuple[pd.DataFrame, bool]:
    """Take the header from the first line, or from a published order without header."""
    first = [str(cell) for cell in cells.iloc[0]] if len(cells) else []
    wanted = {canonical(name) for name in known}
    if not any(canonical(cell) in wanted for cell in first):
        for names in headerless:
            if len(names) == len(first) and all(_is_value(cell) for cell in first):
                return cells.set_axis(list(names), axis=1), False
    names = [cell or f"column {number}" for number, cell in enumerate(first, 1)]
    return cells.iloc[1:].set_axis(names, axis=1), True


def _is_value(cell: str) -> bool:
    return cell in ("", "?") or re.fullmatch(r"-?\d+([.,]\d+)?", cell) is not None
