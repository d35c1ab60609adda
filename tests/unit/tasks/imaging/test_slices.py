"""A volume before a model of slices: one input a slice, gates slice by slice, the most suspicious first."""

from dataclasses import replace

import numpy as np
import pytest

from healthdash.task import Gate, Prediction, Report
from healthdash.tasks.imaging import slices
from healthdash.tasks.imaging.gate import of_volume
from healthdash.tasks.imaging.prepare import INPUT
from healthdash.tasks.imaging.read import read
from healthdash.tasks.imaging.sample import ImageSample
from healthdash.tasks.imaging.task import ChestXray, LungCt
from healthdash.tasks.imaging.volume import VolumeSample

from . import written

_CONFIG = {"size": 32, "window": {"center": -500.0, "width": 1500.0}}
_LABELS = ("normal", "benign", "malignant")


def _volume(count: int = 12) -> VolumeSample:
    frames = np.stack([np.full((70, 80), -1000 + 100 * k, np.int16) for k in range(count)])
    elements = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": 0, "NumberOfFrames": count}
    sample = read([written.dicom(frames, **elements)])
    assert isinstance(sample, VolumeSample)
    return sample


def _prediction(malignant: list[float]) -> Prediction:
    chances = np.array([[1 - p, 0, p] for p in malignant], np.float32)
    return Prediction(
        labels=_LABELS, raw=chances, calibrated=chances, items=np.arange(len(chances)),
        decided=chances.argmax(axis=1), unit="slice", is_calibrated=True,
    )  # fmt: skip


def test_every_slice_is_prepared_as_it_would_be_alone() -> None:
    volume, task = _volume(), LungCt()
    together = task.prepare(volume, _CONFIG)[INPUT]
    assert together.shape == (12, 32, 32, 1)
    alone = task.prepare(volume.slice(5), _CONFIG)[INPUT]
    np.testing.assert_array_equal(together[5:6], alone)
    assert task.unit_of(volume) == "slice"
    assert task.unit_of(volume.slice(5)) == "image"


def test_volume_is_refused_when_no_slice_may_be_seen() -> None:
    volume = _volume()
    refused = Gate.of(refuse=["another modality"])
    assert slices.gate_of(volume, lambda one: refused) == refused
    middle = slices.gate_of(volume, lambda one: Gate() if 3 < one.frame < 9 else refused)
    assert middle.verdict == "pass"
    by_chance = slices.gate_of(volume, lambda one: Gate() if one.frame in (3, 8) else refused)
    assert by_chance.verdict == "refuse"


def test_a_volume_of_more_slices_than_fit_in_memory_is_refused_before_it_is_prepared() -> None:
    few = _volume()
    many = replace(few, voxels=np.broadcast_to(few.voxels[:1], (2001, 70, 80)))
    assert "2,000 slices" in slices.gate_of(many, lambda one: Gate()).reasons[0]


def test_values_that_are_no_ct_are_refused_by_a_model_of_ct() -> None:
    other = replace(_volume(), modality="", unit="grey value")
    gate = of_volume(other, LungCt.scope)
    assert gate is not None
    assert "not those of a CT" in gate.reasons[0]
    assert of_volume(replace(other, unit="HU"), LungCt.scope) is None
    assert of_volume(replace(other, full_scale=(0.0, 255.0)), LungCt.scope) is None


def test_what_holds_for_every_slice_warns_of_the_volume() -> None:
    def judge(one: ImageSample) -> Gate:
        return Gate.of(warn=["small", f"slice {one.frame}"])

    assert slices.gate_of(_volume(), judge).reasons == ("small",)


def test_other_planes_are_refused_by_a_model_of_axial_slices() -> None:
    coronal = replace(_volume(), directions=("P", "I", "L"))
    gate = of_volume(coronal, LungCt.scope)
    assert gate is not None
    assert gate.verdict == "refuse"
    assert "coronal" in gate.reasons[0]
    assert of_volume(replace(coronal, directions=("S", "P", "L")), LungCt.scope) is None


def test_a_volume_is_no_radiograph_even_where_the_file_names_no_modality() -> None:
    volume = replace(_volume(), directions=("S", "P", "L"), modality="", unit="grey value")
    gate = of_volume(volume, ChestXray.scope)
    assert gate is not None
    assert gate.verdict == "refuse"
    assert f"a volume of {len(volume)} axial slices" in gate.reasons[0]


def test_most_suspicious_slice_comes_first_but_never_a_refused_one(monkeypatch: pytest.MonkeyPatch) -> None:
    task, prediction = LungCt(), _prediction([0.1, 0.9, 0.95, 0.3])
    assert task.default_item(prediction) == 2
    gates = [Gate(), Gate(), Gate.of(refuse=["no lung"]), Gate()]
    monkeypatch.setattr(LungCt, "item_gates", lambda *_: gates)
    report = Report(source="", task="lung-ct", model="", sha256="", prediction=prediction)
    assert task.first_item(report, None) == 1  # type: ignore[arg-type]


def test_inspect_tells_a_volume_with_its_spacing() -> None:
    frames = np.zeros((3, 8, 10), np.uint16)
    upload = written.dicom(frames, NumberOfFrames=3, PixelSpacing=[0.5, 0.6], SpacingBetweenSlices=2)
    described = LungCt().describe(read([upload]))
    assert described["kind"] == "volume"
    assert described["stored"] == {"shape": [3, 8, 10], "dtype": "uint16", "min": 0, "max": 0}
    assert described["spacing_mm"] == [2.0, 0.5, 0.6]
