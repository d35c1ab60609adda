"""What the readers of spreadsheets share: which sheet holds the table, and what its header is.

A spreadsheet may put titles above the table, merge cells of the header over several rows and
columns, and hold several sheets. Here they become rows of equal length with one header.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from healthdash.errors import UnreadableUpload

from . import layout
from .header import is_value

__all__ = ["Grid", "Merge", "Read", "choose", "stripped"]

#: First row, first column, last row, last column; from 0, both ends belong to it.
Merge = tuple[int, int, int, int]
_HINT = "Save the sheet as CSV, and upload that."
#: A header ends above this row; merged cells further below are cells of the table.
_LOWEST_HEADER = 20
#: A header has no reason to merge more; each of its cells looks at all of them.
_MOST_OF_HEADER = 2_000
_ERRORS = frozenset(("#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"))


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of a sheet that are not empty rows.

    Attributes
    ----------
    rows : tuple of (int, list of str)
        Row number in the sheet, from 0, and its cells; the last one is not empty.
    merges : tuple of Merge
    """

    rows: tuple[tuple[int, list[str]], ...]
    merges: tuple[Merge, ...] = ()

    @property
    def head(self) -> dict[int, list[str]]:
        """The rows in which a header may be, by their numbers."""
        return {number: cells for number, cells in self.rows if number <= _LOWEST_HEADER}

    @property
    def width(self) -> int:
        """Number of columns."""
        return max((len(cells) for _, cells in self.rows), default=0)


@dataclass(frozen=True, slots=True)
class Read:
    """The table of a spreadsheet: its cells (text, no empty row), its sheet, all sheets, what is odd."""

    cells: pd.DataFrame
    sheet: str
    sheets: tuple[str, ...]
    notices: tuple[str, ...] = ()


def choose(names: Sequence[str], grid_of: Callable[[str], Grid], sheet: str = "") -> Read:
    """Return the table of the sheet asked for; without one of the first sheet that holds a table.

    Parameters
    ----------
    names : sequence of str
        All sheets that can be read, in the workbook's order, hidden ones last.
    grid_of : function of str
        Reads one of them.

    Raises
    ------
    UnreadableUpload
        There is no such sheet, or none with a table.
    """
    if sheet and sheet not in names:
        raise UnreadableUpload(f"expected a sheet of the workbook: {', '.join(names)}", hint="Choose one.")
    narrow: Read | None = None
    for name in [sheet] if sheet else names:
        grid = grid_of(name)
        if grid.width > 1:
            return Read(_frame(grid), name, tuple(names), _why(names, name, is_chosen=bool(sheet)))
        if grid.width == 1 and narrow is None:
            narrow = Read(_frame(grid), name, tuple(names), _why(names, name, is_chosen=bool(sheet)))
    if narrow is None:
        raise UnreadableUpload("expected a table on a sheet, all sheets are empty", hint=_HINT)
    return narrow


def stripped(cells: list[str]) -> list[str]:
    """Return a row without blanks around its cells, error values, and empty cells at its end."""
    plain = [cell.strip() for cell in cells]
    plain = ["" if cell in _ERRORS else cell for cell in plain]
    while plain and plain[-1] == "":
        plain.pop()
    return plain


def _why(names: Sequence[str], name: str, *, is_chosen: bool) -> tuple[str, ...]:
    if is_chosen or len(names) < 2:
        return ()
    return (f"The workbook has {len(names)} sheets; {name}, the first that holds a table, was read.",)


def _frame(grid: Grid) -> pd.DataFrame:
    width = grid.width
    layout.check_size(len(grid.rows), width)
    rows = [cells + [""] * (width - len(cells)) for cells in _with_one_header(grid)]
    return pd.DataFrame(rows, dtype=object)


def _with_one_header(grid: Grid) -> Iterator[list[str]]:
    """Yield the rows, those of a header of merged cells as one: "blood pressure systolic"."""
    head = grid.head
    merges = [one for one in grid.merges if one[0] <= _LOWEST_HEADER][:_MOST_OF_HEADER]
    first, last = _header_block(grid, head, merges) or (-1, -1)
    names: dict[int, list[str]] = {column: [] for column in range(grid.width)}
    below = _Below(grid.merges, last)
    for number, cells in grid.rows:
        if first <= number <= last:
            for column, found in names.items():
                text = _spread(merges, head, number, column)
                if text and text not in found:
                    found.append(text)
        if number == last:
            yield [" ".join(found) for found in names.values()]
        elif not first <= number <= last:
            yield below.filled(number, cells) if number > last else cells


def _header_block(
    grid: Grid, head: Mapping[int, list[str]], all_merges: Sequence[Merge]
) -> tuple[int, int] | None:
    """Return the first and last row of a header that merged cells bind together; None without one."""
    merges = sorted(one for one in all_merges if not _is_title(one, head))
    first = next((number for number, cells in grid.rows if sum(map(bool, cells)) > 1), None)
    if first is None or not any(top == first for top, *_ in merges):
        return None
    last = first
    for top, _, bottom, _ in merges:
        if first <= top <= last:
            last = max(last, bottom)
    if last == first:
        # What stands over several columns has the names of each below it.
        last = first + 1 if _are_names(head, first + 1, merges) else first
    held = [number for number, _ in grid.rows if first <= number <= last]
    return (first, held[-1]) if held[-1] > first and grid.rows[-1][0] > last < _LOWEST_HEADER else None


def _are_names(head: Mapping[int, list[str]], row: int, merges: Sequence[Merge]) -> bool:
    cells = head.get(row, [])
    below = [cells[column] for top, left, _, right in merges if top == row - 1
             for column in range(left, min(right + 1, len(cells)))]  # fmt: skip
    return bool(below) and all(below) and not any(is_value(cell) for cell in cells if cell)


def _is_title(merge: Merge, head: Mapping[int, list[str]]) -> bool:
    """Say whether merged cells are a title over the table: in one row, and alone in it."""
    top, left, bottom, right = merge
    cells = head.get(top, [])
    others = [cell for column, cell in enumerate(cells) if cell and not left <= column <= right]
    return bottom == top and not others


def _spread(merges: Sequence[Merge], head: Mapping[int, list[str]], row: int, column: int) -> str:
    """Return the text of a cell of the header; one that is merged says it in all of its columns."""
    inside = (m for m in merges if m[0] <= row <= m[2] and m[1] <= column <= m[3])
    if (merge := next(inside, None)) is not None:
        row, column = merge[0], merge[1]
    cells = head.get(row, [])
    return cells[column] if column < len(cells) else ""


class _Below:
    """Tells what is merged over several rows of the table in each of them; rows come in their order."""

    def __init__(self, merges: Sequence[Merge], last: int) -> None:
        self._from: dict[int, list[Merge]] = {}
        for one in merges:
            if one[0] > last and one[2] > one[0] and one[1] == one[3]:
                self._from.setdefault(one[0], []).append(one)
        self._open: dict[int, tuple[int, str]] = {}

    def filled(self, row: int, cells: list[str]) -> list[str]:
        """Return a row with what is merged into it from above."""
        self._open = {column: found for column, found in self._open.items() if row <= found[0]}
        filled = cells + [""] * (max(self._open, default=-1) + 1 - len(cells))
        for column, (_, text) in self._open.items():
            filled[column] = filled[column] or text
        for _, column, bottom, _ in self._from.get(row, ()):
            if column < len(filled):
                self._open[column] = (bottom, filled[column])
        return filled
