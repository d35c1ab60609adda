"""Where slices lie in the patient: their order, distances, and what is odd about them.

Coordinates are those of DICOM: x rises to the patient's left, y to the back, z to the head
(PS3.3 C.7.6.2.1.1). Slices follow each other along the normal of their plane, never by the number
that a scanner gave them: that may run either way, or across several volumes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Layout", "Place", "distances_in_words", "doubled_in_words", "lacking_in_words", "laid_out", "side",
    "slant_in_words", "steps_of",
]  # fmt: skip

Floats = NDArray[np.float64]

# Positions are written with so many digits that those of one slice differ by rounding only.
_SAME_MM = 0.01
# A gap is where a slice is missing; less is uneven.
_GAP_TIMES = 1.5
_UNEVEN_SHARE = 0.05
# Positions and directions are rounded; what is farther from a right angle is meant.
_SLANT_DEG = 1.0
_MOST_NAMED = 5
_SIDES = (("L", "R"), ("P", "A"), ("S", "I"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where one slice lies.

    Attributes
    ----------
    position : float64 (3,)
        Of the middle of its first pixel, in mm.
    row, column : float64 (3,)
        Unit vectors in which column numbers, and row numbers, rise (PS3.3 C.7.6.2.1.1).
    """

    position: Floats
    row: Floats
    column: Floats

    @property
    def normal(self) -> Floats:
        """Unit vector across the slice."""
        return np.cross(self.row, self.column)

    @property
    def plane(self) -> tuple[float, ...]:
        """The orientation, rounded, so that slices of one plane agree."""
        return tuple(np.round([*self.row, *self.column], 2).tolist())


@dataclass(frozen=True, slots=True)
class Layout:
    """The order of slices.

    Attributes
    ----------
    order : tuple of int
        Numbers of the slices given, along the normal; doubled ones are left out.
    positions_mm : float64 (n,)
        Of these, along the normal.
    is_even : bool
        Whether all lie that far apart.
    """

    order: tuple[int, ...]
    positions_mm: Floats
    is_even: bool


def side(direction: Floats) -> str:
    """Return the letter of the patient's side towards which a vector points most."""
    axis = int(np.abs(direction).argmax())
    return _SIDES[axis][0 if direction[axis] > 0 else 1]


def laid_out(places: Sequence[Place]) -> Layout | None:
    """Sort slices of one plane along their normal; None: they all lie in one place.

    Parameters
    ----------
    places : sequence of Place
        All of the same plane.
    """
    normal = places[0].normal
    along = np.array([float(np.dot(place.position, normal)) for place in places])
    order = np.argsort(along, kind="stable")
    is_new = np.concatenate([[True], np.diff(along[order]) > _SAME_MM])
    kept = order[is_new]
    if len(kept) < 2:
        return None
    positions = along[kept]
    steps = np.diff(positions)
    usual = float(np.median(steps))
    is_even = bool((np.abs(steps - usual) <= max(_UNEVEN_SHARE * usual, _SAME_MM)).all())
    return Layout(tuple(kept.tolist()), positions, is_even)


def doubled_in_words(doubled: int) -> tuple[str, ...]:
    """Say how many slices were there more than once; nothing where none was."""
    if not doubled:
        return ()
    return (f"{_count(doubled, 'slice is', 'slices are')} there twice; the first of each is used.",)


def lacking_in_words(lacking: Sequence[float], places: int, unit: str) -> Iterator[str]:
    """Say at which of so many places one of several volumes has no slice, or none that is surely its own."""
    if lacking:
        where = ", ".join(f"{along:.1f}" for along in lacking[:_MOST_NAMED])
        more = " and elsewhere" if len(lacking) > _MOST_NAMED else ""
        yield f"It has no slice for sure at {len(lacking)} of {places} places (at {where} {unit}{more})."


def distances_in_words(positions_mm: Floats) -> Iterator[str]:
    """Yield what is odd about the distances of sorted slices: missing ones, uneven steps."""
    steps = np.diff(positions_mm)
    usual = float(np.median(steps))
    gaps = np.flatnonzero(steps > _GAP_TIMES * usual)
    if len(gaps):
        missing = int(np.rint(steps[gaps] / usual - 1).clip(1).sum())
        where = ", ".join(f"{positions_mm[gap]:.1f} mm" for gap in gaps[:_MOST_NAMED])
        more = " and elsewhere" if len(gaps) > _MOST_NAMED else ""
        yield f"{_count(missing, 'slice is', 'slices are')} missing, after {where}{more}."
    rest = np.delete(steps, gaps)
    if len(rest) and np.abs(rest - usual).max() > max(_UNEVEN_SHARE * usual, _SAME_MM):
        yield f"The slices lie unevenly: {rest.min():.2g} to {rest.max():.2g} mm apart."


def steps_of(
    places: Sequence[Place], between_mm: float, rows_columns_mm: tuple[float, float]
) -> Floats | None:
    """Return the steps to the next slice, row and column, None where they are too large for numbers.

    Slices of a tilted gantry lie shifted against each other, by as much for each millimetre between them.

    Parameters
    ----------
    places : sequence of Place, two or more
        Sorted along the normal of the first.
    between_mm : float
        The distance of slices along their normal.
    rows_columns_mm : (float, float)

    Returns
    -------
    float64 (3, 3), millimetre
        One step a row, as lengths along the rows of the picture, along its columns, and across it.

    References
    ----------
    DICOM PS3.3 C.7.6.2.1.1.
    """
    first, way = places[0], places[-1].position - places[0].position
    shift = way / (way @ first.normal) * between_mm
    rows, columns = rows_columns_mm
    steps = np.array([[shift @ first.row, shift @ first.column, between_mm], [0, rows, 0], [columns, 0, 0]])
    return steps if np.isfinite(steps).all() else None


def slant_in_words(steps_mm: Floats) -> Iterator[str]:
    """Yield which axes are not at right angles.

    Parameters
    ----------
    steps_mm : float64 (3, 3)
        To the next slice, row and column, one a row.
    """
    between, down, across = steps_mm / np.linalg.norm(steps_mm, axis=1, keepdims=True)
    normal = np.cross(across, down)
    upright = abs(between @ normal) / np.linalg.norm(normal)
    tilt, slant = np.degrees([np.arccos(min(upright, 1.0)), np.arcsin(min(abs(across @ down), 1.0))])
    if tilt > _SLANT_DEG:
        yield (
            f"The slices are tilted by {tilt:.2g} degrees: the other planes look slanted; "
            "lengths in them are true."
        )
    if slant > _SLANT_DEG:
        yield (
            f"Rows and columns are {slant:.2g} degrees off a right angle: slices look slanted; "
            "lengths in them are true."
        )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
