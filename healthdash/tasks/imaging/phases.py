"""Which slices of a series make one volume: those of one acquisition, phase or echo, never of two."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol, TypeVar

import numpy as np

__all__ = ["MARKS", "SAME_MM", "acquisitions", "volumes_of", "without_copies"]

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
# A mark that is the same at more of the places tells volumes apart.
_MOST = 0.5


class Marked(Protocol):
    """A slice with its position across the plane, its name, and the values of `MARKS` in its file."""

    @property
    def along(self) -> float:
        """In mm."""

    @property
    def uid(self) -> str:
        """SOPInstanceUID, empty where the file states none."""

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
    start, end = second[0].along, min(first[-1].along, second[-1].along)
    if end - start <= SAME_MM:
        return False
    few = min(sum(start - SAME_MM <= one.along <= end + SAME_MM for one in same) for same in (first, second))
    return _places_in_both(first, second) < max(1, _SHARED * few)


def _places_in_both(first: Sequence[Marked], second: Sequence[Marked]) -> int:
    here, there = (np.array([one.along for one in same]) for same in (first, second))
    above, below = (np.searchsorted(there, here + side) for side in (SAME_MM, -SAME_MM))
    return int((above > below).sum())


def without_copies(found: Sequence[Some]) -> list[Some]:
    """Return the slices of one place, the first of each file that is there several times."""
    seen: set[str] = set()
    kept = []
    for one in found:
        if not one.uid or one.uid not in seen:
            kept.append(one)
        seen.add(one.uid)
    return kept


def volumes_of(at_place: Sequence[Sequence[Some]]) -> list[list[Some]]:
    """Return the volumes of a series, each with one slice of a place at most, in the order of their mark.

    One mark tells them apart, the first that differs at every place. Where some places lack a slice, those
    of one value are a volume; places of which nothing says which slice is lacking are left out.

    Parameters
    ----------
    at_place : sequence of sequence of Marked
        The slices of each place, in their order across the plane.
    """
    counts = [len(found) for found in at_place]
    usual = int(np.bincount(counts).argmax())
    marks = [which for which in range(len(MARKS)) if all(_differ(found, which) for found in at_place)]
    if min(counts) < max(counts):
        for which in marks:
            if volumes := _of_one_value(at_place, which):
                return volumes
    if usual == 1 or counts.count(usual) == 1:  # a few slices that nothing tells from those of their place
        return [_firsts(at_place)]
    whole = [_sorted(found, marks) for found in at_place if len(found) == usual]
    return [list(volume) for volume in zip(*whole, strict=True)]


def _differ(found: Sequence[Marked], which: int) -> bool:
    stated = {one.marks[which] for one in found}
    return None not in stated and len(stated) == len(found)


def _sorted(found: Sequence[Some], marks: Sequence[int]) -> list[Some]:
    return sorted(found, key=lambda one: one.marks[marks[0]] or 0.0) if marks else list(found)


def _of_one_value(at_place: Sequence[Sequence[Some]], which: int) -> list[list[Some]]:
    """Return the slices of each value of a mark; nothing where it does not tell volumes apart.

    Times may differ from slice to slice: then none covers most places. One doubled slice is no volume, and
    values that follow each other are parts of one.
    """
    same: dict[float, list[Some]] = defaultdict(list)
    for found in at_place:
        for one in found:
            same[one.marks[which] or 0.0].append(one)
    parts = [same[value] for value in sorted(same)]
    if len(parts) > 1 and _follow_each_other(parts):
        return [_firsts(at_place)]
    volumes = [part for part in parts if len(part) > 1]
    doubled = sum(len(found) > 1 for found in at_place)
    covered = max(map(len, volumes), default=0) / len(at_place)
    return volumes if doubled > 1 and covered > _MOST else []


def _follow_each_other(parts: Sequence[Sequence[Marked]]) -> bool:
    """Say whether each begins and ends farther along than the one before, and shares few places with it."""
    moves = np.diff([(part[0].along, part[-1].along) for part in parts], axis=0)
    shares = (_places_in_both(one, other) / min(len(one), len(other)) for one, other in pairwise(parts))
    return bool((moves > SAME_MM).all() or (moves < -SAME_MM).all()) and max(shares) <= _SHARED


def _firsts(at_place: Sequence[Sequence[Some]]) -> list[Some]:
    return [found[0] for found in at_place]
