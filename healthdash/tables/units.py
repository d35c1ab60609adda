"""Units of findings: what a unit is called, and how a value is told in another one.

Units are those of UCUM (https://ucum.org), with the spellings that people use: `units.csv`. Factors are exact
by definition (international pound and inch of 1959, 101.325 kPa = 760 mmHg, the year of UCUM of 365.25 days).
Between mass and amount of substance the molar mass of the analyte counts. HbA1c in mmol/mol (IFCC) becomes a
percentage (NGSP) by the master equation 0.09148 x + 2.152: Hoelzel et al. 2004, Clin Chem 50:166.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import ContractError

__all__ = ["Conversion", "alternatives", "conversion", "unit_key", "unit_named", "unit_shown"]


@dataclass(frozen=True, slots=True)
class _Unit:
    """A unit: value * factor + offset is the value in the base unit of its dimension."""

    name: str
    shown: str
    dimension: str
    factor: float
    offset: float


#: Molar masses in g/mol, from the formulas with the standard atomic weights of IUPAC 2021 (abridged). The AMA
#: Manual of Style, table of SI conversions, gives the same factors (cholesterol 0.0259, glucose 0.0555,
#: triglycerides 0.0113, creatinine 88.4, urea nitrogen 0.357, bilirubin 17.1, uric acid 59.48, calcium 0.25).
_MOLAR_MASSES = {
    "cholesterol": 386.66,  # C27H46O
    "triglycerides": 885.45,  # triolein, C57H104O6
    "glucose": 180.16,  # C6H12O6
    "creatinine": 113.12,  # C4H7N3O
    "urea nitrogen": 28.014,  # two N a molecule of urea
    "bilirubin": 584.67,  # C33H36N4O6
    "uric acid": 168.11,  # C5H4N4O3
    "calcium": 40.078,
    "sodium": 22.990,
    "potassium": 39.098,
    "chloride": 35.45,
    "bicarbonate": 61.016,  # HCO3
    "lactate": 90.078,  # as lactic acid, C3H6O3
    "magnesium": 24.305,
    "phosphate": 30.974,  # laboratories report its phosphorus
    "hemoglobin": 16114.5,  # one of the four chains with its haem, as laboratories report mmol/L
}
#: Elementary charges an ion: 1 mEq/L of calcium is 0.5 mmol/L.
_CHARGES = {
    "sodium": 1, "potassium": 1, "calcium": 2, "magnesium": 2, "chloride": 1, "bicarbonate": 1, "lactate": 1,
    "anion gap": 1,
}  # fmt: skip
_PREFIXES = {"": 1.0, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "d": 0.1, "k": 1e3}
#: What may be dissolved, and the dimension of it in a volume; units of `units.csv` go before.
_DISSOLVED = {
    "g": ("g", "mass concentration"), "mol": ("mol", "amount concentration"),
    "eq": ("eq", "charge concentration"), "u": ("U", "activity"), "iu": ("U", "activity"),
    "[iu]": ("U", "activity"),
}  # fmt: skip
_IN_A_VOLUME = re.compile(r"([fpnumk]?)(g|mol|eq|u|iu|\[iu\])/([fpnumd]?)l(feu|ddu)?")
#: What else each unit is often mistaken for; looked at where values cannot be in the unit told.
_ALTERNATIVES = {
    "mass concentration": ("mg/dL", "mmol/L", "umol/L", "g/L", "g/dL"),
    "amount concentration": ("mmol/L", "mg/dL", "umol/L", "g/L"),
    "length": ("cm", "m", "[in_i]"),
    "temperature": ("Cel", "[degF]"),
    "pressure": ("mm[Hg]", "kPa"),
}


def _number(text: str) -> float:
    """Return a number, or a quotient such as "5/9"."""
    above, _, below = text.partition("/")
    return float(above) / float(below or 1)


def _plain(text: str) -> str:
    """Return a unit without its many ways to write 10*3, micro and shortened words: "×10³/mcL", "sec."."""
    plain = re.sub(r"\s+", " ", text.strip().lower())
    plain = re.sub(r"[²³¹⁰⁴-⁹]+", lambda power: f"^{unicodedata.normalize('NFKC', power[0])}", plain)
    plain = re.sub(r"^(?:[x×] ?)?10 ?(?:\*\*|[*^e(]) ?(\d+)\)?", r"10*\1", plain)
    plain = re.sub(r"[µμ]|\bmc(?=g|l|mol|i?u)", "u", plain)
    return re.sub(r"\.(?= |$)", "", plain)


@cache
def _units() -> Mapping[str, _Unit]:
    """Return each unit by each of its spellings, from `units.csv`."""
    found: dict[str, _Unit] = {}
    with (Path(__file__).parent / "units.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            factor, offset = _number(row["factor"]), _number(row["offset"])
            unit = _Unit(row["unit"], row["shown"], row["dimension"], factor, offset)
            for one in (unit.name, unit.shown, *row["spellings"].split("|")):
                if one and found.setdefault(_plain(one), unit) is not unit:
                    raise ContractError(f"units.csv has two units that are spelled {one}")
    return found


def _known(text: str) -> _Unit | None:
    plain = _plain(text)
    bare = plain.replace(" ", "")
    return _units().get(plain) or _units().get(bare) or _in_a_volume(bare)


def _in_a_volume(plain: str) -> _Unit | None:
    """Return a unit of what is dissolved by its prefixes: "ng/ml", "uiu/ml"; None for another one."""
    parts = _IN_A_VOLUME.fullmatch(plain)
    if parts is None:
        return None
    prefix, what, volume, kind = parts.groups()
    shown, dimension = _DISSOLVED[what]
    # D-dimer is told in its own mass or in that of fibrinogen, which is about twice as much.
    behind = f" {kind.upper()}" if kind else ""
    name = f"{prefix}{shown}/{volume}L{behind}"
    return _Unit(name, name, dimension + behind, _PREFIXES[prefix] / _PREFIXES[volume], 0.0)


@dataclass(frozen=True, slots=True)
class Conversion:
    """How values in one unit become values in another.

    Attributes
    ----------
    source, target : str
        Units as people read them.
    factor, offset : float
        value * factor + offset.
    analyte : str
        Whose molar mass was taken; empty where none was.
    """

    source: str
    target: str
    factor: float
    offset: float = 0.0
    analyte: str = ""

    @property
    def is_needed(self) -> bool:
        """Whether the values change at all."""
        return abs(self.factor - 1) > 1e-12 or abs(self.offset) > 1e-12

    @property
    def rule(self) -> str:
        """Say the rule: "mmol/L x 38.67 = mg/dL (molar mass of cholesterol 386.66 g/mol)"."""
        offset = f" {'+' if self.offset > 0 else '-'} {abs(self.offset):.4g}" if self.offset else ""
        mass = (
            f" (molar mass of {self.analyte} {_MOLAR_MASSES[self.analyte]:g} g/mol)" if self.analyte else ""
        )
        return f"{self.source} x {self.factor:.4g}{offset} = {self.target}{mass}"

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values (n,) in the target's unit."""
        return values * self.factor + self.offset


def unit_named(text: str) -> str:
    """Return the UCUM name of a unit as people write it; empty where it is none that is known."""
    unit = _known(text)
    return unit.name if unit else ""


def unit_key(text: str) -> str:
    """Return the UCUM name of a unit; of one that is not known what all its spellings have in common."""
    return unit_named(text) or _plain(text).replace(" ", "")


def unit_shown(text: str) -> str:
    """Return a unit as people read it; one that is not known as it is."""
    unit = _known(text)
    return unit.shown if unit else text


@lru_cache(maxsize=1024)
def conversion(source: str, target: str, analyte: str = "") -> Conversion | None:
    """Return how values go from one unit to another; None: there is no way, or a unit is not known.

    Parameters
    ----------
    source, target : str
        In any spelling.
    analyte : str
        What is measured, where one unit is of mass and the other of amount of substance.
    """
    left, right = _known(source), _known(target)
    if left is None or right is None:
        return None
    if {left.name, right.name} == {"1", "{INR}"}:
        # An INR is a ratio, and laboratories tell it as one; percent is another measure, of the activity.
        return Conversion(left.shown, right.shown, 1.0)
    if left.dimension != right.dimension:
        left, right = _of_ions(left, analyte), _of_ions(right, analyte)
    if "count" in (left.dimension, right.dimension):
        left, right = _of_cells(left), _of_cells(right)
    if left.dimension == right.dimension:
        factor = left.factor / right.factor
        offset = (left.offset - right.offset) / right.factor
        return Conversion(left.shown, right.shown, factor, offset)
    mass = _MOLAR_MASSES.get(analyte)
    if mass is None or {left.dimension, right.dimension} != {"mass concentration", "amount concentration"}:
        return None
    per_litre = mass if left.dimension == "amount concentration" else 1 / mass
    return Conversion(left.shown, right.shown, left.factor * per_litre / right.factor, 0.0, analyte)


def _of_ions(unit: _Unit, analyte: str) -> _Unit:
    """Return a unit of charge as one of amount of substance, where the charge of an ion is known."""
    if unit.dimension != "charge concentration" or analyte not in _CHARGES:
        return unit
    return replace(unit, dimension="amount concentration", factor=unit.factor / _CHARGES[analyte])


def _of_cells(unit: _Unit) -> _Unit:
    """Return g/L as 10*9/L, where cells are counted: there it is giga, and no gram."""
    return replace(unit, dimension="count", factor=1.0) if unit.name == "g/L" else unit


def alternatives(unit: str, analyte: str = "") -> tuple[str, ...]:
    """Return the other units in which the same is usually told."""
    known = _known(unit)
    if known is None:
        return ()
    others = _ALTERNATIVES.get(known.dimension, ())
    return tuple(one for one in others if one != known.name and conversion(one, unit, analyte))
