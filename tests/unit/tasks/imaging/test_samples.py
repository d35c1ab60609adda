import io

import numpy as np
import pydicom
import pytest
from PIL import Image

from healthdash.tasks.imaging.likeness import nearest_of_others, nearest_to, similarity
from healthdash.tasks.imaging.sample import model_view
from healthdash.tasks.imaging.task import ChestXray, LungCt

TASKS = (ChestXray(), LungCt())


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.slug)
def test_every_label_has_a_sample_marked_synthetic_and_one_is_dicom(task):
    examples = task.examples()
    assert {example.slug for example in examples} >= set(task.labels)
    for example in examples:
        (upload,) = example.make()
        assert "SYNTHETIC" in example.description
        if upload.name.endswith(".dcm"):
            assert str(pydicom.dcmread(io.BytesIO(upload.data)).PatientName) == "SYNTHETIC^SAMPLE"
        else:
            assert Image.open(io.BytesIO(upload.data)).text["Title"] == "SYNTHETIC"
    assert any(example.slug.endswith("dicom") for example in examples)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.slug)
def test_a_picture_wrapped_as_dicom_is_the_same_to_the_model(task):
    by_slug = {example.slug: example for example in task.examples()}
    slug = next(slug for slug in by_slug if slug.endswith("-dicom"))
    wrapped, plain = (
        model_view(task.read(by_slug[name].make()), task.trained_window)
        for name in (slug, slug.removesuffix("-dicom"))
    )
    # A CT stores nothing below -1024 HU, which is this grey in the window of the training.
    least = (-1024 + 1250) / 1500 if task.slug == "lung-ct" else 0.0
    np.testing.assert_allclose(wrapped, np.maximum(plain, least), atol=1.5 / 255)


def test_a_near_copy_is_found_and_another_picture_is_none():
    rng = np.random.default_rng(0)
    training = rng.random((20, 80, 80)).astype(np.float32)
    training = np.stack([np.kron(picture[:10, :10], np.ones((8, 8))) for picture in training])
    copy = np.clip(training[7] * 0.9 + 0.03, 0, 1)[None].astype(np.float32)
    nearest = nearest_to(copy, training.astype(np.float32))
    assert nearest.rows[0] == 7
    assert nearest.correlation[0] > 0.99
    groups = np.array([str(i // 2) for i in range(20)])
    others = nearest_of_others(training.astype(np.float32), groups, count=10, seed=0)
    assert others.correlation.max() < 0.9
    assert similarity(training[0], training[0]) == pytest.approx(1)


def test_a_draw_is_kept_only_if_it_is_unlike_by_both_measures():
    from healthdash.tasks.imaging.likeness import Nearest
    from healthdash.tasks.imaging.sampling import unlike

    def nearest(correlation, similarity):
        return Nearest(np.zeros(len(correlation), int), np.float32(correlation), np.float32(similarity))

    others = nearest(np.linspace(0, 1, 101), np.linspace(0, 0.5, 101))
    drawn = nearest([0.8, 0.95, 0.8, 0.95], [0.4, 0.4, 0.48, 0.48])
    assert unlike(drawn, others).tolist() == [True, False, False, False]
