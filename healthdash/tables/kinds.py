"""What a column of text holds: numbers, codes, dates, identifiers or free text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .names import identifies, is_bare_id, names_people, numbers_rows
from .numeric import clock_hours, to_numeric

__all__ = [
    "GAPS",
    "KINDS",
    "Kind",
    "Profile",
    "day_comes_first",
    "days_of",
    "is_clock",
    "is_gap",
    "numbers_of",
    "profile",
    "profiles",
]

Kind = Literal[
    "number", "whole number", "hours", "category", "yes or no", "date", "identifier", "free text", "empty"
]
KINDS: tuple[Kind, ...] = (
    "number", "whole number", "hours", "category", "yes or no", "date", "identifier", "free text", "empty",
)  # fmt: skip

#: Text that means "not known", whatever its case.
GAPS = frozenset(("", "?", "na", "n/a", "nan", "null", ".", "-", "missing", "unknown", "#n/a"))
_YES_NO = (
    {"yes", "no"}, {"y", "n"}, {"true", "false"}, {"t", "f"}, {"ja", "nein"}, {"oui", "non"}, {"0", "1"},
)  # fmt: skip
_DAY = r"(?:\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{4})"
_DATE = re.compile(rf"{_DAY}(?:[T ]\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?(?:Z|[+-]\d{{2}}:?\d{{2}})?)?")
_DAY_AND_MONTH = r"^(\d{1,2})[./](\d{1,2})"
_CODED = re.compile(r"[A-Za-z]{1,2}\d[\w.]*")
#: Share of the known cells that must be numbers, or dates, for the column to be taken as such.
_MOST = 0.95
_FEWEST_TO_SPARE = 20
_MOST_CODES = 50
#: Cells that tell whether a column is told by the clock.
_SEEN = 5000


@dataclass(frozen=True, slots=True)
class Profile:
    """What one column holds.

    Attributes
    ----------
    name : str
    kind : Kind
    rows, missing, distinct : int
        Rows in all, gaps, and different values that are not gaps.
    odd : int
        Known cells of a column of numbers or dates that are none.
    """

    name: str
    kind: Kind
    rows: int
    missing: int
    distinct: int
    odd: int = 0

    @property
    def known(self) -> int:
        """Cells that are not gaps."""
        return self.rows - self.missing

    @property
    def is_number(self) -> bool:
        """Whether its values have an order and a size."""
        return self.kind in ("number", "whole number", "hours")

    @property
    def is_input(self) -> bool:
        """Whether a network can take it in as it is."""
        return self.is_number or self.kind in ("category", "yes or no")


def is_gap(text: pd.Series) -> NDArray[np.bool_]:
    """Return which cells (n,) stand for no value."""
    codes, different = pd.factorize(text)
    # What is no text at all has the code -1: the last one.
    gaps = [*(str(cell).strip().lower() in GAPS for cell in different), True]
    return np.array(gaps, bool)[codes]


def numbers_of(text: pd.Series, by_clock: bool | None = None) -> NDArray[np.float64]:
    """Return the numbers (n,), 6.5 for "6.5 %"; NaN for gaps and for cells that are no number.

    Parameters
    ----------
    by_clock : bool or None
        Whether a cell told by the clock is one of hours: 3.5 for "3:30". None: as `is_clock` finds.
    """
    # Each different text is read once: in a large table most of them come again.
    codes, different = pd.factorize(text)
    cells = pd.Series([*different, ""], dtype=object)
    gaps = is_gap(cells)
    found = to_numeric(cells.where(~gaps, "")).to_numpy(np.float64, copy=True)
    found[~np.isfinite(found)] = np.nan
    if np.isnan(found[~gaps]).any() and (is_clock(cells) if by_clock is None else by_clock):
        found = np.where(np.isnan(found), clock_hours(cells), found)
    return np.asarray(found[codes], np.float64)


def is_clock(text: pd.Series) -> bool:
    """Say whether nearly all known cells are durations or times of day, such as "3:37" or "03:37:00"."""
    seen = text[~is_gap(text)].iloc[:_SEEN].astype(str)
    # "1:20" beside "1:40" is how far a serum was diluted.
    is_ratio = seen.str.fullmatch(r"1:\d+").all()
    return bool(len(seen)) and not is_ratio and bool(np.isfinite(clock_hours(seen)).mean() >= _MOST)


def day_comes_first(text: pd.Series) -> bool | None:
    """Say whether in dates such as "3/4/2020" and "3.4.2020" the day comes first; None without any.

    It is taken to come first, unless that is no date in any row.
    """
    first, second = _day_and_month(text.str.strip())
    if not np.isfinite(first).any():
        return None
    return not (bool((second > 12).any()) and not (first > 12).any())


def days_of(text: pd.Series, day_first: bool | None = None) -> NDArray[np.float64]:
    """Return dates as days since 2000-01-01 (n,); NaN for gaps and for cells that are no date.

    Parameters
    ----------
    day_first : bool or None
        Whether the day comes first in "3/4/2020"; what is no date in this order is NaN. None: as
        `day_comes_first` finds, and a date that can only be read in the other order is read so.
    """
    cells = text.str.strip()
    iso = cells.str.match(r"\d{4}").to_numpy(bool)
    days = np.full(len(text), np.nan)
    days[iso] = _days(pd.to_datetime(cells[iso], errors="coerce", format="ISO8601", utc=True))
    rest = cells[~iso]
    if len(rest):
        order = (day_comes_first(rest) is not False) if day_first is None else day_first
        found = _days(pd.to_datetime(rest, errors="coerce", format="mixed", dayfirst=order, utc=True))
        month = _day_and_month(rest)[1 if order else 0]
        # What cannot be read in the order that is asked for, pandas reads in the other one.
        days[~iso] = found if day_first is None else np.where(month > 12, np.nan, found)
    return days


def profiles(frame: pd.DataFrame, declared: Mapping[str, str] | None = None) -> tuple[Profile, ...]:
    """Return the profile of every column; `declared` holds kinds that the file itself tells."""
    declared = declared or {}
    return tuple(
        profile(frame.iloc[:, place], declared.get(str(name), "")) for place, name in enumerate(frame.columns)
    )


def profile(text: pd.Series, declared: str = "") -> Profile:
    """Find out what a column of text holds.

    Parameters
    ----------
    declared : str
        "number", "category" or "date" where the file says so, or the user: it is taken at its word.
    """
    gaps = is_gap(text)
    known = text[~gaps]
    counts = known.value_counts()
    kind, odd = _kind(str(text.name), known, counts, declared)
    return Profile(str(text.name), kind, len(text), int(gaps.sum()), len(counts), odd)


def _kind(name: str, known: pd.Series, counts: pd.Series, declared: str) -> tuple[Kind, int]:
    """Return the kind, and how many known cells do not fit it."""
    if not len(known):
        return "empty", 0
    if declared in KINDS and declared != "empty":
        return _as_declared(declared, known)  # type: ignore[arg-type]
    values = {str(value).lower() for value in counts.index}
    if len(values) == 2 and values in _YES_NO:
        return "yes or no", 0
    # Each different cell is looked at once, and counts as often as it is there.
    cells = pd.Series(counts.index, dtype=object)
    times = counts.to_numpy()
    is_odd = np.isnan(numbers_of(cells))
    odd = int(times[is_odd].sum())
    if odd and times[is_odd][cells[is_odd].str.fullmatch(_CODED)].sum() > 0.5 * odd:
        return _text_kind(name, known, counts), 0  # codes such as ICD's V45 beside 428.0
    if odd == 0 or (len(known) >= _FEWEST_TO_SPARE and odd <= (1 - _MOST) * len(known)):
        numbers = numbers_of(known)
        return _in_hours(_number_kind(name, numbers[np.isfinite(numbers)], len(counts)), cells), odd
    no_date = int(times[~cells.str.fullmatch(_DATE).to_numpy(bool)].sum())
    if no_date <= (1 - _MOST) * len(known):
        return "date", no_date
    return _text_kind(name, known, counts), 0


def _as_declared(declared: Kind, known: pd.Series) -> tuple[Kind, int]:
    if declared in ("number", "whole number"):
        numbers = numbers_of(known)
        found = numbers[np.isfinite(numbers)]
        whole = bool(len(found)) and bool((found == np.round(found)).all())
        return _in_hours("whole number" if whole else "number", known), int(np.isnan(numbers).sum())
    return declared, 0


def _in_hours(kind: Kind, cells: pd.Series) -> Kind:
    return "hours" if kind in ("number", "whole number") and is_clock(cells) else kind


def _number_kind(name: str, numbers: NDArray[np.float64], distinct: int) -> Kind:
    if not (numbers == np.round(numbers)).all():
        return "number"
    if len(numbers) >= _FEWEST_TO_SPARE and _is_running(numbers):
        return "identifier"
    nearly_all_differ = distinct > 0.9 * len(numbers)
    # In another order, or of some of the rows, they do not run.
    if len(numbers) >= _FEWEST_TO_SPARE and nearly_all_differ and numbers_rows(name):
        return "identifier"
    if identifies(name) and len(numbers) > 1:
        is_id = nearly_all_differ or distinct > _MOST_CODES or (distinct > 5 and _may_be_whose(name))
        return "identifier" if is_id else "category"
    return "category" if distinct == 2 else "whole number"


def _may_be_whose(name: str) -> bool:
    return names_people(name) or is_bare_id(name)


def _is_running(numbers: NDArray[np.float64]) -> bool:
    """Say whether the numbers count the rows: each is the one before and one more."""
    return bool((np.diff(numbers) == 1).all())


def _text_kind(name: str, known: pd.Series, counts: pd.Series) -> Kind:
    distinct = len(counts)
    words = float(np.mean([len(str(value).split()) for value in counts.index[:1000]]))
    length = float(np.mean([len(str(value)) for value in counts.index[:1000]]))
    if distinct > 0.5 * len(known) and distinct > 10:
        if words >= 3 or length > 40:
            return "free text"
        return "identifier" if distinct > 0.9 * len(known) or identifies(name) else "free text"
    if identifies(name) and (distinct > _MOST_CODES or (distinct > 5 and _may_be_whose(name))):
        return "identifier"
    return "free text" if words > 8 and distinct > _MOST_CODES else "category"


def _day_and_month(cells: pd.Series) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the first and the second number (n,) of dates such as "3/4/2020"; NaN for others."""
    parts = cells.str.extract(_DAY_AND_MONTH)
    first, second = (pd.to_numeric(parts[place], errors="coerce").to_numpy(np.float64) for place in (0, 1))
    return first, second


def _days(moments: pd.Series) -> NDArray[np.float64]:
    since = moments - pd.Timestamp("2000-01-01", tz="UTC")
    return np.asarray(since / pd.Timedelta(days=1), np.float64)
