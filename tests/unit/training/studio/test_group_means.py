"""Means that show no patient, where a patient has many items."""

from __future__ import annotations

import numpy as np

from healthdash.tasks.ecg.own_familiar import centroids as mean_windows
from healthdash.tasks.imaging.familiarity import centroids as mean_pictures
from healthdash.training.studio.group_means import means_of_many

RNG = np.random.default_rng(0)


def _frames(faces):
    """Return thirty nearly equal frames of each patient, and whose each is."""
    whose = np.repeat(np.arange(len(faces)), 30)
    frames = faces[whose] + RNG.normal(0, 0.02, (len(whose), *faces.shape[1:]))
    return np.clip(frames, 0, 1).astype(np.float32), whose.astype(str)


def _likeness(mean, faces):
    return max(np.corrcoef(mean.ravel(), face.ravel())[0, 1] for face in faces)


def test_many_frames_of_a_patient_are_no_mean_of_many():
    for shape, means in (
        ((48, 48, 1), lambda *told: mean_pictures(*told, per_label=8, seed=0)),
        ((250, 1), lambda *told: mean_windows(*told, 0)),
    ):
        faces = RNG.random((10, *shape)).astype(np.float32)
        frames, whose = _frames(faces)
        found = means(frames, np.zeros(len(frames), np.int64), whose)
        assert len(found) >= 1
        assert all(_likeness(one, faces) < 0.7 for one in found)


def test_of_fewer_than_five_patients_only_the_mean_value_is_kept():
    frames, whose = _frames(RNG.random((4, 8, 8, 2)).astype(np.float32))
    (found,) = means_of_many(frames, np.arange(len(frames)) % 2, whose, lambda own: np.zeros(len(own), int))
    assert found.shape == (8, 8, 2)
    np.testing.assert_allclose(found, np.broadcast_to(frames.mean(axis=(0, 1, 2)), found.shape), atol=1e-6)


def test_every_patient_counts_the_same():
    items = np.repeat(np.arange(5.0), [20, 1, 1, 1, 1])[:, None].astype(np.float32)
    found = means_of_many(items, np.zeros(24, int), items[:, 0], lambda own: np.zeros(len(own), int))
    assert found.tolist() == [[2.0]]


def test_items_of_as_many_patients_have_the_means_of_their_clusters():
    items = RNG.random((90, 4, 1)).astype(np.float32)
    labels, codes = np.arange(90) % 2, np.arange(45) % 3
    found = means_of_many(items, labels, np.arange(90), lambda own: codes)
    wanted = [items[labels == label][codes == code].mean(axis=0) for label in (0, 1) for code in range(3)]
    np.testing.assert_array_equal(found, wanted)
