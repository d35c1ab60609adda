"""Bundles on disk: what is written is what is read, and what is damaged is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from healthdash import bundles
from healthdash.errors import CorruptModel, ModelMismatch, UnknownModel
from healthdash.training.evaluation import Evaluation, MetricRow
from tests.toy import toy_info


def _network():
    from healthdash.runtime import tensorflow

    tensorflow()
    import keras

    features = keras.Input((2,), name="features")
    return keras.Model([features], keras.layers.Dense(2)(features))


@pytest.fixture
def bundle(tmp_path):
    evaluation = Evaluation(
        split_rule="None.",
        counts={"test": 4},
        metrics=(MetricRow(name="AUC", value=0.8, low=0.7, high=0.9, n=4, part="test"),),
    )
    return bundles.save(
        tmp_path / "toy" / "sum",
        _network(),
        toy_info(),
        history=[{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.4, "val_loss": 0.6}],
        evaluation=evaluation,
        arrays={"features": np.arange(6.0).reshape(3, 2)},
    )


@pytest.mark.tf
def test_a_saved_bundle_opens_with_all_its_parts(bundle):
    opened = bundles.open_folder(bundle.path)
    opened.verify()
    assert opened.info.inputs == {"features": (2,)}
    assert opened.info.parameters == 6
    assert list(opened.history["epoch"]) == [1, 2]
    assert opened.evaluation.metric("AUC").high == 0.9
    assert "0.800 | 0.700 to 0.900" in opened.card
    assert opened.background["features"].shape == (3, 2)
    assert not list(bundle.path.parent.glob(".*"))


@pytest.mark.tf
def test_figures_that_are_no_number_are_not_stored(tmp_path):
    rows = [
        MetricRow(name=name, value=v, n=4, part="test") for name, v in (("AUC", math.nan), ("Brier", 0.2))
    ]
    saved = bundles.save(
        tmp_path / "toy" / "sum",
        _network(),
        toy_info(),
        history=[],
        evaluation=Evaluation(split_rule="", counts={}, metrics=rows),
        arrays={"features": np.arange(6.0).reshape(3, 2)},
    )
    assert [row.name for row in saved.evaluation.metrics] == ["Brier"]
    assert "nan" not in saved.card


@pytest.mark.tf
def test_figures_that_cannot_be_read_are_refused(bundle):
    stored = bundle.path / "evaluation.json"
    told = json.loads(stored.read_text())
    told["metrics"][0]["value"] = None
    stored.write_text(json.dumps(told))
    with pytest.raises(CorruptModel, match=r"evaluation.json breaks the format in 1 place"):
        bundle.evaluation  # noqa: B018
    stored.unlink()
    with pytest.raises(CorruptModel, match=r"no evaluation.json"):
        bundle.evaluation  # noqa: B018


@pytest.mark.tf
def test_opening_twice_gives_one_model_in_memory(bundle):
    assert bundles.open_folder(bundle.path) is bundles.open_folder(bundle.path)


@pytest.mark.tf
def test_changed_weights_are_refused(bundle):
    with (bundle.path / "model.keras").open("ab") as file:
        file.write(b"0")
    with pytest.raises(CorruptModel, match="weights"):
        bundles.Bundle(bundle.path, bundle.info).network  # noqa: B018


@pytest.mark.tf
def test_changed_golden_numbers_are_refused(bundle):
    golden = json.loads((bundle.path / "golden.json").read_text())
    golden["logits"][0][0] += 1
    (bundle.path / "golden.json").write_text(json.dumps(golden))
    with pytest.raises(CorruptModel, match="golden"):
        bundle.verify()


@pytest.mark.tf
def test_a_model_without_a_card_does_not_run(bundle):
    (bundle.path / "card.md").unlink()
    with pytest.raises(CorruptModel, match="card"):
        bundles.open_folder(bundle.path)


@pytest.mark.tf
def test_a_newer_format_is_refused(bundle):
    described = json.loads((bundle.path / "bundle.json").read_text())
    (bundle.path / "bundle.json").write_text(json.dumps({**described, "format": 99}))
    with pytest.raises(ModelMismatch, match="99"):
        bundles.open_folder(bundle.path)


@pytest.mark.tf
def test_a_bundle_of_another_task_is_refused(bundle):
    with pytest.raises(ModelMismatch, match="expected a model of the task other, got one of toy"):
        bundles.get("other", str(bundle.path))


def test_an_unknown_model_names_those_there_are():
    with pytest.raises(UnknownModel, match="it has: none"):
        bundles.get("no-such-task", "no-such-model")


def test_where_there_is_no_model_the_way_to_one_is_told():
    with pytest.raises(UnknownModel, match="no model of no-such-task yet") as told:
        bundles.get("no-such-task")
    assert "--model DIR" in told.value.hint


def test_decide_takes_the_first_operating_point_that_is_reached():
    info = toy_info().model_copy(
        update={
            "labels": ("normal", "bacterial", "viral"),
            "label_groups": {"pneumonia": ("bacterial", "viral")},
            "operating_points": (bundles.OperatingPoint(label="pneumonia", threshold=0.6, rule="r"),),
        }
    )
    probabilities = np.array([[0.45, 0.30, 0.25], [0.30, 0.30, 0.40], [0.9, 0.05, 0.05]], np.float32)
    assert info.decide(probabilities).tolist() == [0, 2, 0]
