"""An own table learnt by a network of the studio is a model like any other."""

from __future__ import annotations

import json

import numpy as np
import pytest

from healthdash import cli, pipeline, tasks
from healthdash.errors import InvalidInput
from healthdash.training import TrainSettings

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Return the task, and the file of its synthetic patients."""
    task = tasks.get("table")
    (upload,) = task.training_examples()[0].make()
    path = tmp_path_factory.mktemp("data") / upload.name
    path.write_bytes(upload.data)
    return task, path


@pytest.fixture(scope="module")
def trained(table, tmp_path_factory):
    task, path = table
    settings = TrainSettings(network="mlp", epochs=8, folds=2, target="outcome")
    dataset = task.load_dataset(path, settings)
    return task.train(dataset, settings, tmp_path_factory.mktemp("models") / "own", lambda row: None)


def test_it_is_measured_beside_other_models_on_the_same_rows(trained):
    evaluation = trained.evaluation
    assert evaluation.metric("AUC").value > 0.75
    names = {row.name for row in evaluation.comparisons}
    assert {"AUC, gradient boosting", "AUC, network less logistic regression"} <= names
    assert any(row.name.startswith("AUC, sex") for row in evaluation.subgroups)
    assert trained.info.recipe["outcome"] == "outcome"
    assert trained.info.recipe["network"] == "Perceptron with embeddings"


def test_it_predicts_and_explains_rows_of_a_table(trained, table):
    from healthdash.explain import ExplainRequest
    from healthdash.task import Upload

    task = table[0].bound(trained)
    report = pipeline.run(task, [Upload.from_path(table[1])], trained)
    assert report.error is None
    assert len(report.prediction) == 240
    one = {name: values[:1] for name, values in report.inputs.items()}
    found = task.explain(trained, one, ExplainRequest(target=trained.info.labels[1], samples=200))
    assert abs(found.residual) < 0.02
    assert np.isfinite(found.values["features"]).all()


def test_a_gap_has_a_token_of_its_own_and_a_hidden_value_is_a_gap(table):
    task, path = table
    labelled = task.load_dataset(path, TrainSettings(target="outcome")).labelled()
    prepared = labelled.fitted(np.arange(200))
    rows = np.arange(200)
    plain, hidden = prepared.inputs(rows), prepared.inputs(rows, np.random.default_rng(0))
    same = (plain == hidden) | (np.isnan(plain) & np.isnan(hidden))
    number = np.array([column["kind"] == "number" for column in prepared.columns])
    assert np.isnan(hidden[~same & number]).all()
    assert (hidden[~same & ~number] == 0).all()
    assert 0.1 < 1 - same.mean() < 0.3
    _, tokens = prepared.entry()
    assert tuple(tokens.shape) == (None, len(prepared.columns), 8)


def test_patience_of_a_cross_validated_ensemble_is_refused(table, tmp_path):
    task, path = table
    settings = TrainSettings(patience=3, target="outcome")
    with pytest.raises(InvalidInput, match="patience means nothing"):
        task.train(task.load_dataset(path, settings), settings, tmp_path / "m", lambda row: None)


def test_the_command_line_finds_a_rate(table, capsys):
    words = ["find-rate", "table", "--data", str(table[1]), "--target", "outcome", "--network", "mlp"]
    assert cli.main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["task"] == "table"
    assert 1e-5 < found["proposed"] < 1


def test_a_task_with_a_recipe_of_its_own_has_no_finder(capsys):
    assert cli.main(["find-rate", "heart-disease", "--data", "synthetic"]) == 1
    assert "recipe of its own" in json.loads(capsys.readouterr().out)["error"]["message"]
