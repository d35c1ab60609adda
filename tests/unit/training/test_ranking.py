"""Areas under curves against those of scikit-learn, with ties, as bootstraps draw them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from healthdash.training.ranking import auc, average_precision, separation

RNG = np.random.default_rng(3)
TRUTH = RNG.integers(0, 2, 500)
#: Rounded, so that many are equal.
SCORES = [
    (0.3 * TRUTH + RNG.random(500)).round(digits).astype(kind)
    for digits in (1, 2, 6)
    for kind in (np.float32, np.float64)
]


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("kind", [np.int64, np.bool_])
def test_areas_are_those_of_scikit_learn(score, kind):
    truth = TRUTH.astype(kind)
    assert auc(truth, score) == pytest.approx(roc_auc_score(truth, score), abs=1e-12)
    assert average_precision(truth, score) == pytest.approx(average_precision_score(truth, score), abs=1e-12)


def test_items_of_one_score_are_called_together():
    same = np.full(8, 0.5)
    truth = np.array([1, 1, 0, 0, 0, 0, 0, 0])
    assert auc(truth, same) == 0.5
    assert average_precision(truth, same) == average_precision(truth[::-1], same) == 0.25


@pytest.mark.filterwarnings("error")
def test_without_one_of_the_two_there_is_no_area():
    score = np.array([0.1, 0.2])
    assert np.isnan(auc(np.ones(2, int), score))
    assert np.isnan(auc(np.zeros(2, int), score))
    assert np.isnan(average_precision(np.zeros(2, int), score))
    assert average_precision(np.ones(2, int), score) == 1


def test_the_area_of_several_labels_is_the_mean_over_labels():
    labels = np.array([0, 1, 2, 0, 1, 2])
    perfect = np.eye(3, dtype=np.float32)[labels]
    assert separation(labels, perfect) == 1
    assert separation(labels, np.full((6, 3), 1 / 3, np.float32)) == 0.5
    assert np.isnan(separation(np.array([0, 1, 1]), perfect[:3]))
