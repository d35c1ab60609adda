"""When events happened: clock times, numbers of hours, or moments, as hours since the start."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .kinds import days_of, is_gap, numbers_of
from .numeric import CLOCK, clock_hours

__all__ = ["CLOCKS", "Clock", "clock_of", "hours_of", "hours_of_day"]

Clock = Literal["hh:mm", "minutes", "hours", "days", "moments"]
#: What each way of telling the time means, for people.
CLOCKS: dict[Clock, str] = {
    "hh:mm": "hours and minutes since the start",
    "minutes": "minutes since the start",
    "hours": "hours since the start",
    "days": "days since the start",
    "moments": "dates and times of day; the first of a stay is its start",
}
_HOURS = {"minutes": 1 / 60, "hours": 1.0, "days": 24.0}
#: A date without marks: 20190501.
_BARE_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
#: Share of the times that must be understood.
_MOST = 0.95


def clock_of(name: str, text: pd.Series) -> Clock | None:
    """Return how a column tells the time of events, None where it does not.

    Parameters
    ----------
    name : str
        Of the column: "labresultoffset" and "minutes" are minutes, as eICU has them; a bare number is
        hours.
    text : Series of str
    """
    known = text[~is_gap(text)]
    if not len(known):
        return None
    seen = pd.Series(known.unique()[:5000], dtype=object)
    if seen.str.fullmatch(CLOCK).mean() >= _MOST:
        return "hh:mm"
    if seen.str.fullmatch(_BARE_DATE).mean() >= _MOST:
        return "moments"
    if np.isfinite(numbers_of(seen)).mean() >= _MOST:
        plain = name.lower()
        if "day" in plain:
            return "days"
        return "minutes" if "min" in plain or "offset" in plain else "hours"
    return "moments" if np.isfinite(days_of(seen)).mean() >= _MOST else None


def hours_of(
    text: pd.Series,
    clock: Clock,
    stays: NDArray[np.int64],
    day_first: bool | None = None,
    of_day: pd.Series | None = None,
) -> NDArray[np.float64]:
    """Return hours since the start of each event's stay (n,); NaN where the time is not known.

    Parameters
    ----------
    text : Series of str, n events
    clock : Clock
    stays : int64 (n,)
        Number of each event's stay, from 0. A stay whose times are moments starts with its first.
    day_first : bool or None
        Order of day and month in moments, as `days_of` takes it.
    of_day : Series of str, n events, or None
        Time of day of each, where `text` tells the days only; see `hours_of_day`.
    """
    # Each different text is parsed once: there are far fewer of them than events.
    codes, different = pd.factorize(text)
    if clock == "hh:mm":
        return clock_hours(map(str, different))[codes]
    cells = pd.Series(different, dtype=object)
    hours = days_of(cells, day_first) * 24 if clock == "moments" else numbers_of(cells) * _HOURS[clock]
    hours = hours[codes]
    if of_day is not None:
        hours = np.floor(hours / 24) * 24 + hours_of_day(of_day)
    return _since_first(hours, stays) if clock == "moments" else hours


def hours_of_day(text: pd.Series) -> NDArray[np.float64]:
    """Return the hours since midnight (n,) of "08:30", "8:30 PM", 8 and 0830, of shares of the day, too."""
    codes, different = pd.factorize(text)
    hours = clock_hours(map(str, different))
    cells = pd.Series(different, dtype=object).where(np.isnan(hours), "")
    numbers = numbers_of(cells)
    if (numbers[np.isfinite(numbers)] < 1).all():
        numbers = numbers * 24
    elif _are_hours_and_minutes(cells, numbers[np.isfinite(numbers)]):
        numbers = numbers // 100 + numbers % 100 / 60
    return np.asarray(np.where(np.isnan(hours), numbers, hours)[codes], np.float64)


def _are_hours_and_minutes(cells: pd.Series, numbers: NDArray[np.float64]) -> bool:
    """Say whether numbers are hours and minutes without a mark, such as 0830 and 1330."""
    is_marked = (numbers > 24).any() or cells.str.fullmatch(r"0\d{3}").any()
    fits = (numbers >= 0) & (numbers <= 2400) & (numbers % 100 < 60) & (numbers % 1 == 0)
    return bool(is_marked and fits.all())


def _since_first(hours: NDArray[np.float64], stays: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return hours since the first event of each stay."""
    start = np.full(int(stays.max(initial=0)) + 1, np.inf)
    np.minimum.at(start, stays, np.where(np.isnan(hours), np.inf, hours))
    return np.asarray(hours - start[stays], np.float64)
