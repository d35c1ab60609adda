"""Views of a whole cohort against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.errors import ExplainerNotApplicable
from healthdash.explain import ExplainRequest, cohort, dependence
from healthdash.explain.dependence import partial_dependence
from healthdash.explain.metric_loss import Measure, brier, metric_loss
from healthdash.explain.players import Players
from tests.closed_form import logistic, table

RNG = np.random.default_rng(0)
WEIGHTS = np.array([0.2, -0.1, 0.05, 0.0])
LINEAR = table(lambda rows: 0.5 + rows @ WEIGHTS, 4)
ROWS = {"features": RNG.normal(size=(200, 4)).astype(np.float32)}
BACKGROUND = {"features": RNG.normal(size=(20, 4)).astype(np.float32)}
LABELS = ("no", "yes")


def _shares(rows=ROWS, forward=LINEAR, **kwargs):
    request = ExplainRequest(target="yes")
    return cohort.shares("exact-shapley", forward, rows, BACKGROUND, LABELS, request, **kwargs)


def test_shares_of_a_linear_model_are_its_terms():
    told = []
    found = _shares(on_progress=told.append)
    expected = WEIGHTS * (ROWS["features"] - BACKGROUND["features"].mean(axis=0))
    np.testing.assert_allclose(found.shares, expected, atol=1e-6)
    np.testing.assert_allclose(found.base + found.shares.sum(axis=1), found.output, atol=1e-6)
    assert told[-1] == 1.0
    assert len(told) == 200


def test_a_listener_ends_it_with_the_rows_so_far():
    assert len(_shares(on_progress=lambda share: share >= 0.1).shares) == 20


def test_importance_is_the_mean_size_and_its_interval_covers_it():
    covered = 0
    for seed in range(60):
        rows = {"features": np.random.default_rng(seed).normal(size=(80, 4)).astype(np.float32)}
        found = cohort.importance(_shares(rows))
        truth = 0.2 * np.abs(RNG.normal(size=100_000) - BACKGROUND["features"][:, 0].mean()).mean()
        covered += found.low[0] <= truth <= found.high[0]
    assert covered >= 52
    assert found.order.tolist() == [0, 1, 2, 3]
    assert found.mean[3] == pytest.approx(0, abs=1e-8)


def test_the_partner_is_the_column_of_the_interaction():
    forward = table(lambda rows: rows[:, 0] * rows[:, 2] + 0.3 * rows[:, 1], 4)
    found = _shares(forward=forward)
    assert cohort.partner(found, ROWS["features"], 0) == 2
    assert cohort.partner(found, ROWS["features"], 2) == 0


def test_partial_dependence_of_a_linear_model_is_a_line_and_its_curves_are_parallel():
    told = []
    found = partial_dependence(LINEAR, ROWS, 0, 1, points=12, on_progress=told.append)
    assert len(found.values) == 12
    np.testing.assert_allclose(np.diff(found.mean) / np.diff(found.values), 0.2, atol=1e-4)
    np.testing.assert_allclose(np.diff(found.curves - found.curves[:1], axis=1), 0, atol=1e-6)
    assert (found.low < found.mean)[2:-2].all()  # at the ends this line leaves 0..1
    assert told[-1] == 1.0


def test_partial_dependence_takes_each_value_of_few_and_leaves_the_cohort_alone(monkeypatch):
    monkeypatch.setattr(dependence, "_ROWS_AT_ONCE", 64)
    rows = {"features": ROWS["features"].copy()}
    rows["features"][:, 1] = RNG.integers(0, 3, 200)
    rows["features"][5, 1] = np.nan
    before = rows["features"].copy()
    found = partial_dependence(table(lambda r: np.where(r[:, 1] == 2, 0.9, 0.1), 4), rows, 1, 1)
    np.testing.assert_allclose(found.values, [0, 1, 2])
    np.testing.assert_allclose(found.mean, [0.1, 0.1, 0.9], atol=1e-6)
    np.testing.assert_array_equal(rows["features"], before)


def _accuracy(label):
    return lambda truth, probabilities: float(((probabilities[:, label] > 0.5) == (truth == label)).mean())


ACCURACY = Measure(_accuracy)


def test_a_metric_loses_what_the_column_gave_it():
    forward = table(lambda rows: logistic(9 * rows[:, 0]), 4)
    truth = (ROWS["features"][:, 0] > 0).astype(np.intp)
    found = metric_loss(forward, ROWS, truth, ACCURACY, 1, repeats=20)
    assert found.metric == 1.0
    assert found.low[0] < 0.5 < found.high[0] + 0.1
    np.testing.assert_array_equal(found.mean[1:], 0)
    assert found.order[0] == 0


def test_of_a_metric_that_is_better_small_the_rise_is_told():
    forward = table(lambda rows: logistic(9 * rows[:, 0]), 4)
    truth = (ROWS["features"][:, 0] > 0).astype(np.intp)
    found = metric_loss(forward, ROWS, truth, Measure(brier, smaller_is_better=True), 1)
    assert found.smaller_is_better
    assert 0 < found.metric < 0.1
    assert found.mean[0] > 0.2
    np.testing.assert_array_equal(found.mean[1:], 0)


def test_columns_that_say_the_same_hide_each_other_unless_exchanged_together():
    rows = {"features": ROWS["features"].copy()}
    rows["features"][:, 1] = rows["features"][:, 0]
    forward = table(lambda r: logistic(9 * (r[:, 0] + r[:, 1])), 4)
    truth = (rows["features"][:, 0] > 0).astype(np.intp)
    alone = metric_loss(forward, rows, truth, ACCURACY, 1)
    names = ["a", "b", "c", "d"]
    players = Players.columns("features", names, {"twins": ["a", "b"]})
    together = metric_loss(forward, rows, truth, ACCURACY, 1, players=players)
    assert together.mean[0] > 1.5 * alone.mean[0]


def test_cohorts_that_do_not_fit_are_refused():
    with pytest.raises(ExplainerNotApplicable, match="1 to 10,000"):
        _shares({"features": np.zeros((0, 4), np.float32)})
    with pytest.raises(ExplainerNotApplicable, match="1 to 10,000"):
        partial_dependence(LINEAR, {"features": np.zeros((10_001, 4), np.float32)}, 0, 1)
    with pytest.raises(ExplainerNotApplicable, match="table"):
        partial_dependence(LINEAR, {"image": np.zeros((2, 4, 4, 1), np.float32)}, 0, 1)
    with pytest.raises(ExplainerNotApplicable, match="no value"):
        partial_dependence(LINEAR, {"features": np.full((3, 4), np.nan, np.float32)}, 0, 1)
    with pytest.raises(ExplainerNotApplicable, match="label for each"):
        metric_loss(LINEAR, ROWS, np.zeros(3, np.intp), ACCURACY, 1)
