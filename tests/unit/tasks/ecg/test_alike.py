"""What beats of the same shape have in common."""

from __future__ import annotations

import numpy as np

from healthdash.tasks.ecg.alike import means_of_alike
from healthdash.tasks.ecg.prepare import CONFIG


def two_shapes(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return complexes of two shapes in turn, slightly noisy, and which shape each has."""
    rng = np.random.default_rng(0)
    time = np.linspace(-1, 1, 40)
    shapes = np.stack([np.exp(-20 * time**2), np.sin(6 * time)])
    which = np.arange(n) % 2
    return (shapes[which] + 0.02 * rng.standard_normal((n, 40))).astype(np.float32), which


def test_each_beat_gets_the_mean_of_its_own_shape() -> None:
    complexes, which = two_shapes(1200)
    features = np.where(which == 0, 1.0, -3.0).astype(np.float32)[:, None]
    found = means_of_alike(complexes, features, CONFIG)
    np.testing.assert_allclose(found[:, 0], features[:, 0], atol=1e-5)
    assert (found[:, 1] > 0.9).all()
    np.testing.assert_allclose(found[:, 2], 1.0)


def test_a_beat_is_not_among_those_that_look_like_it() -> None:
    complexes, _ = two_shapes(10)
    complexes[4] = np.cos(np.linspace(0, 40, 40))
    features = np.zeros((10, 1), np.float32)
    features[4] = 7.0
    found = means_of_alike(complexes, features, CONFIG)
    np.testing.assert_array_equal(found[4], 0)
    assert not found[:, 0].any()


def test_one_beat_alone_has_no_company() -> None:
    found = means_of_alike(np.ones((1, 40), np.float32), np.ones((1, 2), np.float32), CONFIG)
    np.testing.assert_array_equal(found, np.zeros((1, 4)))
