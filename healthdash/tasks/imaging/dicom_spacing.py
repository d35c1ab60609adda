"""What the distances in a DICOM picture are: in the patient, at the detector, on a film, or unknown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydicom import Dataset

from healthdash.views import Distances

from .dicom_elements import found, number, numbers, sequence, text

__all__ = ["DISTANCES_IN_WORDS", "Spacing", "aspect_of", "differing_in_words", "spacing_of"]

Pair = tuple[float, float]

#: Modalities whose pictures are shadows, larger than what throws them (PS3.3 C.7.3.1.1.1).
_PROJECTIONS = ("CR", "DX", "IO", "MG", "PX", "RF", "RG", "XA")
_CALIBRATIONS = ("GEOMETRY", "FIDUCIAL")
#: Above this no body lies before a detector; the largest of mammography is 2.
_LARGEST_MAGNIFICATION = 10.0
_SAME_SHARE = 1e-3
_CM_TO_MM = 10.0
#: PhysicalUnitsXDirection of ultrasound that are centimetres (PS3.3 C.8.5.5.1.1).
_US_CENTIMETRES = 3

DISTANCES_IN_WORDS = {
    "at the detector": "as on the detector: larger than in the body, not calibrated",
    "on the film": "as on the film that was scanned: not calibrated",
    "(calibrated)": "calibrated for one depth in the body; elsewhere they are larger or smaller",
    "(corrected for magnification)": "at the detector, divided by the magnification that the file estimates",
    "(perhaps at the detector)": "the file does not say whether they were calibrated",
}


@dataclass(frozen=True, slots=True)
class Spacing:
    """The distance of rows and of columns.

    Attributes
    ----------
    rows_columns_mm : (float, float)
    distances : str
        What a length that is worked out of it is.
    """

    rows_columns_mm: Pair
    distances: Distances = ""


def spacing_of(dataset: Dataset, frame: int = 0) -> Spacing | None:
    """Return the spacing of a frame; None where the file is silent.

    References
    ----------
    DICOM PS3.3 10.7.1.1 (PixelSpacing that equals that of the detector or film is not calibrated, another one
    is; alone it does not say) and 10.7.1.2 (the kind of calibration).
    """
    stated = _pair(dataset, "PixelSpacing", frame)
    detector = _pair(dataset, "ImagerPixelSpacing", frame)
    film = _pair(dataset, "NominalScannedPixelSpacing", frame)
    if stated is not None and text(dataset, "PixelSpacingCalibrationType").upper() in _CALIBRATIONS:
        return Spacing(stated, "(calibrated)")
    bare = detector or film
    if stated is not None and (bare is None or not np.allclose(stated, bare, rtol=_SAME_SHARE)):
        return Spacing(stated, _of_stated(dataset, is_alone=bare is None))
    if detector is not None:
        return _at_detector(dataset, detector)
    return Spacing(film, "on the film") if film is not None else _of_ultrasound(dataset)


def differing_in_words(dataset: Dataset) -> Iterator[str]:
    """Say where the frames of one file state several spacings (PS3.3 C.7.6.16.2.1)."""
    groups = sequence(dataset, "PerFrameFunctionalGroupsSequence")
    measures = [item for group in groups for item in sequence(group, "PixelMeasuresSequence")]
    stated = [pair for item in measures if len(pair := numbers(item.get("PixelSpacing"))) == 2]
    if stated and not np.allclose(stated, stated[0], rtol=_SAME_SHARE):
        yield "The frames have several pixel spacings; that of the middle frame is used for all."


def aspect_of(dataset: Dataset) -> float:
    """Return the height of a pixel over its width, where only that is known (PS3.3 C.7.6.3.1.7)."""
    stated = _pair(dataset, "PixelAspectRatio", 0)
    return stated[0] / stated[1] if stated else 1.0


def _of_stated(dataset: Dataset, *, is_alone: bool) -> Distances:
    """Return what a PixelSpacing is that differs from the detector's, or stands alone."""
    if not is_alone:
        return "(calibrated)"
    return "(perhaps at the detector)" if text(dataset, "Modality").upper() in _PROJECTIONS else ""


def _at_detector(dataset: Dataset, detector: Pair) -> Spacing:
    """Divide by the distance of the detector from the source over that of the body, where it is estimated."""
    times = number(dataset, "EstimatedRadiographicMagnificationFactor")
    if times is None or not 1 < times <= _LARGEST_MAGNIFICATION:
        return Spacing(detector, "at the detector")
    return Spacing((detector[0] / times, detector[1] / times), "(corrected for magnification)")


def _of_ultrasound(dataset: Dataset) -> Spacing | None:
    """Return the spacing of the only region of a picture (PS3.3 C.8.5.5.1); several may differ."""
    regions = sequence(dataset, "SequenceOfUltrasoundRegions")
    if len(regions) != 1 or regions[0].get("PhysicalUnitsXDirection") != _US_CENTIMETRES:
        return None
    down, across = number(regions[0], "PhysicalDeltaY"), number(regions[0], "PhysicalDeltaX")
    return Spacing((abs(down) * _CM_TO_MM, abs(across) * _CM_TO_MM)) if down and across else None


def _pair(dataset: Dataset, keyword: str, frame: int) -> Pair | None:
    values = numbers(found(dataset, keyword, frame))
    return (values[0], values[1]) if len(values) == 2 and min(values) > 0 else None
