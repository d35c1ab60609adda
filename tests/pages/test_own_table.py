"""An own table on the page Train: read, reported on, mended by clicks."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from healthdash.tables.cleaning import Cleaning
from healthdash.tables.findings import Finding
from healthdash.tables.steps import GroupBy, LeaveOutRows, TakeAs
from healthdash.training import TrainSettings
from healthdash.ui.own_table import ChosenTable

HEADER = "nr;Alter;sex;bp;ward_no;fate"


def table() -> bytes:
    lines = [HEADER]
    for n in range(120):
        ill = n % 3 == 0
        bp = 0 if n % 20 == 0 else 105 + n * 7919 % 40 + 10 * ill
        outcome = "" if n == 5 else "sick" if ill else "well"
        lines.append(f"{n + 1};{50 + n * 31 % 29},5;{'mf'[n * 7 % 5 % 2]};{bp};{n * 13 % 4};{outcome}")
    return "\n".join(lines).encode()


def script() -> None:
    import streamlit as st

    from healthdash.task import Upload
    from healthdash.ui import own_table
    from tests.pages.test_own_table import table

    st.session_state["chosen"] = own_table.section(Upload("x.csv", table()))


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(script, default_timeout=180).run()


def box(app: AppTest, label: str):
    return next(one for one in app.selectbox if one.label == label)


def button(app: AppTest, label: str):
    return next(one for one in app.button if one.label == label)


def told(app: AppTest) -> str:
    boxes = [*app.error, *app.warning, *app.info, *app.success, *app.markdown]
    return " ".join(one.value for one in boxes)


def test_the_layout_is_shown_and_can_be_corrected(app):
    assert not app.exception
    assert "120 rows, 6 columns" in told(app)
    assert box(app, "Separator").value == ";"
    assert box(app, "Decimals after a").value == ","
    assert app.session_state["chosen"] is None
    box(app, "Column names in").set_value(-1).run()
    assert not app.exception
    assert "121 rows, 6 columns" in told(app)
    assert "column 2" in box(app, "Column of the outcome").options


def test_remedies_are_taken_by_a_click_and_undone(app):
    box(app, "Column of the outcome").set_value("fate").run()
    assert not app.exception
    assert "1 row has no value in fate" in told(app)
    button(app, "Leave these rows out").click().run()
    chosen = app.session_state["chosen"]
    assert chosen.cleaning.steps == (LeaveOutRows(column="fate"),)
    assert "has no value in fate" not in told(app)
    button(app, "Undo").click().run()
    assert app.session_state["chosen"].cleaning.steps == ()


def test_all_remedies_that_need_no_decision_at_once(app):
    box(app, "Column of the outcome").set_value("fate").run()
    button(app, "Take every remedy that needs no decision").click().run()
    assert not app.exception
    chosen = app.session_state["chosen"]
    assert {step.do for step in chosen.cleaning.steps} >= {
        "drop-columns",
        "take-as-missing",
        "leave-out-rows",
    }
    assert chosen.is_ready(TrainSettings())
    assert "Take every remedy that needs no decision" not in [one.label for one in app.button]


def test_the_patient_is_a_step_too(app):
    box(app, "Column of the outcome").set_value("fate").run()
    box(app, "Column of the patient").set_value("ward_no").run()
    assert not app.exception
    assert GroupBy(column="ward_no") in app.session_state["chosen"].cleaning.steps
    box(app, "Column of the patient").set_value("").run()
    assert not [s for s in app.session_state["chosen"].cleaning.steps if isinstance(s, GroupBy)]


def test_an_outcome_that_cannot_be_learnt_is_not_ready(app):
    box(app, "Column of the outcome").set_value("Alter").run()
    assert "different values" in told(app)
    assert not app.session_state["chosen"].is_ready(TrainSettings())


def test_one_label_is_enough_for_a_network_that_learns_what_is_usual():
    found = Finding("one-label", "error", "fate has the same value in every row.", ("fate",))
    chosen = ChosenTable(Cleaning(), (found,), "fate")
    assert not chosen.is_ready(TrainSettings(network="mlp"))
    assert chosen.is_ready(TrainSettings(network="autoencoder"))


def test_what_was_chosen_is_a_file_that_training_reads(app, tmp_path):
    box(app, "Column of the outcome").set_value("fate").run()
    button(app, "Take every remedy that needs no decision").click().run()
    chosen = app.session_state["chosen"]
    for name, content in chosen.beside.items():
        (tmp_path / name).write_bytes(content)
    assert chosen.settings(TrainSettings(seed=3)) == TrainSettings(
        seed=3, target="fate", cleaning="cleaning.json"
    )
    assert Cleaning.from_file(tmp_path / "cleaning.json") == chosen.cleaning
    assert not [step for step in chosen.cleaning.steps if isinstance(step, TakeAs)]


# -- on the page Train ---------------------------------------------------------------------


@pytest.fixture
def quiet(monkeypatch):
    """Leave runs in the queue, and TensorFlow alone."""
    from healthdash.runs import queue
    from healthdash.ui import shell

    monkeypatch.setattr(queue, "_wake", lambda _: None)
    monkeypatch.setattr(shell, "_warm_up_soon", lambda: None)


@pytest.mark.usefixtures("visited", "quiet")
def test_the_synthetic_table_goes_from_a_click_to_a_run_with_its_cleaning(open_page):
    from healthdash.ui import runs

    app = open_page("train", task="table")
    assert not app.exception
    assert button(app, "Train").disabled
    button(app, "Synthetic table of 240 patients").click().run()
    assert not app.exception
    assert box(app, "Column of the outcome").value == "outcome"
    assert "column synthetic_row looks like an identifier" in told(app).replace("\\", "").lower()
    button(app, "Take every remedy that needs no decision").click().run()
    button(app, "Train").click().run(timeout=300)
    assert not app.exception
    (run,) = runs.queue().of(app.session_state["work:owner"].id)
    assert (run.task, run.settings["target"], run.settings["cleaning"]) == (
        "table",
        "outcome",
        "cleaning.json",
    )
    assert "synthetic_row" in (runs.queue().folder(run.id).path / "cleaning.json").read_text()


@pytest.mark.usefixtures("visited", "quiet")
def test_without_a_model_the_page_of_records_does_not_offer_own_tables(open_page):
    app = open_page("records")
    assert not app.exception
    assert "Own table" not in str(app.segmented_control)


# -- with a model --------------------------------------------------------------------------


@pytest.fixture
def own_model(tmp_path):
    """Train a small model of the synthetic table into this user's folder."""
    from healthdash import settings, tasks

    task = tasks.get("table")
    (upload,) = task.training_examples()[0].make()
    path = tmp_path / "table.csv"
    path.write_bytes(upload.data)
    chosen = TrainSettings(epochs=2, members=2, folds=2, batch_size=64)
    out = settings.current().own_models / "table" / "kidney"
    return task.train(task.load_dataset(path, chosen), chosen, out, lambda row: None)


@pytest.mark.tf
@pytest.mark.usefixtures("visited", "quiet", "own_model")
def test_an_own_model_is_used_on_the_page_of_records_and_explained(open_page):
    app = open_page("records", task="table", sample="drawn")
    assert not app.exception
    assert [error.value for error in app.error] == []
    assert "20 of 20 analysed" in told(app)
    assert "outcome from 5 columns" in told(app)
    assert {"sex", "diabetes"} <= {one.label for one in app.selectbox}
    app = open_page("explain", task="table", sample="usual", samples="50")
    assert not app.exception
    assert [error.value for error in app.error] == []
    assert "the shares add up" in " ".join(one.value for one in [*app.caption, *app.markdown])
    app = open_page("models", model="table/kidney")
    assert not app.exception
    assert "outcome from 5 columns" in " ".join(
        one.value for one in [*app.markdown, *app.subheader, *app.title]
    )
