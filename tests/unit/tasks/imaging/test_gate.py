"""The gate on made pictures; on real ones see test_gate_on_real_pictures."""

from types import SimpleNamespace

import numpy as np
import pytest

from healthdash.tasks.imaging import familiarity
from healthdash.tasks.imaging.anatomy import enclosed_air, middle_grey, slice_limits
from healthdash.tasks.imaging.task import ChestXray, LungCt

from . import written

SIDE = 64


def _chests(count: int, seed: int) -> np.ndarray:
    """Return pictures of two dark ovals on grey, each a little different."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    found = []
    for _ in range(count):
        left, right, height = rng.uniform(0.35, 0.5), rng.uniform(0.35, 0.5), rng.uniform(0.6, 0.8)
        ovals = [
            ((columns + s * c) / 0.3) ** 2 + (rows / height) ** 2 < 1 for s, c in ((1, left), (-1, right))
        ]
        picture = 0.75 - 0.45 * (ovals[0] | ovals[1]) + rng.normal(0, 0.02, rows.shape)
        found.append(picture)
    return np.clip(np.stack(found), 0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def bundle() -> SimpleNamespace:
    arrays = familiarity.fit_familiarity(_chests(120, 0)[..., None])
    info = SimpleNamespace(preprocessing={"size": SIDE}, gate={"warn_above": 1.25, "refuse_above": 1.6})
    return SimpleNamespace(info=info, arrays=arrays)


def _judged(task, upload, bundle):
    sample = task.read([upload])
    task.validate(sample)
    return task.gate(sample, bundle)


def _grey(number: int = 0, side: int = 256) -> np.ndarray:
    return np.kron(_chests(3, 9)[number], np.ones((side // SIDE, side // SIDE)))


def _stored(grey: np.ndarray) -> np.ndarray:
    return np.rint(grey * 4095).astype(np.uint16)


def test_a_picture_like_the_trainings_passes(bundle):
    gate = _judged(ChestXray(), written.picture((_grey() * 255).astype(np.uint8)), bundle)
    assert gate.verdict == "pass"
    assert gate.hint == ""


def test_a_dicom_of_the_right_kind_passes(bundle):
    upload = written.dicom(_stored(_grey()), Modality="DX", BodyPartExamined="CHEST", PatientAge="003Y")
    assert _judged(ChestXray(), upload, bundle).verdict == "pass"


@pytest.mark.parametrize(
    ("elements", "verdict", "reason"),
    [
        ({"Modality": "MR"}, "refuse", "another modality (MR)"),
        ({"Modality": "CT"}, "refuse", "another modality"),
        ({"Modality": "US"}, "refuse", "another modality"),
        ({"Modality": "OT"}, "warn", "does not say"),
        ({"Modality": "DX", "BodyPartExamined": "HIP"}, "refuse", "another part of the body"),
        ({"Modality": "CR", "BodyPartExamined": "HAND"}, "refuse", "another part of the body"),
        ({"Modality": "DX", "PatientAge": "045Y"}, "warn", "older"),
        ({"Modality": "DX", "PatientSpeciesDescription": "Canis familiaris"}, "refuse", "animal"),
        ({"Modality": "CT", "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "refuse", "scout"),
    ],
)
def test_header_says_what_the_picture_is(bundle, elements, verdict, reason):
    gate = _judged(ChestXray(), written.dicom(_stored(_grey()), **elements), bundle)
    assert gate.verdict == verdict
    assert any(reason in text for text in gate.reasons)
    assert gate.hint


def test_x_ray_given_as_ct_is_refused(bundle):
    gate = _judged(LungCt(), written.dicom(_stored(_grey()), Modality="DX"), bundle)
    assert gate.verdict == "refuse"


def test_ct_without_hounsfield_units_is_warned_about(bundle):
    gate = _judged(LungCt(), written.dicom(_stored(_grey()), Modality="CT"), bundle)
    assert "Hounsfield" in gate.reasons[0]


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.full((200, 200), 90, np.uint8), "blank"),
        (_grey()[::8, ::8].astype(np.uint8), "at least 64 pixels"),
        (np.kron((_grey() * 255).astype(np.uint8), np.ones((1, 6), np.uint8)), "longer"),
        (((_grey() > 0.5) * 255).astype(np.uint8), "few grey levels"),
        (np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8), "in colour"),
        (np.random.default_rng(0).integers(0, 255, (200, 200), dtype=np.uint8), "does not look like"),
        (np.tile(np.linspace(0, 255, 200).astype(np.uint8), (200, 1)), "does not look like"),
    ],
    ids=["blank", "tiny", "long", "mask", "photo", "noise", "ramp"],
)
def test_what_is_no_x_ray_is_refused(bundle, pixels, reason):
    gate = _judged(ChestXray(), written.picture(pixels), bundle)
    assert gate.verdict == "refuse"
    assert any(reason in text for text in gate.reasons)


def test_strangeness_does_not_depend_on_brightness_and_contrast(bundle):
    pictures = _chests(5, 3)[..., None]
    plain = familiarity.strangeness(pictures, bundle.arrays)
    faint = familiarity.strangeness(pictures * 0.5 + 0.2, bundle.arrays)
    np.testing.assert_allclose(plain, faint, rtol=0.05)
    assert plain.max() < 1.25


def test_lungs_are_dark_inside_a_body_and_heads_have_none():
    rows, columns = np.mgrid[-1:1:64j, -1:1:64j]
    body = (columns / 0.9) ** 2 + (rows / 0.7) ** 2 < 1
    lungs = ((np.abs(columns) - 0.4) / 0.25) ** 2 + (rows / 0.4) ** 2 < 1
    chest = np.where(body, np.where(lungs, 0.25, 0.85), 0.17).astype(np.float32)[None, ..., None]
    head = np.where(body, 0.85, 0.17).astype(np.float32)[None, ..., None]
    assert enclosed_air(chest)[0] > 0.2
    assert enclosed_air(head)[0] == 0
    assert middle_grey(chest)[0] == 0
    limits = slice_limits(chest)
    assert limits["enclosed_air_at_least"] < enclosed_air(chest)[0]
    assert enclosed_air(np.zeros((1, 64, 64, 1), np.float32))[0] == 0
