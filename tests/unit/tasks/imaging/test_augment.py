"""Random changes of training pictures."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.tf


def _gradient(size: int = 48) -> np.ndarray:
    return np.tile(np.linspace(0, 255, size), (size, 1)).astype(np.uint8)


def test_changed_pictures_stay_grey_between_black_and_white() -> None:
    from healthdash.tasks.imaging.augment import Augmentation, changed

    rng = np.random.default_rng(0)
    for _ in range(50):
        result = changed(_gradient(), Augmentation(), rng)
        assert result.shape == (48, 48)
        assert result.dtype == np.float32
        assert 0 <= result.min() <= result.max() <= 1


def test_equal_seeds_change_equally_and_others_do_not() -> None:
    from healthdash.tasks.imaging.augment import Augmentation, changed

    first, again, other = (
        changed(_gradient(), Augmentation(), np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_batches_hold_every_label_equally_often() -> None:
    from healthdash.tasks.imaging.augment import Augmentation, AugmentedPictures

    labels = np.array([0] * 90 + [1] * 10)
    batches = AugmentedPictures(
        np.zeros((100, 16, 16), np.uint8),
        labels,
        Augmentation(mixup=0, smoothing=0),
        label_count=2,
        batch_size=50,
        seed=0,
    )
    targets = np.concatenate([batches[i][1] for i in range(len(batches))])
    np.testing.assert_array_equal(targets.sum(axis=0), [50, 50])


def test_weighted_pictures_are_drawn_more_often() -> None:
    from healthdash.tasks.imaging.augment import AugmentedPictures

    pictures = np.zeros((40, 8, 8), np.uint8)
    pictures[0] = 255
    weights = np.where(np.arange(40) == 0, 20, 1).astype(np.float32)
    batches = AugmentedPictures(
        pictures, np.arange(40) % 2, None, label_count=2, batch_size=40, seed=0, weights=weights
    )
    assert (batches[0][0].mean(axis=(1, 2, 3)) == 1).sum() >= 5


def test_mixed_targets_still_sum_to_one() -> None:
    from healthdash.tasks.imaging.augment import Augmentation, AugmentedPictures

    pictures = np.random.default_rng(0).integers(0, 256, (64, 16, 16)).astype(np.uint8)
    batches = AugmentedPictures(
        pictures, np.arange(64) % 4, Augmentation(), label_count=4, batch_size=8, seed=0
    )
    for i in range(len(batches)):
        np.testing.assert_allclose(batches[i][1].sum(axis=1), 1, rtol=1e-5)
