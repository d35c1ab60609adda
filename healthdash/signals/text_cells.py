"""Text cut into cells of numbers: by which separator, with which decimal mark, below which header."""

from __future__ import annotations

import io
import re

import pandas as pd

from healthdash.errors import UnreadableUpload
from healthdash.tables.numeric import has_absurd_exponent

__all__ = ["cells", "frame_of", "is_number", "marks"]

_WITH_COMMAS = re.compile(r"\s*[+-]?\d+,\d+(\s+[+-]?\d+,\d+)*\s*")
_HINT = "Export it again as plain CSV."


def marks(rows: list[str]) -> tuple[str, str]:
    """Return the separator (";", tab, "," or a blank) and the decimal mark of the rows below a header.

    A comma separates only where neither a semicolon nor a tab does, and not where the header has none
    above numbers with one comma each.
    """
    body = rows[min(1, len(rows) - 1)]
    for separator in (";", "\t"):
        if separator in body:
            return separator, "," if any("," in row for row in rows[1:]) else "."
    blank = " " if " " in body.strip() else ","
    if "," not in body:
        return blank, "."
    if "," not in rows[0] and all(map(_WITH_COMMAS.fullmatch, rows[1:])):
        return (" " if blank == " " else "\t"), ","
    return ",", "."


def cells(row: str, separator: str) -> list[str]:
    """Return the cells of a row without blanks and quotes around them."""
    return [cell.strip().strip("'\"") for cell in (row.split() if separator == " " else row.split(separator))]


def is_number(cell: str) -> bool:
    """Say whether a cell is a number, or empty."""
    try:
        float(cell.replace(",", ".") or "nan")
    except ValueError:
        return False
    return True


def frame_of(rows: list[str], separator: str, decimal: str, *, has_header: bool) -> pd.DataFrame:
    """Return the cells below their header.

    Raises
    ------
    UnreadableUpload
        The rows have different numbers of cells, or more than the header has names.
    """
    text = "\n".join(rows)
    if has_absurd_exponent(text):
        raise UnreadableUpload(
            "expected numbers of a signal, got an exponent of five digits", hint="Export it again."
        )
    ends = has_header and _ends_in_separators(rows, separator)
    names = [*cells(rows[0], separator), ""] if ends else None
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=r"\s+" if separator == " " else separator,
            header=0 if has_header else None,
            names=names,
            decimal=decimal,
            skipinitialspace=True,
            quotechar="'" if "'" in rows[0] else '"',
        )
    except (pd.errors.ParserError, ValueError) as error:
        raise UnreadableUpload(
            "the rows of the text have different numbers of columns", hint=_HINT
        ) from error
    return _as_wide_as_the_header(frame, ends=ends)


def _ends_in_separators(rows: list[str], separator: str) -> bool:
    """Say whether the rows, and not the header, end in a separator."""
    last = cells(rows[-1], separator)
    return separator != " " and len(last) == len(cells(rows[0], separator)) + 1 and not last[-1]


def _as_wide_as_the_header(frame: pd.DataFrame, *, ends: bool) -> pd.DataFrame:
    """Return the named columns only; what stands beside them is empty, or counts the rows as R does."""
    if ends:
        is_sound = bool(frame.iloc[:, -1].isna().all())
        frame = frame.iloc[:, :-1]
    else:  # a column without a name becomes the index
        counted = pd.Index([*range(1, len(frame) + 1)])
        is_sound = isinstance(frame.index, pd.RangeIndex) or frame.index.equals(counted)
    if not is_sound:
        raise UnreadableUpload("the rows have more columns than the header has names", hint=_HINT)
    return frame.reset_index(drop=True)
