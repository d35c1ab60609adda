"""Measures of explanations: good ones pass, bad ones are found out."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from healthdash import explain
from healthdash.errors import ExplainerNotApplicable
from healthdash.explain import ExplainRequest, copies, quality
from healthdash.explain.quality import Question
from healthdash.explain.quality.curves import steps
from healthdash.explain.quality.stability import noise_scale
from healthdash.explain.types import Explanation
from healthdash.ui.judged import curves_view
from tests import networks
from tests.closed_form import logistic, table

RNG = np.random.default_rng(0)
LABELS = ("no", "yes")
WEIGHTS = np.array([2.0, -1.5, 1.0, 0.5, 0.0, -0.2, 0.7, 0.0])


def _question(method="exact-shapley", forward=None, background=None, **asked):
    item = RNG.normal(size=(1, 8)).astype(np.float32) + 1.5
    rows = RNG.normal(size=(6, 8)).astype(np.float32) if background is None else background
    return Question(
        method,
        forward or table(lambda r: logistic(r @ WEIGHTS), 8),
        {"features": item},
        {"features": rows},
        LABELS,
        ExplainRequest(target="yes", **asked),
    )


def _with(explanation, values):
    values = np.asarray(values, np.float32)
    return replace(explanation, values={"features": values}, shares=values)


def test_exact_shares_add_up_and_others_are_told_off():
    good = _question().asked()
    assert quality.additivity(good).passed
    bad = quality.additivity(_with(good, good.shares + 0.1))
    assert bad.passed is False
    assert "80 percentage points" in bad.words
    assert quality.additivity(replace(good, is_additive=False)).passed is None


def test_a_smooth_model_is_stable_and_a_jagged_one_is_not():
    smooth = _question()
    assert quality.stability(smooth, smooth.asked()).passed
    jagged = _question(forward=table(lambda r: logistic(2 * np.sin(900 * r).sum(axis=1)), 8))
    found = quality.stability(jagged, jagged.asked())
    assert not found.passed
    assert "changes a good deal" in found.words


def test_noise_leaves_codes_and_gaps_alone():
    background = np.stack([np.arange(8), np.arange(8) + 1]).astype(np.float32)
    background[:, 0] = [0.25, 0.5]
    background[0, 1] = np.nan
    question = _question(background=background)
    question.inputs["features"][:] = np.round(question.inputs["features"])
    question.inputs["features"][0, 2] = np.nan
    scale = noise_scale(question, None)["features"]
    assert scale[0] > 0
    assert not scale[1:].any()
    everything = noise_scale(question, {"features": np.ones(8, bool)})["features"]
    assert everything[3] > 0
    assert everything[2] == 0


def test_an_input_of_codes_only_has_no_little_change():
    question = _question(background=np.ones((2, 8), np.float32))
    question.inputs["features"][:] = 2
    with pytest.raises(ExplainerNotApplicable, match="a little"):
        quality.stability(question, question.asked())


def test_curves_start_and_end_at_output_and_base():
    question = _question()
    found = question.asked()
    curves = quality.curves(question, found)
    for curve in (curves.deletion, *curves.random_deletion):
        assert curve[0] == pytest.approx(found.output, abs=1e-6)
        assert curve[-1] == pytest.approx(found.base, abs=1e-6)
    for curve in (curves.insertion, *curves.random_insertion):
        assert curve[0] == pytest.approx(found.base, abs=1e-6)
        assert curve[-1] == pytest.approx(found.output, abs=1e-6)


def test_curves_of_a_linear_model_are_its_sums():
    question = _question(forward=table(lambda r: r @ WEIGHTS, 8))
    found = question.asked()
    curves = quality.curves(question, found)
    np.testing.assert_allclose(
        curves.deletion, found.output - np.append(0, np.cumsum(np.sort(found.shares)[::-1])), atol=1e-5
    )
    np.testing.assert_allclose(
        curves.insertion, found.base + np.append(0, np.cumsum(np.sort(found.shares)[::-1])), atol=1e-5
    )


def test_a_good_order_beats_chance_and_its_reverse_does_not():
    question = _question()
    found = question.asked()
    good, bad = quality.curves(question, found), quality.curves(question, _with(found, -found.shares))
    assert good.passed
    assert good.beaten == 1
    assert good.deletion_area < good.random_deletion_area < bad.deletion_area
    assert not bad.passed
    assert "worse than chance" in bad.words


@pytest.mark.parametrize(
    ("better", "words"), [(0, "uses: "), (5, "uses hardly better than chance"), (9, "uses worse than chance")]
)
def test_an_order_is_told_by_the_random_ones_that_it_beats(better, words):
    out = np.tile([1.0, 0.8, 0.0], (10, 1))
    out[:better, 1] = 0.2
    found = quality.Curves(np.array([0, 0.5, 1]), np.array([1, 0.5, 0]), np.array([0, 0.5, 1]), out, 1 - out)
    assert words in found.words


@pytest.mark.parametrize("weights", [[2, 1], [3, 2, 1], [1, 0, 0], [1, 0, 0, 0], [4, 3, 2, 1], [1] + 5 * [0]])
def test_the_right_order_of_few_parts_beats_every_other_one(weights):
    shares = np.array(weights, np.float32)
    question = replace(
        _question(background=np.zeros((1, len(shares)), np.float32)),
        forward=table(lambda r: logistic(r @ shares - 1), len(shares)),
        inputs={"features": np.ones((1, len(shares)), np.float32)},
    )
    for seed in range(8):
        again = replace(question, request=replace(question.request, seed=seed))
        assert quality.curves(again, again.asked()).beaten == 1


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_parts_of_one_value_have_no_order_to_compare(parts):
    question = replace(
        _question(background=np.zeros((1, parts), np.float32)),
        forward=table(lambda r: logistic(r.sum(axis=1)), parts),
        inputs={"features": np.ones((1, parts), np.float32)},
    )
    found = quality.curves(question, question.asked())
    assert found.passed is None
    assert "nothing in order" in found.words
    assert found.random_deletion_area == found.deletion_area
    assert len(curves_view(found).curves) == 2


@pytest.mark.parametrize("parts", [1, 2, 7, 24, 25, 36, 65, 144])
def test_steps_are_the_same_from_either_end(parts):
    taken = steps(parts)
    np.testing.assert_array_equal(taken, parts - taken[::-1])
    assert taken[0] == 0
    assert len(taken) <= 27


def test_methods_that_agree_and_methods_that_do_not():
    question = _question(samples=500)
    exact, sampled = (replace(question, method=m).asked() for m in ("exact-shapley", "permutation-shapley"))
    same = quality.agreement([exact, sampled])
    assert same.lowest > 0.9
    assert "agree" in same.words
    against = quality.agreement([exact, _with(exact, exact.shares[::-1])])
    assert against.lowest < 0.7
    assert "differ" in against.words
    with pytest.raises(ExplainerNotApplicable):
        quality.agreement([exact, replace(exact, values={"other": np.zeros(3, np.float32)})])


@pytest.mark.parametrize(
    ("a", "b", "expected"), [([1, 2, 3], [2, 4, 6], 1), ([1, 2, 3], [3, 2, 1], -1), ([1, 1], [5, 5], 1),
                             ([1, 2, 3], [0, 0, 0], 0), ([0, 0], [0, 0], 1)]
)  # fmt: skip
def test_rank_correlation(a, b, expected):
    assert quality.rank_correlation(np.array(a, float), np.array(b, float)) == pytest.approx(expected)


@pytest.fixture
def constant(monkeypatch):
    """Return the name of a method that looks at the input only."""
    module = ModuleType("constant_method")
    module.TITLE, module.reason_against = "Constant", lambda *_: None

    def of_input(forward, inputs, background, target_index, request, on_progress=None):
        return Explanation(
            method="constant", target=request.target, seconds=0, base=0, output=0, samples=1,
            values={name: values[0] for name, values in inputs.items()}, is_additive=False,
        )  # fmt: skip

    module.explain = of_input
    monkeypatch.setitem(sys.modules, "constant_method", module)
    monkeypatch.setitem(explain.METHODS, "constant", "constant_method")
    return "constant"


def _network_question(method, network, **asked):
    item, background = networks.some(network, 1, seed=3), networks.some(network, 6, seed=4)
    return Question(
        method,
        networks.forward(network),
        item,
        background,
        ("a", "b", "c"),
        ExplainRequest(target="c", **asked),
    )


@pytest.mark.tf
def test_shapley_values_need_the_weights_and_a_constant_explanation_is_flagged(constant):
    network = networks.table()
    before = [w.copy() for w in network.get_weights()]
    question = _network_question("exact-shapley", network)
    assert quality.randomisation(question, question.asked()).passed
    flat = replace(question, method=constant)
    found = quality.randomisation(flat, flat.asked())
    assert found.correlations == (1.0, 1.0, 1.0)
    assert not found.passed
    assert "says little about the model" in found.words
    doubted = quality.Quality(
        quality.additivity(flat.asked()), None, quality.curves(flat, flat.asked()), found
    )
    assert doubted.reason_to_doubt == found.words
    for one, other in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.tf
def test_shuffled_networks_differ_more_and_more_and_keep_their_numbers():
    network = networks.picture()
    forward, item = networks.forward(network), networks.some(network, 4)
    own = forward.probabilities(item)
    distances, seen = [], []
    for other in copies.shuffled(forward, (0.2, 1.0), 2, seed=0):
        distances.append(np.abs(other.probabilities(item) - own).max())
        seen.append(
            np.sort(other.compiled("weights", lambda n: [w.copy() for w in n.get_weights()])[0].ravel())
        )
    assert min(distances) > 1e-4
    np.testing.assert_array_equal(seen[0], np.sort(network.get_weights()[0].ravel()))
    np.testing.assert_array_equal(own, forward.probabilities(item))


@pytest.mark.tf
@pytest.mark.parametrize("method", ["grad-cam", "occlusion", "expected-gradients", "kernel-shap"])
def test_every_measure_of_a_picture(method):
    told = []
    question = _network_question(method, networks.picture(members=1), samples=20)
    found = quality.judge(question, question.asked(), told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(found.words) == 4
    assert not any("disease" in words for words in found.words)
    assert len(set(found.randomisation.correlations)) > 1
