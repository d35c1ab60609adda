"""Units of events: each parameter is told in one unit, that of the table to learn from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .concepts import Concept, concept_named
from .kinds import GAPS
from .layout import canonical
from .units import Conversion, conversion, unit_key, unit_named, unit_shown

__all__ = ["InUnits", "commonest_units", "in_units", "unit_column", "usual_ranges"]

#: Plain names of columns, the likeliest first: units by their names, before those by numbers.
_NAMES = (
    "valueuom", "uom", "unit", "units", "valueunit", "valueunits", "unitofmeasure", "unitofmeasurement",
    "unitsofmeasure", "unitsofmeasurement", "resultunit", "resultunits", "labunit", "labunits",
    "measurementunit", "measurementunits", "unitsourcevalue", "unitconceptname", "labmeasurenamesystem",
    "labmeasurenameinterface", "unitconceptid",
)  # fmt: skip
#: May be units of a hospital as well.
_EITHER = frozenset(("unit", "units"))
#: Units that a single letter or digit may stand for.
_LETTERS = frozenset(("1", "Cel", "K", "[degF]", "a", "d", "g", "h", "m", "s"))
#: Cells without a unit; 0 is OMOP's "no matching concept".
_NO_UNIT = GAPS | {"none", "0", "no unit", "no units"}
#: Words in names of parameters, and the analyte in `units.py`. Its mass is the same in blood and in urine.
_ANALYTES = {
    "anion": "anion gap", "bicarbonate": "bicarbonate", "bilirubin": "bilirubin", "bun": "urea nitrogen",
    "ca": "calcium", "calcium": "calcium", "chloride": "chloride", "cholesterol": "cholesterol",
    "cl": "chloride", "co2": "bicarbonate", "creatinine": "creatinine", "glucose": "glucose",
    "hco3": "bicarbonate", "hemoglobin": "hemoglobin", "lactate": "lactate", "lactic": "lactate",
    "magnesium": "magnesium", "mg": "magnesium", "phosphate": "phosphate", "phosphorus": "phosphate",
    "potassium": "potassium", "sodium": "sodium", "triglycerides": "triglycerides",
}  # fmt: skip
#: Share of the events.
_MOST = 0.5
#: Different texts in a column of units, and letters of a name.
_MOST_UNITS, _LONGEST = 1000, 100
#: Quantiles of a parameter's values between which they are usual: errors lie outside.
_USUAL = (0.01, 0.99)
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class InUnits:
    """Values of events in the units that are wanted.

    Attributes
    ----------
    numbers : float64 (n,)
        NaN where there is no way to the unit.
    changed : bool (n,)
        Which are others than they were.
    converted : dict of str to int
        Parameter and rule to the number of such values: "glucose, mmol/L x 18.02 = mg/dL".
    lost : dict of str to int
        Parameter and unit that is wanted, to the number of values that have no way to it.
    kept, unlike : dict of str to int
        The same, where one of the two units is not known: for values that stay as they are, as they are
        like those in the unit that is wanted or nobody knows what these are like, and for others, which
        are NaN.
    """

    numbers: NDArray[np.float64]
    changed: NDArray[np.bool_]
    converted: Mapping[str, int]
    lost: Mapping[str, int]
    kept: Mapping[str, int] = field(default_factory=dict)
    unlike: Mapping[str, int] = field(default_factory=dict)

    def text(self, cells: pd.Series) -> pd.Series:
        """Return the cells (n,) with what changed in its place, "" for what was lost."""
        told = cells.to_numpy(object, copy=True)
        changed = self.numbers[self.changed].tolist()
        told[self.changed] = ["" if number != number else f"{number:.8g}" for number in changed]
        return pd.Series(told, index=cells.index, name=cells.name, dtype=object)

    def notices(self) -> Iterator[str]:
        """Yield a sentence on what was converted, one on what was kept, and two on what was lost."""
        if self.converted:
            yield f"Values in other units were converted: {_listed(self.converted)}."
        if count := sum(self.kept.values()):
            yield (
                f"{count:,} values are in a unit that is not known, and were taken as they are: "
                f"{_listed(self.kept)}."
            )
        if count := sum(self.unlike.values()):
            yield (
                f"{count:,} values are in a unit that is not known, are unlike those that were learnt from, "
                f"and count as not measured: {_listed(self.unlike)}."
            )
        if count := sum(self.lost.values()):
            yield (
                f"{count:,} values are in a unit that cannot be converted, and count as not measured: "
                f"{_listed(self.lost)}."
            )


def unit_column(frame: pd.DataFrame, parameter: str, but_for: tuple[str, ...] = ()) -> str:
    """Return the column that tells the units of events; empty without one.

    Parameters
    ----------
    parameter : str
        Column that says what was measured. By it a unit of measurement is told from one of a hospital.
    but_for : tuple of str
        Columns that are something else.
    """
    names = {canonical(str(name)): str(name) for name in reversed(frame.columns) if name not in but_for}
    shares: dict[str, float] = {}
    for name in (names[one] for one in _NAMES if one in names):
        if frame[name].nunique() > _MOST_UNITS:
            continue
        codes, known = _units_of(frame[name])
        if known and (canonical(name) not in _EITHER or _are_units(frame[parameter], codes, known)):
            shares[name] = float((codes >= 0).mean())
    # OMOP has the same twice, and often only the number of the concept is filled in.
    return max(shares, key=lambda name: shares[name] >= _MOST, default="")


def commonest_units(parameters: pd.Series, told: pd.Series) -> dict[str, str]:
    """Return the commonest unit of each parameter that has one; of equally common ones the first.

    Parameters
    ----------
    parameters, told : Series of str, n events
        What was measured, and in which unit.
    """
    codes, names = pd.factorize(parameters)
    units, known = _units_of(told)
    usual = _commonest(np.asarray(codes, np.int64), len(names), units, len(known))
    return {str(name): known[unit] for name, unit in zip(names, usual, strict=True) if unit >= 0}


def usual_ranges(
    numbers: NDArray[np.float64], parameters: pd.Series, told: pd.Series, units: Mapping[str, str]
) -> dict[str, tuple[float, float]]:
    """Return between which values 98 % of each parameter lie, of those that are told in its unit.

    Parameters
    ----------
    numbers : float64 (n,)
    parameters, told : Series of str, n events
        What was measured, and in which unit.
    units : dict of str to str
        Unit of parameters.
    """
    codes, known = _units_of(told)
    own = parameters.map({name: _plain(unit) for name, unit in units.items()}).to_numpy(object)
    used = (codes >= 0) & (np.array([*known, None], object)[codes] == own) & np.isfinite(numbers)
    found = (
        pd.Series(numbers[used])
        .groupby(parameters[used].to_numpy(object))
        .quantile(np.array(_USUAL))
        .unstack()
    )
    return {str(name): (float(low), float(high)) for name, low, high in found.itertuples()}


def in_units(
    numbers: NDArray[np.float64],
    parameters: pd.Series,
    told: pd.Series,
    wanted: Mapping[str, str],
    usual: Mapping[str, tuple[float, float]] | None = None,
) -> InUnits:
    """Return values in the units that are wanted.

    A value without a unit is in the commonest one of its parameter in this table. Values in a unit that is
    not known stay where their median is usual in the unit that is wanted, as that may be its other name, or
    where it is not known what is usual.

    Parameters
    ----------
    numbers : float64 (n,)
    parameters, told : Series of str, n events
        What was measured, and in which unit.
    wanted : dict of str to str
        Unit of parameters; values of others stay.
    usual : dict of str to (float, float)
        Of parameters, as `usual_ranges` gives them; without one every value may be usual.
    """
    names = list(wanted)
    codes = np.asarray(pd.Index(names, dtype=object).get_indexer(pd.Index(parameters)), np.int64)
    units, known = _units_of(told)
    commonest = _commonest(codes, len(names), units, len(known))
    units = np.where(units < 0, np.append(commonest, -1)[codes], units)
    asked = (codes >= 0) & (units >= 0) & np.isfinite(numbers)
    # Each pair of parameter and unit is looked up once.
    pairs, which = np.unique(codes[asked] * len(known) + units[asked], return_inverse=True)
    found = [(names[pair // len(known)], known[pair % len(known)]) for pair in pairs.tolist()]
    medians = pd.Series(numbers[asked]).groupby(which).median().tolist()
    likely = [_may_lie_in((usual or {}).get(name), x) for (name, _), x in zip(found, medians, strict=True)]
    ways = [_way(*pair, wanted[pair[0]], is_likely=one) for pair, one in zip(found, likely, strict=True)]
    factors = np.array([way.factor if way else np.nan for way in ways], np.float64)
    offsets = np.array([way.offset if way else np.nan for way in ways], np.float64)
    out = numbers.copy()
    out[asked] = out[asked] * factors[which] + offsets[which]
    counts = np.bincount(which, minlength=len(ways)).tolist()
    return InUnits(out, asked & (out != numbers), **_counted(found, ways, counts, wanted))


def _counted(
    found: Sequence[tuple[str, str]],
    ways: Sequence[Conversion | None],
    counts: Sequence[int],
    wanted: Mapping[str, str],
) -> dict[str, dict[str, int]]:
    """Return how many values of each parameter and unit were converted, lost, kept and unlike others."""
    out: dict[str, dict[str, int]] = {"converted": {}, "lost": {}, "kept": {}, "unlike": {}}
    for (name, unit), way, count in zip(found, ways, counts, strict=True):
        words = f"{name} (taken in {unit_shown(wanted[name])})"
        if not _is_sure(unit, wanted[name]):
            out["kept" if way else "unlike"][f"{words[:-1]}, told in {unit})"] = count
        elif way is None:
            out["lost"][words] = out["lost"].get(words, 0) + count
        elif way.is_needed:
            out["converted"][f"{name}, {way.rule}"] = count
    return out


def _units_of(text: pd.Series) -> tuple[NDArray[np.int64], list[str]]:
    """Return the number of each cell's unit (n,), -1 without one, and the units; spellings of one are one."""
    codes, different = pd.factorize(text)
    units, known = pd.factorize(pd.Series([*map(_plain, map(str, different)), None], dtype=object))
    return np.asarray(units[codes], np.int64), [str(unit) for unit in known]


def _plain(cell: str) -> str | None:
    """Return what all spellings of a unit have in common; None without one."""
    plain = re.sub(r"\s+", " ", cell.strip().lower())
    return None if plain in _NO_UNIT else unit_key(cell)


def _commonest(
    codes: NDArray[np.int64], size: int, units: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """Return the number of the commonest unit of each parameter (size,), -1 where none has one."""
    told = (codes >= 0) & (units >= 0)
    pairs, first, times = np.unique(codes[told] * count + units[told], return_index=True, return_counts=True)
    out = np.full(size, -1, np.int64)
    if count:
        # Backwards, so that the commonest is written last.
        order = np.lexsort((first, -times))[::-1]
        out[pairs[order] // count] = pairs[order] % count
    return out


def _way(parameter: str, unit: str, wanted: str, *, is_likely: bool) -> Conversion | None:
    if unit == _plain(wanted) or (is_likely and not _is_sure(unit, wanted)):
        return Conversion(unit, wanted, 1.0)
    return conversion(unit, wanted, _analyte(parameter))


def _may_lie_in(span: tuple[float, float] | None, value: float) -> bool:
    return span is None or span[0] <= value <= span[1]


def _is_sure(unit: str, wanted: str) -> bool:
    """Say whether two units are the same or another one; one that is not known may be either.

    Numbers of concepts have one spelling: another number is another unit.
    """
    return unit == _plain(wanted) or all(unit_named(one) or one.isdecimal() for one in (unit, wanted))


@lru_cache(maxsize=1024)
def _analyte(parameter: str) -> str:
    """Return whose molar mass or charge counts; empty where it is not known."""
    concept = _concept(parameter)
    if concept and concept.analyte:
        return concept.analyte
    words = re.findall(r"[^\W_]+", parameter.lower())
    return next((_ANALYTES[word] for word in words if word in _ANALYTES), "")


def _concept(parameter: str) -> Concept | None:
    # A cell may be of any length, and names are taken apart in more than linear time.
    return concept_named(parameter) if len(parameter) <= _LONGEST else None


def _are_units(parameters: pd.Series, units: NDArray[np.int64], known: list[str]) -> bool:
    """Say whether most events have a unit of measurement, and not the ward where it was taken."""
    codes, names = pd.factorize(parameters)
    told = units >= 0
    pairs, times = np.unique(codes[told] * len(known) + units[told], return_counts=True)
    fits = [_fits(str(names[pair // len(known)]), known[pair % len(known)]) for pair in pairs.tolist()]
    return float(times[np.array(fits, bool)].sum()) >= _MOST * float(times.sum())


def _fits(parameter: str, unit: str) -> bool:
    """Say whether a cell is a known unit; ward C is none, but a temperature may be in C."""
    concept = _concept(parameter)
    if concept is None or not concept.unit:
        return bool(unit_named(unit)) and unit not in _LETTERS
    return conversion(unit, concept.unit, concept.analyte) is not None


def _listed(counts: Mapping[str, int]) -> str:
    shown = [f"{count:,} of {words}" for words, count in list(counts.items())[:_SHOWN]]
    return "; ".join(shown) + (f"; and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else "")
