"""What can be asked of many runs: those that match a filter, and their settings against a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from healthdash.runs.record import Run, State

__all__ = ["LONGEST_TAG", "MOST_TAGS", "Filter", "cleaned_tags", "measures", "settings_against"]

MOST_TAGS = 12
LONGEST_TAG = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which runs are shown; what is empty asks for nothing.

    Attributes
    ----------
    text : str
        Part of a name, a task, a tag or a setting, in any case.
    tasks, states : tuple of str
        One of these.
    tags : tuple of str
        All of these.
    measure : str
        A figure that the run must have.
    least, most : float or None
        Bounds of that figure.
    """

    text: str = ""
    tasks: tuple[str, ...] = ()
    states: tuple[State, ...] = ()
    tags: tuple[str, ...] = ()
    measure: str = ""
    least: float | None = None
    most: float | None = None

    def keeps(self, run: Run) -> bool:
        """Say whether a run is shown."""
        return (
            (not self.tasks or run.task in self.tasks)
            and (not self.states or run.state in self.states)
            and set(self.tags) <= set(run.tags)
            and self.text.strip().lower() in _words(run)
            and self._keeps_measure(run)
        )

    def _keeps_measure(self, run: Run) -> bool:
        if not self.measure:
            return True
        value = figure(run, self.measure)
        if value is None:
            return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


def figure(run: Run, measure: str) -> float | None:
    """Return a figure of a run; None where it was not measured."""
    row = run.metrics.get(measure)
    value = row.get("value") if isinstance(row, dict) else None
    return float(value) if isinstance(value, (int, float)) else None


def measures(runs: Sequence[Run]) -> list[str]:
    """Return the names of what was measured of some run, the first of the first run first."""
    return list(dict.fromkeys(name for run in runs for name in run.metrics))


def settings_against(runs: Sequence[Run], measure: str) -> pd.DataFrame:
    """Return the settings in which runs differ, and a figure of each; a row a run that has the figure.

    Numbers stay numbers; all other settings are text, and what was left to the recipe says so. The figure
    is the last column.
    """
    measured = [(run, figure(run, measure)) for run in runs]
    known = [(run, value) for run, value in measured if value is not None]
    names = dict.fromkeys(name for run, _ in known for name in run.settings)
    columns: dict[str, list[object]] = {}
    for name in names:
        values = [run.settings.get(name) for run, _ in known]
        if len({str(value) for value in values}) > 1:
            columns[name.replace("_", " ")] = _comparable(values)
    return pd.DataFrame(columns, index=[run.id for run, _ in known]).assign(
        **{measure: [value for _, value in known]}
    )


def cleaned_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Return tags without surplus spaces and doubles, short and few."""
    cleaned = (" ".join(tag.split())[:LONGEST_TAG] for tag in tags)
    return tuple(dict.fromkeys(tag for tag in cleaned if tag))[:MOST_TAGS]


def _comparable(values: Sequence[object]) -> list[object]:
    is_number = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    return list(values) if is_number else ["as the recipe" if v is None else str(v) for v in values]


def _words(run: Run) -> str:
    chosen = (f"{name} {value}" for name, value in run.settings.items() if value is not None)
    return " ".join((run.name, run.task, *run.tags, *chosen)).lower().replace("_", " ")
