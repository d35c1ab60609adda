"""Several pictures of one thing: the slices of a volume, or the frames of a cine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from healthdash.task import Sample
from healthdash.views import Distances, HeaderEntry, Window

from .colour import luminance
from .sample import ImageSample, Stored, VoiLut

__all__ = ["PLANES", "VolumeSample", "middle_picture"]

#: Plane of a slice, by the patient direction in which the slices follow each other.
PLANES = {
    "S": "axial", "I": "axial", "A": "coronal", "P": "coronal", "L": "sagittal", "R": "sagittal",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class VolumeSample(Sample):
    """Slices of a volume, or frames of a cine, as stored, and what turns them into values.

    Stored values are kept, as they take half the memory of values in HU; `values` gives those.

    Attributes
    ----------
    voxels : (slices, height, width), or uint8 (slices, height, width, 3) in colour
        As stored, in the machine's byte order: uint8, int8, uint16, int16, uint32, int32, float32.
    stored : Stored
        Shape, type and range of the values in the file, over all slices.
    slopes, intercepts : float64 (slices,)
        values = stored x slope + intercept, in `unit` (PS3.3 C.11.1.1.2).
    unit : str
        "HU" or "grey value".
    spacing_mm : (float, float, float) or None
        Between slices (along their normal), rows, columns; None where the file is silent. The distance of
        slices is the usual one, should they not lie evenly, and 0 where it is unknown or frames follow in
        time.
    steps_mm : float64 (3, 3) or None
        The steps to the next slice, row and column, one a row, along three axes at right angles: where slices
        are tilted these steps are not. None where the file is silent.
    stored_spacing_mm : tuple of float or None
        Along the axes of `stored.shape`, where these are others than slices, rows, columns.
    positions_mm : float64 (slices,)
        Along the normal of the slices, rising; for frames in time, and where the file is silent,
        empty.
    directions : (str, str, str)
        Where the patient's side lies towards which slice, row and column numbers rise: one of
        "L", "R", "A", "P", "S" (head), "I" (feet); empty where the file is silent.
    affine : float64 (4, 4) or None
        From (column, row, slice, 1) to (x, y, z, 1) in mm, x to the patient's left, y to the back,
        z to the head (PS3.3 C.7.6.2.1.1). None where the file is silent, or slices lie unevenly.
    parts, part : int
        How many volumes the file or series holds (in time, or several measures), and which this is, from 0.
    is_time : bool
        A cine: frames follow each other in time.
    frame_time_ms : float or None
        Between frames of a cine.
    colours : bool
        Whether voxels hold red, green and blue.
    padding : (float, float) or None
        Stored values from, to (both included) that measure nothing.
    full_scale : (float, float) or None
        The values of black and white where the file fixes them (8-bit pictures: 0 and 255).
    windows : tuple of Window
        Of the file, in the exact form: center -+ width / 2 are black and white.
    slice_windows : tuple of tuple of Window
        Of each slice, where they differ; else empty.
    distances, aspect, function, voi_lut, invert, modality, body_part, is_scout, age_years, is_animal
        As in `ImageSample`.
    facts, header
        As in `ImageSample`; the header is that of the first slice.

    Notes
    -----
    `notices` says in words what is odd: missing or doubled slices, uneven distances, mixed series.
    """

    voxels: NDArray[Any]
    stored: Stored
    slopes: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    unit: str = "grey value"
    spacing_mm: tuple[float, float, float] | None = None
    steps_mm: NDArray[np.float64] | None = None
    distances: Distances = ""
    aspect: float = 1.0
    stored_spacing_mm: tuple[float, ...] | None = None
    positions_mm: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    directions: tuple[str, str, str] = ("", "", "")
    affine: NDArray[np.float64] | None = None
    parts: int = 1
    part: int = 0
    is_time: bool = False
    frame_time_ms: float | None = None
    colours: bool = False
    padding: tuple[float, float] | None = None
    full_scale: tuple[float, float] | None = None
    windows: tuple[Window, ...] = ()
    slice_windows: tuple[tuple[Window, ...], ...] = ()
    function: Literal["LINEAR", "SIGMOID"] = "LINEAR"
    voi_lut: VoiLut | None = None
    invert: bool = False
    modality: str = ""
    body_part: str = ""
    is_scout: bool = False
    age_years: float | None = field(default=None, repr=False)
    is_animal: bool = False
    facts: tuple[tuple[str, str], ...] = ()
    header: tuple[HeaderEntry, ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(self.voxels)

    @property
    def plane(self) -> str:
        """How the slices lie: axial, coronal, sagittal, or nothing where the file is silent."""
        return PLANES.get(self.directions[0], "")

    def values(self, number: int) -> NDArray[np.float32]:
        """Return one slice in `unit`, float32 (height, width); luminance of one in colour."""
        if self.colours:
            return luminance(self.voxels[number])
        scaled = self.voxels[number] * self.slopes[number] + self.intercepts[number]
        return np.asarray(scaled, np.float32)

    def slice(self, number: int) -> ImageSample:
        """Return one slice as a picture of its own."""
        stored = self.voxels[number]
        padding = None
        if self.padding is not None and not self.colours:
            padding = (stored >= self.padding[0]) & (stored <= self.padding[1])
        return ImageSample(
            source=self.source,
            kind="image",
            format=self.format,
            pixels=self.values(number),
            stored=self.stored,
            colours=stored if self.colours else None,
            unit=self.unit,
            padding=padding if padding is not None and padding.any() else None,
            full_scale=self.full_scale,
            windows=self.slice_windows[number] if self.slice_windows else self.windows,
            function=self.function,
            voi_lut=self.voi_lut,
            invert=self.invert,
            spacing_mm=self.spacing_mm[1:] if self.spacing_mm else None,
            distances=self.distances,
            aspect=self.aspect,
            modality=self.modality,
            body_part=self.body_part,
            is_scout=self.is_scout,
            age_years=self.age_years,
            is_animal=self.is_animal,
            frames=len(self),
            frame=number,
            facts=self.facts,
        )


def middle_picture(sample: ImageSample | VolumeSample) -> ImageSample:
    """Return a picture as it is, and of a volume the slice in the middle."""
    return sample if isinstance(sample, ImageSample) else sample.slice(len(sample) // 2)
