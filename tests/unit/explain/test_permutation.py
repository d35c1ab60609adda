"""Sampled Shapley values against exact ones, and their errors against what they claim."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from healthdash.explain import ExplainRequest, exact, permutation
from healthdash.explain.players import Players
from tests.closed_form import logistic, table


def _crooked(rows):
    return logistic(rows[:, 0] * rows[:, 1] - rows[:, 2] ** 2 + 2 * np.sin(rows).sum(axis=1))


P, M = 8, 12
RNG = np.random.default_rng(0)
ITEM = {"features": RNG.normal(size=(1, P)).astype(np.float32)}
BACKGROUND = {"features": RNG.normal(size=(M, P)).astype(np.float32)}
FORWARD = table(_crooked, P)


def _sampled(samples=60, seed=0, forward=FORWARD, item=ITEM, background=BACKGROUND, **kwargs):
    request = ExplainRequest(target="yes", samples=samples, seed=seed)
    return permutation.explain(forward, item, background, 1, request, **kwargs)


def _exact():
    return exact.explain(FORWARD, ITEM, BACKGROUND, 1, ExplainRequest(target="yes")).values["features"]


def test_values_are_the_exact_ones_within_the_stated_error():
    found = _sampled(samples=600)
    distance = np.abs(found.values["features"] - _exact())
    assert (distance < 4 * found.standard_error["features"] + 1e-6).all()
    assert distance.max() < 0.01


def test_stated_error_is_the_spread_over_seeds():
    runs = [_sampled(samples=48, seed=seed) for seed in range(60)]
    spread = np.std([run.values["features"] for run in runs], axis=0, ddof=1)
    stated = np.mean([run.standard_error["features"] for run in runs], axis=0)
    assert 0.75 < np.median(stated / spread) < 1.3


def test_mean_over_seeds_is_the_exact_value():
    runs = np.array([_sampled(samples=24, seed=seed).values["features"] for seed in range(100)])
    error = runs.std(axis=0, ddof=1) / 10
    assert (np.abs(runs.mean(axis=0) - _exact()) < 4 * error + 1e-6).all()


@pytest.mark.parametrize("samples", [1, M, 30, 200])
def test_values_always_add_up(samples):
    assert _sampled(samples=samples).residual == pytest.approx(0, abs=1e-6)


def test_too_small_a_budget_is_raised_to_a_pair_for_each_background_row():
    few, enough = _sampled(samples=3), _sampled(samples=M)
    np.testing.assert_array_equal(few.values["features"], enough.values["features"])
    assert np.isfinite(few.standard_error["features"]).all()


def test_one_pair_has_no_known_error():
    one = {"features": BACKGROUND["features"][:1]}
    assert np.isnan(_sampled(samples=1, background=one).standard_error["features"]).all()


def test_a_column_that_the_model_ignores_gets_nothing():
    found = _sampled(forward=table(lambda rows: logistic(rows[:, 0] - rows[:, 1]), P))
    assert not found.values["features"][2:].any()


def test_columns_that_agree_with_the_background_are_not_run():
    background = {"features": np.repeat(ITEM["features"], M, axis=0)}
    background["features"][:, 0] += 1
    background["features"][:, 1] += np.arange(M)
    forward = table(_crooked, P)
    found = _sampled(samples=24, forward=forward, background=background)
    assert not found.values["features"][2:].any()
    assert forward.rows_run <= M + 1 + 2 * 24


def test_forty_five_columns_of_a_function_without_interactions_are_exact():
    weights = np.linspace(-0.01, 0.01, 45)
    rng = np.random.default_rng(1)
    item = {"features": rng.normal(size=(1, 45)).astype(np.float32)}
    background = {"features": rng.normal(size=(20, 45)).astype(np.float32)}
    found = _sampled(20, forward=table(lambda r: 0.5 + r @ weights, 45), item=item, background=background)
    expected = weights * (item["features"][0] - background["features"].mean(axis=0))
    np.testing.assert_allclose(found.values["features"], expected, atol=1e-6)


def test_equal_seeds_give_equal_values_whatever_the_global_generator():
    np.random.seed(1)
    first = _sampled(seed=7).values["features"]
    np.random.seed(2)
    np.testing.assert_array_equal(first, _sampled(seed=7).values["features"])
    assert not np.array_equal(first, _sampled(seed=8).values["features"])


def test_blocks_do_not_change_the_budget_and_report_progress(monkeypatch):
    monkeypatch.setattr(permutation, "_MASKS_AT_ONCE", 2000)
    shares = []
    found = _sampled(samples=50, on_progress=shares.append)
    assert shares == sorted(shares)
    assert len(shares) > 2
    assert shares[-1] == 1.0
    assert found.residual == pytest.approx(0, abs=1e-6)


def test_sampling_stops_when_every_error_is_within_the_tolerance():
    told = []
    request = ExplainRequest(target="yes", samples=5000, tolerance=0.004)
    found = permutation.explain(FORWARD, ITEM, BACKGROUND, 1, request, told.append)
    assert found.largest_error <= 0.004
    assert found.samples < 0.5 * _sampled(samples=5000).samples
    assert told[-1] == 1.0
    assert [p.error for p in told if p.error < 0.004] == [told[-1].error] * 2
    assert (np.abs(found.values["features"] - _exact()) < 5 * 0.004).all()
    assert found.residual == pytest.approx(0, abs=1e-6)


def test_a_listener_ends_the_sampling_with_what_there_is():
    found = _sampled(samples=5000, on_progress=lambda share: share > 0.2)
    assert found.samples < 0.5 * _sampled(samples=5000).samples
    assert found.residual == pytest.approx(0, abs=1e-6)


def test_a_listener_that_raises_cancels():
    def cancel(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _sampled(samples=5000, on_progress=cancel)


def test_groups_of_columns_play_together():
    names = [f"c{i}" for i in range(P)]
    players = Players.columns("features", names, {"pair": names[:2], "rest": names[4:]})
    request = ExplainRequest(target="yes", samples=2000, players=players)
    found = permutation.explain(FORWARD, ITEM, BACKGROUND, 1, request)
    truth = exact.explain(FORWARD, ITEM, BACKGROUND, 1, request)
    assert len(found.shares) == 4
    assert (np.abs(found.shares - truth.shares) < 4 * found.shares_error + 1e-6).all()
    assert found.values["features"].sum() == pytest.approx(found.shares.sum(), abs=1e-6)


def test_a_single_column_takes_all():
    item, background = {"features": np.ones((1, 1), np.float32)}, {"features": np.zeros((2, 1), np.float32)}
    found = _sampled(
        samples=4, forward=table(lambda r: logistic(r[:, 0]), 1), item=item, background=background
    )
    assert found.values["features"][0] == pytest.approx(logistic(1.0) - 0.5, abs=1e-6)


def test_eight_threads_give_what_one_gives():
    alone = [_sampled(seed=seed).values["features"] for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = [found.values["features"] for found in pool.map(lambda s: _sampled(seed=s), range(8))]
    np.testing.assert_array_equal(alone, together)


def test_a_saturated_model_does_not_end_the_sampling_by_chance():
    forward = table(lambda rows: (rows > 0.5).all(axis=1).astype(float), 3)
    item, one = {"features": np.ones((1, 3), np.float32)}, {"features": np.zeros((1, 3), np.float32)}
    for seed in range(20):
        assert _sampled(50, seed, forward, item, one).samples > 30
