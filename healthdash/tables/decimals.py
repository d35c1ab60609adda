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
_WITH_POINT = re.compile(r"[+-]?\d*\.?\d+(e[+-]?\d+)?", re.IGNORECASE)
_IN_THREES = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+")
_UNIT = r"\s*[%\u2030A-Za-z\u00b0\u00b5\u03bc][^,;]*"
_WITH_UNIT = re.compile(rf"([+-]?\d(?:[\d.,]*\d)?){_UNIT}")
#: Share of the cells that are numbers in a column of them; the others are "<0,6" or "n. b.".
_MOST = 0.9
Marks = tuple[str, str]


def find_marks(cells: pd.DataFrame, separator: str, *, is_stored: bool = False) -> Marks:
    """Return the decimal mark and the mark of thousands ("" for none) that most columns of numbers use.

    Parameters
    ----------
    cells : DataFrame of str
        Without the header.
    separator : str
        Of the file. "1,234" alone is twelve hundred in a file that is cut at commas, and a number
        with three decimals elsewhere, unless other columns have decimal points. "1.234" alone is
        twelve hundred where other columns have decimal commas.
    is_stored : bool
        Whether the file is a spreadsheet, which stores its numbers with a point: what has none but
        points is such a number, and says nothing of those that are text.
    """
    sample = cells.iloc[:: max(1, len(cells) // _SAMPLED)].map(_bare)
    votes: Counter[Marks] = Counter()
    has_threes = has_comma_threes = False
    for place in range(sample.shape[1]):
        column = sample.iloc[:, place]
        marked = {cell for cell in set(column) if "," in cell or "." in cell}
        if marked and any("," in cell for cell in _numbers(column, _NUMBER)):
            marks_here = _marks_of(_numbers(column, _NUMBER), separator)
            if marks_here is None:
                has_comma_threes = True
            else:
                votes[marks_here] += 1
        elif (
            not is_stored
            and marked
            and (numbers := _numbers(column, _WITH_POINT) | _numbers(column, _IN_THREES))
        ):
            pointed = {cell for cell in numbers if "." in cell}
            is_open = bool(pointed) and all(_IN_THREES.fullmatch(cell) for cell in pointed)
            has_threes = has_threes or is_open
            if pointed and not is_open:
                votes[(".", "")] += 1
    if has_comma_threes:
        votes[(".", ",") if votes[".", ""] else (",", "")] += 1
    if not votes:
        return ".", ""
    (decimal, _), _ = votes.most_common(1)[0]
    marks = [pair for pair in votes if pair[0] == decimal and pair[1]]
    return decimal, marks[0][1] if marks else "." if decimal == "," and has_threes else ""


def with_points(
    frame: pd.DataFrame, decimal: str, thousands: str, *, is_stored: bool = False
) -> pd.DataFrame:
    """Return the table with the numbers of a column of numbers as "1234.5", a unit behind them kept.

    `is_stored` is as in `find_marks`; all else stays as it is.
    """
    if decimal == "." and not thousands:
        return frame
    columns = [
        _pointed(frame.iloc[:, place], decimal, thousands, is_stored=is_stored)
        for place in range(frame.shape[1])
    ]
    return pd.concat(columns, axis=1) if columns else frame


def _pointed(column: pd.Series, decimal: str, thousands: str, *, is_stored: bool) -> pd.Series:
    if is_stored and thousands == "." and not any("," in cell and "." in cell for cell in column):
        thousands = ""
    form = _form(decimal, thousands)
    plain = {}
    for cell in _numbers(column, form):
        number, unit = form.fullmatch(cell).groups("")  # type: ignore[union-attr]
        plain[cell] = (number.replace(thousands, "") if thousands else number).replace(decimal, ".") + unit
    return column.map(lambda cell: plain.get(cell, cell)) if plain else column


def _bare(cell: str) -> str:
    """Return a cell without the unit behind its number."""
    found = _WITH_UNIT.fullmatch(cell) if cell and not cell[-1].isdigit() else None
    return found[1] if found else cell


def _form(decimal: str, thousands: str) -> re.Pattern[str]:
    whole = rf"\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+|\d+" if thousands else r"\d+"
    return re.compile(rf"([+-]?(?:{whole})(?:{re.escape(decimal)}\d+)?(?:[eE][+-]?\d+)?)({_UNIT})?")


def _numbers(column: pd.Series, form: re.Pattern[str]) -> set[str]:
    """Return the different cells of a form; none where too few of the cells that are no gap have it."""
    counts = column.value_counts()
    known = counts[[str(cell).lower() not in _GAPS for cell in counts.index]]
    of_form = known[[form.fullmatch(str(cell)) is not None for cell in known.index]]
    return set(of_form.index) if len(known) and of_form.sum() >= _MOST * known.sum() else set()


def _marks_of(cells: set[str], separator: str) -> Marks | None:
    """Return the marks of one column that has commas; None where the other columns have to tell."""
    both = [cell for cell in cells if "," in cell and "." in cell]
    if both:
        last = max(both, key=len)
        return (".", ",") if last.rfind(".") > last.rfind(",") else (",", ".")
    commas = [cell for cell in cells if "," in cell]
    if any("." in cell for cell in cells) or any(cell.count(",") > 1 for cell in commas):
        return ".", ","
    in_threes = all(re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", cell) for cell in commas)
    if in_threes:
        return (".", ",") if separator == "," else None
    return ",", ""
