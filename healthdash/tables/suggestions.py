"""What columns of unknown names could hold, by what is in them: offered with the reason, never taken.

Ages, pressures and heart rates overlap: a column is told with the fields that it could be, likeliest first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from healthdash.fields import CategoryField, Field, NumberField

from .coding import plain_code
from .kinds import is_gap, numbers_of
from .mapping import ColumnMapping

__all__ = ["Suggestion", "suggestions"]

#: Fewer values say too little; of a column with less numbers than this share nothing is said.
_FEWEST, _MOST_SHARE = 5, 0.95
_MOST_FIELDS, _MOST_COLUMNS, _MOST_CODES = 3, 100, 12
#: Rows that are looked at.
_MOST_ROWS = 5_000
#: A middle that is more than this many times larger or smaller than the usual value is of something else.
_FARTHEST = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What a column could hold.

    Attributes
    ----------
    column : str
    looks : str
        What is in it, in words: "numbers from 94 to 200, the middle 130".
    fields : tuple of str
        Names of the fields that it could be, the likeliest first.
    """

    column: str
    looks: str
    fields: tuple[str, ...]


def suggestions(
    frame: pd.DataFrame, fields: Sequence[Field], mapping: ColumnMapping
) -> tuple[Suggestion, ...]:
    """Return what the columns that were taken for nothing could be, among the fields without a column."""
    taken = {link.column for link in mapping.links}
    absent = [
        one for one in fields if not mapping.of(one.name).column and mapping.of(one.name).how == "missing"
    ]
    if not absent:
        return ()
    free = [name for name in map(str, frame.columns) if name not in taken][:_MOST_COLUMNS]
    places = {str(name): place for place, name in reversed(list(enumerate(frame.columns)))}
    found = (_of_column(name, frame.iloc[:_MOST_ROWS, places[name]], absent) for name in free)
    return tuple(one for one in found if one)


def _of_column(name: str, cells: pd.Series, fields: Sequence[Field]) -> Suggestion | None:
    known = cells[~is_gap(cells)]
    if len(known) < _FEWEST:
        return None
    codes = sorted({plain_code(str(cell)) for cell in known.unique()[: _MOST_CODES + 1]})
    if 2 <= len(codes) <= _MOST_CODES:
        same = [one.name for one in fields if isinstance(one, CategoryField) and _are_codes(codes, one)]
        if same:
            return Suggestion(
                column=name, looks=f"the codes {', '.join(codes)}", fields=tuple(same[:_MOST_FIELDS])
            )
    numbers = numbers_of(known)
    if np.isfinite(numbers).mean() < _MOST_SHARE:
        return None
    numbers = numbers[np.isfinite(numbers)]
    near = sorted(_nearness(numbers, fields))[:_MOST_FIELDS]
    middle = float(np.median(numbers))
    looks = f"numbers from {numbers.min():g} to {numbers.max():g}, the middle {middle:g}"
    return Suggestion(column=name, looks=looks, fields=tuple(field for _, field in near)) if near else None


def _are_codes(codes: Sequence[str], field: CategoryField) -> bool:
    """Say whether the cells are the codes of a field, or what these mean."""
    known = {text.lower() for pair in field.choices.items() for text in pair}
    return all(code.lower() in known for code in codes)


def _nearness(numbers: np.ndarray, fields: Sequence[Field]) -> Iterator[tuple[float, str]]:
    """Yield how far the middle is from the usual value of each field in which the values are possible."""
    middle = float(np.median(numbers))
    for one in fields:
        if not isinstance(one, NumberField) or not one.default or middle <= 0:
            continue
        possible = (numbers >= one.low) & (numbers <= one.high)
        distance = abs(math.log(middle / one.default)) if one.default > 0 else math.inf
        if possible.mean() >= _MOST_SHARE and distance <= math.log(_FARTHEST):
            yield distance, one.name
