"""A shipped bundle is measured again without training."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from healthdash import bundles, measured_again
from healthdash.errors import InvalidInput, TrainingError
from healthdash.tasks.imaging.in_folds import carried_over
from healthdash.training.evaluation import Evaluation, MetricRow

ROOT = Path(__file__).resolve().parents[2]
NEW = MetricRow(name="AUC", value=0.75, low=0.7, high=0.8, n=9, part="test")


@pytest.fixture
def bundle(tmp_path: Path) -> bundles.Bundle:
    folder = tmp_path / "readmission" / "copy"
    shutil.copytree(ROOT / "models/readmission/diabetes130-mlp", folder)
    return bundles.open_folder(folder)


def _task(monkeypatch: pytest.MonkeyPatch, found: Evaluation) -> None:
    task = SimpleNamespace(load_dataset=lambda *_: None, measured_again=lambda *_: found)
    task.bound = lambda _: task
    monkeypatch.setattr(measured_again.tasks, "get", lambda _: task)


def test_new_figures_stand_in_evaluation_and_card_and_judged_explanations_stay(bundle, monkeypatch):
    old = bundle.evaluation
    _task(monkeypatch, old.model_copy(update={"metrics": (NEW,), "explanations": None}))
    written = measured_again.measured_again(bundle, Path("data"))
    assert written.evaluation.metrics == (NEW,)
    assert written.evaluation.explanations == old.explanations
    assert "| AUC | 0.750 | 0.700 to 0.800 | 9 | test |" in written.card
    written.verify()


def test_other_data_than_those_of_the_training_change_nothing(bundle, monkeypatch):
    _task(monkeypatch, bundle.evaluation.model_copy(update={"metrics": (NEW,), "counts": {"test rows": 2}}))
    with pytest.raises(InvalidInput, match="expected the data of the training"):
        measured_again.measured_again(bundle, Path("data"))
    assert bundles.open_folder(bundle.path).evaluation == bundle.evaluation


def test_a_model_of_folds_is_not_measured_again():
    from healthdash import tasks

    for slug in ("lung-ct", "heart-disease", "ecg-beats"):
        with pytest.raises(TrainingError, match="without training"):
            tasks.get(slug).measured_again(bundles.get(slug), None)


def test_figures_in_folds_are_carried_over():
    folds = NEW.model_copy(update={"name": "AUC, in folds"})
    old = Evaluation(
        split_rule="By split. In folds: so.", counts={}, metrics=(NEW, folds), subgroups=(folds,)
    )
    new = Evaluation(split_rule="By another split.", counts={}, metrics=(NEW,))
    both = carried_over(old, new)
    assert both.split_rule == "By another split. In folds: so."
    assert (both.metrics, both.subgroups) == ((NEW, folds), (folds,))
    assert carried_over(new, new) == new
