"""What is not sure of a column, each in a sentence: nothing is taken before somebody says what is meant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from healthdash.fields import CategoryField, Field, NumberField

from .coding import plain_code
from .concepts import concept_of, without_unit
from .layout import canonical
from .mapping import Link, analyte_of, unit_of
from .units import alternatives, unit_named

__all__ = ["ambiguous_sex", "looks_diastolic", "looks_like_calcium", "two_meanings", "unit_of_model_unknown"]

#: Names that do not say which of the two pressures a column holds, and the median below which it is hardly
#: the systolic one (Pima: 72 mmHg, diastolic; Cleveland: 130 mmHg, systolic).
_EITHER_PRESSURE = frozenset(map(canonical, ("bp", "blood pressure", "血压")))
_LEAST_SYSTOLIC = 100.0

#: Abbreviations that tables use for two things, and what those are.
_TWO_MEANINGS = {
    "wc": "white blood cells or a waist circumference",
    "rc": "red blood cells or a remnant cholesterol",
    "rbc": "red blood cells in blood or in urine",
    "sc": "creatinine in serum or something else",
    "rr": "a respiratory rate, an RR interval or a blood pressure",
}


def two_meanings(field: Field, link: Link) -> str:
    """Say that an abbreviation alone does not tell what a column holds.

    Those of the kidney disease data of UCI (doi:10.24432/C5G020) are among them: there `rbc` is red cells in
    urine, seen or not, and `rc` their count in blood.
    """
    known = _TWO_MEANINGS.get(canonical(without_unit(link.column)[0]))
    if known is None or link.how != "synonym":
        return ""
    return f"column {field.name}: {link.column} may be {known}; choose the column"


def unit_of_model_unknown(unit: str, field: Field, link: Link) -> str:
    """Say that a file tells a unit, and a model that learnt bare numbers does not."""
    states_own = isinstance(field, NumberField) and (unit_named(field.unit) or without_unit(field.name)[1])
    if not unit or states_own or link.how == "chosen" or not alternatives(unit_of(field), analyte_of(field)):
        return ""
    return (
        f"column {field.name}: the file tells it in {unit}, the model learnt it without a unit; "
        "choose the column, and its unit only where the values must be converted"
    )


def looks_diastolic(values: NDArray[np.float64], field: Field, link: Link) -> str:
    """Say that a column called "blood pressure" is too low for the systolic one that is asked for."""
    concept, known = concept_of(field), values[np.isfinite(values)]
    is_either = canonical(without_unit(link.column)[0]) in _EITHER_PRESSURE and link.how == "synonym"
    if not (is_either and concept and concept.name == "systolic_bp" and len(known)):
        return ""
    if float(np.median(known)) >= _LEAST_SYSTOLIC:
        return ""
    return f"column {field.name}: its values look diastolic; choose the column"


def looks_like_calcium(values: NDArray[np.float64], field: Field, link: Link) -> str:
    """Say that a column called "ca" holds fractions: a laboratory's calcium, and no number of vessels."""
    concept, known = concept_of(field), values[np.isfinite(values)]
    # A field of an own table has no bounds: its model learnt whatever the column held.
    is_bounded = isinstance(field, NumberField) and bool(np.isfinite(field.high))
    is_count = concept is not None and concept.name == "major_vessels" and is_bounded and link.how != "chosen"
    if not is_count or not (known % 1).any():
        return ""
    return f"column {field.name}: its values are fractions, as those of calcium are; choose the column"


def ambiguous_sex(field: CategoryField, cells: Sequence[str]) -> str:
    """Say that sex as 1 and 2 is not understood by itself, unless a model learnt these codes."""
    concept = concept_of(field)
    known = set(map(plain_code, cells)) - {"", "?"}
    if known <= set(map(plain_code, field.choices)):
        return ""
    if concept is None or concept.name != "sex" or "2" not in known or not known <= {"1", "2"}:
        return ""
    return f"column {field.name}: it holds 1 and 2; say which is female and which is male"
