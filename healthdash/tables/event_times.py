"""Which columns of a table of events tell the time: one alone, or a date and a time of day together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .clock import CLOCKS, Clock, clock_of, hours_of, hours_of_day
from .kinds import days_of, is_gap

__all__ = ["Times", "find_times", "is_same_in_stay"]

#: Share of the days that must begin earlier on the clock than the day before ended.
_MOST = 0.5


@dataclass(frozen=True, slots=True)
class Times:
    """How a table tells the times of its events.

    Attributes
    ----------
    time : str
        Column.
    clock : Clock
        How it is told; with `date`, how that is told.
    date : str
        Column of the days, where `time` holds the time of day only; empty where it tells all.
    """

    time: str
    clock: Clock
    date: str = ""

    @property
    def is_joined(self) -> bool:
        """Whether day and time of day stand in two columns."""
        return bool(self.date) and self.clock in ("moments", "days")

    @property
    def words(self) -> str:
        """Say where the times are, for the card."""
        if not self.is_joined:
            return f"time in {CLOCKS[self.clock]}"
        start = "; the first of a stay is its start" if self.clock == "moments" else ""
        return f"day in {self.date}, time of day in {self.time}{start}"

    def hours(
        self, frame: pd.DataFrame, stays: NDArray[np.int64], day_first: bool | None = None
    ) -> NDArray[np.float64]:
        """Return hours since the start of each event's stay (n,); NaN where they are not known."""
        if self.is_joined:
            return hours_of(frame[self.date], self.clock, stays, day_first, frame[self.time])
        return hours_of(frame[self.time], self.clock, stays, day_first)


def find_times(frame: pd.DataFrame, names: Sequence[str], stays: NDArray[np.int64]) -> Times | None:
    """Return how the events of a table tell their times, None where no column does.

    A column of dates with times of day is taken first. A time of day alone says nothing of the day: it
    is joined with the column that does.

    Parameters
    ----------
    names : sequence of str
        Of the columns that may tell it, the likeliest first.
    stays : int64 (n,)
        Number of each event's stay.
    """
    # A date of birth or of the admission is the same in all events of a stay: it is no time of theirs.
    names = [name for name in names if _differs(frame[name], stays)] or list(names)
    read = [Times(name, clock) for name in names if (clock := clock_of(name, frame[name]))]
    whole = (one for one in read if one.clock == "moments" and _has_hours(frame[one.time]))
    if not read or (full := next(whole, None)):
        return full if read else None
    best = read[0]
    days = best if best.clock in ("moments", "days") else _first(read, "moments", "days")
    times = best if best.clock in ("hh:mm", "hours") else _first(read, "hh:mm", "hours")
    if best in (days, times) and days and times and _is_of_day(frame, times, days, stays):
        return Times(times.time, days.clock, days.time)
    return best


def _first(read: Sequence[Times], *clocks: Clock) -> Times | None:
    return next((one for one in read if one.clock in clocks), None)


def _differs(text: pd.Series, stays: NDArray[np.int64]) -> bool:
    known = ~is_gap(text)
    return not is_same_in_stay(text[known], stays[known])


def is_same_in_stay(text: pd.Series, stays: NDArray[np.int64]) -> bool:
    """Say whether all events of each stay have the same text."""
    codes, _ = pd.factorize(text)
    first = np.full(int(stays.max(initial=0)) + 1, -1)
    first[stays[::-1]] = codes[::-1]
    return bool((first[stays] == codes).all())


def _has_hours(text: pd.Series) -> bool:
    """Say whether dates have a time of day: any of them is not at midnight."""
    known = pd.Series(text[~is_gap(text)].unique(), dtype=object)
    return bool((days_of(known) % 1 > 0).any())


def _is_of_day(frame: pd.DataFrame, times: Times, days: Times, stays: NDArray[np.int64]) -> bool:
    """Say whether a column holds times of day, and no hours since the start of the stay."""
    hours, day = hours_of_day(frame[times.time]), np.floor(days.hours(frame, stays) / 24)
    known = np.isfinite(hours) & np.isfinite(day)
    hours, day, stays = hours[known], day[known], stays[known]
    if not ((hours >= 0) & (hours <= 24)).all():
        return False
    return times.clock == "hh:mm" or _begin_anew(hours, day, stays)


def _begin_anew(hours: NDArray[np.float64], day: NDArray[np.float64], stays: NDArray[np.int64]) -> bool:
    """Say whether hours start again on each day, where those since the start of a stay would grow."""
    order = np.lexsort((hours, day, stays))
    hours, day, stays = hours[order], day[order], stays[order]
    is_next = (np.diff(stays) == 0) & (np.diff(day) > 0)
    return bool(is_next.any() and (np.diff(hours)[is_next] <= 0).mean() > _MOST)
