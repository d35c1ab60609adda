from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from healthdash.explain import Explanation
from healthdash.task import Gate, Prediction, Report, Upload
from healthdash.tasks.records import TASKS
from healthdash.tasks.records.samples import as_upload
from healthdash.training import TrainSettings
from healthdash.views import ClassBars, Grid, Waterfall

HEART, READMISSION = TASKS[:2]
EXAMPLES = [pytest.param(task, example, id=example.slug) for task in TASKS for example in task.examples()]


def report(uploads) -> Report:
    sample = HEART.read(uploads)
    n, p = len(sample.frame), len(HEART.columns)
    shares = np.linspace(-0.2, 0.3, p).astype(np.float32)
    probabilities = np.tile(np.float32([[0.4, 0.6]]), (n, 1))
    return Report(
        source="table",
        task=HEART.slug,
        model="toy",
        sha256="",
        sample=sample,
        gate=Gate(),
        prediction=Prediction(
            labels=tuple(HEART.labels),
            raw=probabilities,
            calibrated=probabilities,
            items=sample.frame.index.to_numpy(),
            decided=np.ones(n, int),
            unit="row",
            is_calibrated=False,
        ),
        explanation=Explanation(
            method="exact-shapley",
            target="present",
            values={"features": shares},
            base=0.45,
            output=float(0.45 + shares.sum()),
            samples=1,
            seconds=0.0,
        ),
    )


BUNDLE = SimpleNamespace(info=SimpleNamespace(operating_points=()))


@pytest.mark.parametrize(("task", "example"), EXAMPLES)
def test_examples_are_synthetic_tables_that_break_nothing(task, example):
    sample = task.read(example.make())
    task.validate(sample)
    assert "ynthetic" in example.description
    assert task.describe(sample)["rows"] == len(sample.frame)
    assert isinstance(task.show(sample)[0], Grid)


def test_examples_are_the_same_every_time():
    (example,) = (e for e in HEART.examples() if e.slug == "heart-table")
    assert example.make() == example.make()


def test_a_form_goes_the_way_of_a_file():
    sample = HEART.read([as_upload(HEART.fields, [{"age": "50", "sex": "female"}], "form")])
    HEART.validate(sample)
    assert sample.frame["age"][0] == 50
    assert sample.frame["sex"][0] == "0"
    assert np.isnan(sample.frame["chol"][0])


def test_values_are_shown_in_words():
    (grid,) = HEART.show(HEART.read(HEART.examples()[0].make()))
    shown = dict(zip(grid.frame["Feature"], grid.frame["Value"], strict=True))
    assert shown["Age"] == "42 years"
    assert shown["Thallium scan"] == "normal"


def test_a_table_is_shown_as_read_when_it_breaks_the_fields():
    (grid,) = HEART.show(HEART.read([Upload("a.csv", b"a,b\n1,2\n")]))
    assert list(grid.frame.columns) == ["a", "b"]


def test_attributions_hold_each_column_with_its_value():
    lines = HEART.attributions(report(HEART.examples()[2].make()))
    assert [line.feature for line in lines] == [field.name for field in HEART.fields]
    assert lines[0].value == 64.0
    assert lines[0].words == "64 years"
    assert (lines[-1].value, lines[-1].words) == (None, "missing")
    assert sum(line.attribution for line in lines) == pytest.approx(
        np.linspace(-0.2, 0.3, 13).sum(), abs=1e-5
    )


def test_a_waterfall_keeps_its_sum_when_small_shares_are_put_together():
    one = report(HEART.examples()[1].make())
    (waterfall,) = HEART.render(one, BUNDLE).explanation
    assert isinstance(waterfall, Waterfall)
    assert waterfall.features[-1] == "1 other column"
    assert waterfall.base + waterfall.attributions.sum() == pytest.approx(waterfall.output, abs=1e-5)


def test_one_row_of_many_is_shown_beside_its_probabilities():
    bars, values = HEART.render(report(HEART.examples()[3].make()), BUNDLE, item=4).result
    assert isinstance(bars, ClassBars)
    assert bars.title == "Row 5"
    assert values.title == "Values of row 5"


def test_rows_keep_their_numbers_where_others_were_refused():
    lines = HEART.examples()[3].make()[0].data.decode().splitlines()
    lines[1] = "secret" + lines[1][lines[1].index(",") :]
    found = report([Upload("table.csv", "\n".join(lines).encode())])
    assert found.rows()[:2] == [(0, None), (1, 0)]
    whole = HEART.render(found, BUNDLE, item=0)
    assert [view.title for view in whole.result] == ["Row 2", "Values of row 2"]
    assert whole.input[0].frame.index[0] == 2
    assert whole.input[0].caption == "19 rows; 1 more were refused"


def test_no_identifier_race_or_target_is_an_input():
    inputs = {column["name"] for column in READMISSION.columns}
    assert not inputs & {"encounter_id", "patient_nbr", "readmitted", "race"}


@pytest.mark.tf
def test_training_on_a_table_gives_a_bundle_that_works(tmp_path):
    from healthdash import bundles, pipeline

    (tmp_path / "table.csv").write_bytes(labelled(80))
    settings = TrainSettings(epochs=2, folds=2, members=2)
    dataset = HEART.load_dataset(tmp_path / "table.csv", settings)
    epochs = []
    bundle = HEART.train(dataset, settings, tmp_path / "models" / "own", epochs.append)
    assert {row["run"] for row in epochs} == {"fold 1", "fold 2", "all rows"}
    bundle.verify()
    found = pipeline.run(HEART, HEART.examples()[3].make(), bundles.open_folder(bundle.path))
    assert found.error is None
    assert len(found.prediction) == 20
    assert HEART.evaluate(bundle, dataset).metric("AUC").n == 80


def labelled(rows: int) -> bytes:
    """Return different invented rows with a target that follows the vessels."""
    (example,) = (e for e in HEART.examples() if e.slug == "heart-table")
    drawn = HEART.read_text(example.make()[0].data).frame
    frame = drawn.iloc[np.arange(rows) % len(drawn)].assign(chol=[str(150 + i) for i in range(rows)])
    frame["num"] = (~frame["ca"].isin(["0", "?"])).astype(int)
    return frame.to_csv(index=False).encode()


def test_a_data_set_needs_no_column_of_subgroups(tmp_path):
    (upload,) = READMISSION.training_examples()[0].make()
    (tmp_path / "table.csv").write_bytes(upload.data)
    dataset = READMISSION.load_dataset(tmp_path / "table.csv", TrainSettings())
    assert len(dataset.rows(np.array([3, 5]))) == 2


def test_a_data_set_with_a_bad_cell_is_not_trained_on(tmp_path):
    from healthdash.errors import InvalidInput

    lines = labelled(10).decode().splitlines()
    lines[3] = "secret" + lines[3][lines[3].index(",") :]
    (tmp_path / "table.csv").write_text("\n".join(lines))
    with pytest.raises(InvalidInput, match="row 3, column age: expected a number, got text") as refused:
        HEART.load_dataset(tmp_path / "table.csv", TrainSettings())
    assert refused.value.hint == "Correct what is named here, or leave these rows out."


def test_a_data_set_without_its_target_says_so(tmp_path):
    from healthdash.errors import InvalidInput

    (tmp_path / "table.csv").write_bytes(HEART.examples()[3].make()[0].data)
    with pytest.raises(InvalidInput, match="missing column: num") as refused:
        HEART.load_dataset(tmp_path / "table.csv", TrainSettings())
    assert refused.value.hint == "Give a table with all columns, the target included."
