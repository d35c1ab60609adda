"""Scores of probabilities and decisions against those of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, brier_score_loss
from sklearn.metrics import log_loss as reference_log_loss

from healthdash.training.scores import balanced_accuracy, brier, log_loss

RNG = np.random.default_rng(5)
TRUTH = RNG.integers(0, 3, 300)
PROBABILITY = RNG.dirichlet(np.ones(3), 300)


def test_the_brier_score_of_two_labels_is_that_of_scikit_learn():
    truth, second = (TRUTH == 1).astype(np.int64), PROBABILITY[:, 1]
    assert brier(truth, second) == pytest.approx(brier_score_loss(truth, second), abs=1e-12)


def test_the_brier_score_of_several_labels_is_summed_over_them():
    reference = brier_score_loss(TRUTH, PROBABILITY, labels=[0, 1, 2], scale_by_half=False)
    assert brier(TRUTH, PROBABILITY) == pytest.approx(reference, abs=1e-12)


def test_the_log_loss_is_that_of_scikit_learn_and_finite_at_no_probability():
    assert log_loss(TRUTH, PROBABILITY) == pytest.approx(reference_log_loss(TRUTH, PROBABILITY), abs=1e-12)
    assert log_loss(np.array([0]), np.array([[0.0, 1.0]])) == pytest.approx(-np.log(1e-12))


def test_balanced_accuracy_counts_labels_alike():
    decided = PROBABILITY.argmax(axis=1)
    reference = balanced_accuracy_score(TRUTH, decided)
    assert balanced_accuracy(TRUTH, decided) == pytest.approx(reference, abs=1e-12)
