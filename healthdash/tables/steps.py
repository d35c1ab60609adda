"""Cleaning steps: each is plain data, does one thing to a table of text, and can be replayed.

Steps travel in a bundle. On new data those that choose rows to learn from are passed over, and
columns that are not there (the outcome, when it is not known yet) are no error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from healthdash.errors import InvalidInput

from .events import FromEvents
from .kinds import Kind, day_comes_first, days_of, is_clock, is_gap, numbers_of
from .numeric import clock_hours
from .step import DAY_ORDER, StepBase

__all__ = [
    "CutNumber",
    "DropColumns",
    "DropDuplicates",
    "FromEvents",
    "GroupBy",
    "JoinValues",
    "KeepRange",
    "LeaveOutRows",
    "Step",
    "TakeAs",
    "TakeAsMissing",
    "dumped",
    "events_of",
    "fitted",
    "group_of",
    "kinds_of",
    "loaded",
    "replay",
]


_NUMBERS = frozenset(("number", "whole number"))


class DropColumns(StepBase):
    """Leave columns out."""

    do: Literal["drop-columns"] = "drop-columns"
    columns: tuple[str, ...]

    @property
    def words(self) -> str:
        """Say what the step does, for the card."""
        return f"left out: {', '.join(self.columns)}"

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the table without the columns."""
        return frame.drop(columns=[name for name in self.columns if name in frame])


class TakeAs(StepBase):
    """Take a column as another kind than the one that was inferred; cells that do not fit become gaps.

    Attributes
    ----------
    day_first : bool or None
        Of dates: whether the day comes before the month, as in the table to learn from. None: each
        table is looked at.
    by_clock : bool or None
        Of numbers: whether "1:20" is one, as the table to learn from is told by the clock. A single cell
        may as well be a ratio. None: each table is looked at.
    """

    do: Literal["take-as"] = "take-as"
    column: str
    kind: Kind
    day_first: bool | None = None
    by_clock: bool | None = None

    @property
    def words(self) -> str:
        """Say what the step does, for the card."""
        order = "" if self.day_first is None else f", {DAY_ORDER[self.day_first]}"
        return f"taken as {self.kind}{order}: {self.column}"

    def fitted(self, frame: pd.DataFrame) -> Self:
        """Return the step with the order of day and month, or whether numbers are told by the clock."""
        if self.column not in frame:
            return self
        found: dict[str, Any] = {}
        if self.kind == "date" and self.day_first is None:
            found["day_first"] = day_comes_first(frame[self.column])
        if self.kind in _NUMBERS and self.by_clock is None:
            found["by_clock"] = is_clock(frame[self.column])
        return self.model_copy(update=found)

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the table with what is no number, or no date, as a gap; dates as days since 2000-01-01.

        What is told by the clock is told in hours.
        """
        if self.column not in frame:
            return frame
        text = frame[self.column]
        if self.kind in _NUMBERS:
            numbers = numbers_of(text, self.by_clock)
            return frame.assign(**{self.column: text.where(~np.isnan(numbers), "")})
        if self.kind == "date":
            return frame.assign(**{self.column: _as_text(days_of(text, self.day_first))})
        if self.kind == "hours":
            hours = clock_hours(text)
            return frame.assign(**{self.column: _as_text(np.where(np.isnan(hours), numbers_of(text), hours))})
        return frame


class TakeAsMissing(StepBase):
    """Take values of a column that stand for "not measured" as gaps."""

    do: Literal["take-as-missing"] = "take-as-missing"
    column: str
    values: tuple[str, ...]

    @property
    def words(self) -> str:
        """Say what the step does, for the card."""
        return f"taken as missing in {self.column}: {', '.join(self.values)}"

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the table with the values as gaps; numbers are compared as numbers."""
        if self.column not in frame:
            return frame
        text = frame[self.column]
        hit = text.str.lower().isin([value.lower() for value in self.values]).to_numpy(bool)
        wanted = numbers_of(pd.Series(self.values, dtype=object))
        hit |= np.isin(numbers_of(text), wanted[np.isfinite(wanted)])
        return frame.assign(**{self.column: text.where(~hit, "")})


class KeepRange(StepBase):
    """Take numbers outside a range as gaps."""

    do: Literal["keep-range"] = "keep-range"
    column: str
    low: float
    high: float

    @property
    def words(self) -> str:
        """Say what the step does, for the card."""
        return f"taken as missing outside {self.low:g} to {self.high:g}: {self.column}"

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the table with numbers outside the range as gaps."""
        if self.column not in frame:
            return frame
        numbers = numbers_of(frame[self.column])
        outside = (numbers < self.low) | (numbers > self.high)
        return frame.assign(**{self.column: frame[self.column].where(~outside, "")})


class JoinValues(StepBase):
    """Write values of a column as another one: two spellings, or two labels that are taken as one."""

    do: Literal["join-values"] = "join-values"
    column: str
    values: dict[str, str]

    @property
    def words(self) -> str:
        """Say what the step does, for the card."""
        pairs = ", ".join(f"{old} as {new}" for old, new in self.values.items())
        return f"in {self.column}: {pairs}"

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the table with the values written anew."""
        if self.column not in frame:
            return frame
        return frame.assign(**{self.column: frame[self.column].replace(self.values)})


class CutNumber(StepBase):
    """Cut a column of numbers in two at a value: an outcome that is a number becomes two labels."""

    do: Literal["cut-number"] = "cut-number"
    column: str
    at: float

    @property
    def words(self) -> str:
        """Say what the step does, for the card."""
        return f"cut at {self.at:g}: {self.column}"

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the table with "at most x" and "above x" in the column."""
        if self.column not in frame:
            return frame
        numbers = numbers_of(frame[self.column])
        names = np.where(numbers > self.at, f"above {self.at:g}", f"at most {self.at:g}")
        return frame.assign(**{self.column: np.where(np.isnan(numbers), "", names)})


class DropDuplicates(StepBase):
    """Keep the first of rows that are the same, but for the columns named."""

    do: Literal["drop-duplicates"] = "drop-duplicates"
    but_for: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Say what the step does, for the card."""
        return "the first of rows that are the same was kept"

    @property
    def chooses_rows(self) -> bool:
        """Whether the step leaves out rows, and so is for training only."""
        return True

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the table without the later ones."""
        looked_at = [name for name in frame if name not in self.but_for]
        return frame[~frame.duplicated(looked_at)]


class LeaveOutRows(StepBase):
    """Leave out rows with certain values in a column; "" stands for a gap."""

    do: Literal["leave-out-rows"] = "leave-out-rows"
    column: str
    values: tuple[str, ...] = ("",)

    @property
    def words(self) -> str:
        """Say what the step does, for the card."""
        named = ", ".join(value or "no value" for value in self.values)
        return f"rows with {named} in {self.column} left out"

    @property
    def chooses_rows(self) -> bool:
        """Whether the step leaves out rows, and so is for training only."""
        return True

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the table without these rows."""
        if self.column not in frame:
            return frame
        text = frame[self.column]
        hit = text.isin(self.values).to_numpy(bool)
        if "" in self.values:
            hit |= is_gap(text)
        return frame[~hit]


class GroupBy(StepBase):
    """Keep the rows of one value (a patient) in one part of the split; the column is no input."""

    do: Literal["group-by"] = "group-by"
    column: str

    @property
    def words(self) -> str:
        """Say what the step does, for the card."""
        return f"split by {self.column}"


Step = Annotated[
    DropColumns | TakeAs | TakeAsMissing | KeepRange | JoinValues | CutNumber | DropDuplicates
    | LeaveOutRows | GroupBy | FromEvents,
    Field(discriminator="do"),
]  # fmt: skip
_STEPS: TypeAdapter[list[Any]] = TypeAdapter(list[Step])


def replay(frame: pd.DataFrame, steps: Iterable[Step], *, is_training: bool = False) -> pd.DataFrame:
    """Return the table after all steps, in their order.

    Parameters
    ----------
    frame : DataFrame of str
        Is not changed; the index of rows that are kept stays.
    is_training : bool
        Without it, steps that choose rows are passed over: every new row gets its prediction.
    """
    for step in steps:
        if is_training or not step.chooses_rows:
            frame = step.apply(frame)
    return frame


def fitted(frame: pd.DataFrame, steps: Iterable[Step]) -> tuple[list[Step], pd.DataFrame]:
    """Return the steps with what they find out in the table to learn from, and the table after them."""
    found: list[Step] = []
    for step in steps:
        found.append(step.fitted(frame))
        frame = found[-1].apply(frame)
    return found, frame


def kinds_of(steps: Iterable[Step]) -> dict[str, str]:
    """Return the kinds that steps give to columns; the last word counts. Dates and hours became numbers."""
    said = {step.column: str(step.kind) for step in steps if isinstance(step, TakeAs)}
    return {name: "number" if kind in ("date", "hours") else kind for name, kind in said.items()}


def group_of(steps: Iterable[Step]) -> str | None:
    """Return the column that must not be split, None without."""
    named = [step.column for step in steps if isinstance(step, GroupBy)]
    return named[-1] if named else None


def events_of(steps: Iterable[Step]) -> FromEvents | None:
    """Return the step that makes one row a stay of events, None without."""
    return next((step for step in steps if isinstance(step, FromEvents)), None)


def dumped(steps: Sequence[BaseModel]) -> list[dict[str, Any]]:
    """Return steps of tables, or of labelled files, as plain data."""
    return [step.model_dump(mode="json") for step in steps]


def loaded(stored: object) -> list[Step]:
    """Return steps from plain data.

    Raises
    ------
    InvalidInput
        It holds something else than known steps.
    """
    try:
        return _STEPS.validate_python(stored)
    except ValidationError as error:
        raise InvalidInput(
            f"expected cleaning steps, got something else in {error.error_count()} places",
            hint="Write the steps as the data report prints them.",
        ) from error


def _as_text(numbers: NDArray[np.float64]) -> NDArray[np.object_]:
    return np.array(["" if np.isnan(number) else f"{number:.10g}" for number in numbers], object)
