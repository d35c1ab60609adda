"""Networks that begin as a sum over columns: found, cut, and put together to the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.explain import ExplainRequest, cohort, exact, interactions, kernel, permutation
from healthdash.explain import game as games
from healthdash.explain import sums as sums_module
from healthdash.explain.game import Game
from healthdash.explain.players import Players
from healthdash.explain.separable import separate
from healthdash.explain.steps import Steps
from tests import networks

pytestmark = pytest.mark.tf
REQUEST = ExplainRequest(target="b", samples=40)
LABELS = ("a", "b", "c")


def _keras():
    return networks._keras(3)


def _dense(columns=9):
    keras = _keras()
    x = keras.Input((columns,), name="features")
    hidden = keras.layers.Dense(12, activation="tanh")(keras.layers.Normalization(mean=0.3, variance=2.0)(x))
    return keras.Model(x, keras.layers.Dense(3)(keras.layers.Dense(7, activation="relu")(hidden)))


def _records():
    """Numbers with gaps beside categories, as the networks for tables are built."""
    from healthdash.tasks.records import network

    number = {"kind": "number", "center": 1.0, "scale": 2.0}
    category = {"kind": "category", "values": ["x", "y", "z"]}
    columns = [number, category, number | {"log": True}, category, number]
    return network.build(columns, network.Shape(members=3, hidden=(6,)), labels=3)[1]


def _linear():
    keras = _keras()
    x = keras.Input((4,), name="features")
    return keras.Model(x, keras.layers.Dense(3)(x))


def _sequential():
    keras = _keras()
    layers = [
        keras.Input((5,), name="features"),
        keras.layers.Dense(6, activation="gelu"),
        keras.layers.Dense(3),
    ]
    return keras.Sequential(layers)


def _two_ways():
    """A wide and a deep way, both from sums."""
    keras = _keras()
    x = keras.Input((5,), name="features")
    deep = keras.layers.Dense(3)(keras.layers.Dense(6, activation="relu")(x))
    return keras.Model(x, keras.layers.Add()([deep, keras.layers.Dense(3)(x)]))


def _joined_first(layer):
    keras = _keras()
    x = keras.Input((5,), name="features")
    return keras.Model(x, keras.layers.Dense(3)(layer(keras, x)))


SEPARABLE = {
    "table": networks.table, "dense": _dense, "records": _records, "linear": _linear,
    "sequential": _sequential, "two ways": _two_ways,
}  # fmt: skip
JOINED = {
    "layer normalisation": lambda keras, x: keras.layers.LayerNormalization()(x),
    "product of columns": lambda keras, x: x * keras.ops.flip(x, axis=1),
    "columns beside sums": lambda keras, x: keras.layers.Concatenate()(
        [x, keras.layers.Dense(4, activation="relu")(x)]
    ),
    "softmax over columns": lambda keras, x: keras.ops.softmax(x),
}


def _rows(network, n, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, network.inputs[0].shape[1])).astype(np.float32)
    if rows.shape[1] == 5:  # of the network for tables: codes and a gap
        rows[:, [1, 3]] = rng.integers(0, 4, (n, 2))
        rows[rng.random(n) < 0.3, 4] = 0.0
    return rows


@pytest.fixture(params=SEPARABLE)
def network(request):
    return SEPARABLE[request.param]()


def test_both_halves_make_the_network_and_the_first_adds_columns_up(network):
    separated, rows = separate(network), _rows(network, 20)
    assert separated is not None
    whole = networks.forward(network).logits({"features": rows})
    np.testing.assert_allclose(separated.tail(separated.head(rows)), whole, atol=1e-5)
    start, mixed = np.asarray(separated.head(rows[:1])), rows[:1].copy()
    for column in range(0, rows.shape[1], 2):
        one = rows[:1].copy()
        one[0, column] = mixed[0, column] = rows[1, column]
        start = start + np.asarray(separated.head(one)) - np.asarray(separated.head(rows[:1]))
    np.testing.assert_allclose(start, separated.head(mixed), atol=1e-5)


@pytest.mark.parametrize("layer", JOINED)
def test_a_network_that_joins_columns_first_is_run_as_a_whole(layer):
    network = _joined_first(JOINED[layer])
    assert separate(network) is None
    rows = {"features": _rows(network, 6)}
    item = {"features": rows["features"][:1]}
    found = exact.explain(networks.forward(network), item, rows, 1, REQUEST)
    assert found.residual == pytest.approx(0, abs=1e-6)


def test_pictures_and_several_inputs_are_run_as_a_whole():
    assert separate(networks.picture()) is None
    assert separate(networks.signal()) is None


@pytest.mark.parametrize("method", [exact, permutation, kernel])
def test_added_mixtures_are_worth_what_the_network_says(network, method, monkeypatch):
    forward, rows = networks.forward(network), {"features": _rows(network, 12)}
    item = {"features": rows["features"][:1] + np.float32(1)}
    added = method.explain(forward, item, rows, 1, REQUEST)
    monkeypatch.setattr(games, "Steps", _NoSteps)
    mixed = method.explain(forward, item, rows, 1, REQUEST)
    np.testing.assert_allclose(added.shares, mixed.shares, atol=1e-6)
    assert "mixtures" in forward.traces
    assert abs(added.residual) < 1e-6


class _NoSteps:
    """Stands in for `Steps` where the network has no sums."""

    @staticmethod
    def of(*_):
        return None


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 5, 7, 8, 9, 12])
def test_any_number_of_players_is_put_together_in_order(columns):
    network = _dense(columns)
    forward, rows = networks.forward(network), _rows(network, 3, seed=columns)
    rows[1, : columns // 2] = rows[0, : columns // 2]
    item, background = rows[0], {"features": rows[1:]}
    game = Game.of(forward, {"features": item[None]}, background, 2, REQUEST, 10)
    assert game.steps is not None
    for some, among, worth in exact.worths(game, lambda _: None):
        for row, players, each in zip(some, among, worth, strict=True):
            mixed = np.tile(game.background["features"][row], (each.size, 1))
            mixed[:, players] = np.where(exact.coalitions(len(players)), item[players], mixed[:, players])
            expected = forward.probabilities({"features": mixed})[:, 2]
            np.testing.assert_allclose(each, expected, atol=1e-6)


def test_groups_of_columns_play_together_and_interactions_agree(monkeypatch):
    network = _dense(6)
    forward, rows = networks.forward(network), {"features": _rows(network, 5)}
    players = Players.columns("features", list("abcdef"), {"first": ["a", "c"], "last": ["e", "f"]})
    request = ExplainRequest(target="b", players=players)
    item = {"features": rows["features"][:1] + np.float32(1)}
    added = interactions.explain(forward, item, rows, 1, request)
    monkeypatch.setattr(games, "Steps", _NoSteps)
    mixed = interactions.explain(forward, item, rows, 1, request)
    np.testing.assert_allclose(added.index, mixed.index, atol=1e-6)
    np.testing.assert_allclose(added.shares, mixed.shares, atol=1e-6)


@pytest.mark.parametrize("value", [3e7, np.nan])
def test_a_baseline_whose_values_would_hide_others_is_mixed_instead(value):
    network = _linear()
    forward, rows = networks.forward(network), _rows(network, 5)
    item = rows[4:].copy()
    rows[:, 1] = value
    background, players = {"features": rows}, Players.columns("features", list("abcd"))
    assert Steps.of(forward, {"features": item[0]}, background, players) is None
    assert exact.explain(forward, {"features": item}, background, 1, REQUEST).samples > 1


def test_weights_that_change_give_other_values(network):
    """A check of explanations shuffles the weights of one compiled copy."""
    forward, rows = networks.forward(network), {"features": _rows(network, 8)}
    item = {"features": rows["features"][:1] + np.float32(1)}
    exact.explain(forward, item, rows, 1, REQUEST)
    rng = np.random.default_rng(0)
    for share in (1, len(network.weights)):  # the last array alone, then all
        for weight in network.weights[-share:]:
            weight.assign(rng.permutation(np.asarray(weight).ravel()).reshape(weight.shape) + 0.1)
        changed = exact.explain(forward, item, rows, 1, REQUEST)
        anew = exact.explain(networks.forward(network), item, rows, 1, REQUEST)
        np.testing.assert_allclose(changed.shares, anew.shares, atol=1e-7)


def test_without_xla_the_numbers_are_the_same(monkeypatch):
    network = _dense()
    rows = {"features": _rows(network, 6)}
    item = {"features": rows["features"][:1] + np.float32(1)}
    compiled = exact.explain(networks.forward(network), item, rows, 1, REQUEST)

    def fails(*_):
        from healthdash.runtime import tensorflow

        raise tensorflow().errors.UnimplementedError(None, None, "no such operation")

    forward = networks.forward(network)
    sums_module.sums_of(forward)._halves._call = fails
    plain = exact.explain(forward, item, rows, 1, REQUEST)
    np.testing.assert_allclose(plain.shares, compiled.shares, atol=1e-7)


def test_a_cohort_explained_together_gets_the_values_of_its_rows(network):
    forward, rows = networks.forward(network), {"features": _rows(network, 30)}
    background = {"features": _rows(network, 8, seed=1)}
    told = []
    found = cohort.shares("exact-shapley", forward, rows, background, LABELS, REQUEST, told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    for row in (0, 17, 29):
        one = {"features": rows["features"][row : row + 1]}
        alone = exact.explain(forward, one, background, 1, REQUEST)
        np.testing.assert_allclose(found.shares[row], alone.shares, atol=1e-7)
        assert found.output[row] == pytest.approx(alone.output, abs=1e-7)
        assert found.base[row] == pytest.approx(alone.base, abs=1e-7)


def test_a_listener_ends_a_cohort_with_the_rows_so_far(monkeypatch):
    from healthdash.explain import exact_rows

    monkeypatch.setattr(exact_rows, "_MIXTURES_AT_ONCE", 4 * 8 * 2**9)
    forward, rows = networks.forward(_dense()), {"features": _rows(_dense(), 40)}
    background = {"features": _rows(_dense(), 8, seed=1)}
    found = cohort.shares(
        "exact-shapley", forward, rows, background, LABELS, REQUEST, lambda share: share >= 0.25
    )
    assert len(found.shares) == len(found.base) == len(found.output) == 12
