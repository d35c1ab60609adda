"""The task table: any labelled table, from the file to a bundle that predicts."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace

import numpy as np
import pytest

from healthdash import bundles, cli, pipeline, tasks
from healthdash.errors import InputError, InvalidInput, ModelMismatch, OutOfScope, TooLittleData
from healthdash.explain import ExplainRequest
from healthdash.fields import CategoryField, NumberField
from healthdash.tables.cleaning import Cleaning
from healthdash.tables.steps import DropColumns, GroupBy, JoinValues, TakeAs, TakeAsMissing, dumped
from healthdash.task import Upload
from healthdash.tasks.records.own import PosedTable
from healthdash.tasks.records.own_data import load_own
from healthdash.tasks.records.question import Question
from healthdash.training import TrainSettings

TASK = tasks.get("table")
SHORT = TrainSettings(epochs=3, members=2, folds=2, batch_size=64)


def table(rows: int = 240, labels: tuple[str, ...] = ("well", "sick")) -> str:
    rng = np.random.default_rng(1)
    lines = ["nr;patient;Alter;sex;bp;note;outcome"]
    for row in range(rows):
        age, kind = rng.normal(60, 12), int(rng.integers(len(labels)))
        bp = 0 if row % 25 == 0 else round(110 + 15 * kind + rng.normal(0, 8))
        age_cell = "" if row % 17 == 0 else f"{age:.1f}".replace(".", ",")
        sex = "m" if rng.random() < 0.5 else "f"
        lines.append(
            f"{row + 1};p{row // 2:03d};{age_cell};{sex};{bp};came in walking on day {row};{labels[kind]}"
        )
    return "\n".join(lines) + "\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(table())
    return path


def test_events_of_another_hospital_come_in_the_units_of_training_and_that_is_said(tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        f"{stay},{hour},{name},{rng.integers(80, 120)},mg/dL,{'sick' if stay % 2 else 'well'}"
        for stay in range(60) for hour in range(3) for name in ("glucose", "creatinine")
    ]  # fmt: skip
    path = tmp_path / "events.csv"
    path.write_text("\n".join(["stay_id,hour,parameter,value,unit,outcome", *rows]))
    task = PosedTable(load_own(path, TrainSettings(target="outcome")).question)
    new = task.read_text(b"Stay-ID;hour;parameter;value;Unit\n7;0;glucose;5.5;mmol/L\n;0;glucose;6;mmol/L\n")
    assert new.frame["glucose first"].tolist() == ["99.088"]
    assert "1 events do not say" in new.notices[0]
    assert "glucose, mmol/L x 18.02 = mg/dL" in new.notices[1]


def test_what_is_told_by_the_clock_is_learnt_from_as_hours(tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        f"{rng.integers(20, 80)},{n // 60:02d}:{n % 60:02d}:00,{'sick' if n > 150 else 'well'}"
        for n in rng.integers(20, 300, 80).tolist()
    ]
    path = tmp_path / "surgery.csv"
    path.write_text("\n".join(["age,op_duration,outcome", *rows]))
    own = load_own(path, TrainSettings(target="outcome"))
    assert [one.name for one in own.question.fields] == ["age", "op_duration"]
    assert 0 < own.data.frame["op_duration"].min() < own.data.frame["op_duration"].max() < 5
    assert TakeAs(column="op_duration", kind="hours") in own.question.steps
    new = PosedTable(own.question).read_text(b"age,op_duration\n50,3:30\n50,2.5\n50,long\n")
    assert new.frame["op_duration"].tolist() == ["3.5", "2.5", ""]


def test_the_question_of_a_table_is_found(file, caplog):
    with caplog.at_level(logging.WARNING):
        own = load_own(file, TrainSettings())
    question = own.question
    assert "cleaning steps" in caplog.text
    assert (question.target, question.group, question.labels) == ("outcome", "patient", ("sick", "well"))
    assert [one.name for one in question.fields] == ["Alter", "sex", "bp"]
    age, sex, _ = question.fields
    assert isinstance(age, NumberField)
    assert age.default == pytest.approx(60, abs=5)
    assert isinstance(sex, CategoryField)
    assert set(sex.choices) == {"m", "f"}
    assert own.data.frame["bp"].isna().sum() == 10
    assert len(set(own.data.groups)) == 120
    assert question.layout["decimal"] == ","


def test_the_usual_value_of_tiny_numbers_is_not_nought(tmp_path):
    header, *lines = table().splitlines()
    tiny = [f"{line};{1 + row % 9}.{row % 10}e-10" for row, line in enumerate(lines)]
    (tmp_path / "tiny.csv").write_text("\n".join([f"{header};aldosterone", *tiny]).replace(",", "."))
    fields = {one.name: one for one in load_own(tmp_path / "tiny.csv", TrainSettings()).question.fields}
    assert fields["aldosterone"].default == pytest.approx(5e-10, rel=0.2)
    assert fields["aldosterone"].step == pytest.approx(1e-12)


@pytest.mark.parametrize(
    ("cells", "is_read"),
    [("0.{}", False), ("{}", True), ("{} %", True), ("0.{} %", True)],
    ids=["parts of 1", "numbers", "percent", "small percent"],
)
def test_percent_is_refused_where_bare_parts_of_1_were_learnt(tmp_path, cells, is_read):
    header, *lines = table().replace(",", ".").splitlines()
    told = [f"{line};{cells.format(20 + row % 60)}" for row, line in enumerate(lines)]
    (tmp_path / "lvef.csv").write_text("\n".join([f"{header};lvef", *told]))
    question = load_own(tmp_path / "lvef.csv", TrainSettings()).question
    stored = {**question.stored(), "columns": list(question.columns)}
    for one in (question, Question.of(json.loads(json.dumps(stored)), question.labels)):
        sample = PosedTable(one).read([Upload("new", b"BP,Alter,sex,lvef\n120,61,f,0.58\n120,61,f,58 %\n")])
        assert sample.frame["lvef"].tolist() == ([0.58, 58.0] if is_read else [0.58])
        expected = "column lvef: expected a number without %, as in training, got percent"
        assert sample.refused == ({} if is_read else {1: (expected,)})


def test_percent_is_refused_by_a_bundle_that_says_nothing_of_it_by_the_range_of_training():
    number = {"kind": "number", "name": "lvef", "default": 0.5, "step": 0.01}
    stored = {"target": "died", "group": None, "fields": [number], "steps": [], "layout": {}}
    for high in (0.8, 80.0):
        column = {"name": "lvef", "kind": "number", "low": 0.2, "high": high}
        (field,) = Question.of({**stored, "columns": [column]}, ("no", "yes")).fields
        assert field.takes_percent == (high > 1)


def test_a_question_survives_the_bundle(file):
    question = load_own(file, TrainSettings()).question
    stored = json.loads(json.dumps({**question.stored(), "columns": list(question.columns)}))
    assert Question.of(stored, question.labels) == question
    with pytest.raises(ModelMismatch, match="what it asks"):
        Question.of({"columns": []}, ("a", "b"))


def test_new_rows_are_read_in_any_layout_and_mended_as_in_training(file):
    posed = PosedTable(load_own(file, TrainSettings()).question)
    sample = posed.read([Upload("new", b"BP,alter,Sex\n0,61.5,f\n130,?,x\n")])
    posed.validate(sample)
    assert sample.frame["bp"].isna().tolist() == [True, False]
    assert sample.frame["Alter"].tolist()[0] == 61.5
    assert sample.frame["sex"].tolist() == ["f", ""]
    assert posed.truth_in(sample) is None
    again = posed.read([Upload("new", b"bp,Alter,sex,outcome\n120,61.5,f,Sick\n130,50,m,\n")])
    assert posed.truth_in(again).tolist() == [0, -1]


def test_the_table_that_was_learnt_is_read_again_whatever_its_codes(tmp_path):
    header, *lines = table().splitlines()
    rng = np.random.default_rng(2)
    told = [f"{line};{rng.normal(9.2, 0.5):.2f};{rng.integers(2)}.0" for line in lines]
    text = (
        "\n".join([f"{header};ca;smoker", *told])
        .replace(",", ".")
        .replace(";m;", ";1;")
        .replace(";f;", ";2;")
    )
    (tmp_path / "coded.csv").write_text(text)
    posed = PosedTable(load_own(tmp_path / "coded.csv", TrainSettings()).question)
    sample = posed.read([Upload("coded.csv", text.encode())])
    posed.validate(sample)
    assert set(sample.frame["sex"]) == {"1", "2"}
    assert set(sample.frame["smoker"]) == {"0.0", "1.0"}
    assert sample.frame["ca"].notna().all()


@pytest.mark.parametrize("dropped", [True, False])
def test_columns_that_a_sign_tells_apart_are_not_mixed_up(tmp_path, dropped):
    header, *lines = table().splitlines()
    told = [f"{line};{4 + row % 5}.8;{50 + row % 9}.7" for row, line in enumerate(lines)]
    text = "\n".join([f"{header};NEUT#;NEUT%", *told]).replace(",", ".")
    (tmp_path / "blood.csv").write_text(text)
    cleaning = tmp_path / "cleaning.json"
    steps = [DropColumns(columns=("nr", "note", *(["NEUT%"] if dropped else [])))]
    cleaning.write_text(json.dumps({"layout": {}, "steps": dumped(steps)}))
    settings = TrainSettings(target="outcome", cleaning=str(cleaning))
    posed = PosedTable(load_own(tmp_path / "blood.csv", settings).question)
    swapped = [";".join([*line.split(";")[:-2], *line.split(";")[:-3:-1]]) for line in text.splitlines()]
    for rows in (text, "\n".join(swapped)):
        sample = posed.read([Upload("blood.csv", rows.encode())])
        posed.validate(sample)
        assert sample.frame["NEUT#"].max() < 10
        assert dropped or sample.frame["NEUT%"].min() > 50


def test_a_table_without_the_columns_is_refused(file):
    posed = PosedTable(load_own(file, TrainSettings()).question)
    with pytest.raises(InvalidInput, match="missing columns: Alter, sex"):
        posed.validate(posed.read([Upload("new", b"bp,other\n1,2\n3,4\n")]))


def test_a_date_of_a_new_row_means_what_it_meant_in_training(tmp_path):
    header, *lines = table().splitlines()
    dated = [f"{line};{1 + row % 12:02d}/{1 + row % 28:02d}/2020" for row, line in enumerate(lines)]
    (tmp_path / "dated.csv").write_text("\n".join([f"{header};came", *dated]))
    steps = [DropColumns(columns=("nr", "note", "patient")), TakeAs(column="came", kind="date")]
    cleaning = tmp_path / "cleaning.json"
    cleaning.write_text(json.dumps({"layout": {}, "steps": dumped(steps)}))
    settings = TrainSettings(target="outcome", cleaning=str(cleaning))
    posed = PosedTable(load_own(tmp_path / "dated.csv", settings).question)
    sample = posed.read([Upload("new", b"bp,Alter,sex,came\n120,61.5,f,03/04/2020\n")])
    assert sample.frame["came"].tolist() == [7368.0]


def test_the_cleaning_of_a_file_is_done_as_written(file, tmp_path):
    steps = [
        DropColumns(columns=("nr", "note", "patient")),
        TakeAsMissing(column="bp", values=("0",)),
        JoinValues(column="outcome", values={"well": "healthy"}),
    ]
    path = tmp_path / "cleaning.json"
    path.write_text(json.dumps({"layout": {"header_row": 0}, "steps": dumped(steps)}))
    own = load_own(file, TrainSettings(target="outcome", cleaning=str(path)))
    assert own.question.labels == ("healthy", "sick")
    assert list(own.question.steps[:3]) == steps
    assert own.question.group is None
    assert len(own.data) == 240


def test_what_cannot_be_learnt_is_refused_with_the_reason(file, tmp_path):
    with pytest.raises(InvalidInput, match="expected one column fate"):
        load_own(file, TrainSettings(target="fate"))
    with pytest.raises(InvalidInput, match="different values"):
        load_own(file, TrainSettings(target="Alter"))
    short = tmp_path / "short.csv"
    short.write_text(table(14))
    with pytest.raises(TooLittleData, match="Too few"):
        load_own(short, TrainSettings())
    with pytest.raises(InputError, match="cannot be opened"):
        load_own(tmp_path / "none.csv", TrainSettings())
    broken = tmp_path / "cleaning.json"
    for text in ("{", "[]", '{"steps": [{"do": "run"}]}', '{"more": 1}', '{"cleaning": {"more": 1}}'):
        broken.write_text(text)
        with pytest.raises(InvalidInput, match="cleaning as JSON"):
            Cleaning.from_file(broken)


def test_a_group_can_be_named(file):
    own = load_own(file, TrainSettings(group="Patient"))
    assert GroupBy(column="patient") in own.question.steps


def test_its_examples_are_synthetic_rows_that_it_reads(file):
    posed = PosedTable(load_own(file, TrainSettings()).question)
    for example in posed.examples():
        sample = posed.read(example.make())
        posed.validate(sample)
        assert not sample.refused
        assert "ynthetic" in example.description


def test_a_table_without_a_bundle_is_described():
    sample = TASK.read([Upload("x", table(30).encode())])
    assert TASK.describe(sample) == {"kind": "table", "format": sample.format, "rows": 30, "columns": 7}
    assert not TASK.labels
    assert TASK.is_generic


def test_a_bundle_of_another_task_poses_nothing():
    info = SimpleNamespace(preprocessing={"columns": []}, labels=("a", "b"))
    with pytest.raises(ModelMismatch):
        TASK.bound(SimpleNamespace(info=info))


# -- training ------------------------------------------------------------------------------


def lines(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_check_prints_the_report_and_a_cleaning_that_training_takes(file, tmp_path, capsys):
    assert cli.main(["check", "--data", str(file), "--target", "Outcome"]) == 0
    (told,) = lines(capsys)
    assert {"identifier", "groups-torn", "free-text", "zeros-for-missing"} <= {
        one["code"] for one in told["findings"]
    }
    assert sum(told["labels"].values()) == 240
    path = tmp_path / "cleaning.json"
    path.write_text(json.dumps(told["cleaning"]))
    by_hand = load_own(file, TrainSettings(target="outcome", cleaning=str(path)))
    assert by_hand.question == load_own(file, TrainSettings(target="outcome")).question
    assert cli.main(["check", "--data", str(file), "--target", "fate"]) == 1
    assert "expected one column fate" in lines(capsys)[0]["error"]["message"]


@pytest.mark.tf
def test_from_a_table_to_a_bundle_that_predicts_and_explains(file, tmp_path, capsys):
    out = tmp_path / "models" / "own"
    words = [
        "train",
        "table",
        "--data",
        str(file),
        "--target",
        "outcome",
        "--group",
        "patient",
        "--out",
        str(out),
    ]
    assert cli.main([*words, "--epochs", "8", "--members", "2", "--folds", "2", "--batch-size", "32"]) == 0
    (trained,) = lines(capsys)
    assert trained["metrics"]["AUC"]["value"] > 0.7
    bundle = bundles.get("table", str(out))
    bundle.verify()
    assert "rows of one patient kept together" in bundle.card
    assert "taken as missing in bp: 0" in bundle.card
    new = tmp_path / "new.csv"
    new.write_text("bp,alter,sex\n150,61.5,f\n0,?,m\n105,50,m\n")
    assert cli.main(["predict", "table", str(new), "--model", str(out), "--explain", "--target", "sick"]) == 0
    high, _, low = lines(capsys)
    assert high["probabilities"]["sick"] > low["probabilities"]["sick"]
    values = high["explanation"]["values"]
    assert [value["feature"] for value in values] == ["Alter", "sex", "bp"]
    total = high["explanation"]["base"] + sum(value["attribution"] for value in values)
    assert total == pytest.approx(high["probabilities"]["sick"], abs=1e-3)
    assert cli.main(["evaluate", "table", "--data", str(file), "--model", str(out)]) == 0
    assert lines(capsys)[0]["metrics"]["AUC"]["value"] > 0.7


@pytest.mark.tf
def test_three_labels_have_their_figures(tmp_path):
    path = tmp_path / "three.csv"
    path.write_text(table(240, ("none", "mild", "severe")))
    own = TASK.load_dataset(path, SHORT)
    bundle = TASK.train(own, SHORT, tmp_path / "three", lambda row: None)
    names = {row.name for row in bundle.evaluation.metrics}
    assert {"AUC", "log loss", "balanced accuracy", "AUC, severe against the rest"} <= names
    assert set(bundle.evaluation.roc) == {"none", "mild", "severe"}
    assert not bundle.info.operating_points
    posed = TASK.bound(bundle)
    report = pipeline.run(posed, posed.examples()[1].make(), bundle, ExplainRequest(samples=40))
    assert report.error is None
    assert report.prediction.calibrated.shape == (20, 3)
    assert posed.render(report, bundle).result


@pytest.mark.tf
def test_a_table_of_other_columns_is_an_error_line_and_not_a_crash(file, tmp_path):
    own = TASK.load_dataset(file, SHORT)
    bundle = TASK.train(own, SHORT, tmp_path / "own", lambda row: None)
    report = pipeline.run(TASK, [Upload("x", b"a,b\n1,2\n3,4\n")], bundle)
    assert isinstance(report.error, InvalidInput | OutOfScope)
    assert "missing columns" in report.error.message
