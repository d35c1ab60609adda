"""KernelSHAP against exact values, the shap library, and its own stated errors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from healthdash.explain import ExplainRequest, exact, kernel
from tests import networks
from tests.closed_form import logistic, table


def _crooked(rows):
    return logistic(rows[:, 0] * rows[:, 1] - rows[:, 2] ** 2 + 2 * np.sin(rows).sum(axis=1))


P, M = 11, 6
RNG = np.random.default_rng(0)
ITEM = {"features": RNG.normal(size=(1, P)).astype(np.float32)}
BACKGROUND = {"features": RNG.normal(size=(M, P)).astype(np.float32)}
FORWARD = table(_crooked, P)


def _sampled(samples=60, seed=0, forward=FORWARD, tolerance=0.0, item=ITEM, background=BACKGROUND, told=None):
    request = ExplainRequest(target="yes", samples=samples, seed=seed, tolerance=tolerance)
    return kernel.explain(forward, item, background, 1, request, told)


def _exact():
    return exact.explain(FORWARD, ITEM, BACKGROUND, 1, ExplainRequest(target="yes")).shares


def test_all_coalitions_within_the_budget_give_exact_values():
    found = _sampled(samples=1 << (P - 1))
    np.testing.assert_allclose(found.shares, _exact(), atol=1e-6)
    assert not found.shares_error.any()


@pytest.mark.parametrize("samples", [1, 40, 120, 700])
def test_values_always_add_up_and_lie_within_their_errors(samples):
    found = _sampled(samples=samples)
    assert found.residual == pytest.approx(0, abs=1e-6)
    assert (np.abs(found.shares - _exact()) < 5 * found.shares_error + 1e-6).all()


def test_stated_error_is_the_spread_over_seeds():
    runs = [_sampled(samples=150, seed=seed) for seed in range(60)]
    spread = np.std([run.shares for run in runs], axis=0, ddof=1)
    stated = np.mean([run.shares_error for run in runs], axis=0)
    assert 0.75 < np.median(stated / spread) < 1.3
    bias = np.mean([run.shares for run in runs], axis=0) - _exact()
    assert (np.abs(bias) < 4 * spread / 60**0.5).all()


def test_a_linear_function_needs_no_luck():
    weights = np.linspace(-0.1, 0.1, P)
    found = _sampled(samples=P, forward=table(lambda rows: 0.5 + rows @ weights, P))
    expected = weights * (ITEM["features"][0] - BACKGROUND["features"].mean(axis=0))
    np.testing.assert_allclose(found.shares, expected, atol=1e-6)


def test_idle_players_get_nothing_and_few_active_ones_are_exact():
    for active in (0, 1, 2):
        background = {"features": ITEM["features"].repeat(3, axis=0)}
        background["features"][:, :active] += 1
        found = _sampled(samples=20, background=background)
        assert not found.shares[active:].any()
        assert found.residual == pytest.approx(0, abs=1e-6)


def test_sampling_stops_at_the_tolerance_or_when_told():
    told = []
    found = _sampled(samples=900, tolerance=0.002, told=told.append)
    assert found.largest_error <= 0.002
    assert found.samples < _sampled(samples=900).samples
    assert told[-1] == 1.0
    assert _sampled(samples=900, told=lambda share: True).samples <= found.samples


def test_eight_threads_give_what_one_gives():
    alone = [_sampled(seed=seed).shares for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = [found.shares for found in pool.map(lambda s: _sampled(seed=s), range(8))]
    np.testing.assert_array_equal(alone, together)


@pytest.mark.tf
def test_values_are_those_of_the_shap_library():
    import shap

    network = networks.table(7)
    forward = networks.forward(network)
    item, background = networks.some(network, 1), networks.some(network, 12, seed=1)
    found = kernel.explain(forward, item, background, 2, ExplainRequest(target="c", samples=64))
    reference = shap.KernelExplainer(
        lambda rows: forward.probabilities({"features": rows.astype(np.float32)})[:, 2],
        background["features"],
    ).shap_values(item["features"], silent=True, l1_reg=0)
    np.testing.assert_allclose(found.shares, reference[0], atol=1e-5)
