from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from healthdash.bundles import OperatingPoint
from healthdash.explain import Explanation
from healthdash.task import Prediction, Report
from healthdash.tasks.imaging import views
from healthdash.tasks.imaging.prepare import INPUT
from healthdash.tasks.imaging.task import ChestXray, LungCt
from healthdash.views import ClassBars, Grid, Metrics, Notice, Picture

from . import written

LABELS = ("normal", "bacterial", "viral")


def _bundle() -> SimpleNamespace:
    point = OperatingPoint(label="pneumonia", threshold=0.4, rule="test")
    info = SimpleNamespace(label_groups={"pneumonia": LABELS[1:]}, operating_points=(point,))
    return SimpleNamespace(info=info)


def _report(sample) -> Report:
    heat = np.random.default_rng(0).normal(size=(40, 40, 1)).astype(np.float32)
    total = float(heat.sum(dtype=np.float64))
    explanation = Explanation(
        method="expected-gradients",
        target="viral",
        values={INPUT: heat},
        base=0.3,
        output=0.3 + total + 0.01,
        samples=20,
        seconds=0.1,
    )
    probabilities = np.array([[0.2, 0.3, 0.5]], np.float32)
    prediction = Prediction(
        labels=LABELS,
        raw=probabilities,
        calibrated=probabilities,
        items=np.zeros(1, np.int64),
        decided=np.array([2]),
        unit="image",
        is_calibrated=True,
    )
    return Report(
        source="x",
        task="chest-xray",
        model="m",
        sha256="",
        sample=sample,
        inputs={INPUT: np.full((1, 40, 40, 1), 0.5, np.float32)},
        prediction=prediction,
        explanation=explanation,
    )


def test_ct_is_shown_in_the_usual_windows_and_those_of_the_file():
    upload = written.dicom(
        written.ramp(),
        Modality="CT",
        RescaleSlope=1,
        RescaleIntercept=-1024,
        WindowCenter=[40, 300],
        WindowWidth=[350, 1500],
        WindowCenterWidthExplanation=["SOFT", "BONE"],
        PixelSpacing=[2, 1],
    )
    task = LungCt()
    picture, facts, header = task.show(task.read([upload]))
    assert isinstance(picture, Picture)
    assert any(entry.identifying for entry in header.entries)
    assert isinstance(facts, Grid)
    names = [window.name for window in picture.windows]
    assert names[:4] == ["as the model sees it", "lung", "mediastinum", "bone"]
    assert names[4:6] == ["brain", "soft tissue"]
    assert names[6:8] == ["file: SOFT", "file: BONE"]
    # PS3.3 C.11.2.1.2.1: a window of 350 is one of 349 from value to value.
    assert (picture.windows[6].center, picture.windows[6].width) == (39.5, 349)
    assert (picture.unit, picture.aspect) == ("HU", 2)
    shown = facts.frame.set_index("Property")["Value"]
    assert shown["Modality"] == "CT"
    assert not any("Secret" in str(value) for value in shown)


def test_low_values_of_monochrome1_are_shown_bright():
    task = ChestXray()
    sample = task.read([written.dicom(written.ramp(), PhotometricInterpretation="MONOCHROME1")])
    assert task.show(sample)[0].invert


def test_notices_of_the_reader_are_shown():
    task = ChestXray()
    shown = task.show(task.read([written.dicom(written.ramp(), BurnedInAnnotation="YES")]))
    assert [view.text for view in shown if isinstance(view, Notice)] == [
        "The picture itself may show names or dates (burned-in annotation)."
    ]


def test_report_shows_each_label_and_pneumonia_as_a_whole():
    task = ChestXray()
    report = _report(task.read([written.dicom(written.ramp(), Modality="DX")]))
    sections = task.render(report, _bundle())
    metrics, bars = sections.result
    assert isinstance(metrics, Metrics)
    assert isinstance(bars, ClassBars)
    assert metrics.items[0].value == "80.0%"
    assert bars.predicted == "viral"
    assert "not a diagnosis" in bars.caption
    picture = sections.explanation[0]
    assert picture.heat.shape == (96, 128)
    assert "not where the disease is" in picture.caption


def test_an_explanation_lies_on_the_slice_that_was_explained_and_names_it():
    """No heat lies on the volume itself, so that none is left on another slice."""
    frames = np.arange(3 * 40 * 40, dtype=np.uint16).reshape(3, 40, 40)
    report = _report(ChestXray().read([written.dicom(frames, NumberOfFrames=3)]))
    prediction = replace(report.prediction, items=np.array([2]), unit="slice")
    sections = ChestXray().render(replace(report, prediction=prediction), _bundle())
    picture = sections.explanation[0]
    np.testing.assert_array_equal(picture.pixels, frames[2])
    assert picture.title.endswith("slice 3 of 3")
    assert sections.input[0].start == 2
    assert sections.input[0].heat is None


def test_cells_add_up_to_output_minus_base_minus_residual():
    task = ChestXray()
    report = _report(task.read([written.dicom(written.ramp(), Modality="DX")]))
    lines = task.attributions(report)
    assert len(lines) == views.CELLS**2
    assert lines[0].feature == "row 1, column 1"
    assert lines[0].value == 0.5
    found = report.explanation
    total = sum(line.attribution for line in lines)
    assert total == pytest.approx(found.output - found.base - found.residual, abs=1e-9)


def test_describe_gives_stored_values_before_any_rescale():
    task = LungCt()
    upload = written.dicom(
        written.ramp(), Modality="CT", RescaleSlope=2, RescaleIntercept=-1024, PixelSpacing=[0.7, 0.7]
    )
    assert task.describe(task.read([upload])) == {
        "kind": "image",
        "format": "DICOM, Explicit VR Little Endian",
        "stored": {"shape": [96, 128], "dtype": "uint16", "min": 0, "max": 1016},
        "spacing_mm": [0.7, 0.7],
        "unit": "HU",
    }
    assert task.describe(task.read([written.dicom(None)]))["kind"] == "document"
