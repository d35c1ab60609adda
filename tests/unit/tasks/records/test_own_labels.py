"""Labels of an own table that are bare numbers: named with their column for people, stored as they are."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from healthdash.errors import InvalidInput
from healthdash.explain import Explanation
from healthdash.task import Gate, Prediction, Report, Upload
from healthdash.tasks.records.own import PosedTable
from healthdash.tasks.records.own_data import labelled, load_own
from healthdash.training import TrainSettings

from .test_own import table


def _posed(tmp_path, labels: tuple[str, str]) -> PosedTable:
    path = tmp_path / "own.csv"
    path.write_text(table(labels=labels))
    return PosedTable(load_own(path, TrainSettings(target="outcome")).question)


def _report(task: PosedTable) -> Report:
    sample = task.read([Upload("new", b"bp;Alter;sex\n120;60;f\n")])
    chances = np.float32([[0.4, 0.6]])
    prediction = Prediction(
        labels=tuple(task.labels), raw=chances, calibrated=chances, items=np.zeros(1, int),
        decided=np.ones(1, int), unit="row", is_calibrated=False,
    )  # fmt: skip
    shares = np.zeros(len(task.columns), np.float32)
    explanation = Explanation(
        method="exact-shapley", target=prediction.labels[1], values={"features": shares}, base=0.6,
        output=0.6, samples=1, seconds=0.0,
    )  # fmt: skip
    return Report(
        source="new", task="table", model="own", sha256="", sample=sample, gate=Gate(),
        prediction=prediction, explanation=explanation,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "said"),
    [(("0", "1"), ("outcome = 0", "outcome = 1")), (("sick", "well"), ("sick", "well"))],
)
def test_a_label_that_is_a_bare_number_is_named_with_its_column(tmp_path, labels, said):
    task = _posed(tmp_path, labels)
    point = SimpleNamespace(threshold=0.5, label=labels[1])
    report = _report(task)
    shown = task.render(report, SimpleNamespace(info=SimpleNamespace(operating_points=(point,))))
    bars, why = shown.result[0], shown.explanation[0]
    assert (bars.labels, bars.predicted, bars.threshold_label) == (said, said[1], said[1])
    assert (why.title, why.target) == (f"Why: {said[1]}", said[1])
    assert report.prediction.labels == labels


@pytest.mark.parametrize(
    ("learnt", "written"),
    [(("0", "1"), ("0.0", "1.0")), (("0.0", "1.0"), ("0", "1")), (("No", "Yes"), ("no", "YES "))],
)
def test_an_outcome_counts_though_a_spreadsheet_wrote_it_otherwise(tmp_path, learnt, written):
    task = _posed(tmp_path, learnt)
    again = tmp_path / "again.csv"
    again.write_text(table(labels=written))
    as_learnt = task.load_dataset(tmp_path / "own.csv", TrainSettings())
    assert (task.load_dataset(again, TrainSettings()).truth == as_learnt.truth).all()


def test_two_labels_that_differ_in_decimals_alone_stay_two():
    cells = pd.Series(["1", "1.0", "1.00", "0", "", None], dtype=object)
    assert labelled(cells, ("1.0", "1"))[:2].tolist() == [1, 0]
    assert labelled(cells, ("0", "1")).tolist() == [1, 1, 1, 0, -1, -1]


def test_an_outcome_that_is_written_quite_otherwise_is_refused_with_the_labels(tmp_path):
    task = _posed(tmp_path, ("0", "1"))
    again = tmp_path / "again.csv"
    again.write_text(table(labels=("alive", "dead")))
    with pytest.raises(InvalidInput, match="outcome is 0 or 1"):
        task.load_dataset(again, TrainSettings())
