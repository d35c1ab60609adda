"""Match the columns of a text table with a task's fields, and turn text into numbers and codes.

Every problem is collected with its row, as a sentence that names the column, never the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.fields import CategoryField, Field, NumberField
from healthdash.tables.coding import plain_code
from healthdash.tables.layout import canonical, is_same_name, signs
from healthdash.tables.numeric import to_numeric
from healthdash.tables.units import conversion

__all__ = [
    "Columns",
    "by_row",
    "impossible_values",
    "match_columns",
    "shortened",
    "to_codes",
    "to_numbers",
    "type_columns",
    "with_row_numbers",
]

#: Text that means "not known" in a number column. In a category column "none" is a value.
GAPS = (
    "", "?", "na", "n/a", "#n/a", "nan", "null", "none", ".", "-", "--", "missing", "unknown", "unk",
    "not known", "not done", "not measured", "未知", "不详", "未测", "未查", "无",
)  # fmt: skip
CODE_GAPS = ("", "?", "na", "n/a", "nan", "null")
_MOST_PROBLEMS = 20
_WITH_COMMA = r"[+-]?\d+,\d+(?:\s*%)?"
_THOUSANDS = r"[+-]?[1-9]\d{0,2},\d{3}(?:\s*%)?"
#: A row number, from 0, and what is wrong in it.
Wrong = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Columns:
    """A table in the task's own columns.

    Attributes
    ----------
    frame : DataFrame
        One column a field: float64 with NaN for gaps, or text with "" for gaps and unknown codes.
    wrong : tuple of (int, str)
        Cells that are no number, each with its row; NaN in the frame.
    notices : tuple of str
    """

    frame: pd.DataFrame
    wrong: tuple[Wrong, ...] = ()
    notices: tuple[str, ...] = ()


def match_columns(names: Sequence[str], fields: Sequence[Field]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Find each field's column by name, whatever its case, order and punctuation.

    Returns
    -------
    dict of str to int
        Field name to column number.
    tuple of str
        A problem for all missing columns together, and one for each that is there twice.
    """
    own = {field.name for field in fields}
    places: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        places.setdefault(canonical(name), []).append(number)
    found: dict[str, list[int]] = {}
    for field in fields:
        at = [n for n in places.get(canonical(field.name), ()) if is_same_name(names[n], field.name)]
        # A column of a field's very name is that of no other field, and beats one of another sign ("CD4 %").
        at = [n for n in at if names[n] == field.name or names[n] not in own]
        if any(names[n] == field.name for n in at):
            at = [n for n in at if signs(names[n]) == signs(field.name)]
        if at:
            found[field.name] = at
    problems = [
        f"column {name}: expected once, found {len(at)} times" for name, at in found.items() if len(at) > 1
    ]
    missing = [f.name for f in fields if f.required and f.name not in found]
    if missing:
        noun = "column" if len(missing) == 1 else "columns"
        problems.insert(0, f"missing {noun}: {', '.join(missing)}")
    return {name: at[0] for name, at in found.items()}, tuple(problems)


def type_columns(columns: Mapping[str, pd.Series], fields: Sequence[Field], n: int) -> Columns:
    """Turn text columns into numbers and codes; ranges are not looked at here.

    Parameters
    ----------
    columns : dict of str to Series of str
        Text of each field that the file has; the others become gaps.
    n : int
        Number of rows.
    """
    typed: dict[str, NDArray[Any]] = {}
    wrong: list[Wrong] = []
    notices: list[str] = []
    for field in fields:
        if field.name not in columns:
            is_number = isinstance(field, NumberField)
            typed[field.name] = np.full(n, np.nan) if is_number else np.full(n, "", object)
        elif isinstance(field, NumberField):
            cells = columns[field.name]
            typed[field.name], bad = to_numbers(cells, is_share=_may_be_percent(field))
            wrong += [(row, _no_number(field, cells.iloc[row])) for row in bad.tolist()]
        else:
            choices = field.choices if isinstance(field, CategoryField) else {}
            typed[field.name], unknown = to_codes(columns[field.name], choices)
            notices += _unknown_notice(field, unknown)
    # The index keeps the number of rows where there is no column.
    return Columns(pd.DataFrame(typed, index=pd.RangeIndex(n)), tuple(wrong), tuple(notices))


def _may_be_percent(field: NumberField) -> bool:
    """Say whether 58 may be written as "58 %": where the unit is not another one."""
    way = conversion("%", field.unit or "%")
    return field.takes_percent and way is not None and not way.is_needed


def to_numbers(text: pd.Series, *, is_share: bool = True) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the numbers (n,), NaN for gaps, and the rows that hold something else.

    A comma before the decimals is understood where the column is not cut at commas, unless three digits
    follow it: that may be a thousand as well. Percent is understood where `is_share`.
    """
    plain = text.str.lower()
    gaps = plain.isin(GAPS).to_numpy()
    with_comma = plain.str.fullmatch(_WITH_COMMA) & ~plain.str.fullmatch(_THOUSANDS)
    cells = plain.where(~gaps, "nan").mask(with_comma, plain.str.replace(",", ".", regex=False))
    numbers = to_numeric(cells).to_numpy(np.float64, copy=True)
    is_bad = ~gaps & ~np.isfinite(numbers)
    if not is_share:
        is_bad |= plain.str.endswith("%").to_numpy(bool)
    numbers[is_bad] = np.nan
    return numbers, np.flatnonzero(is_bad)


def _no_number(field: Field, cell: str) -> str:
    """Say what is there in the place of a number, without telling it."""
    if isinstance(field, NumberField) and cell.strip().endswith("%") and not _may_be_percent(field):
        wanted = f"in the unit {field.unit}" if field.takes_percent else "without %, as in training"
        return f"column {field.name}: expected a number {wanted}, got percent"
    is_bound = re.fullmatch(r"[<>≤≥]\s*=?\s*[\d.,]+.*", cell.strip()) is not None
    found = "only a bound, such as < 5" if is_bound else "text"
    return f"column {field.name}: expected a number, got {found}"


def to_codes(text: pd.Series, choices: Mapping[str, str]) -> tuple[NDArray[np.object_], int]:
    """Return codes as the task spells them, "" for gaps and unknown ones, and how many are unknown.

    A code may be written as a number with decimals ("1.0"), in another case, or as its meaning
    ("female"). Without choices any text is a code.
    """
    spelled = {code.lower(): code for code in choices}
    spelled |= {meaning.lower(): code for code, meaning in choices.items() if meaning.lower() not in spelled}
    # An own table may have learnt the codes themselves with decimals.
    spelled |= {short: code for code in choices if (short := plain_code(code.lower())) not in spelled}
    codes: dict[str, str] = {}
    unknown: set[str] = set()
    for cell in text.unique():
        plain = plain_code(cell.lower())
        if plain in CODE_GAPS and plain not in spelled:
            codes[cell] = ""
        elif choices:
            codes[cell] = spelled.get(cell.lower()) or spelled.get(plain, "")
            if not codes[cell]:
                unknown.add(cell)
        else:
            codes[cell] = cell
    return text.map(codes).to_numpy(object), int(text.isin(unknown).sum())


def shortened(problems: Sequence[str]) -> tuple[str, ...]:
    """Keep the first problems, and say how many more there are."""
    if len(problems) <= _MOST_PROBLEMS:
        return tuple(problems)
    return (*problems[:_MOST_PROBLEMS], f"and {len(problems) - _MOST_PROBLEMS:,} more problems")


def impossible_values(frame: pd.DataFrame, fields: Sequence[Field]) -> Iterator[Wrong]:
    """Yield each row and column whose number lies outside what is possible."""
    for field in fields:
        if not isinstance(field, NumberField):
            continue
        values = frame[field.name].to_numpy(np.float64)
        unit = f" {field.unit}" if field.unit else ""
        expected = f"column {field.name}: expected {field.low:g} to {field.high:g}{unit}"
        yield from ((row, f"{expected}, got less") for row in np.flatnonzero(values < field.low).tolist())
        yield from ((row, f"{expected}, got more") for row in np.flatnonzero(values > field.high).tolist())


def by_row(wrong: Iterable[Wrong]) -> dict[int, tuple[str, ...]]:
    """Put what is wrong in each row together, in the order of the rows."""
    found: dict[int, list[str]] = {}
    for row, reason in wrong:
        found.setdefault(row, []).append(reason)
    return {row: tuple(found[row]) for row in sorted(found)}


def with_row_numbers(wrong: Mapping[int, tuple[str, ...]]) -> list[str]:
    """Return each problem with the number of its row, counted from 1 as people do."""
    return [f"row {row + 1}, {reason}" for row, reasons in wrong.items() for reason in reasons]


def _unknown_notice(field: Field, unknown: int) -> list[str]:
    if not unknown:
        return []
    values = "value is" if unknown == 1 else "values are"
    return [f"Column {field.name}: {unknown:,} {values} not among the known codes and counted as unknown."]
