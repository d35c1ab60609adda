"""How the columns of a file became the fields of a task, and how complete each of them is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.fields import Field, NumberField
from healthdash.tables.coding import CodingQuestion
from healthdash.tables.layout import Origin, TextTable, canonical
from healthdash.tables.mapped import Mapped
from healthdash.tables.mapping import ColumnMapping, unit_of
from healthdash.tables.suggestions import Suggestion, suggestions

__all__ = [
    "Completeness",
    "Matching",
    "completeness",
    "found_columns",
    "known_in",
    "only_person",
    "sources",
    "with_gaps",
]

State = Literal["complete", "some missing", "missing"]
#: What missing does: the networks of tables learn with values hidden, and take a gap as a value of its own.
GAP = "counts as not known; the model answers from the other fields, and is less sure"
#: Fields that say who somebody is; alone they are no findings.
_PERSON = frozenset(("age", "sex", "gender"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """One field of a table, in numbers.

    Attributes
    ----------
    field, label : str
    column : str
        Of the file; empty without one.
    rows, missing, outside : int
        All rows; those without a value; those with one that is impossible, which are refused.
    rule : str
        What was done to the values, empty where they stayed.
    """

    field: str
    label: str
    column: str
    rows: int
    missing: int
    outside: int
    rule: str = ""

    @property
    def state(self) -> State:
        """Whether values are there."""
        if self.missing >= self.rows:
            return "missing"
        return "some missing" if self.missing else "complete"

    @property
    def count(self) -> str:
        """Say in a few words how many values are there."""
        if self.state == "missing":
            return "missing"
        told = f"{self.rows - self.missing:,} of {self.rows:,}" if self.missing else f"all {self.rows:,}"
        return told + (f", {self.outside:,} out of range" if self.outside else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """What a page shows of the columns of a file, for correction.

    Attributes
    ----------
    columns : tuple of str
        All columns of the file.
    mapping : ColumnMapping
    complete : tuple of Completeness
        A line a field, in the task's order.
    units : dict of str to str
        The unit in which the model takes a field.
    unsure : dict of str to tuple of str
        Cells whose meaning must be told, by field.
    problems : tuple of str
        What must be decided first.
    origins : tuple of Origin
        Of a record of FHIR: where each value comes from, its column the field's name.
    coding : CodingQuestion or None
        That it must be said how the table is coded.
    suggestions : tuple of Suggestion
        What columns of unknown names could hold.
    """

    columns: tuple[str, ...] = ()
    mapping: ColumnMapping = field(default_factory=ColumnMapping)
    complete: tuple[Completeness, ...] = ()
    units: Mapping[str, str] | None = None
    unsure: Mapping[str, tuple[str, ...]] | None = None
    problems: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = ()
    coding: CodingQuestion | None = None
    suggestions: tuple[Suggestion, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether every column had the name of its field, and nothing was done to its values."""
        done = any(line.rule for line in self.complete) or self.problems or self.origins
        return not done and all(link.how in ("name", "chosen") for link in self.mapping.links)


def found_columns(
    found: Mapped, columns: Sequence[str], fields: Sequence[Field], typed: pd.DataFrame
) -> Matching:
    """Return what is said about the columns of a file.

    Parameters
    ----------
    found : Mapped
    columns : sequence of str
        Of the file, before anything was renamed.
    typed : DataFrame
        The task's columns with numbers and codes, all rows, as `columns.type_columns` gives them.
    """
    by_column = {link.column: link.field for link in found.mapping.links if link.column}
    origins = [one for one in found.text.origins if one.column in by_column]
    return Matching(
        columns=tuple(columns),
        mapping=found.mapping,
        complete=tuple(completeness(found, fields, typed)),
        units={field.name: unit for field in fields if (unit := unit_of(field))},
        unsure=found.unsure,
        problems=found.problems,
        suggestions=() if found.text.origins else suggestions(found.text.frame, fields, found.mapping),
        origins=tuple(_named(one, by_column[one.column]) for one in origins),
    )


def completeness(found: Mapped, fields: Sequence[Field], typed: pd.DataFrame) -> list[Completeness]:
    """Return a line a field."""
    lines = []
    for one in fields:
        values = typed[one.name]
        is_number = isinstance(one, NumberField)
        missing = values.isna() if is_number else values == ""
        outside = 0
        if isinstance(one, NumberField):
            numbers = values.to_numpy(np.float64)
            outside = int(((numbers < one.low) | (numbers > one.high)).sum())
        link = found.mapping.of(one.name)
        lines.append(
            Completeness(
                field=one.name, label=one.label, column=link.column, rows=len(typed),
                missing=int(missing.sum()), outside=outside, rule=found.rules.get(one.name, ""),
            )
        )  # fmt: skip
    return lines


def only_person(typed: pd.DataFrame, fields: Sequence[Field]) -> list[int]:
    """Return the rows (from 0) in which nothing is known beyond age and sex."""
    others = [one for one in fields if one.name not in _PERSON]
    known = np.zeros(len(typed), bool)
    for one in others:
        known |= known_in(typed, one)
    return [int(row) for row in np.flatnonzero(~known)] if others else []


def known_in(typed: pd.DataFrame, field: Field) -> NDArray[np.bool_]:
    """Return which rows (n,) have a value of a field."""
    values = typed[field.name]
    known = values.notna() if isinstance(field, NumberField) else values != ""
    return np.asarray(known, bool)


def sources(origins: Sequence[Origin], row: int) -> list[dict[str, str]]:
    """Return where the values of a row come from, as plain data."""
    return [
        {
            "field": one.column, "resource": one.resource, "place": one.place, "date": one.date,
            "code": one.code, "value": one.told,
        }
        for one in origins
        if one.row == row
    ]  # fmt: skip


def _named(one: Origin, field: str) -> Origin:
    return replace(one, column=field)


def with_gaps(
    found: Mapped, asked: Sequence[Field], given: ColumnMapping | None, *, is_draft: bool
) -> TextTable:
    """Return the table with an empty column for each field that the file may be without.

    A record of FHIR never has all; of a table somebody must have said that a column is not in it.
    """
    frame = found.text.frame
    absent = {link.field for link in given.links if not link.column} if given else set()
    if is_draft or found.text.found.file == "fhir":
        absent = {one.name for one in asked}
    held = {canonical(str(name)) for name in frame.columns}
    gaps = [one.name for one in asked if one.name in absent and canonical(one.name) not in held]
    return replace(found.text, frame=frame.assign(**dict.fromkeys(gaps, ""))) if gaps else found.text
