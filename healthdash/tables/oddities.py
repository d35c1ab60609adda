"""Columns that hold nothing to learn, or values that cannot be measurements."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .findings import Finding, Remedy, Table
from .kinds import Profile
from .steps import DropColumns, KeepRange, TakeAs, TakeAsMissing

__all__ = ["columns", "values"]

_NEARLY_EMPTY = 0.05
#: Numbers that people write for "not measured".
_STAND_INS = (-9999, -999, -99, -9, -1, 99, 999, 9999, 99999, 999999)
_FEWEST = 3
_FEWEST_ROWS = 20
#: Robust standard deviations beyond which a value is told of.
_FAR = 10.0
_MOST_FAR = 0.01


def columns(table: Table) -> Iterator[Finding]:
    """Yield columns that a model for tables cannot use, or has nothing from."""
    for profile in table.inputs:
        name = profile.name
        drop = Remedy("Leave the column out", (DropColumns(columns=(name,)),), True)
        if profile.kind == "empty":
            yield Finding("empty", "warning", f"{name} holds no value at all.", (name,), (drop,))
        elif profile.distinct == 1 and not profile.missing:
            yield Finding("constant", "warning", f"{name} is the same in every row.", (name,), (drop,))
        elif profile.known < _NEARLY_EMPTY * profile.rows:
            words = f"{name} is missing in {profile.missing / profile.rows:.0%} of the rows."
            yield Finding("nearly-empty", "warning", words, (name,), (drop,))
        else:
            yield from _of_kind(profile, drop)


def _of_kind(profile: Profile, drop: Remedy) -> Iterator[Finding]:
    name = profile.name
    category = Remedy("Treat as category", (TakeAs(column=name, kind="category"),))
    if profile.kind == "identifier":
        words = f"{name} looks like an identifier: a model would learn rows by heart."
        yield Finding("identifier", "warning", words, (name,), (drop, category))
    elif profile.kind == "free text":
        words = f"{name} is free text, which a model for tables cannot read."
        yield Finding("free-text", "warning", words, (name,), (drop, category))
    elif profile.kind == "date":
        as_days = Remedy("Take as a number of days", (TakeAs(column=name, kind="date"),))
        words = f"{name} is a date. New rows come from later dates than any that were learnt from."
        yield Finding("date", "warning", words, (name,), (drop, as_days))
    elif profile.kind == "hours":
        in_hours = Remedy("Take as a number of hours", (TakeAs(column=name, kind="hours"),), True)
        words = f"{name} is told by the clock, such as 3:30, and is taken as hours, such as 3.5."
        yield Finding("hours", "note", words, (name,), (in_hours, category))
    elif profile.odd:
        words = f"{name} holds numbers, but for {profile.odd:,} cells that are none."
        parse = Remedy("Parse as number, the others as missing", (TakeAs(column=name, kind="number"),), True)
        yield Finding("not-all-numbers", "warning", words, (name,), (parse, category))


def values(table: Table) -> Iterator[Finding]:
    """Yield numbers that stand for "not measured", and numbers far from all others."""
    for profile in table.inputs:
        numbers = table.numbers(profile.name) if profile.is_number else np.empty(0)
        numbers = numbers[np.isfinite(numbers)]
        if len(numbers) < _FEWEST_ROWS:
            continue
        found = (
            _stand_in(profile.name, numbers) or _zeros(profile.name, numbers) or _far(profile.name, numbers)
        )
        if found:
            yield found


def _stand_in(name: str, numbers: NDArray[np.float64]) -> Finding | None:
    """Find a number such as -999 at the end of a column, repeated and apart from the rest."""
    for number in (numbers.min(), numbers.max()):
        rest = numbers[numbers != number]
        times = len(numbers) - len(rest)
        if number not in _STAND_INS or times < _FEWEST or len(rest) < _FEWEST_ROWS:
            continue
        gap = rest.min() - number if number < rest.min() else number - rest.max()
        changes_sign = number < 0 <= rest.min()
        if gap > np.ptp(rest) or (changes_sign and number < -1) or (changes_sign and rest.min() > 1):
            words = (
                f"{name} is {number:g} in {times:,} rows, apart from all others: most likely not measured."
            )
            mend = Remedy("Take as missing", (TakeAsMissing(column=name, values=(f"{number:g}",)),), True)
            return Finding("stands-for-missing", "warning", words, (name,), (mend,))
    return None


def _zeros(name: str, numbers: NDArray[np.float64]) -> Finding | None:
    """Find zeros below a column whose other values begin far from 0, such as a blood pressure of 0."""
    rest = numbers[numbers != 0]
    times = len(numbers) - len(rest)
    if not times or len(rest) < _FEWEST_ROWS or rest.min() <= 1:
        return None
    spacing = float(np.median(np.diff(np.unique(rest)))) if len(np.unique(rest)) > 1 else 0.0
    if rest.min() < 0.1 * np.median(rest) or rest.min() < 3 * spacing:
        return None
    words = (
        f"{name} is 0 in {times:,} rows, while all others begin at {rest.min():g}: most likely not measured."
    )
    mend = Remedy("Take 0 as missing", (TakeAsMissing(column=name, values=("0",)),), True)
    return Finding("zeros-for-missing", "warning", words, (name,), (mend,))


def _far(name: str, numbers: NDArray[np.float64]) -> Finding | None:
    """Find few numbers that lie far out, on the scale of the column and on that of its logarithm."""
    far = _is_far(numbers)
    if (numbers > 0).all():
        far &= _is_far(np.log(numbers))
    elif (numbers >= 0).all():
        far &= _is_far(np.log1p(numbers))
    if not 0 < far.sum() <= max(1.0, _MOST_FAR * len(numbers)):
        return None
    low, high = float(numbers[~far].min()), float(numbers[~far].max())
    many = "1 value" if far.sum() == 1 else f"{int(far.sum()):,} values"
    words = f"{name} has {many} far from all others, which lie from {low:g} to {high:g}."
    mend = Remedy("Take them as missing", (KeepRange(column=name, low=low, high=high),))
    return Finding("outliers", "note", words, (name,), (mend,))


def _is_far(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    middle = np.median(numbers)
    # Of normal values the quartiles lie 1.349 standard deviations apart.
    spread = float(np.subtract(*np.percentile(numbers, [75, 25]))) / 1.349
    return np.asarray(
        np.abs(numbers - middle) > _FAR * spread if spread > 0 else np.zeros(len(numbers)), bool
    )
