"""Cells that tell their own unit: "5.2 mmol/L". Each is taken in its unit, whatever the others are in."""

from __future__ import annotations

import re

import pandas as pd

from healthdash.fields import Field

from .mapping import Link, analyte_of, unit_of
from .units import Conversion, conversion, unit_named

__all__ = ["each_in_its_unit", "without_units"]

_WITH_UNIT = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*([^\d\s].*)")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


def without_units(cells: pd.Series, field: Field) -> tuple[pd.Series, str]:
    """Take a unit off cells such as "5.2 mmol/L", where all that have one agree and it can be converted."""
    parts, known = _parts(cells), _told(cells)
    units = {unit for _, unit in parts.values()}
    own = unit_of(field)
    if len(units) != 1 or len(parts) < len(known) or not own:
        return cells, ""
    (unit,) = units
    if not conversion(unit, own, analyte_of(field)):
        return cells, ""
    return cells.map(lambda cell: parts[cell][0] if cell in parts else cell), unit


def each_in_its_unit(cells: pd.Series, field: Field, link: Link) -> tuple[pd.Series, str, str] | None:
    """Return cells of several units in the field's own, the rules, and a problem; None: they are of one unit.

    Cells without a unit are in that of the column; where it has none, and nobody chose, it is asked.
    """
    own, parts = unit_of(field), _parts(cells)
    ways = {unit: way for _, unit in parts.values() if (way := conversion(unit, own, analyte_of(field)))}
    bare = set(_told(cells)) - set(parts)
    is_one = len(ways) == 1 and not bare and link.unit in ("", *ways)
    if not own or is_one or not ways or len(ways) < len({unit for _, unit in parts.values()}):
        return None
    if bare and not link.unit and link.how != "chosen":
        problem = (
            f"column {field.name}: some cells tell a unit and others do not; choose the unit of the others"
        )
        return cells, "", problem
    if bare and link.unit and (way := conversion(link.unit, own, analyte_of(field))):
        parts |= {cell: (cell, link.unit) for cell in bare if _is_number(cell)}
        ways[link.unit] = way
    told = {cell: _converted(number, ways[unit]) for cell, (number, unit) in parts.items()}
    rules = "; ".join(way.rule for way in ways.values() if way.is_needed)
    return (
        cells.map(lambda cell: told.get(cell, cell)),
        f"each cell by its own unit: {rules}" if rules else "",
        "",
    )


def _converted(number: str, way: Conversion) -> str:
    return f"{float(number) * way.factor + way.offset:.6g}"


def _told(cells: pd.Series) -> list[str]:
    """Return the different cells that hold a number of any form; a gap has no digit."""
    return [str(cell) for cell in cells.unique() if any(mark.isdigit() for mark in str(cell))]


def _parts(cells: pd.Series) -> dict[str, tuple[str, str]]:
    """Return number and unit of each different cell that has both."""
    found = {cell: _WITH_UNIT.fullmatch(cell.strip()) for cell in _told(cells)}
    return {
        cell: (_number(one[1]), unit) for cell, one in found.items() if one and (unit := unit_named(one[2]))
    }


def _number(text: str) -> str:
    """Return a number with a point: of "5,2" the comma is decimal, of "1,200" it marks thousands."""
    return text.replace(",", "" if _THOUSANDS.fullmatch(text) else ".")


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"[+-]?\d+(?:\.\d+)?", cell.strip()) is not None
