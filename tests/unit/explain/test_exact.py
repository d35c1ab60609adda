"""Exact Shapley values against the definition, closed forms and the `shap` library."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from healthdash import explain
from healthdash.errors import ExplainerNotApplicable
from healthdash.explain import ExplainRequest, exact
from healthdash.explain.players import Players
from tests.closed_form import ClosedForm, logistic, shapley_by_definition, table

REQUEST = ExplainRequest(target="yes")
LABELS = ("no", "yes")


def _explain(forward, item, background, target="yes", **kwargs):
    return explain.run(
        "exact-shapley",
        forward,
        {"features": np.asarray(item, np.float32)[None]},
        {"features": np.asarray(background, np.float32)},
        LABELS,
        ExplainRequest(target=target),
        **kwargs,
    )


def _numbers(p, m, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=p).astype(np.float32), rng.normal(size=(m, p)).astype(np.float32)


def _crooked(rows):
    """A function with interactions of many orders."""
    return logistic(rows[:, 0] * rows[:, 1] - rows[:, 2] ** 2 + rows.sum(axis=1) + rows.prod(axis=1))


def test_values_are_those_of_the_definition():
    item, background = _numbers(5, 7)
    found = _explain(table(_crooked, 5), item, background)
    np.testing.assert_allclose(
        found.values["features"], shapley_by_definition(_crooked, item, background), atol=1e-6
    )
    assert found.method == "exact-shapley"
    assert found.standard_error == {}


@pytest.mark.parametrize("p", [1, 2, 6, 13])
def test_values_add_up_to_the_output(p):
    item, background = _numbers(p, 3)
    found = _explain(table(_crooked if p > 2 else lambda r: logistic(r.sum(axis=1)), p), item, background)
    assert found.residual == pytest.approx(0, abs=1e-6)


def test_a_linear_function_gives_weight_times_distance_from_the_mean():
    item, background = _numbers(8, 10)
    weights = np.linspace(-0.1, 0.1, 8)
    found = _explain(table(lambda rows: 0.5 + rows @ weights, 8), item, background)
    expected = weights * (item - background.mean(axis=0))
    np.testing.assert_allclose(found.values["features"], expected, atol=1e-6)
    assert found.base == pytest.approx(0.5 + background.mean(axis=0) @ weights, abs=1e-6)


def test_a_product_of_two_columns_is_shared_by_half():
    found = _explain(table(lambda rows: rows[:, 0] * rows[:, 1], 3), [0.6, 0.5, 9.0], np.zeros((1, 3)))
    np.testing.assert_allclose(found.values["features"], [0.15, 0.15, 0.0], atol=1e-7)


def test_the_other_class_gets_the_opposite_values():
    item, background = _numbers(4, 5)
    yes, no = (_explain(table(_crooked, 4), item, background, target) for target in ("yes", "no"))
    np.testing.assert_allclose(yes.values["features"], -no.values["features"], atol=1e-6)
    assert yes.output + no.output == pytest.approx(1)


def test_columns_that_agree_with_the_background_are_not_run():
    item, background = _numbers(10, 4)
    background[:, 3:] = item[3:]
    forward = table(_crooked, 10)
    found = _explain(forward, item, background)
    assert not found.values["features"][3:].any()
    assert found.samples == 4 * 2**3
    assert forward.rows_run < 100


def test_an_item_that_is_its_background_has_no_shares():
    item, _ = _numbers(4, 1)
    found = _explain(table(_crooked, 4), item, np.stack([item, item]))
    assert not found.values["features"].any()
    assert found.base == pytest.approx(found.output)


def test_missing_values_count_as_equal_to_missing_values():
    def function(rows):
        return logistic(np.where(np.isnan(rows), -1.0, rows).sum(axis=1))

    item, background = np.array([np.nan, 1.0, np.nan]), np.array([[np.nan, 0, 2.0], [1.0, 0, np.nan]])
    found = _explain(table(function, 3), item, background)
    expected = shapley_by_definition(function, item, background)
    np.testing.assert_allclose(found.values["features"], expected, atol=1e-6)
    assert found.samples == 2 * 2**2


def test_equal_background_rows_are_merged_and_keep_their_weight():
    item, background = _numbers(4, 3)
    repeated = background[[0, 0, 0, 1, 2]]
    found = _explain(table(_crooked, 4), item, repeated)
    np.testing.assert_allclose(
        found.values["features"], shapley_by_definition(_crooked, item, repeated), atol=1e-6
    )
    assert found.samples == 3 * 2**4


def test_memory_is_bounded_by_blocks(monkeypatch):
    monkeypatch.setattr(exact, "_MIXTURES_AT_ONCE", 64)
    item, background = _numbers(5, 9)
    forward = table(_crooked, 5)
    shares = []
    found = _explain(forward, item, background, on_progress=shares.append)
    assert forward.most_rows <= 64
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    np.testing.assert_allclose(
        found.values["features"], shapley_by_definition(_crooked, item, background), atol=1e-6
    )


def test_too_many_columns_are_refused_with_the_reason():
    item, background = _numbers(17, 2)
    with pytest.raises(ExplainerNotApplicable, match="at most 16 columns or players, there are 17"):
        _explain(table(_crooked, 17), item, background)


def test_too_many_players_are_refused_and_few_of_many_columns_are_not():
    wide = {"features": np.zeros((1, 40), np.float32)}
    names = [f"c{i}" for i in range(40)]
    halves = Players.columns("features", names, {"left": names[:20], "right": names[20:]})
    assert exact.reason_against(wide, players=halves) is None
    assert "40" in str(exact.reason_against(wide, players=Players.columns("features", names)))


def test_groups_of_columns_sum_to_their_members_in_a_linear_model():
    item, background = _numbers(8, 10)
    weights = np.linspace(-0.1, 0.1, 8)
    forward = table(lambda rows: 0.5 + rows @ weights, 8)
    names = [f"c{i}" for i in range(8)]
    players = Players.columns("features", names, {"first": names[:3], "ends": ["c3", "c7"]})
    request = ExplainRequest(target="yes", players=players)
    found = exact.explain(forward, {"features": item[None]}, {"features": background}, 1, request)
    alone = _explain(forward, item, background).values["features"]
    assert players.names == ("first", "ends", "c4", "c5", "c6")
    expected = [alone[:3].sum(), alone[[3, 7]].sum(), *alone[4:7]]
    np.testing.assert_allclose(found.shares, expected, atol=1e-6)
    assert found.values["features"].sum() == pytest.approx(found.shares.sum(), abs=1e-6)


def test_several_inputs_share_the_output_out_among_their_parts():
    shapes = {"window": (6, 2), "rhythm": (3,)}
    forward = ClosedForm(
        lambda i: logistic(
            i["window"][:, :3].sum(axis=(1, 2)) * i["rhythm"].sum(axis=1) + i["window"][:, 4, 1]
        ),
        shapes,
    )
    rng = np.random.default_rng(3)
    item, background = (
        {k: rng.normal(size=(n, *s)).astype(np.float32) for k, s in shapes.items()} for n in (1, 5)
    )
    players = Players.of(
        shapes, {"start": {"window": slice(0, 3)}, "rhythm": {"rhythm": slice(None)}}, rest="end"
    )
    found = exact.explain(forward, item, background, 1, ExplainRequest(target="yes", players=players))

    def by_players(rows):
        mixed = {k: np.repeat(v, len(rows), axis=0) for k, v in item.items()}
        for name, numbers in players.owner.items():
            taken = rows[:, numbers] > 0
            mixed[name] = np.where(taken, item[name], background[name][0])
        return forward.value(mixed)

    one = {name: values[:1] for name, values in background.items()}
    alone = exact.explain(forward, item, one, 1, ExplainRequest(target="yes", players=players))
    expected = shapley_by_definition(by_players, np.ones(3), np.zeros((1, 3)))
    np.testing.assert_allclose(alone.shares, expected, atol=1e-6)
    assert found.residual == pytest.approx(0, abs=1e-6)
    assert found.values["window"].shape == (6, 2)


def test_a_picture_is_shared_out_among_superpixels_against_its_blur():
    rng = np.random.default_rng(4)
    picture = rng.random((1, 24, 24, 1)).astype(np.float32)
    picture[:, 6:12, 6:12] += 3
    forward = ClosedForm(
        lambda i: logistic(i["image"][:, 6:12, 6:12].mean(axis=(1, 2, 3))), {"image": (24, 24, 1)}
    )
    background = {"image": np.zeros((4, 24, 24, 1), np.float32)}
    found = exact.explain(forward, {"image": picture}, background, 1, REQUEST)
    assert len(found.players) <= 10
    assert "blurred" in found.baseline
    assert found.residual == pytest.approx(0, abs=1e-5)
    assert found.values["image"][6:12, 6:12].mean() > 3 * np.abs(found.values["image"]).mean()


def test_a_class_that_the_model_lacks_is_refused():
    item, background = _numbers(3, 2)
    with pytest.raises(ExplainerNotApplicable, match="no, yes"):
        _explain(table(_crooked, 3), item, background, target="maybe")


@pytest.fixture(scope="module")
def network_forward():
    from healthdash import runtime

    runtime.tensorflow()
    import keras

    keras.utils.set_random_seed(4)
    features = keras.Input((9,), name="features")
    hidden = keras.layers.Dense(16, activation="gelu")(features)
    hidden = keras.layers.BatchNormalization()(hidden)
    network = keras.Model([features], keras.layers.Dense(3)(hidden))
    return runtime.Forward(network, 1.3, np.array([0.2, 0.0, -0.2], np.float32))


@pytest.mark.tf
def test_values_are_those_of_the_shap_library(network_forward):
    import shap

    item, background = _numbers(9, 20)
    found = exact.explain(network_forward, {"features": item[None]}, {"features": background}, 2, REQUEST)
    masker = shap.maskers.Independent(background, max_samples=len(background))
    reference = shap.explainers.Exact(
        lambda rows: network_forward.probabilities({"features": rows})[:, 2], masker
    )(item[None], silent=True)
    np.testing.assert_allclose(found.values["features"], reference.values[0], atol=1e-5)
    assert found.base == pytest.approx(float(reference.base_values[0]), abs=1e-5)
    names = [f"column {n}" for n in range(item.size)]
    converted = found.to_shap({"features": item[None]}, feature_names=names)
    assert converted.feature_names == names
    assert isinstance(converted, shap.Explanation)
    np.testing.assert_array_equal(converted.values, found.values["features"])
    np.testing.assert_array_equal(converted.data, item)


@pytest.mark.tf
def test_eight_threads_give_what_one_gives(network_forward):
    items = np.random.default_rng(5).normal(size=(8, 9)).astype(np.float32)
    background = {"features": _numbers(9, 10)[1]}

    def one(row):
        return exact.explain(network_forward, {"features": row[None]}, background, 0, REQUEST)

    alone = [one(row).values["features"] for row in items]
    with ThreadPoolExecutor(8) as pool:
        together = [found.values["features"] for found in pool.map(one, items)]
    np.testing.assert_array_equal(alone, together)
