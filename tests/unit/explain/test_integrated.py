"""Integrated gradients against the integral."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.explain import ExplainRequest, integrated
from tests import networks
from tests.closed_form import ClosedForm, logistic

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(6, 5, 1)) / 2
ITEM = {"image": RNG.normal(size=(1, 6, 5, 1)).astype(np.float32)}
BACKGROUND = {"image": RNG.normal(size=(10, 6, 5, 1)).astype(np.float32)}


def _z(inputs):
    return (inputs["image"] * WEIGHTS).sum(axis=(1, 2, 3))


def _slope(inputs):
    p = logistic(3 * _z(inputs))
    return {"image": 3 * (p * (1 - p))[:, None, None, None] * WEIGHTS}


CURVED = ClosedForm(lambda inputs: logistic(3 * _z(inputs)), {"image": (6, 5, 1)}, _slope)


def _explained(**asked):
    return integrated.explain(CURVED, ITEM, BACKGROUND, 1, ExplainRequest(target="yes", **asked))


@pytest.mark.parametrize("baseline", ["", "mean", "zero", "blur", "background"])
def test_values_add_up_from_every_baseline(baseline):
    found = _explained(baseline=baseline)
    assert found.residual == pytest.approx(0, abs=2e-4)
    assert found.standard_error == {}


def test_from_one_baseline_shares_go_by_weight_times_distance():
    # On a straight way the slopes of a function of one weighted sum keep their proportions.
    found = _explained(baseline="zero")
    part = WEIGHTS * ITEM["image"][0]
    expected = (found.output - found.base) * part / part.sum()
    np.testing.assert_allclose(found.values["image"], expected, atol=1e-5)


def test_the_rule_integrates_polynomials_exactly():
    points, weight = integrated.rule(24)
    assert len(points) == 24
    assert weight.sum() == pytest.approx(1)
    assert (points.astype(float) ** 7) @ weight == pytest.approx(1 / 8, abs=1e-7)


@pytest.mark.tf
def test_values_of_a_network_with_attention_and_gru_add_up():
    network = networks.signal()
    found = integrated.explain(
        networks.forward(network), networks.some(network, 1), networks.some(network, 5, seed=1), 1,
        ExplainRequest(target="b"),
    )  # fmt: skip
    assert found.residual == pytest.approx(0, abs=1e-3)
    assert set(found.values) == {"window", "rhythm"}
