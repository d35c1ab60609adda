"""Find out how a table writes its numbers, and write them with a point and without marks of thousands."""

from __future__ import annotations

import re
from collections import Counter

import pandas as pd

__all__ = ["find_marks", "with_points"]

_SAMPLED = 1000
#: Cells that stand for no value in a column of numbers.
_GAPS = {"", "?", "na", "n/a", "nan", "null", "none", ".", "-", "missing"}
_NUMBER = re.compile(r"[+-]?\d[\d.,]*")
Marks = tuple[str, str]


def find_marks(cells: pd.DataFrame, separator: str) -> Marks:
    """Return the decimal mark and the mark of thousands ("" for none) that most columns of numbers use.

    Parameters
    ----------
    cells : DataFrame of str
        Without the header.
    separator : str
        Of the file. "1,234" alone is twelve hundred in a file that is cut at commas, and a number
        with three decimals elsewhere.
    """
    sample = cells.iloc[:: max(1, len(cells) // _SAMPLED)]
    votes: Counter[Marks] = Counter()
    for place in range(sample.shape[1]):
        found = set(sample.iloc[:, place])
        marked = {cell for cell in found if "," in cell or "." in cell}
        known = {cell for cell in found if cell.lower() not in _GAPS}
        if any("," in cell for cell in marked) and all(_NUMBER.fullmatch(cell) for cell in known):
            votes[_marks_of(known, separator)] += 1
        elif marked and all(re.fullmatch(r"[+-]?\d*\.?\d+(e[+-]?\d+)?", cell, re.I) for cell in known):
            votes[(".", "")] += 1
    if not votes:
        return ".", ""
    (decimal, _), _ = votes.most_common(1)[0]
    marks = [pair for pair in votes if pair[0] == decimal and pair[1]]
    return decimal, marks[0][1] if marks else ""


def with_points(frame: pd.DataFrame, decimal: str, thousands: str) -> pd.DataFrame:
    """Return the table with every number of a column of numbers as "1234.5"; other columns stay."""
    if decimal == "." and not thousands:
        return frame
    whole = rf"\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+|\d+" if thousands else r"\d+"
    number = re.compile(rf"[+-]?(?:{whole})(?:{re.escape(decimal)}\d+)?(?:[eE][+-]?\d+)?")
    columns = []
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        cells = set(column)
        known = {cell for cell in cells if cell.lower() not in _GAPS}
        if known and all(number.fullmatch(cell) for cell in known):
            plain = {cell: cell.replace(thousands, "") if thousands else cell for cell in known}
            column = column.map({cell: plain.get(cell, cell).replace(decimal, ".") for cell in cells})
        columns.append(column)
    return pd.concat(columns, axis=1) if columns else frame


def _marks_of(cells: set[str], separator: str) -> Marks:
    """Return the marks of one column that has commas."""
    both = [cell for cell in cells if "," in cell and "." in cell]
    if both:
        last = max(both, key=len)
        return (".", ",") if last.rfind(".") > last.rfind(",") else (",", ".")
    commas = [cell for cell in cells if "," in cell]
    if any("." in cell for cell in cells) or any(cell.count(",") > 1 for cell in commas):
        return ".", ","
    in_threes = all(re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", cell) for cell in commas)
    return (".", ",") if in_threes and separator == "," else (",", "")
