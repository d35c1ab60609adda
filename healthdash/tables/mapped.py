"""Put a table into the columns of a task: names, units, words and classes, each with its rule in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.fields import CategoryField, Field, NumberField

from .cell_units import each_in_its_unit, without_units
from .coding import plain_code
from .concepts import concept_of, meanings
from .doubts import ambiguous_sex, looks_diastolic, looks_like_calcium, two_meanings, unit_of_model_unknown
from .kinds import is_gap, numbers_of
from .layout import TextTable, canonical
from .mapping import ColumnMapping, Link, ambiguities, analyte_of, source_of, unit_of
from .units import Conversion, alternatives, conversion, unit_named

__all__ = ["Mapped", "mapped"]

#: Share of the known cells that must be possible in a unit for it to be taken, and at most in the own one.
_MOST, _FEW = 0.95, 0.05
_PRESSURES = re.compile(r"(\d{2,3})\s*/\s*(\d{2,3})")
_BAND = re.compile(r"\[(\d+)-(\d+)\)")
_ABOVE = re.compile(r">(\d+)")
_COUNTED = "what the file calls its numbers was taken as these numbers"
_NONE = re.compile(r"(none|no|nil|zero|normal)\b", re.IGNORECASE)
#: Fasting blood sugar above 120 mg/dl is 1: `heart-disease.names`, UCI, doi:10.24432/C52P4X.
_FASTING_LIMIT = 120.0


@dataclass(frozen=True, slots=True)
class Mapped:
    """A table in the columns of a task.

    Attributes
    ----------
    text : TextTable
        The table; the columns that were found have the names of their fields.
    mapping : ColumnMapping
        As it was used, with the units that were found.
    rules : dict of str to str
        Field to what was done to its values, in words; nothing where they stayed.
    problems : tuple of str
        What must be decided before the table can be used.
    unsure : dict of str to tuple of str
        Cells of a field of codes whose meaning must be told.
    """

    text: TextTable
    mapping: ColumnMapping
    rules: Mapping[str, str]
    problems: tuple[str, ...] = ()
    unsure: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def mapped(text: TextTable, fields: Sequence[Field], mapping: ColumnMapping) -> Mapped:
    """Return the table with its columns named, converted and coded as the fields say.

    Parameters
    ----------
    text : TextTable
        Not changed.
    mapping : ColumnMapping
        Of every field; see `mapping.propose`.
    """
    frame, rules, links, unsure = text.frame, {}, [], {}
    columns: dict[str, pd.Series] = {}
    problems = list(ambiguities(mapping))
    by_name = {one.name: one for one in fields}
    for link in mapping.links:
        one = by_name.get(link.field)
        if one is None or not link.column:
            links.append(link)
            continue
        column = frame[link.column]
        cells = column.iloc[:, 0] if isinstance(column, pd.DataFrame) else column
        counted = _counted(cells, text.codes.get(link.column, {})) if isinstance(one, NumberField) else None
        values, rule, unit, problem = _values(cells if counted is None else counted, one, link)
        rule = rule if counted is None else "; ".join(part for part in (_COUNTED, rule) if part)
        columns[link.field] = values
        links.append(replace(link, unit=unit))
        if rule:
            rules[link.field] = rule
        problems += [problem] if problem else []
        if problem and isinstance(one, CategoryField) and source_of(one) is None:
            unsure[link.field] = tuple(sorted({str(cell) for cell in cells.unique()} - {"", "?"}))
    found = ColumnMapping(tuple(links))
    return Mapped(_with(text, columns, found, rules), found, rules, tuple(problems), unsure)


def _with(
    text: TextTable, columns: Mapping[str, pd.Series], found: ColumnMapping, rules: Mapping[str, str]
) -> TextTable:
    """Return the table with the columns of the fields in the places of those that they were made of."""
    held = {link.column: link.field for link in found.links if link.column}
    if all(canonical(column) == canonical(name) for column, name in held.items()):
        same = all(columns[name] is text.frame[column] for column, name in held.items())
        if same and not rules:
            return text
    wanted = {canonical(name) for name in columns}
    kept, names = [], []
    for place, name in enumerate(map(str, text.frame.columns)):
        if name in held and held[name] not in names:
            kept.append(columns[held[name]])
            names.append(held[name])
        else:
            kept.append(text.frame.iloc[:, place])
            # What was not chosen must not be found under the name of what was.
            names.append(f"{name} (not used)" if canonical(name) in wanted else name)
    # One column may tell two fields: glucose itself, and whether it is high.
    further = [name for name in columns if name not in names]
    frame = pd.concat([*kept, *(columns[name] for name in further)], axis=1)
    return replace(text, frame=frame.set_axis([*names, *further], axis=1))


def _values(cells: pd.Series, field: Field, link: Link) -> tuple[pd.Series, str, str, str]:
    """Return the cells of a field, the rule that was used, the unit of the column, and a problem."""
    if problem := two_meanings(field, link):
        return cells, "", "", problem
    if isinstance(field, NumberField):
        return _numbers(cells, field, link)
    if isinstance(field, CategoryField):
        return _codes(cells, field, link)
    return cells, "", link.unit, ""


def _numbers(cells: pd.Series, field: Field, link: Link) -> tuple[pd.Series, str, str, str]:
    cells = _as_told(cells, link)
    cells, parted = _one_pressure(cells, field)
    if mixed := each_in_its_unit(cells, field, link):
        return mixed[0], "; ".join(part for part in (parted, mixed[1]) if part), link.unit, mixed[2]
    cells, told = without_units(cells, field)
    unit = link.unit or told
    if problem := unit_of_model_unknown(unit, field, link):
        return cells, parted, "", problem
    numbers = numbers_of(cells)
    if problem := looks_like_calcium(numbers, field, link):
        return cells, parted, "", problem
    if not unit and isinstance(field, NumberField):
        unit, problem = _likely_unit(numbers, field)
        if problem:
            return cells, parted, "", problem
        guessed = f"the values are possible in {unit} only: " if unit else ""
    else:
        guessed = ""
    way = conversion(unit, unit_of(field), analyte_of(field)) if unit else None
    if problem := "" if parted else looks_diastolic(way(numbers) if way else numbers, field, link):
        return cells, parted, "", problem
    if way is None or not way.is_needed:
        return cells, parted, unit if unit != unit_named(unit_of(field)) else "", ""
    rule = "; ".join(part for part in (parted, guessed + way.rule) if part)
    return _converted(cells, numbers, way), rule, unit, ""


def _converted(cells: pd.Series, numbers: NDArray[np.float64], way: Conversion) -> pd.Series:
    """Return the numbers converted, to 6 digits; what is no number stays to be told."""
    told = [
        f"{value:.6g}" if np.isfinite(value) else cell
        for value, cell in zip(way(numbers), cells, strict=True)
    ]
    return pd.Series(told, index=cells.index, name=cells.name, dtype=object)


def _counted(cells: pd.Series, codes: Mapping[str, str]) -> pd.Series | None:
    """Return the numbers for which the names of a file stand, where each name says its own number.

    "1 vessel" is 1 and "none" is 0; "40-49 years" of code 4 is no number of years.
    """
    named = {str(cell) for cell in cells.unique()} & set(codes)
    if not named or not all(_says(name, codes[name]) for name in named):
        return None
    return cells.map(lambda cell: codes.get(cell, cell))


def _says(name: str, code: str) -> bool:
    numbers = re.findall(r"\d+(?:\.\d+)?", name)
    return not code or numbers == [code] or (code == "0" and not numbers and bool(_NONE.match(name)))


def _one_pressure(cells: pd.Series, field: Field) -> tuple[pd.Series, str]:
    """Take the pressure that is meant from cells such as "120/80"."""
    concept = concept_of(field)
    part = {"systolic_bp": 1, "diastolic_bp": 2}.get(concept.name if concept else "")
    if part is None:
        return cells, ""
    both = cells.str.fullmatch(_PRESSURES)
    if not both.any():
        return cells, ""
    taken = cells.where(~both, cells.str.replace(_PRESSURES, rf"\{part}", regex=True))
    which = "first (systolic)" if part == 1 else "second (diastolic)"
    return taken, f"of two pressures in a cell the {which} was taken"


def _likely_unit(numbers: NDArray[np.float64], field: NumberField) -> tuple[str, str]:
    """Return another unit where values are impossible in the field's own; a problem where two could be."""
    known = numbers[np.isfinite(numbers)]
    own = unit_of(field)
    if not len(known) or not own or _share(known, field) > _FEW:
        return "", ""
    fitting = []
    for unit in alternatives(own, analyte_of(field)):
        way = conversion(unit, own, analyte_of(field))
        if way is not None and _share(way(known), field) >= _MOST:
            fitting.append(unit)
    if len(fitting) > 1:
        return "", f"column {field.name}: its unit could be {' or '.join(fitting)}; choose it"
    return (fitting[0], "") if fitting else ("", "")


def _share(values: NDArray[np.float64], field: NumberField) -> float:
    return float(((values >= field.low) & (values <= field.high)).mean())


def _codes(cells: pd.Series, field: CategoryField, link: Link) -> tuple[pd.Series, str, str, str]:
    different = [str(cell) for cell in cells.unique()]
    if link.words:
        # What nobody said the meaning of may still say it itself: "fixed" beside 1 and 2.
        words = meanings(field, [cell for cell in different if _told(cell, link) is None])
        told = _as_told(cells, link).map(lambda cell: words.get(cell, cell))
        return told, _rule_of(field, link, different), "", ""
    if problem := ambiguous_sex(field, different):
        return cells, "", "", problem
    if source_of(field) is not None and _are_numbers(cells, field):
        return _classed(cells, field, link)
    words = meanings(field, different)
    if not words:
        return cells, "", "", ""
    used = sorted({f"{cell} = {field.choices[code]}" for cell, code in words.items()})
    rule = f"words taken as codes: {', '.join(used[:6])}" if used else ""
    return cells.map(lambda cell: words.get(cell, cell)), rule, "", ""


def _told(cell: str, link: Link) -> str | None:
    """Return what a cell was said to mean; None where nobody said it."""
    words = link.words or {}
    return words.get(cell, words.get(plain_code(cell)))


def _as_told(cells: pd.Series, link: Link) -> pd.Series:
    """Return the cells with what they were said to mean in their places."""
    if not link.words:
        return cells
    told = {cell: meant for cell in cells.unique() if (meant := _told(str(cell), link)) is not None}
    return cells.map(lambda cell: told.get(cell, cell))


def _rule_of(field: CategoryField, link: Link, cells: Sequence[str]) -> str:
    """Say what cells were said to mean."""
    pairs = [(cell, _told(cell, link)) for cell in sorted(cells)]
    said = [
        f"{cell} = {field.choices.get(code, 'not known')}"
        for cell, code in pairs
        if cell and code is not None
    ]
    return f"codes as chosen: {', '.join(said[:8])}" if said else ""


def _are_numbers(cells: pd.Series, field: CategoryField) -> bool:
    """Say whether a column holds the numbers themselves, and not the codes of their classes."""
    known = cells[~is_gap(cells)].unique()
    codes = {code.lower() for code in field.choices}
    foreign = [cell for cell in known if re.sub(r"\.0+$", "", str(cell).lower()) not in codes]
    numbers = pd.to_numeric(
        pd.Series(foreign, dtype=object).str.extract(r"^([+-]?[\d.]+)")[0], errors="coerce"
    )
    return bool(len(foreign)) and bool(numbers.notna().mean() > _MOST)


def _classed(cells: pd.Series, field: CategoryField, link: Link) -> tuple[pd.Series, str, str, str]:
    """Return the class of each number."""
    cells, told = without_units(cells, field)
    unit = link.unit or told
    numbers = numbers_of(cells)
    way = conversion(unit, unit_of(field), analyte_of(field)) if unit else None
    if not unit and analyte_of(field) == "glucose":
        return cells, "", "", f"column {field.name}: say whether its unit is mg/dL or mmol/L"
    values = way(numbers) if way else numbers
    codes = pd.Series(
        [_class(value, field) for value in values], index=cells.index, name=cells.name, dtype=object
    )
    rule = f"{way.rule}; " if way and way.is_needed else ""
    limits = (
        f"above {_FASTING_LIMIT:g} mg/dL is yes" if set(field.choices) == {"0", "1"} else "put into classes"
    )
    return codes, rule + limits, unit, ""


def _class(value: float, field: CategoryField) -> str:
    """Return the code whose interval holds a value: "[50-60)", ">200", "Norm"; empty for a gap."""
    if not np.isfinite(value):
        return ""
    if set(field.choices) == {"0", "1"}:
        return "1" if value > _FASTING_LIMIT else "0"
    for code in field.choices:
        if (band := _BAND.fullmatch(code)) and int(band[1]) <= value < int(band[2]):
            return code
    above = [(int(found[1]), code) for code in field.choices if (found := _ABOVE.fullmatch(code))]
    over = max((limit, code) for limit, code in [(-1, "Norm"), *above] if value > limit)[1] if above else ""
    return over if over in field.choices else ""
