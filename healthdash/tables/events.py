"""A long table of events (stay, time, parameter, value) becomes one row a stay, by a recorded step.

So come measurements from wards and laboratories: the text files of the PhysioNet challenge of 2012,
exports of hospital systems, OMOP's MEASUREMENT. The step travels in the bundle, and turns the events
of new patients into the same columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from .clock import Clock
from .event_times import Times
from .event_units import InUnits, commonest_units, in_units, unit_column, usual_ranges
from .kinds import day_comes_first, is_gap, numbers_of
from .names import identifies, is_bare_id, names_people, names_stays
from .step import DAY_ORDER, StepBase
from .units import unit_shown

__all__ = ["STATISTICS", "FromEvents", "Statistic", "stay_column"]

Statistic = Literal["first", "last", "lowest", "highest", "mean", "count"]
STATISTICS: tuple[Statistic, ...] = ("first", "last", "lowest", "highest", "mean", "count")
#: A column with more different values numbers the events, not the stays; one with more gaps is of few.
_MOST_DIFFERENT, _MOST_GAPS = 0.5, 0.05
_FEW = 20


class FromEvents(StepBase):
    """Make one row a stay; a table that has one already stays as it is.

    Attributes
    ----------
    stay, time, parameter, value : str
        Columns of the long table. Without `stay`, and where a new table has no such column, the
        column that is named like one is taken; all events are of one stay where there is none.
    date : str
        Column of the day, where `time` holds the time of day only; empty where it tells all.
    unit : str
        Column of the units of the values; empty where the table to learn from had none. In a new table
        without such a column the one that is named like one is taken.
    clock : Clock
        How `time` is told, or `date` where there is one.
    day_first : bool or None
        Of moments: whether the day comes before the month, as in the table to learn from. None: each
        table is looked at.
    window_hours : float, hours
        Only what was measured from the start until then counts.
    statistics : tuple of str
        What is kept of each measurement, as "HR first"; a count is 0 where there is none.
    measured, once, counted : tuple of str
        Parameters: numbers over time; told once, of which the first is kept; and such of which only
        the number of events is kept.
    outcomes : tuple of str
        Parameters that were told beside the outcome, whenever that was.
    same : tuple of str
        Other columns, which are the same in all events of a stay.
    bounds : dict of str to (float, float or None)
        Smallest and largest possible value of parameters; others count as not measured.
    units : dict of str to str
        Unit of parameters in the table to learn from. Values in others are converted, or count as not
        measured where that cannot be.
    usual : dict of str to (float, float)
        Between which values 98 % of such a parameter lie in that table, in its unit. Values in a unit that
        is not known are taken as they are where their median lies there or no range is known, else they
        count as not measured.
    """

    do: Literal["from-events"] = "from-events"
    stay: str = ""
    time: str
    parameter: str
    value: str
    date: str = ""
    unit: str = ""
    clock: Clock = "hours"
    day_first: bool | None = None
    window_hours: Annotated[float, Field(gt=0)] = 48.0
    statistics: tuple[Statistic, ...] = STATISTICS
    measured: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    bounds: dict[str, tuple[float, float | None]] = Field(default_factory=dict)
    units: dict[str, str] = Field(default_factory=dict)
    usual: dict[str, tuple[float, float]] = Field(default_factory=dict)

    @property
    def words(self) -> str:
        """Say what the step does, for the card."""
        once = f"; taken once: {', '.join(map(self._with_unit, self.once))}" if self.once else ""
        counted = f"; only counted: {', '.join(self.counted)}" if self.counted else ""
        order = "" if self.day_first is None else f"; dates have {DAY_ORDER[self.day_first]}"
        others = "; values in other units were converted where there is a way" if self.units else ""
        return (
            f"one row a stay was made of its events in the first {self.window_hours:g} hours "
            f"({self._times.words}): {', '.join(self.statistics)} of "
            f"{', '.join(map(self._with_unit, self.measured))}{once}{counted}{others}; impossible values "
            f"count as not measured{order}"
        )

    def _with_unit(self, name: str) -> str:
        return f"{name} ({unit_shown(self.units[name])})" if name in self.units else name

    @property
    def named(self) -> tuple[str, ...]:
        """Columns of a new table that the step must find, however they are spelled there."""
        return tuple(filter(None, (*self._columns, self.stay, self.unit, *self.same)))

    @property
    def _columns(self) -> list[str]:
        """Columns without which a table is none of events."""
        return [name for name in (self.date, self.time, self.parameter, self.value) if name]

    def fitted(self, frame: pd.DataFrame) -> Self:
        """Return the step with the order of day and month, with the units, and what is usual in them."""
        found: dict[str, Any] = {}
        if self.clock == "moments" and self.day_first is None and (self.date or self.time) in frame:
            found["day_first"] = day_comes_first(frame[self.date or self.time])
        if self.unit in frame and not (self.units and self.usual):
            parameters, told = frame[self.parameter], frame[self.unit]
            commonest = commonest_units(parameters, told)
            units = {name: commonest[name] for name in (*self.measured, *self.once) if name in commonest}
            found["units"] = units = self.units or units
            found["usual"] = usual_ranges(numbers_of(frame[self.value]), parameters, told, units)
        return self.model_copy(update=found) if found else self

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return one row a stay, text, in the order in which the stays come first."""
        if not set(self._columns) <= set(frame.columns):
            return frame
        if stay := self._stay_in(frame):
            frame = frame[~is_gap(frame[stay])].reset_index(drop=True)
        events = self._events(frame)
        columns = dict(events.whose)
        columns |= {name: events.told(frame[name], np.ones(len(frame), bool)) for name in self._same(frame)}
        early = ~(events.hours > self.window_hours)
        columns |= {name: events.told(events.text, early & events.is_of(name)) for name in self.once}
        for name in self.outcomes:
            if events.is_of(name).any():
                columns[name] = events.told(events.text, events.is_of(name))
        in_window = early & (events.hours >= 0)
        columns |= dict(self._statistics(events, in_window))
        for name in self.counted:
            columns[f"{name} count"] = _as_text(events.count(in_window & events.is_of(name)))
        return pd.DataFrame(columns, dtype=object)

    def notices(self, frame: pd.DataFrame) -> list[str]:
        """Return sentences on events that are left out, on times, and on values in other units."""
        if not set(self._columns) <= set(frame.columns):
            return []
        stay = self._stay_in(frame)
        lost = int(is_gap(frame[stay]).sum()) if stay else 0
        said = [f"{lost:,} events do not say of which stay they are, and were left out."] if lost else []
        if not self._are_some_in_window(frame, stay):
            said.append(
                f"No event lies in the first {self.window_hours:g} hours ({self._times.words}): nothing "
                "counts as measured."
            )
        found = self._in_units(frame, numbers_of(frame[self.value])) if self.units else None
        return [*said, *(found.notices() if found else ())]

    def _are_some_in_window(self, frame: pd.DataFrame, stay: str | None) -> bool:
        stays = pd.factorize(frame[stay])[0] if stay else np.zeros(len(frame))
        hours = self._times.hours(frame, np.asarray(stays, np.int64), self.day_first)
        return bool(((hours >= 0) & (hours <= self.window_hours)).any())

    @property
    def _times(self) -> Times:
        return Times(self.time, self.clock, self.date)

    def _stay_in(self, frame: pd.DataFrame) -> str | None:
        return self.stay if self.stay in frame else stay_column(frame, self.named)

    def _same(self, frame: pd.DataFrame) -> list[str]:
        return [name for name in self.same if name in frame]

    def _in_units(self, frame: pd.DataFrame, numbers: NDArray[np.float64]) -> InUnits | None:
        """Return the values in their units; None where nothing is known of units."""
        if not self.units:
            return None
        unit = self.unit if self.unit in frame else unit_column(frame, self.parameter, self.named)
        return in_units(numbers, frame[self.parameter], frame[unit], self.units, self.usual) if unit else None

    def _events(self, frame: pd.DataFrame) -> _Events:
        """Type the events; values that are not possible become gaps."""
        stay = self._stay_in(frame)
        stays, names = np.zeros(len(frame), np.int64), pd.Index(["1"])
        if stay:
            stays, names = pd.factorize(frame[stay])
        parameters = (*self.measured, *self.once, *self.counted, *self.outcomes)
        codes = pd.Index(parameters).get_indexer(pd.Index(frame[self.parameter]))
        numbers, text = numbers_of(frame[self.value]), frame[self.value]
        if found := self._in_units(frame, numbers):
            numbers, text = found.numbers, found.text(text)
        bounds = [self.bounds.get(name, (-np.inf, None)) for name in parameters]
        low = np.array([bound[0] for bound in bounds] + [-np.inf])[codes]
        high = np.array([np.inf if bound[1] is None else bound[1] for bound in bounds] + [np.inf])[codes]
        wrong = (numbers < low) | (numbers > high)
        return _Events(
            stays=np.asarray(stays, np.int64),
            whose={stay: names.to_numpy(object)} if stay else {},
            count_of_stays=len(names),
            codes=np.asarray(codes, np.int64),
            numbers_of_parameters={name: number for number, name in enumerate(parameters)},
            hours=self._times.hours(frame, np.asarray(stays, np.int64), self.day_first),
            numbers=np.where(wrong, np.nan, numbers),
            text=text.where(~wrong, ""),
        )

    def _statistics(
        self, events: _Events, in_window: NDArray[np.bool_]
    ) -> Iterator[tuple[str, NDArray[np.object_]]]:
        """Yield the columns of what was measured over time."""
        width = len(self.measured)
        used = in_window & (events.codes >= 0) & (events.codes < width) & np.isfinite(events.numbers)
        cells = events.stays[used] * width + events.codes[used]
        # The order of the file decides between events of the same time.
        order = np.lexsort((events.hours[used], cells))
        found = _summaries(cells[order], events.numbers[used][order], events.count_of_stays * width)
        for number, name in enumerate(self.measured):
            for statistic in self.statistics:
                column = found[statistic].reshape(-1, width)[:, number] if width else np.empty(0)
                yield f"{name} {statistic}", _as_text(column)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Events:
    """Typed events.

    Attributes
    ----------
    stays, codes : int64 (n,)
        Numbers of stay and parameter of each; parameters that are not asked for are -1.
    whose : dict of str to object (n_stays,)
        Name of the stay's column, and the stays in it; empty where all events are of one.
    hours, numbers : float64 (n,)
        NaN where they are not known.
    text : Series of str, n
        Values as they were told.
    """

    stays: NDArray[np.int64]
    whose: dict[str, NDArray[np.object_]]
    count_of_stays: int
    codes: NDArray[np.int64]
    numbers_of_parameters: dict[str, int]
    hours: NDArray[np.float64]
    numbers: NDArray[np.float64]
    text: pd.Series

    def is_of(self, parameter: str) -> NDArray[np.bool_]:
        """Return which events (n,) are of a parameter."""
        return np.asarray(self.codes == self.numbers_of_parameters[parameter], bool)

    def told(self, text: pd.Series, which: NDArray[np.bool_]) -> NDArray[np.object_]:
        """Return the earliest text of each stay (n_stays,) among some events, "" without one."""
        rows = np.flatnonzero(which)
        rows = rows[~is_gap(text.iloc[rows])]
        # Backwards, so that the earliest is written last; what has no time stands before all.
        order = np.lexsort((rows, np.nan_to_num(self.hours[rows], nan=-np.inf)))[::-1]
        out = np.full(self.count_of_stays, "", object)
        out[self.stays[rows][order]] = text.to_numpy(object)[rows][order]
        return out

    def count(self, which: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return how many of some events with a value each stay has, (n_stays,)."""
        used = which.copy()
        used[used] &= ~is_gap(self.text[used])
        return np.bincount(self.stays[used], minlength=self.count_of_stays).astype(np.float64)


def stay_column(frame: pd.DataFrame, but_for: tuple[str, ...] = ()) -> str | None:
    """Return the column that tells whose an event is: of stays rather than of patients."""
    found: list[tuple[bool, bool, bool, int, str]] = []
    for name in map(str, frame.columns):
        if name in but_for or not (names_people(name) or identifies(name)):
            continue
        gaps = is_gap(frame[name])
        different = frame[name].nunique()
        if gaps.mean() > _MOST_GAPS or (len(frame) > _FEW and different > _MOST_DIFFERENT * len(frame)):
            continue
        found.append((not names_stays(name), not names_people(name), not is_bare_id(name), len(found), name))
    return min(found)[-1] if found else None


def _summaries(
    cells: NDArray[np.int64], values: NDArray[np.float64], size: int
) -> dict[str, NDArray[np.float64]]:
    """Return every statistic of each cell (size,), of values sorted by cell and time; NaN where none is."""
    filled, start, count = np.unique(cells, return_index=True, return_counts=True)
    out: dict[str, NDArray[np.float64]] = {name: np.full(size, np.nan) for name in STATISTICS}
    out["count"] = np.zeros(size)
    if len(filled):
        out["first"][filled] = values[start]
        out["last"][filled] = values[start + count - 1]
        out["lowest"][filled] = np.minimum.reduceat(values, start)
        out["highest"][filled] = np.maximum.reduceat(values, start)
        out["mean"][filled] = np.add.reduceat(values, start) / count
        out["count"][filled] = count
    return out


def _as_text(numbers: NDArray[np.float64]) -> NDArray[np.object_]:
    return np.array(["" if number != number else f"{number:.8g}" for number in numbers.tolist()], object)
