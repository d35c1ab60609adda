"""Which slices of a series make one volume: those of one acquisition, phase or echo, never of two."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol, TypeVar

import numpy as np

__all__ = ["MARKS", "SAME_MM", "acquisitions"]

#: What tells volumes of the same places apart, the surest first (PS3.3 C.7.6.16.2.2.1, C.8.3.1, C.7.6.18.1
#: and C.7.6.1).
MARKS = (
    "TemporalPositionIdentifier",
    "EchoTime",
    "TriggerTime",
    "AcquisitionNumber",
    "AcquisitionTime",
)
#: Slices less far apart lie in one place.
SAME_MM = 0.01
_ACQUISITION = MARKS.index("AcquisitionNumber")
# Acquisitions that share so many places are phases of one volume.
_SHARED = 0.5


class Marked(Protocol):
    """A slice with its position across the plane, and the values of `MARKS` that its file states."""

    @property
    def along(self) -> float:
        """In mm."""

    @property
    def marks(self) -> tuple[float | None, ...]:
        """One for each of `MARKS`."""


Some = TypeVar("Some", bound=Marked)


def acquisitions(slices: Sequence[Some]) -> list[list[Some]]:
    """Return the slices of each acquisition where two of them cross; else all as one.

    Acquisitions that follow each other, and single slices with a number each, are one volume; those that
    cover the same places are its phases.

    Parameters
    ----------
    slices : sequence of Marked
        Of one plane, sorted by `along`.
    """
    numbered: dict[float | None, list[Some]] = defaultdict(list)
    for one in slices:
        numbered[one.marks[_ACQUISITION]].append(one)
    several = sorted((same for same in numbered.values() if len(same) > 1), key=lambda same: same[0].along)
    crossing = any(_cross(first, second) for first, second in pairwise(several))
    return list(numbered.values()) if crossing else [list(slices)]


def _cross(first: Sequence[Marked], second: Sequence[Marked]) -> bool:
    """Say whether two acquisitions cover one part of the body in different places."""
    if min(first[-1].along, second[-1].along) - second[0].along <= SAME_MM:
        return False
    few, many = sorted(([one.along for one in same] for same in (first, second)), key=len)
    above, below = (np.searchsorted(many, np.add(few, side)) for side in (SAME_MM, -SAME_MM))
    return bool((above > below).mean() < _SHARED)
