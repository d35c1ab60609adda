"""Interactions against closed forms and their definition."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest

from healthdash.errors import ExplainerNotApplicable
from healthdash.explain import ExplainRequest, interactions
from healthdash.explain.players import Players
from tests import networks
from tests.closed_form import logistic, shapley_by_definition, table

REQUEST = ExplainRequest(target="yes")
RNG = np.random.default_rng(0)


def _explained(forward, item, background, request=REQUEST, **kwargs):
    item, background = (np.asarray(v, np.float32) for v in (item, background))
    return interactions.explain(
        forward, {"features": item[None]}, {"features": background}, 1, request, **kwargs
    )


def _alone(found):
    """Return the share of each player without half of its interactions."""
    return found.shares - found.index.sum(axis=1) / 2


def _crooked(rows):
    return logistic(rows[:, 0] * rows[:, 1] - rows[:, 2] ** 2 + rows.sum(axis=1))


def test_a_product_is_all_interaction():
    found = _explained(table(lambda r: r[:, 0] * r[:, 1], 3), [0.6, 0.5, 9.0], np.zeros((1, 3)))
    expected = np.zeros((3, 3))
    expected[0, 1] = expected[1, 0] = 0.3
    np.testing.assert_allclose(found.index, expected, atol=1e-7)
    np.testing.assert_allclose(found.shares, [0.15, 0.15, 0], atol=1e-7)
    np.testing.assert_allclose(_alone(found), 0, atol=1e-7)
    assert found.strongest(1) == [("column 1", "column 2", pytest.approx(0.3))]


def test_a_sum_has_none():
    found = _explained(table(lambda r: r @ [0.1, -0.2, 0.3], 3), RNG.normal(size=3), RNG.normal(size=(4, 3)))
    np.testing.assert_allclose(found.index, 0, atol=1e-6)


def test_a_product_of_three_is_shared_by_its_pairs():
    # Index of a pair in a unanimity game of three: 1 / (3 - 2 + 1).
    found = _explained(table(lambda r: r.prod(axis=1), 3), [1, 1, 1], np.zeros((1, 3)))
    np.testing.assert_allclose(found.index[np.triu_indices(3, 1)], 0.5, atol=1e-7)


def test_shares_are_shapley_values_and_the_matrix_adds_up():
    item, background = RNG.normal(size=5), RNG.normal(size=(6, 5)).astype(np.float32)
    background[:3, 2] = np.float32(item[2])  # idle against some rows
    told = []
    found = _explained(table(_crooked, 5), item, background, on_progress=told.append)
    np.testing.assert_allclose(
        found.shares, shapley_by_definition(_crooked, np.float32(item), background), atol=1e-6
    )
    assert _alone(found).sum() + found.index.sum() / 2 == pytest.approx(found.output - found.base, abs=1e-6)
    np.testing.assert_allclose(found.index, found.index.T)
    assert told[-1] == 1.0


def test_too_many_columns_are_refused_unless_grouped():
    item, background = RNG.normal(size=14), RNG.normal(size=(2, 14))
    forward = table(lambda r: logistic(r.sum(axis=1)), 14)
    with pytest.raises(ExplainerNotApplicable, match="at most 12"):
        _explained(forward, item, background)
    names = [f"c{i}" for i in range(14)]
    players = Players.columns("features", names, {"most": names[2:]})
    found = _explained(forward, item, background, ExplainRequest(target="yes", players=players))
    assert found.index.shape == (3, 3)


@pytest.mark.parametrize("columns", [1, 2])
def test_few_columns(columns):
    found = _explained(table(lambda r: r.prod(axis=1), columns), np.ones(columns), np.zeros((1, columns)))
    assert found.index.sum() == pytest.approx(0 if columns == 1 else 2)


def _by_definition(worth, players):
    """Return the index of each pair from a function of sets, by its definition."""
    index = np.zeros((players, players))
    for i, j in combinations(range(players), 2):
        others = set(range(players)) - {i, j}
        for size in range(players - 1):
            weight = factorial(size) * factorial(players - size - 2) / factorial(players - 1)
            for members in map(set, combinations(sorted(others), size)):
                second = (
                    worth(members | {i, j}) - worth(members | {i}) - worth(members | {j}) + worth(members)
                )
                index[i, j] += weight * second
        index[j, i] = index[i, j]
    return index


@pytest.mark.tf
def test_interactions_of_a_network_are_those_of_the_definition():
    network = networks.table(6)
    forward = networks.forward(network)
    item, background = networks.some(network, 1), networks.some(network, 9, seed=1)

    def worth(members):
        rows = background["features"].copy()
        rows[:, sorted(members)] = item["features"][0, sorted(members)]
        return float(forward.probabilities({"features": rows})[:, 2].mean(dtype=np.float64))

    found = interactions.explain(forward, item, background, 2, ExplainRequest(target="c"))
    np.testing.assert_allclose(found.index, _by_definition(worth, 6), atol=1e-5)
