"""Found waves against annotated ones, as the papers on LUDB do it: points that lie within 150 ms agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .limits import LABELS, Limits

__all__ = ["POINTS", "TOLERANCE_S", "Counted", "count"]

#: ANSI/AAMI EC57, the window in which two marks are of one wave; used for waves' limits by Kalyakulina et al.
#: 2020 and Moskalenko et al. 2019.
TOLERANCE_S = 0.15
POINTS = ("onset", "offset")


@dataclass(frozen=True, slots=True)
class Counted:
    """One limit of one kind of wave in one lead: what was found.

    Attributes
    ----------
    hits, missed, invented : int
    errors_s : float64 (hits,), second
        Found less annotated: above 0 is too late.
    """

    patient: str
    lead: str
    kind: str
    point: str
    hits: int
    missed: int
    invented: int
    errors_s: NDArray[np.float64]


def count(patient: str, lead: str, truth: Limits, found: Limits) -> list[Counted]:
    """Count the onsets and ends of each kind of wave.

    Found waves whose middle lies outside the annotated stretch say nothing: nobody looked there.
    """
    start, stop = truth.span_s
    middle = (found.onset_s + found.offset_s) / 2
    inside = (middle >= start) & (middle <= stop)
    return [
        _counted(patient, lead, number, point, truth, found, inside)
        for number in (1, 2, 3)
        for point in POINTS
    ]


def _counted(
    patient: str,
    lead: str,
    number: int,
    point: str,
    truth: Limits,
    found: Limits,
    inside: NDArray[np.bool_],
) -> Counted:
    name = f"{point}_s"
    marked = getattr(truth, name)[truth.kind == number]
    wanted = marked[np.isfinite(marked)]
    # Where a limit was left out, whatever is found there is neither right nor invented.
    peaks = truth.peak_s[truth.kind == number][~np.isfinite(marked)]
    asked = np.array(
        [
            not np.any((start - TOLERANCE_S <= peaks) & (peaks <= stop + TOLERANCE_S))
            for start, stop in _ends(found)
        ],
        bool,
    )
    given = getattr(found, name)[(found.kind == number) & inside & asked]
    errors = paired(wanted, given)
    hits = len(errors)
    kind = LABELS[number]
    return Counted(patient, lead, kind, point, hits, len(wanted) - hits, len(given) - hits, errors)


def _ends(found: Limits) -> list[tuple[float, float]]:
    return list(zip(found.onset_s.tolist(), found.offset_s.tolist(), strict=True))


def paired(wanted: NDArray[np.float64], given: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return given less wanted of the pairs within the tolerance, the nearest first; each is in one pair."""
    if len(wanted) == 0 or len(given) == 0:
        return np.zeros(0)
    distance = given[None, :] - wanted[:, None]
    rows, columns = np.nonzero(np.abs(distance) <= TOLERANCE_S)
    order = np.argsort(np.abs(distance[rows, columns]), kind="stable")
    used_rows: set[int] = set()
    used_columns: set[int] = set()
    errors = []
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in used_rows and column not in used_columns:
            used_rows.add(row)
            used_columns.add(column)
            errors.append(distance[row, column])
    return np.asarray(errors, np.float64)
