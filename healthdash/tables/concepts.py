"""What columns are called: one readable table of findings, with their units and their names in two languages.

`concepts.csv` holds a finding a line: its own name, what people call it, the unit in which it is told, the
analyte whose molar mass counts, and the names of columns (English, Chinese, some others) that mean it.
`words.csv` holds what cells say for a code: "女" and "F" both mean female.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from healthdash.fields import CategoryField, Field

from .layout import canonical
from .units import conversion, unit_named

__all__ = ["Concept", "concept_named", "concept_of", "meanings", "without_unit"]

_HERE = Path(__file__).parent
_BRACKETS = re.compile(r"^(.*?)[\s_]*[(\[（【]\s*([^()\[\]（）【】]+?)\s*[)\]）】]\s*$")
_AFTER = re.compile(r"^(.*?)(?:\s*[,，:/]\s*|\s+|_)(\S+)$")


@dataclass(frozen=True, slots=True)
class Concept:
    """A finding that tables and records hold under many names.

    Attributes
    ----------
    name : str
        "total_cholesterol".
    label : str
        For people.
    unit : str
        In which it is told where nothing else is said; empty for codes and counts.
    analyte : str
    names : tuple of str
        Canonical names of columns.
    """

    name: str
    label: str
    unit: str
    analyte: str
    names: tuple[str, ...]


@cache
def _all() -> Mapping[str, Concept]:
    """Return each concept by its name."""
    rows = _rows("concepts.csv")
    return {row["concept"]: _concept(row) for row in rows}


def _concept(row: Mapping[str, str]) -> Concept:
    names = (row["concept"], row["label"], *row["names"].split("|"))
    plain = tuple(dict.fromkeys(canonical(name) for name in names))
    return Concept(row["concept"], row["label"], row["unit"], row["analyte"], plain)


@cache
def _by_name() -> Mapping[str, Concept]:
    return {name: concept for concept in _all().values() for name in concept.names}


@cache
def _words() -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple((row["meaning"].lower(), frozenset(row["words"].split("|"))) for row in _rows("words.csv"))


@lru_cache(maxsize=4096)
def concept_named(name: str) -> Concept | None:
    """Return what a column's name means, with or without a unit in it; None: it is not in the table."""
    if found := _by_name().get(canonical(name)):
        return found
    bare, unit = without_unit(name)
    found = _by_name().get(canonical(bare))
    # The "d" of "bp_d" is diastolic, no day: what cannot be a unit of the finding belongs to the name.
    is_unit = found is not None and (
        not found.unit or conversion(unit, found.unit, found.analyte) is not None
    )
    return found if is_unit else None


def concept_of(field: Field) -> Concept | None:
    """Return what a field of a task means, by its name or its label."""
    return concept_named(field.name) or concept_named(field.label)


def without_unit(name: str) -> tuple[str, str]:
    """Return a column's name without the unit at its end, and that unit as UCUM names it; empty without one.

    >>> without_unit("chol (mmol/L)")
    ('chol', 'mmol/L')
    """
    for form in (_BRACKETS, _AFTER):
        found = form.match(name.strip())
        # The "min" of "hr_min" is the lowest, no minute.
        is_lowest = form is _AFTER and found is not None and found[2].lower() == "min"
        if found and not is_lowest and (unit := unit_named(found[2])) and found[1].strip():
            return found[1].strip(), unit
    return name, ""


def meanings(field: CategoryField, cells: Iterable[str]) -> dict[str, str]:
    """Return the code of each cell that says it in another word: {"女": "0"}; a known code stays itself."""
    spelled = {code.lower() for code in field.choices}
    words = dict(_spellings(field))
    found: dict[str, str] = {}
    for cell in cells:
        plain = cell.strip().lower()
        if plain not in spelled and re.sub(r"\.0+$", "", plain) not in spelled and plain in words:
            found[cell] = words[plain]
    return found


def _spellings(field: CategoryField) -> Iterator[tuple[str, str]]:
    """Yield each word and its code; a word that could be two codes is left out."""
    told = {code: _words_of(code, meaning) for code, meaning in field.choices.items()}
    for code, words in told.items():
        others = {word for other, more in told.items() if other != code for word in more}
        yield from ((word, code) for word in words - others)


def _words_of(code: str, meaning: str) -> set[str]:
    wanted = {code.lower(), meaning.lower()}
    return wanted | {word for known, words in _words() if known in wanted for word in words}


def _rows(name: str) -> list[dict[str, str]]:
    with (_HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
