"""Which column of a table holds which field of a task, in which unit: proposed, corrected, remembered.

A field finds its column by its own name, by a name that means the same (`concepts.csv`), or not at all:
where two columns could be meant nothing is taken until somebody chooses. A mapping is plain data and is
kept as JSON, so that the same table next month needs no questions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from healthdash.errors import InvalidInput
from healthdash.fields import CategoryField, Field, NumberField

from .concepts import Concept, concept_named, concept_of, without_unit
from .layout import contradict, is_same_name
from .units import conversion, unit_named

__all__ = ["ColumnMapping", "How", "Link", "propose", "source_of"]

How = Literal["name", "synonym", "chosen", "ambiguous", "missing"]
_FORMAT = 1
_MOST_BYTES = 1 << 20
_HINT = "Download the mapping on the page of the task, or make one with: python -m healthdash map TASK TABLE."
#: Findings that are told in classes, and the finding with a number of which they are made.
_CLASSES = {
    "fasting_glucose_high": "fasting_glucose",
    "hba1c_class": "hba1c",
    "glucose_class": "glucose",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The column of one field.

    Attributes
    ----------
    field : str
        Name of the field.
    column : str
        Name of the column; empty where the table has none.
    unit : str
        In which the column is told, where that is not the field's own unit.
    how : str
        How it was found.
    candidates : tuple of str
        Columns that could be meant, where it is ambiguous.
    words : dict of str to str
        Cell to code, as somebody said it.
    """

    field: str
    column: str = ""
    unit: str = ""
    how: How = "missing"
    candidates: tuple[str, ...] = ()
    words: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """The columns of all fields of a task, in their order."""

    links: tuple[Link, ...] = ()

    def of(self, field: str) -> Link:
        """Return the link of a field."""
        return next((link for link in self.links if link.field == field), Link(field=field))

    def to_json(self) -> str:
        """Return the mapping as a file."""
        told = {link.field: _stored(link) for link in self.links if link.how != "ambiguous"}
        return json.dumps({"format": _FORMAT, "fields": told}, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> ColumnMapping:
        """Return the mapping of a file.

        Raises
        ------
        InvalidInput
            It is no mapping.
        """
        try:
            if len(text) > _MOST_BYTES:
                raise ValueError("too long")
            stored = json.loads(text)
            if stored["format"] != _FORMAT:
                raise ValueError("another format")
            return cls(tuple(_loaded(str(name), one) for name, one in stored["fields"].items()))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidInput("expected a mapping of columns as JSON", hint=_HINT) from error


def propose(
    frame: pd.DataFrame,
    fields: Sequence[Field],
    titles: Mapping[str, str] | None = None,
    given: ColumnMapping | None = None,
) -> ColumnMapping:
    """Return the column of each field: as given, else by its name, else by what means the same.

    Parameters
    ----------
    frame : DataFrame of str
    titles : dict of str to str
        What the file calls its columns beside their names.
    given : ColumnMapping or None
        What somebody chose; a field that it does not name is found.

    Raises
    ------
    InvalidInput
        A column or a unit that was chosen does not exist.
    """
    names = [str(name) for name in frame.columns]
    chosen = {link.field: link for link in given.links} if given else {}
    _check(chosen.values(), names, fields)
    taken = {link.column for link in chosen.values() if link.column}
    # A column of a field's very name is that of no other field.
    own = {field.name for field in fields}
    found = [
        chosen.get(field.name)
        or _by_name(field, [name for name in names if name == field.name or name not in own])
        for field in fields
    ]
    taken |= {link.column for link in found if link.column}
    meant = _meant([name for name in names if name not in taken], titles or {})
    return ColumnMapping(
        tuple(
            _by_meaning(field, meant) if link.how == "missing" and field.name not in chosen else link
            for field, link in zip(fields, found, strict=True)
        )
    )


def source_of(field: Field) -> Concept | None:
    """Return the finding with a number of which a field's classes are made; None: it has none."""
    concept = concept_of(field)
    if concept is None or not isinstance(field, CategoryField):
        return None
    if concept.name in _CLASSES:
        return concept_named(_CLASSES[concept.name])
    return concept if concept.unit else None


def _by_name(field: Field, names: Sequence[str]) -> Link:
    same = [name for name in names if name == field.name]
    same = same or [name for name in names if is_same_name(name, field.name)]
    if not same:
        same = [name for name in names if is_same_name(without_unit(name)[0], field.name)]
        same = [name for name in same if not contradict(name, field.name)]
        same = [name for name in same if not unit_of(field) or _header_unit(field, name)]
    if not same:
        return Link(field=field.name)
    # Two columns of the very name are told by the reading of the table.
    return Link(field=field.name, column=same[0], unit=_header_unit(field, same[0]), how="name")


def _meant(names: Sequence[str], titles: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the columns of each finding, those that say themselves what they hold."""
    meant: dict[str, list[str]] = {}
    for name in names:
        concept = concept_named(name) or concept_named(titles.get(name, ""))
        if concept is not None:
            meant.setdefault(concept.name, []).append(name)
    return meant


def _by_meaning(field: Field, meant: Mapping[str, Sequence[str]]) -> Link:
    concept, source = concept_of(field), source_of(field)
    for wanted in (concept, source):
        columns = meant.get(wanted.name, ()) if wanted else ()
        if len(columns) > 1:
            return Link(field=field.name, how="ambiguous", candidates=tuple(columns))
        if columns:
            unit = _header_unit(field, columns[0])
            return Link(field=field.name, column=columns[0], unit=unit, how="synonym")
    return Link(field=field.name)


def _header_unit(field: Field, column: str) -> str:
    """Return the unit that a column's name tells, where the field can be told in it."""
    unit = without_unit(column)[1]
    own = unit_of(field)
    return unit if unit and own and conversion(unit, own, analyte_of(field)) else ""


def unit_of(field: Field) -> str:
    """Return the unit in which the model takes a field; empty where it has none or it is not known."""
    if isinstance(field, NumberField):
        concept = concept_of(field)
        return unit_named(field.unit) or without_unit(field.name)[1] or (concept.unit if concept else "")
    source = source_of(field)
    return source.unit if source else ""


def analyte_of(field: Field) -> str:
    """Return the analyte whose molar mass counts for a field."""
    concept = source_of(field) or concept_of(field)
    return concept.analyte if concept else ""


def _check(chosen: Sequence[Link] | Any, names: Sequence[str], fields: Sequence[Field]) -> None:
    known = {field.name: field for field in fields}
    problems = []
    for link in chosen:
        if link.field not in known:
            problems.append(f"mapping: the task has no field {link.field}")
        elif link.column and link.column not in names:
            problems.append(f"mapping of {link.field}: the table has no such column")
        elif link.unit and not conversion(
            link.unit, unit_of(known[link.field]), analyte_of(known[link.field])
        ):
            problems.append(f"mapping of {link.field}: its unit cannot be converted")
    if problems:
        raise InvalidInput(problems, hint=_HINT)


def _stored(link: Link) -> dict[str, Any]:
    stored: dict[str, Any] = {"column": link.column or None}
    if link.unit:
        stored["unit"] = link.unit
    if link.words:
        stored["words"] = dict(link.words)
    return stored


def _loaded(field: str, stored: Mapping[str, Any]) -> Link:
    column, unit, words = stored["column"], stored.get("unit", ""), stored.get("words")
    if not isinstance(column, str | None) or not isinstance(unit, str):
        raise TypeError("expected names")
    told = None if words is None else {str(cell): str(code) for cell, code in words.items()}
    return Link(field=field, column=column or "", unit=unit, how="chosen", words=told)


def ambiguities(mapping: ColumnMapping) -> Iterator[str]:
    """Yield a sentence for each field that two columns or more could hold."""
    for link in mapping.links:
        if link.how == "ambiguous":
            columns = " or ".join(link.candidates)
            yield f"column {link.field}: it could be {columns}; nothing was taken before you choose"
