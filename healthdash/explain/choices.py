"""The columns of a table as a network sees them, and what they may become for one patient."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from healthdash.fields import CategoryField, Field, NumberField

__all__ = ["Choice", "Column"]

_MOST_VALUES = 48
_UNKNOWN = "other or not known"


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a network's table: what it means, and what it was in training.

    Attributes
    ----------
    field : Field
        What the column holds, for people.
    codes : dict of str to float
        Each code that the network tells apart to the number that it gets for it; empty for a number.
    low, high : float
        Range of a number in the training rows, in its unit; NaN where it is not stored.
    """

    field: Field
    codes: Mapping[str, float] = dataclasses.field(default_factory=dict)
    low: float = math.nan
    high: float = math.nan

    @property
    def unit(self) -> str:
        """Unit of a number; empty otherwise."""
        return self.field.unit if isinstance(self.field, NumberField) else ""

    @property
    def is_number(self) -> bool:
        """Whether its values have an order and a size."""
        return isinstance(self.field, NumberField)

    def in_words(self, value: float) -> float | str:
        """Return a number of the network's input as people read it."""
        if self.is_number:
            return "not known" if math.isnan(value) else float(f"{float(value):.6g}")
        code = next((code for code, number in self.codes.items() if number == value), None)
        if code is None:
            return _UNKNOWN
        return self.field.choices.get(code, code) if isinstance(self.field, CategoryField) else code

    def with_unit(self, value: float) -> str:
        """Return a number of the network's input as people read it, with its unit."""
        words = self.in_words(value)
        return words if isinstance(words, str) else f"{words:g} {self.unit}".strip()

    def place(self, value: float) -> float:
        """Return where a value lies in the range, or a code among the codes, 0 to 1; NaN: nowhere."""
        if self.is_number:
            place = (value - self.low) / (self.high - self.low) if self.high > self.low else math.nan
            return min(1.0, max(0.0, place)) if math.isfinite(place) else math.nan
        numbers = list(self.codes.values())
        if value not in numbers:
            return math.nan
        return numbers.index(value) / max(1, len(numbers) - 1)

    def ranged(self, values: NDArray[np.float32]) -> Column:
        """Return the column with the range of some values (n,) where that of training is not stored."""
        known = values[np.isfinite(values)]
        if not self.is_number or not len(known) or not math.isnan(self.low):
            return self
        return replace(self, low=float(known.min()), high=float(known.max()))

    def choice(self, current: float) -> Choice:
        """Return what the column may become for a row in which it is `current`."""
        if not self.is_number:
            never = self.field.not_proposed if isinstance(self.field, CategoryField) else ()
            codes = {code: number for code, number in self.codes.items() if code not in never}
            return Choice.of(self.field, current, codes=codes)
        if math.isnan(self.low):
            return Choice.of(self.field, current)
        return Choice.of(self.field, current, low=self.low, high=self.high)


@dataclass(frozen=True, eq=False)
class Choice:
    """The values that one column may take instead of its own.

    Attributes
    ----------
    label : str
        What people call the column.
    current : float
        Its own value, NaN where it is missing.
    values : float32 (k,)
        What it may become, ascending and without `current`; empty where it is immutable.
    span : float
        Width of its range: a change by so much costs 1. 0 for a category, whose change always costs 1.
    step : float
        Values lie at multiples of this, if the range holds any.
    """

    label: str
    current: float
    values: NDArray[np.float32]
    span: float = 0.0
    step: float = 0.0

    @classmethod
    def of(
        cls,
        field: Field,
        current: float,
        *,
        low: float = math.inf,
        high: float = -math.inf,
        codes: Mapping[str, float] | None = None,
    ) -> Choice:
        """Return what a field may become.

        Parameters
        ----------
        current : float
            As the network sees it; NaN where it is missing.
        low, high : float
            The plausible range of a number: that of the training rows. The field's own limits hold
            besides.
        codes : dict of str to float
            Of a category: each value that the network knows to its number.
        """
        if isinstance(field, CategoryField) or codes is not None:
            values = np.array(sorted((codes or {}).values()), np.float32)
            return cls(field.label, current, _allowed(field, current, values))
        step = field.step if isinstance(field, NumberField) else 0.0
        if isinstance(field, NumberField):
            low, high = max(low, field.low), min(high, field.high)
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            return cls(field.label, current, np.zeros(0, np.float32))
        made = cls(field.label, current, np.zeros(0, np.float32), high - low, step)
        return cls(field.label, current, _allowed(field, current, made.between(low, high)), high - low, step)

    def between(self, low: float, high: float) -> NDArray[np.float32]:
        """Return at most 48 values of a number between two, ends included.

        They are the steps if these are few; where no step lies between the two they are any values.
        """
        values = np.linspace(low, high, _MOST_VALUES)
        # Numbers of more steps than an integer of a float tells apart have no place for them.
        if self.step and max(abs(low), abs(high)) / self.step < 2**53:
            first, last = math.ceil(low / self.step - 1e-6), math.floor(high / self.step + 1e-6)
            if first <= last:
                count = min(_MOST_VALUES, last - first + 1)
                values = np.round(np.linspace(first, last, count)) * self.step
        distinct: NDArray[np.float32] = np.unique(values.astype(np.float32))
        return distinct

    def cost(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what it costs to change the column to each of some values (k,)."""
        if self.span == 0 or math.isnan(self.current):
            same = (values == np.float32(self.current)) | (np.isnan(values) & math.isnan(self.current))
            return np.where(same, 0.0, 1.0)
        return np.asarray(np.abs(values.astype(np.float64) - self.current) / self.span)


def _allowed(field: Field, current: float, values: NDArray[np.float32]) -> NDArray[np.float32]:
    if not field.is_mutable:
        return values[:0]
    if field.direction == "up" and not math.isnan(current):
        return values[values > np.float32(current)]
    if field.direction == "down" and not math.isnan(current):
        return values[values < np.float32(current)]
    others: NDArray[np.float32] = values[values != np.float32(current)]
    return others
