"""Explanations judged on synthetic items: written into the card, and no harm to a training."""

from __future__ import annotations

import hashlib
import logging
import sys
from types import ModuleType

import numpy as np
import pytest

from healthdash import bundles, explain, judging, tasks
from healthdash.errors import ModelMismatch, TrainingStopped
from healthdash.explain import ExplainRequest, copies
from healthdash.explain.types import Explanation
from healthdash.judging.items import synthetic_items
from healthdash.task import Example, Task, Upload
from healthdash.training.evaluation import Evaluation, MetricRow
from tests.toy import ToyTask, toy_bundle, toy_info


class Judged(ToyTask):
    """The toy, explained by real methods; two examples of one row, one of four."""

    methods = ("exact-shapley", "kernel-shap")
    explain = Task.explain
    rows = ("1,2", "-0.5,0.7", "3,1 0.25,-2 1.5,1.5 -1,-2.5")

    def examples(self) -> tuple[Example, ...]:
        return tuple(
            Example(str(n), str(n), "made up", lambda rows=rows: [Upload("toy.txt", rows.encode())])
            for n, rows in enumerate(self.rows)
        )


@pytest.fixture
def bundle(tmp_path):
    from healthdash.runtime import tensorflow

    tensorflow()
    import keras

    keras.utils.set_random_seed(3)
    features = keras.Input((2,), name="features")
    hidden = keras.layers.Dense(8, activation="gelu")(features)
    return bundles.save(
        tmp_path / "toy" / "sum",
        keras.Model([features], keras.layers.Dense(2)(hidden)),
        toy_info(),
        history=[{"epoch": 1, "loss": 0.5}],
        evaluation=Evaluation(
            split_rule="None.",
            counts={"test": 4},
            metrics=(MetricRow(name="AUC", value=0.8, n=4, part="test"),),
        ),
        arrays={"features": np.array([[0, 0.1], [1.1, -1], [-1, 0.3]])},
    )


def _weights(bundle) -> str:
    return hashlib.sha256((bundle.path / "model.keras").read_bytes()).hexdigest()


# -- items ---------------------------------------------------------------------------------


def test_items_are_taken_in_turn_from_each_example():
    found = synthetic_items(Judged(), toy_bundle(), 4)
    np.testing.assert_allclose(
        np.concatenate([item.inputs["features"] for item in found[:3]]), [[1, 2], [-0.5, 0.7], [3, 1]]
    )
    assert len(found) == 4
    assert found[3].report is found[2].report
    assert all(item.is_given for item in found)
    again = synthetic_items(Judged(), toy_bundle(), 4)
    assert [item.number for item in again] == [item.number for item in found]


def test_the_training_set_gives_more_where_examples_are_few():
    class More(Judged):
        def training_examples(self):
            return (Example("set", "Set", "made up", lambda: [Upload("set.txt", b"1,1 2,2 3,3")]),)

    assert len(synthetic_items(More(), toy_bundle(), 20)) == 6 + 3
    assert len(synthetic_items(More(), toy_bundle(), 6)) == 6


def test_the_background_stands_in_where_the_model_takes_no_example():
    class Alien(Judged):
        rows = ("no numbers",)

    found = synthetic_items(Alien(), toy_bundle(), 20)
    assert len(found) == 3
    assert not any(item.is_given for item in found)
    empty = toy_bundle()
    empty.background = {}
    with pytest.raises(ModelMismatch, match="examples"):
        synthetic_items(Alien(), empty, 20)


@pytest.mark.tf
@pytest.mark.parametrize(
    "task", [t for t in tasks.all_tasks() if not t.is_generic], ids=lambda task: task.slug
)
def test_every_task_has_synthetic_items_for_its_model(task):
    found = synthetic_items(task, bundles.get(task.slug), 6)
    assert len(found) == 6
    assert all(item.is_given for item in found)


# -- measures ------------------------------------------------------------------------------


@pytest.mark.tf
def test_the_card_and_the_evaluation_get_the_figures_and_the_weights_stay(bundle):
    before, told = _weights(bundle), []
    found = judging.judge(Judged(), bundle, items=4, samples=20, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)
    assert [method.method for method in found.methods] == ["exact-shapley", "kernel-shap"]
    for method in found.methods:
        assert method.residual.value == pytest.approx(0, abs=1e-5)
        assert method.deletion.n == 4
    assert found.agreement[0].correlation.value == pytest.approx(1)  # two columns: both are exact
    assert found == judging.judge(Judged(), bundle, items=4, samples=20)

    written = bundles.with_explanations(bundle, found)
    assert written.evaluation.explanations == found
    assert written.evaluation.metric("AUC").value == 0.8
    assert found.methods[0].row()["taken out"] in written.card
    assert found.command in written.card
    assert "AUC" in written.card
    assert _weights(bundle) == before == bundle.info.sha256
    assert len(list(bundle.path.iterdir())) == 7


@pytest.mark.tf
def test_figures_of_a_model_that_was_replaced_meanwhile_are_not_written(bundle):
    found = judging.judge(Judged(), bundle, items=1, samples=20)
    described = bundle.path / "bundle.json"
    described.write_text(described.read_text().replace(bundle.info.sha256, "0" * 64))
    with pytest.raises(ModelMismatch, match="replaced"):
        bundles.with_explanations(bundle, found)
    assert "How good" not in bundle.card


@pytest.mark.tf
@pytest.mark.parametrize("method", ["exact-shapley", "permutation-shapley", "kernel-shap"])
def test_nothing_is_kept_from_the_weights_of_another_shuffle(method):
    bundle = bundles.get("heart-disease")
    item = {"features": bundle.background["features"][:1] * np.float32(1.1)}
    request = ExplainRequest(target="present", samples=20)
    for other in copies.shuffled(bundle.forward, (1.0,), 2, seed=0):
        same_weights = other.of(copies.copied)
        one, two = (
            explain.run(method, forward, item, bundle.background, bundle.info.labels, request)
            for forward in (other, same_weights)
        )
        np.testing.assert_allclose(one.values["features"], two.values["features"], atol=1e-5)


@pytest.mark.tf
def test_an_explanation_that_ignores_the_model_is_told_in_the_card(bundle, monkeypatch):
    module = ModuleType("constant_method")
    module.TITLE, module.USES, module.reason_against = "Constant", (), lambda *_: None

    def of_input(forward, inputs, background, target_index, request, on_progress=None):
        return Explanation(
            method="constant", target=request.target, seconds=0, base=0, output=0, samples=1,
            values={name: values[0] for name, values in inputs.items()}, is_additive=False,
        )  # fmt: skip

    module.explain = of_input
    monkeypatch.setitem(sys.modules, "constant_method", module)
    monkeypatch.setitem(explain.METHODS, "constant", "constant_method")
    monkeypatch.setattr(Judged, "methods", ("constant",))
    found = judging.judge(Judged(), bundle, items=3)
    assert found.methods[0].is_doubtful
    assert found.methods[0].shuffled.value == 1
    assert found.agreement == ()
    assert "says little about the model" in bundles.with_explanations(bundle, found).card


# -- after a training ------------------------------------------------------------------------


@pytest.mark.tf
def test_a_new_model_gets_the_figures_and_without_time_the_default_method_on_one_item(bundle, monkeypatch):
    full = judging.after_training(Judged(), bundle).evaluation.explanations
    assert full.items == 4
    assert len(full.methods) == 2
    monkeypatch.setattr(judging, "_PATIENCE_S", 0.0)
    hurried = judging.after_training(Judged(), bundle).evaluation.explanations
    assert hurried.items == 1
    assert [method.method for method in hurried.methods] == ["exact-shapley"]


@pytest.mark.tf
@pytest.mark.parametrize("error", [TrainingStopped("stopped"), ValueError("a fault")])
def test_a_fault_or_a_stop_leaves_the_new_model_as_it_was(bundle, error, caplog):
    def fail(share: float) -> None:
        raise error

    card = bundle.card
    with caplog.at_level(logging.WARNING):
        assert judging.after_training(Judged(), bundle, fail) is bundle
    assert bundle.card == card
    assert bundle.evaluation.explanations is None
    assert type(error).__name__ in caplog.text


def test_evaluations_from_before_are_still_read():
    text = '{"split_rule": "None.", "counts": {}, "metrics": []}'
    assert Evaluation.model_validate_json(text).explanations is None


@pytest.mark.tf
def test_every_measure_is_taken_with_the_tasks_own_number_of_samples(bundle, monkeypatch):
    asked: list[int] = []
    real = explain.run

    def seen(method, forward, inputs, background, labels, request, *more):
        asked.append(request.samples)
        return real(method, forward, inputs, background, labels, request, *more)

    monkeypatch.setattr(explain, "run", seen)
    task = Judged()
    task.samples = {"kernel-shap": 40}
    found = judging.judge(task, bundle, items=2)
    assert set(asked) == {40, explain.SAMPLES}
    assert [method.samples for method in found.methods] == [0, 40]
