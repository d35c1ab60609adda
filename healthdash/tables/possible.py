"""Values that a living patient can have, for measurements that are known by their names.

Upper ends, and most lower ones, are the bounds beyond which Harutyunyan et al. 2019 (Scientific Data 6:96;
variable_ranges.csv, OUTLIER LOW and HIGH) take a value for an error. Where that table begins at 0,
which stands for "not measured", the lower end is that of A. Johnson's preparation of the PhysioNet
challenge of 2012 (github.com/alistairewj/challenge2012, prepare-data.ipynb: below 1 is no measurement),
and so are the upper ends of age and weight.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .layout import canonical

__all__ = ["possible"]

_BOUNDS: dict[tuple[str, ...], tuple[float, float]] = {
    ("age", "ageyears"): (0, 130),
    ("height", "heightcm"): (25, 275),
    ("weight", "weightkg"): (0.2, 299),
    ("hr", "heartrate", "pulse"): (1, 390),
    ("sysabp", "nisysabp", "sbp", "systolic", "systolicbp", "systolicbloodpressure", "sysbp"): (1, 375),
    ("diasabp", "nidiasabp", "dbp", "diastolic", "diastolicbp", "diastolicbloodpressure", "diasbp"): (1, 375),
    ("map", "nimap", "mbp", "meanbp", "meanbloodpressure", "meanarterialpressure"): (1, 375),
    ("resprate", "respiratoryrate", "rr", "respiration"): (1, 330),
    ("temp", "temperature", "bodytemperature"): (14.2, 47),
    ("sao2", "spo2", "o2sat", "oxygensaturation"): (1, 100),
    ("fio2", "fractioninspiredoxygen"): (0.2, 1.1),
    ("gcs", "gcstotal", "glasgowcomascale", "glascowcomascaletotal"): (3, 15),
    ("ph", "arterialph"): (6.3, 10),
    ("paco2", "pco2"): (1, 220),
    ("pao2", "po2"): (1, 770),
    ("na", "sodium"): (1, 250),
    ("k", "potassium"): (0.1, 15),
    ("mg", "magnesium"): (0.01, 22),
    ("hco3", "bicarbonate"): (1, 66),
    ("hct", "hematocrit", "haematocrit"): (1, 100),
    ("wbc", "whitebloodcellcount", "whitebloodcells"): (0, 1100),
    ("platelets", "plateletcount"): (0, 2200),
    ("bun", "bloodureanitrogen"): (0, 275),
    ("creatinine",): (0, 66),
    ("glucose",): (1, 2200),
    ("lactate",): (0, 33),
    ("albumin",): (0, 60),
    ("bilirubin", "bilirubintotal"): (0, 66),
    ("cholesterol",): (1, 660),
}
_BY_NAME = {name: bounds for names, bounds in _BOUNDS.items() for name in names}
#: Share of values that must not be negative, for the others to be taken as errors.
_NEARLY_ALL = 0.9


def possible(name: str, values: NDArray[np.float64]) -> tuple[float, float | None] | None:
    """Return the smallest and the largest possible value of a measurement, None where nothing is known.

    Of a measurement that is not known by its name values below 0 are errors where few are, or where all
    of these are one number, such as -1 for "not measured".

    Parameters
    ----------
    name : str
        Whatever its case and punctuation.
    values : float64 (n,)
        What was measured. Known bounds are only taken if the middle of those that are not negative lies
        within them: otherwise they are in another unit.

    Returns
    -------
    (low, high) or None
        `high` is None where there is no end.
    """
    values = values[np.isfinite(values)]
    below, rest = values[values < 0], values[values >= 0]
    bounds = _BY_NAME.get(canonical(name))
    if bounds and (not len(rest) or bounds[0] <= np.median(rest) <= bounds[1]):
        return bounds
    is_error = len(rest) >= _NEARLY_ALL * len(values) or len(np.unique(below)) == 1
    return (0.0, None) if len(below) and len(rest) and is_error else None
