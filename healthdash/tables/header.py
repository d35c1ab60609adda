"""Find the row of a table that holds the names of its columns."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from .layout import canonical

__all__ = ["find_header", "is_value", "with_lower_lines", "without_repeats"]

_LOOKED_AT = 50
_LOWER_LINES = 2
#: Text below a header that is neither a unit nor a part of a name.
_GAPS = frozenset(("na", "n/a", "nan", "null", "none", ".", "-", "missing", "unknown"))
_HIGHEST = 20


def find_header(cells: pd.DataFrame, known: Sequence[str]) -> int | None:
    """Return the row of the header, from 0; None: the first row is data already.

    Parameters
    ----------
    cells : DataFrame of str
        All cells of the file.
    known : sequence of str
        Column names that are expected; a row among the first that has one of them is the header.
    """
    first = [[str(cell) for cell in row] for row in cells.iloc[:_LOOKED_AT].itertuples(index=False)]
    wanted = {canonical(name) for name in known} - {""}
    for number, row in enumerate(first[:_HIGHEST]):
        if any(canonical(cell) in wanted for cell in row):
            return number
    start = _below_titles(first)
    return start if _is_header(first[start], first[start + 1 :]) else None


def is_value(cell: str) -> bool:
    """Say whether a cell is a number or a gap, and so no name."""
    return cell in ("", "?") or re.fullmatch(r"[+-]?\d+([.,]\d+)*(e[+-]?\d+)?", cell, re.I) is not None


def with_lower_lines(header: list[str], cells: pd.DataFrame, row: int) -> tuple[list[str], int]:
    """Return the names with what further lines of the header add to them, and where the rows begin.

    Units, and names over two lines, stand below the first line: a row without any number above columns
    that hold little else is no data.
    """
    names = list(header)
    start = row + 1
    while start <= row + _LOWER_LINES and _is_lower_line(cells, start, header):
        for place, cell in enumerate(map(str, cells.iloc[start])):
            names[place] = f"{names[place]} {cell}".strip() if cell != names[place] else cell
        start += 1
    return [name or f"column {number}" for number, name in enumerate(names, 1)], start


def without_repeats(body: pd.DataFrame, header: list[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the rows without those that say the header again, as printed pages do, and a notice of them."""
    place = next((place for place, cell in enumerate(header) if cell and not is_value(cell)), None)
    if place is None:
        return body, ()
    again = body.iloc[:, place] == header[place]
    if again.any():
        again &= (body == header).all(axis=1)
    times = int(again.sum())
    if not times or again.all():
        return body, ()
    return body[~again], (f"The header stands {times:,} more times between the rows; these were left out.",)


def _is_lower_line(cells: pd.DataFrame, row: int, header: list[str]) -> bool:
    """Say whether a row belongs to the header: text alone, over columns of numbers."""
    below = cells.iloc[row + 1 : row + 1 + _LOOKED_AT]
    line = [str(cell) for cell in cells.iloc[row]] if row < len(cells) else []
    named = [place for place, cell in enumerate(line) if cell]
    if len(below) < 2 or not named or line == header:
        return False
    if any(is_value(line[place]) or line[place].lower() in _GAPS for place in named):
        return False
    numbers = [p for p in named if (below.iloc[:, p].map(str).map(is_value)).mean() > 0.9]
    return 2 * len(numbers) > len(named)


def _below_titles(rows: list[list[str]]) -> int:
    """Return the first row that is about as full as most; those above are titles."""
    filled = [sum(cell != "" for cell in row) for row in rows]
    usual = sorted(filled)[len(filled) // 2]
    if max(filled) < 2:
        return 0
    # A title stands alone in its row.
    full = [number for number, count in enumerate(filled) if count > 1 and 2 * count > usual]
    return full[0] if full and all(count <= 1 for count in filled[: full[0]]) else 0


def _is_header(row: list[str], below: list[list[str]]) -> bool:
    """Let the columns vote: a text above numbers is a name, a value that returns below is none."""
    if all(is_value(cell) for cell in row):
        return False
    votes = 0
    for place, cell in enumerate(row):
        others = [line[place] for line in below if line[place] != ""]
        if not others or cell == "":
            continue
        if sum(map(is_value, others)) > len(others) / 2:
            votes += -2 if is_value(cell) else 2
        elif cell in others:
            votes -= 1
        elif len(set(others)) < len(others):
            votes += 1
    return votes >= 0
