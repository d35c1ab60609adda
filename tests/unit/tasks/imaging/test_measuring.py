"""Figures, thresholds and weights against shortcuts."""

from __future__ import annotations

import numpy as np
import pytest


def test_the_threshold_lies_between_separated_classes() -> None:
    from healthdash.tasks.imaging.measuring import balanced_threshold

    truth = np.arange(40) >= 30
    score = np.where(truth, 0.9, 0.6).astype(np.float32)
    assert balanced_threshold(truth, score, np.ones(40, np.float32)) == pytest.approx(0.75)


def test_weights_move_the_threshold() -> None:
    from healthdash.tasks.imaging.measuring import balanced_threshold

    truth = np.array([False, False, True, False, True, True])
    score = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], np.float32)
    heavy = np.array([1, 1, 1, 9, 1, 1], np.float32)
    assert balanced_threshold(truth, score, heavy) == pytest.approx(0.45)


def test_statistics_give_away_labels_that_are_brightness() -> None:
    from healthdash.tasks.imaging.shortcuts import giveaway, overlap_weights, told_by_statistics

    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    pictures = (rng.integers(0, 100, (80, 16, 16)) + 100 * labels[:, None, None]).astype(np.uint8)
    pictures[0] += 100  # one that contradicts its label
    own = giveaway(pictures, labels, np.arange(80), seed=0)
    assert np.median(own) > 0.9
    assert own[0] < 0.5
    assert overlap_weights(own).argmax() == 0
    told = told_by_statistics(pictures, labels, [np.arange(20)], seed=0)
    assert (told[1:20].argmax(axis=1) == labels[1:20]).all()
    assert told[20:].max() == 0


def test_beside_a_weighted_auc_stands_what_the_weights_leave_to_the_statistics() -> None:
    from healthdash.tasks.imaging.shifted import rows_against_shortcuts

    rng = np.random.default_rng(0)
    truth = np.arange(200) % 2 == 1
    own = np.where(rng.random(200) < 0.75, 0.75, 0.25).astype(np.float32)  # right of three in four
    score = truth + rng.normal(size=200).astype(np.float32)
    network, trivial = rows_against_shortcuts("AUC", truth, score, own, np.arange(200))
    light, heavy = (own > 0.5).sum(), (own < 0.5).sum()
    effective = (light + 3 * heavy) ** 2 / (light + 9 * heavy)
    assert network.note.endswith(f"worth {effective:.0f} unweighted pictures")
    assert "under the same weights" in trivial.note
    assert 0.4 < trivial.value < 0.6 < network.value
