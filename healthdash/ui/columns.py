"""The columns of a table as the network sees them, in the words of their fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from healthdash.bundles import Bundle
from healthdash.fields import CategoryField, Field, NumberField
from healthdash.task import Task
from healthdash.ui import form

__all__ = ["Column", "of"]


@dataclass(frozen=True)
class Column:
    """One column of the network's input.

    Attributes
    ----------
    codes : dict of str to float
        Of a category: each code of its field to the number that the network gets for it.
    """

    field: Field
    codes: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def unit(self) -> str:
        """Unit of a number; empty otherwise."""
        return self.field.unit if isinstance(self.field, NumberField) else ""

    @property
    def is_number(self) -> bool:
        """Whether its values have an order and a size."""
        return isinstance(self.field, NumberField)

    @property
    def distinct(self) -> dict[str, float]:
        """The codes that the network tells apart; those it does not know share a number."""
        numbers = list(self.codes.values())
        return {code: number for code, number in self.codes.items() if numbers.count(number) == 1}

    def in_words(self, value: float) -> float | str:
        """Return a number of the network's input as people read it."""
        if self.is_number:
            return "not known" if np.isnan(value) else round(float(value), 4)
        code = self.code(value)
        if code is None or not isinstance(self.field, CategoryField):
            return "other or not known"
        return self.field.choices.get(code, code)

    def code(self, value: float) -> str | None:
        """Return the field's code of a number of the network's input, if it has one."""
        return next((code for code, number in self.distinct.items() if number == value), None)


def of(task: Task, bundle: Bundle, names: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns of a table task, in the network's order.

    A category's numbers are found by asking the task: one row a code goes through its `read` and
    `prepare`.

    Parameters
    ----------
    names : sequence of str
        Names of the columns in the network's order; each is that of a field.
    """
    fields = {one.name: one for one in task.fields}
    wanted = [
        (name, code)
        for name in names
        if isinstance(one := fields[name], CategoryField)
        for code in one.choices
    ]
    if not wanted:
        return tuple(Column(fields[name]) for name in names)
    upload = form.as_table(task.fields, [{name: code} for name, code in wanted])
    prepared = task.prepare(task.read([upload]), bundle.info.preprocessing)
    return _coded(fields, names, wanted, next(iter(prepared.values())))


def _coded(
    fields: Mapping[str, Field],
    names: Sequence[str],
    wanted: Sequence[tuple[str, str]],
    rows: NDArray[np.float32],
) -> tuple[Column, ...]:
    if len(rows) != len(wanted):  # a code that the task itself refuses: none is known for sure
        return tuple(Column(fields[name]) for name in names)
    codes: dict[str, dict[str, float]] = {name: {} for name in names}
    for (name, code), row in zip(wanted, rows, strict=True):
        codes[name][code] = float(row[list(names).index(name)])
    return tuple(Column(fields[name], codes[name]) for name in names)
