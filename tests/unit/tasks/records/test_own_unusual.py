"""An own table without labels to speak of: an autoencoder learns what is usual in it."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash import pipeline, tasks
from healthdash.errors import InvalidInput
from healthdash.explain import ExplainRequest, cohort
from healthdash.task import Upload
from healthdash.training import TrainSettings


def _table(label="seen"):
    rng = np.random.default_rng(0)
    a = rng.normal(size=120)
    lines = [f"{50 + 10 * x:.1f},{120 - 15 * x + rng.normal():.1f},{label}" for x in a]
    return "\n".join(["age,rate,state", *lines]).encode()


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(_table())
    return path


def test_one_label_is_not_enough_for_other_networks(table):
    with pytest.raises(InvalidInput, match="same value"):
        tasks.get("table").load_dataset(table, TrainSettings(target="state", network="mlp"))


@pytest.mark.tf
def test_one_label_is_enough_to_learn_what_is_usual(table, tmp_path):
    task, chosen = tasks.get("table"), TrainSettings(target="state", network="autoencoder", epochs=25)
    dataset = task.load_dataset(table, chosen)
    bundle = task.train(dataset, chosen, tmp_path / "odd", lambda row: None)
    assert [row.name for row in bundle.evaluation.metrics] == ["usual items called unusual"]
    assert "all items, which had no labels" in bundle.card
    rows = Upload("rows.csv", b"age,rate\n52,118\n68,150\n")  # the second breaks what ties the columns
    report = pipeline.run(task, [rows], bundle)
    assert report.error is None
    assert report.prediction.label(1) == "unusual"
    assert report.prediction.calibrated[0, 1] < report.prediction.calibrated[1, 1]
    asked, labels = ExplainRequest(target="unusual"), bundle.info.labels
    found = cohort.shares("reconstruction", bundle.forward, report.inputs, bundle.background, labels, asked)
    np.testing.assert_allclose(found.base + found.shares.sum(axis=1), found.output, atol=1e-5)
