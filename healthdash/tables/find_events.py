"""Find out whether a table is one of events, and how one row a stay is best made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import layout
from .event_times import Times, find_times, is_same_in_stay
from .event_units import commonest_units, in_units, unit_column, usual_ranges
from .events import FromEvents, stay_column
from .kinds import is_gap, numbers_of
from .layout import TextTable, canonical
from .possible import possible
from .steps import Step, events_of

__all__ = ["columns_of_events", "find_events", "one_row_a_stay", "with_events"]

#: Plain names of columns, the likeliest first.
_VALUES = (
    "valuenum", "valueasnumber", "numericvalue", "valuenumeric", "value", "val", "labresult", "result",
    "resultvalue", "measurementvalue", "observationvalue", "reading",
)  # fmt: skip
_PARAMETERS = (
    "parameter", "parametername", "param", "variable", "variablename", "analyte", "labname", "labtest",
    "testname", "test", "testcode", "itemname", "item", "itemid", "measurementname", "measurement",
    "measurementconceptid", "observationname", "observation", "vitalsign", "vital", "conceptname",
    "conceptid", "signal", "code",
)  # fmt: skip
_TIMES = (
    "datetime", "timestamp", "time", "offset", "hours", "hour", "minutes", "minute", "date", "day", "days",
)  # fmt: skip
#: Told once a stay, however often it is written.
_ONCE = {
    "age", "ageyears", "sex", "gender", "height", "heightcm", "weight", "weightkg", "race", "ethnicity",
    "icutype", "ward", "unittype",
}  # fmt: skip
_MOST_PARAMETERS = 200
_FEWEST_STAYS, _LEAST_SHARE = 5, 0.01
_NEARLY_ALL, _MOST = 0.99, 0.95


def with_events(table: TextTable, steps: Sequence[Step], *, is_found: bool) -> tuple[TextTable, list[Step]]:
    """Make one row a stay by the step among those that were chosen, or by one that is found.

    Parameters
    ----------
    is_found : bool
        Whether to find the step where none was chosen.

    Returns
    -------
    table, steps
        The step comes first; a table that is not one of events is as it was.
    """
    made = events_of(steps) or (find_events(table) if is_found else None)
    rest = [step for step in steps if step is not made]
    if made is None:
        return one_row_a_stay(table, None), rest
    made = made.fitted(table.frame)
    return one_row_a_stay(table, made), [made, *rest]


def columns_of_events(names: Sequence[str]) -> tuple[list[str], str, str] | None:
    """Return the columns that may be times, the likeliest first, the parameter and the value; by name."""
    plain = {canonical(name): name for name in reversed(names)}
    value = next((plain[one] for one in _VALUES if one in plain), None)
    parameter = next((plain[one] for one in _PARAMETERS if one in plain), None)
    times = [name for end in _TIMES for name in names if canonical(name).endswith(end)]
    times = [name for name in dict.fromkeys(times) if name not in (value, parameter)]
    return None if value is None or parameter is None or not times else (times, parameter, value)


def find_events(table: TextTable) -> FromEvents | None:
    """Return how one row a stay can be made of a table of events, None for any other table.

    A table is one of events when it has columns named for what was measured, when, and what came out,
    when the times and half of the values can be read, and when stays and parameters come again.
    """
    frame = table.frame
    named = columns_of_events([str(name) for name in frame.columns])
    if named is None:
        return None
    names, parameter, value = named
    stay = stay_column(frame, (*names, parameter, value))
    if stay is None:
        return None
    frame = frame[~is_gap(frame[stay])].reset_index(drop=True)
    stays = np.asarray(pd.factorize(frame[stay])[0], np.int64)
    times = find_times(frame, names, stays)
    if times is None:
        return None
    numbers = numbers_of(frame[value])
    known = ~is_gap(frame[value])
    come_again = frame[stay].nunique() < len(frame) / 2 and frame[parameter].nunique() < len(frame) / 5
    if not come_again or frame[parameter].nunique() < 2 or np.isfinite(numbers)[known].mean() < 0.5:
        return None
    seen = _Seen(frame, stay, times, parameter, value, stays, numbers)
    return seen.step(table.outcomes)


def one_row_a_stay(table: TextTable, made: FromEvents | None) -> TextTable:
    """Return the table that a step makes of events; any other table stays.

    Raises
    ------
    InvalidInput
        A table that is not one of events has too many rows.
    """
    if made is None:
        layout.check_size(*table.frame.shape)
        return table
    frame = made.apply(table.frame)
    notices = [
        f"{len(table.frame):,} events of {len(frame):,} stays were made into one row a stay.",
        *made.notices(table.frame),
    ]
    return replace(table, frame=frame, notices=(*table.notices, *notices), declared={})


class _Seen:
    """What a table of events holds of each parameter."""

    def __init__(
        self,
        frame: pd.DataFrame,
        stay: str,
        times: Times,
        parameter: str,
        value: str,
        stays: NDArray[np.int64],
        numbers: NDArray[np.float64],
    ) -> None:
        self.frame, self.stay, self.parameter, self.value = frame, stay, parameter, value
        self.times, self.stays, self.numbers = times, stays, numbers
        self.hours = times.hours(frame, stays)
        columns = (stay, times.time, times.date, parameter, value)
        self.unit, self.units = unit_column(frame, parameter, columns), dict[str, str]()
        self.usual: dict[str, tuple[float, float]] = {}
        if self.unit:
            told = frame[parameter], frame[self.unit]
            self.units = commonest_units(*told)
            self.usual = usual_ranges(numbers, *told, self.units)
            self.numbers = in_units(numbers, *told, self.units, self.usual).numbers
        self.codes, self.names = pd.factorize(frame[parameter])
        cells, self.counts = np.unique(stays * len(self.names) + self.codes, return_counts=True)
        self.cells = cells % len(self.names)

    def step(self, outcomes: Sequence[str]) -> FromEvents:
        """Return the step."""
        once, measured, counted = [], [], []
        for code in self._common():
            name = str(self.names[code])
            if name in outcomes or self._is_stay(code):
                continue
            if canonical(name) in _ONCE or self._is_told_once(code):
                once.append(name)
            elif self._is_number(code):
                measured.append(name)
            else:
                counted.append(name)
        bounds = {name: possible(name, self._numbers(name)) for name in (*once, *measured)}
        return FromEvents(
            stay=self.stay, time=self.times.time, date=self.times.date, clock=self.times.clock,
            parameter=self.parameter, value=self.value, unit=self.unit,
            units={name: self.units[name] for name in (*measured, *once) if name in self.units},
            usual={name: self.usual[name] for name in (*measured, *once) if name in self.usual},
            measured=tuple(measured), once=tuple(once), counted=tuple(counted), outcomes=tuple(outcomes),
            same=tuple(self._same()), bounds={name: found for name, found in bounds.items() if found},
        )  # fmt: skip

    def _common(self) -> list[int]:
        """Return the parameters that enough stays have, the commonest first, as far as a table can hold."""
        stays = np.bincount(self.cells, minlength=len(self.names))
        least = max(_FEWEST_STAYS, _LEAST_SHARE * (int(self.stays.max()) + 1))
        known = ~is_gap(pd.Series(self.names, dtype=object))
        order = np.argsort(-stays, kind="stable")
        return [int(code) for code in order if stays[code] >= least and known[code]][:_MOST_PARAMETERS]

    def _numbers(self, name: str) -> NDArray[np.float64]:
        return np.asarray(self.numbers[self.codes == self.names.get_loc(name)], np.float64)

    def _is_stay(self, code: int) -> bool:
        """Say whether the parameter repeats the name of the stay."""
        of = self.codes == code
        return bool((self.frame[self.value][of] == self.frame[self.stay][of]).all())

    def _is_told_once(self, code: int) -> bool:
        """Say whether a stay has the parameter once, at its start."""
        once = (self.counts[self.cells == code] == 1).mean() >= _NEARLY_ALL
        return bool(once and (self.hours[self.codes == code] == 0).mean() >= _MOST)

    def _is_number(self, code: int) -> bool:
        """Say whether most of a parameter's values are numbers, and not all the same."""
        numbers = self.numbers[self.codes == code]
        found = numbers[np.isfinite(numbers)]
        return len(found) >= 0.5 * len(numbers) and len(np.unique(found)) > 1

    def _same(self) -> Iterator[str]:
        """Yield the other columns that are the same in all events of a stay, and not in all stays."""
        for name in map(str, self.frame.columns):
            if name in (self.stay, self.times.time, self.times.date, self.parameter, self.value, self.unit):
                continue
            if is_same_in_stay(self.frame[name], self.stays) and self.frame[name].nunique() > 1:
                yield name
