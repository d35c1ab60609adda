"""Volumes of neuroimaging, turned to the slices that readers look at.

nibabel gives coordinates in which x rises to the patient's right and y to the front; DICOM's, which
`VolumeSample` speaks, rise to the left and to the back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Turned", "as_read"]

# Slices so much farther apart than pixels show the plane in which they were taken.
_TAKEN_TIMES = 1.5
# Slice, row and column axis among x, y and z, for each axis that slices may follow.
_AXES = {2: (2, 1, 0), 1: (1, 2, 0), 0: (0, 2, 1)}
# Towards which sides slice, row and column numbers rise: as radiologists look at each plane.
_SHOWN = {2: ("S", "P", "L"), 1: ("P", "I", "L"), 0: ("L", "I", "P")}
_SIDES = {"L": (0, -1), "R": (0, 1), "P": (1, -1), "A": (1, 1), "S": (2, 1), "I": (2, -1)}


@dataclass(frozen=True, slots=True)
class Turned:
    """Voxels as readers look at them.

    Attributes
    ----------
    voxels : (slices, rows, columns) or (slices, rows, columns, 3)
    affine : float64 (4, 4)
        From (column, row, slice, 1) to mm, x to the patient's left, y to the back, z to the head.
    spacing_mm, directions
        Of slices, rows and columns, as in `VolumeSample`.
    """

    voxels: NDArray[Any]
    affine: NDArray[np.float64]
    spacing_mm: tuple[float, float, float]
    directions: tuple[str, str, str]

    @property
    def start_mm(self) -> float:
        """Where the first slice lies along the normal, in the direction in which slices follow."""
        return float(self.affine[:3, 3] @ _normal(self.affine))

    @property
    def steps_mm(self) -> NDArray[np.float64]:
        """Steps to the next slice, row and column, as in `VolumeSample`."""
        return self.affine[:3, 2::-1].T


def as_read(voxels: NDArray[Any], affine: NDArray[np.float64]) -> Turned:
    """Turn a volume so that its slices are those that were taken, axial ones where all sides are alike.

    Parameters
    ----------
    affine : float64 (4, 4)
        From voxel numbers to mm, x to the patient's right, y to the front, z to the head.
    """
    from nibabel.orientations import io_orientation

    axes = np.nan_to_num(io_orientation(affine), nan=-1)
    voxel_axis = {int(axis): v for v, (axis, _) in enumerate(axes)}
    spare = iter(sorted(set(range(3)) - {v for axis, v in voxel_axis.items() if axis >= 0}))
    voxel_axis = {axis: voxel_axis[axis] if axis in voxel_axis else next(spare) for axis in range(3)}
    spacing = {axis: round(float(np.linalg.norm(affine[:3, v])), 6) for axis, v in voxel_axis.items()}
    across = _taken_across(spacing)
    order = [voxel_axis[axis] for axis in _AXES[across]]
    steps, origin = [], affine[:3, 3].astype(np.float64)
    flips: list[slice] = []
    for axis, v, letter in zip(_AXES[across], order, _SHOWN[across], strict=True):
        wanted, rises = _SIDES[letter][1], np.sign(affine[axis, v]) or 1
        flips.append(slice(None, None, -1 if wanted != rises else 1))
        if wanted != rises:
            origin = origin + affine[:3, v] * (voxels.shape[v] - 1)
        steps.append(affine[:3, v] * (-1 if wanted != rises else 1))
    turned = voxels.transpose(*order, *range(3, voxels.ndim))[tuple(flips)]
    to_patient = np.eye(4)
    to_patient[:3] = np.column_stack([steps[2], steps[1], steps[0], origin])
    to_patient[:2] *= -1  # to DICOM's left and back
    between = round(float(to_patient[:3, 2] @ _normal(to_patient)), 6)  # less than the step of tilted slices
    at = (between, spacing[_AXES[across][1]], spacing[_AXES[across][2]])
    return Turned(np.ascontiguousarray(turned), to_patient, at, _SHOWN[across])


def _normal(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the unit vector across slices, in the direction in which they follow; 0: they have no plane."""
    normal = np.cross(affine[:3, 0], affine[:3, 1])
    normal *= np.sign(normal @ affine[:3, 2]) or 1.0  # sagittal slices run against it, to the left
    length = np.linalg.norm(normal)
    return normal / length if length else np.zeros(3)


def _taken_across(spacing: dict[int, float]) -> int:
    """Return the axis along which slices are clearly farther apart than pixels; else from feet to head."""
    widest = max(spacing, key=lambda axis: spacing[axis])
    others = max(value for axis, value in spacing.items() if axis != widest)
    return widest if spacing[widest] > _TAKEN_TIMES * others else 2
