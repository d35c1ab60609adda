"""On real tables: blood tests of donors and of people with hepatitis C (UCI HCV data)."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash import tasks
from healthdash.tasks.records.labelled import LabelledRows
from healthdash.training import TrainSettings
from healthdash.training.studio.generative import synthetic
from healthdash.training.studio.parts import split_of

pytestmark = [pytest.mark.data("tabular/hcv"), pytest.mark.tf, pytest.mark.slow]


@pytest.fixture(scope="module")
def hcv(data):
    path = data / "tabular" / "hcv" / "hcvdat0.csv"
    return tasks.get("table").load_dataset(path, TrainSettings(target="Category"))


def test_patients_are_unlike_donors(hcv, tmp_path):
    settings = TrainSettings(network="autoencoder", normal="0=Blood Donor", epochs=20)
    bundle = tasks.get("table").train(hcv, settings, tmp_path / "odd", lambda row: None)
    assert bundle.evaluation.metric("AUC").value > 0.9  # 0.98 after all epochs, see docs/generative.md
    assert bundle.evaluation.metric("usual items called unusual").value < 0.15


def test_made_patients_have_the_means_of_real_ones_and_copy_none(hcv):
    labelled = LabelledRows(hcv)
    train = split_of(labelled, seed=0).train
    prepared = labelled.fitted(train)
    settings = TrainSettings(synthetic="cvae", synthetic_epochs=30)
    full = synthetic.filled(labelled, prepared, train, settings, lambda row: None, seed=0)
    counts = np.bincount(full.truth[full.train], minlength=len(labelled.labels))
    assert (counts > 3 * np.bincount(labelled.truth[train], minlength=len(labelled.labels)))[1:].all()
    columns = [column["name"] for column in prepared.columns]
    made, real = full.prepared.others, prepared.inputs(train)
    ill = labelled.labels.index("3=Cirrhosis")
    for name in ("ALB", "CHE", "BIL"):  # the liver's products fall, bilirubin rises
        at = columns.index(name)
        donors, patients = (real[labelled.truth[train] == k, at] for k in (0, ill))
        drawn = made[full.truth[full.train[len(train) :]] == ill, at]
        rises = np.nanmean(patients) > np.nanmean(donors)
        assert (np.nanmean(drawn) > np.nanmean(donors)) == rises
