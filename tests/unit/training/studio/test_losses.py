"""Class weights, the focal loss and even drawing do what their formulas say."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.training import TrainSettings
from healthdash.training.studio.losses import class_weights
from tests import labelled

pytestmark = pytest.mark.tf


def test_class_weights_give_all_labels_the_same_sum():
    truth = np.array([0] * 90 + [1] * 9 + [2])
    weights = class_weights(truth, 4)
    sums = np.bincount(truth, weights[truth], minlength=4)
    np.testing.assert_allclose(sums, [100 / 3] * 3 + [0], rtol=1e-5)
    assert weights[truth].mean() == pytest.approx(1)


def test_cross_entropy_and_focal_loss_are_their_formulas():
    from healthdash.training.studio.losses import loss_of

    logits = np.array([[2.0, -1.0, 0.5], [0.0, 0.0, 0.0]], np.float32)
    targets = np.array([[1, 0, 0], [0.5, 0.5, 0]], np.float32)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    plain = -(targets * np.log(p)).sum(axis=1)
    focal = -(targets * (1 - p) ** 2 * np.log(p)).sum(axis=1)
    np.testing.assert_allclose(np.asarray(loss_of("cross-entropy")(targets, logits)), plain, rtol=1e-5)
    np.testing.assert_allclose(np.asarray(loss_of("focal")(targets, logits)), focal, rtol=1e-5)


def _batches(**settings):
    from healthdash.training.studio import batches
    from healthdash.training.studio.plans import Plan

    items = labelled.rows(100)
    items.truth = np.array([1] * 10 + [0] * 90)
    plan = Plan.of(TrainSettings(network="mlp", folds=0, batch_size=20, **settings), items)
    made = batches.Items(items.fitted(np.arange(100)), items.truth, np.arange(100), 2)
    return batches.training(made, plan, seed=0)


def _epoch(made):
    return [np.concatenate(parts) for parts in zip(*(made[i] for i in range(len(made))), strict=True)]


def test_resampling_draws_every_label_equally_often_and_weighs_none():
    _, targets, weights = _epoch(_batches(balance="resampling"))
    assert targets.sum(axis=0).tolist() == [50, 50]
    assert set(weights.tolist()) == {1.0}


def test_class_weights_reach_the_items_of_each_label():
    _, targets, weights = _epoch(_batches(balance="class-weights"))
    np.testing.assert_allclose(weights[targets[:, 1] == 1], 5.0)
    np.testing.assert_allclose(weights[targets[:, 0] == 1], 100 / 180, rtol=1e-5)


def test_smoothing_spreads_a_share_over_all_labels():
    _, targets, _ = _epoch(_batches(label_smoothing=0.2, balance="none"))
    assert sorted(set(targets.round(4).ravel().tolist())) == pytest.approx([0.1, 0.9])


def test_batches_depend_on_seed_epoch_and_number_only():
    made = _batches()
    made.begin(3)
    first = made[2][0]
    made.begin(0)
    made[1]
    made.begin(3)
    np.testing.assert_array_equal(made[2][0], first)
    made.begin(4)
    assert not np.array_equal(made[2][0], first)


def test_mixup_mixes_inputs_and_targets_alike():
    from healthdash.training.studio import batches
    from healthdash.training.studio.plans import Plan

    items = labelled.signals(16, samples=8)
    # Each item is its label, so that a mixed item must show the share of its mixed label.
    items.values = np.broadcast_to(items.truth[:, None, None], (16, 8, 2)).astype(np.float32)
    plan = Plan.of(TrainSettings(network="gru", folds=0, mixup=0.5, augment=False), items)
    made = batches.Items(items.fitted(np.arange(16)), items.truth, np.arange(16), 2)
    inputs, targets, _ = batches.training(made, plan, seed=0)[0]
    np.testing.assert_allclose(inputs[:, 0, 0], targets[:, 1], atol=1e-6)
    assert ((targets > 0.01) & (targets < 0.99)).any()


def test_a_plateau_is_reached_after_three_epochs_without_a_better_loss():
    from healthdash.training.studio.optimisers import reductions

    assert reductions([1.0, 0.9, 0.8]) == 0
    assert reductions([1.0, 1.0, 1.0, 1.0]) == 1
    assert reductions([1.0, 1.1, 1.1, 0.9, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]) == 2


@pytest.mark.parametrize(("schedule", "first", "last"), [("cosine", 1.0, 0.0), ("one-cycle", 0.04, 0.001)])
def test_schedules_begin_and_end_where_they_should(schedule, first, last):
    from healthdash.training.studio.optimisers import optimiser
    from healthdash.training.studio.plans import Plan

    chosen = TrainSettings(network="mlp", folds=0, schedule=schedule, learning_rate=0.01, epochs=10)
    made = optimiser(Plan.of(chosen, labelled.rows(50)), 10)
    rate = made._learning_rate
    assert float(rate(0)) == pytest.approx(0.01 * first)
    assert float(rate(100)) == pytest.approx(0.01 * last, abs=1e-6)
