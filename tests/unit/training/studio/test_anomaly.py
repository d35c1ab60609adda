"""A model of usual and unusual items: better than chance on items that it never saw, as a safe bundle."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash import reconstruction
from healthdash.errors import InvalidInput, TooLittleData
from healthdash.explain import ExplainRequest, reason_against, run
from healthdash.training import TrainSettings
from healthdash.training.studio.generative import anomaly
from tests.labelled import pictures, signals
from tests.mixed_rows import mixed_rows

#: Of the area under the curve over chance, 0.5.
MARGIN = 0.2
MAKERS = {
    "row": (lambda: mixed_rows(320), "well", 12),
    "picture": (lambda: pictures(120), "no", 6),
    "signal": (lambda: signals(120), "no", 6),
}


def test_no_group_is_learnt_from_and_tested():
    rng = np.random.default_rng(0)
    groups, usual = rng.integers(40, size=400).astype(str), rng.random(400) < 0.7
    parts = anomaly.parts_of(usual, groups, seed=0)
    learnt = set(groups[np.concatenate([parts.train, parts.validation])])
    assert usual[np.concatenate([parts.train, parts.validation, parts.test])].all()
    assert not usual[parts.others].any()
    assert not learnt & set(groups[np.concatenate([parts.test, parts.others])])
    assert set(groups[parts.train]).isdisjoint(groups[parts.validation])
    assert min(len(parts.train), len(parts.validation), len(parts.test), len(parts.others)) > 0


def test_too_few_groups_are_refused_with_the_number():
    with pytest.raises(TooLittleData, match="groups, got 3"):
        anomaly.parts_of(np.ones(30, bool), np.repeat(["a", "b", "c"], 10), seed=0)


def test_an_unknown_usual_label_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="one of well, ill"):
        anomaly.train(mixed_rows(), TrainSettings(normal="fine"), tmp_path / "odd", lambda row: None)


@pytest.fixture(scope="module", params=MAKERS)
def trained(request, tmp_path_factory):
    made, usual, epochs = MAKERS[request.param]
    items, rows = made(), []
    settings = TrainSettings(normal=usual, epochs=epochs, learning_rate=5e-3, augment=False)
    bundle = anomaly.train(items, settings, tmp_path_factory.mktemp("odd") / request.param, rows.append)
    return items, bundle, rows


@pytest.mark.tf
def test_it_tells_others_from_usual_items_better_than_chance(trained):
    _, bundle, rows = trained
    assert bundle.evaluation.metric("AUC").value > 0.5 + MARGIN
    assert bundle.evaluation.metric("usual items called unusual").value < 0.3
    assert rows[-1]["loss"] < rows[0]["loss"]


@pytest.mark.tf
def test_the_bundle_loads_in_safe_mode_and_gives_shares(trained):
    items, bundle, _ = trained
    bundle.verify()
    (name,) = bundle.info.inputs
    shares = bundle.forward({name: items.values})[1]
    assert bundle.info.labels == ("usual", "unusual")
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    usual = shares[items.truth == 0, 1]
    # Of items like those that it learnt about half are below the middle.
    assert 0.2 < (usual < 0.5).mean() < 0.9
    assert "how unlike" in bundle.card


@pytest.mark.tf
def test_the_error_explains_the_share_without_a_rest(trained):
    items, bundle, _ = trained
    (name,) = bundle.info.inputs
    one = {name: items.values[np.flatnonzero(items.truth == 1)[:1]]}
    assert reason_against("reconstruction", one, bundle.forward) is None
    request = ExplainRequest(method="reconstruction", target="unusual")
    found = run("reconstruction", bundle.forward, one, bundle.background, bundle.info.labels, request)
    assert found.values[name].shape == one[name].shape[1:]
    assert abs(found.residual) < 1e-4
    assert np.isfinite(found.values[name]).all()


@pytest.mark.tf
def test_what_was_expected_is_shown_beside_what_was_given(trained):
    items, bundle, _ = trained
    (name,) = bundle.info.inputs
    inputs = {name: items.values[:3]}
    made, errors = reconstruction.expected(bundle, inputs)
    assert made.shape == errors.shape == inputs[name].shape
    known = np.isfinite(inputs[name])
    if items.kind == "signal":
        inputs = {name: inputs[name] - inputs[name].mean(axis=1, keepdims=True)}
    # Nearer than the mean item, on average over places that have a value.
    spread = np.nanvar(items.values, axis=0).mean()
    assert np.square(made - inputs[name])[known & np.isfinite(made)].mean() < 2 * spread
    views = reconstruction.views(bundle, inputs, 1)
    assert views
    assert all(view.title for view in views)
