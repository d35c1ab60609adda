"""Order of operations and window formulas (PS3.3 C.7.6.3, C.11.2), against what another program computes."""

import json
from dataclasses import replace

import numpy as np
import pytest
from pydicom.pixels import apply_windowing

from healthdash.task import Upload
from healthdash.tasks.imaging.read import read
from healthdash.tasks.imaging.sample import ImageSample, model_view

from . import golden_grey, written

_KEPT = json.loads(golden_grey.GOLDEN.read_text())["grey"]
# dcm2pnm rounds its windows to 65536 steps, and its tables and fractional slopes to a few thousand.
_STEPS = {"VOI LUT": 20, "slope of a PET": 20, "modality LUT, window": 20}


def _ours(name: str) -> np.ndarray:
    sample = read([Upload("upload", golden_grey.case(name))])
    assert isinstance(sample, ImageSample)
    _, options = golden_grey.CASES[name]
    if options[0] == "+Wi":
        sample = replace(sample, windows=sample.windows[int(options[1]) - 1 :])
    return model_view(sample) * 65535


@pytest.mark.parametrize("name", golden_grey.CASES)
def test_display_grey_is_that_of_dcm2pnm(name: str) -> None:
    np.testing.assert_allclose(_ours(name).ravel(), _KEPT[name], atol=_STEPS.get(name, 1.01))


@pytest.mark.skipif(golden_grey.PROGRAM is None, reason="dcm2pnm is not installed (Debian: dcmtk)")
@pytest.mark.parametrize("name", golden_grey.CASES)
def test_kept_grey_is_what_the_program_says_today(name: str) -> None:
    np.testing.assert_allclose(golden_grey.by_program(name).ravel().astype(int), _KEPT[name], atol=1)


def test_linear_exact_differs_from_linear_by_half_a_step() -> None:
    """DCMTK 3.6.7 has no LINEAR_EXACT: PS3.3 C.11.2.1.3.2 by hand, y = (x - c) / w + 0.5."""
    elements = {"WindowCenter": 500, "WindowWidth": 400, "VOILUTFunction": "LINEAR_EXACT"}
    grey = model_view(read([written.dicom(written.ramp(), **elements)]))
    np.testing.assert_allclose(grey, np.clip((written.ramp() - 500.0) / 400 + 0.5, 0, 1), atol=1e-6)


@pytest.mark.parametrize("function", ["LINEAR_EXACT", "SIGMOID", "LINEAR"])
@pytest.mark.parametrize(("center", "width"), [(500, 400), (300.5, 51), (40, 1)])
def test_windows_are_those_of_pydicom(function: str, center: float, width: float) -> None:
    """pydicom has all three; DCMTK and GDCM have no LINEAR_EXACT, and VTK knows no function of DICOM."""
    elements = {"WindowCenter": center, "WindowWidth": width, "VOILUTFunction": function}
    made = written.dataset(written.ramp(), **elements)
    theirs = apply_windowing(written.ramp(), made) / 65535
    ours = model_view(read([written.dicom(written.ramp(), **elements)]))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_linear_is_black_and_white_where_the_standard_says() -> None:
    """PS3.3 C.11.2.1.2.1: black up to c - 0.5 - (w - 1) / 2, white above c - 0.5 + (w - 1) / 2."""
    values = np.tile(np.arange(64, 164, dtype=np.uint16), (96, 1))
    grey = model_view(read([written.dicom(values, WindowCenter=100, WindowWidth=51)]))[0]
    assert grey[values[0] == 74] == 0
    assert 0 < grey[values[0] == 75] < 0.02
    assert 0.98 <= grey[values[0] == 124] < 1
    assert grey[values[0] == 125] == 1
