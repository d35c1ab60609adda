"""What distances in a picture are (PS3.3 10.7)."""

from typing import Any

import numpy as np
import pytest

from healthdash.tasks.imaging.read import read
from healthdash.tasks.imaging.sample import ImageSample
from healthdash.tasks.imaging.views import show
from healthdash.tasks.imaging.volume import VolumeSample
from healthdash.views import Picture

from . import written

_DX = {"Modality": "DX", "ImagerPixelSpacing": [0.2, 0.2]}
CASES: dict[str, tuple[dict[str, Any], tuple[float, float] | None, str]] = {
    "at the detector": (_DX, (0.2, 0.2), "at the detector"),
    "the detector's, said twice": ({**_DX, "PixelSpacing": [0.2, 0.2]}, (0.2, 0.2), "at the detector"),
    "another than the detector's": ({**_DX, "PixelSpacing": [0.18, 0.18]}, (0.18, 0.18), "(calibrated)"),
    "by geometry": (
        {"Modality": "CR", "PixelSpacing": [0.2, 0.2], "PixelSpacingCalibrationType": "GEOMETRY"},
        (0.2, 0.2), "(calibrated)",
    ),
    "by a ball": (
        {**_DX, "PixelSpacing": [0.2, 0.2], "PixelSpacingCalibrationType": "FIDUCIAL"},
        (0.2, 0.2), "(calibrated)",
    ),
    "alone": ({"Modality": "CR", "PixelSpacing": [0.2, 0.2]}, (0.2, 0.2), "(perhaps at the detector)"),
    "magnified": (
        {**_DX, "EstimatedRadiographicMagnificationFactor": 1.25},
        (0.16, 0.16), "(corrected for magnification)",
    ),
    "magnified by nonsense": (
        {**_DX, "EstimatedRadiographicMagnificationFactor": 0}, (0.2, 0.2), "at the detector",
    ),
    "film": ({"Modality": "OT", "NominalScannedPixelSpacing": [0.1, 0.1]}, (0.1, 0.1), "on the film"),
    "CT": ({"Modality": "CT", "PixelSpacing": [0.7, 0.7]}, (0.7, 0.7), ""),
    "silent": ({"Modality": "DX"}, None, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_length_is_told_with_where_it_was_measured(name: str) -> None:
    elements, spacing, distances = CASES[name]
    sample = read([written.dicom(written.ramp(), **elements)])
    assert isinstance(sample, ImageSample)
    assert sample.spacing_mm == (None if spacing is None else pytest.approx(spacing))
    assert sample.distances == distances
    assert ("Distances" in dict(sample.facts)) == bool(distances)


def test_frames_of_an_angiogram_are_measured_at_the_detector() -> None:
    frames = np.stack([written.ramp(), written.ramp()])
    elements = {"Modality": "XA", "NumberOfFrames": 2, "FrameTime": 66, "ImagerPixelSpacing": [0.3, 0.3]}
    sample = read([written.dicom(frames, **elements)])
    assert isinstance(sample, VolumeSample)
    assert sample.distances == sample.slice(0).distances == "at the detector"


def test_pixels_that_are_no_squares_keep_their_shape_without_millimetres() -> None:
    sample = read([written.dicom(written.ramp(), PixelAspectRatio=[6, 5])])
    assert isinstance(sample, ImageSample)
    view = show(sample)[0]
    assert isinstance(view, Picture)
    assert view.spacing_mm is None
    assert view.aspect == 1.2
