"""Own pictures and signals on the page Train: the report, a remedy by a click, data of the server."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from healthdash import archive
from healthdash.datasets.steps import LeaveOut
from healthdash.tables.steps import GroupBy
from healthdash.training import TrainSettings
from tests.unit.tasks.imaging.test_own import noise


def pictures() -> bytes:
    """Return a zip of pictures of two labels, one of them there twice, in a table without a clear label."""
    import io

    from PIL import Image

    files, lines = {}, ["file,finding,patient"]
    for number in range(28):
        stored = io.BytesIO()
        Image.fromarray(noise(number if number != 4 else 2)).save(stored, "PNG")
        files[f"{number}.png"] = stored.getvalue()
        lines.append(f"{number}.png,{'mass' if number % 2 else 'none'},p{number // 2}")
    return archive.pack({**files, "manifest.csv": "\n".join(lines).encode()})


def script() -> None:
    import streamlit as st

    from healthdash import tasks
    from healthdash.task import Upload
    from healthdash.ui import own_files
    from tests.pages.test_own_files import pictures

    st.session_state["chosen"] = own_files.section(Upload("data.zip", pictures()), tasks.get("images"))


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(script, default_timeout=300).run()


def box(app: AppTest, label: str):
    return next(one for one in app.selectbox if one.label == label)


def button(app: AppTest, label: str):
    return next(one for one in app.button if one.label == label)


def told(app: AppTest) -> str:
    boxes = [*app.error, *app.warning, *app.info, *app.success, *app.markdown]
    return " ".join(one.value for one in boxes).replace("\\", "")


def test_the_label_is_asked_for_and_remedies_are_taken_and_undone(app):
    assert not app.exception
    assert app.session_state["chosen"] is None
    box(app, "Column of the label").set_value("finding").run()
    assert not app.exception
    assert "names 14 patients" in told(app)
    assert "Exactly the same as another one: 1 picture" in told(app)
    button(app, "Keep one of each").click().run()
    chosen = app.session_state["chosen"]
    assert chosen.cleaning.target == "finding"
    assert chosen.cleaning.steps == (LeaveOut(what="copies"),)
    assert "Exactly the same" not in told(app)
    button(app, "Undo").click().run()
    assert app.session_state["chosen"].cleaning.steps == ()
    button(app, "Take every remedy that needs no decision").click().run()
    assert not app.exception
    chosen = app.session_state["chosen"]
    assert set(chosen.cleaning.steps) == {LeaveOut(what="copies"), GroupBy(column="patient")}
    assert box(app, "Patient, by").value == "patient"
    assert chosen.settings(TrainSettings(seed=3)) == TrainSettings(seed=3, cleaning="cleaning.json")
    assert b"patient" in chosen.beside["cleaning.json"]


# -- on the page Train ---------------------------------------------------------------------


@pytest.fixture
def quiet(monkeypatch):
    """Leave runs in the queue, and TensorFlow alone."""
    from healthdash.runs import queue
    from healthdash.ui import shell

    monkeypatch.setattr(queue, "_wake", lambda _: None)
    monkeypatch.setattr(shell, "_warm_up_soon", lambda: None)


@pytest.mark.usefixtures("visited", "quiet")
def test_the_synthetic_signals_go_from_a_click_to_a_run_with_their_cleaning(open_page):
    from healthdash.ui import runs

    app = open_page("train", task="signals")
    assert not app.exception
    button(app, "Synthetic set of 120 recordings").click().run(timeout=300)
    assert not app.exception
    assert "names 60 patients" in told(app)
    button(app, "Split by group").click().run(timeout=300)
    button(app, "Train").click().run(timeout=300)
    assert not app.exception
    (run,) = runs.queue().of(app.session_state["work:owner"].id)
    assert (run.task, run.settings["cleaning"]) == ("signals", "cleaning.json")
    assert "group-by" in (runs.queue().folder(run.id).path / "cleaning.json").read_text()


@pytest.mark.usefixtures("visited", "quiet")
def test_data_of_the_server_are_used_where_they_lie_and_only_below_allowed_folders(
    open_page, tmp_path, monkeypatch
):
    from healthdash import settings
    from healthdash.ui import runs

    (tmp_path / "allowed").mkdir()
    set_ = archive.unpack(pictures(), tmp_path / "allowed")
    monkeypatch.setenv("HEALTHDASH_DATA_FOLDERS", str(tmp_path / "allowed"))
    settings.current.cache_clear()
    app = open_page("train", task="images")
    field = next(one for one in app.text_input if one.label == "Or a folder or file of the server")
    field.set_value(str(tmp_path)).run(timeout=300)
    assert "below those that this server allows" in told(app)
    assert button(app, "Train").disabled
    field = next(one for one in app.text_input if one.label == "Or a folder or file of the server")
    field.set_value(str(set_)).run(timeout=300)
    assert not app.exception
    box(app, "Column of the label").set_value("finding").run(timeout=300)
    button(app, "Take every remedy that needs no decision").click().run(timeout=300)
    button(app, "Train").click().run(timeout=300)
    assert not app.exception
    (run,) = runs.queue().of(app.session_state["work:owner"].id)
    assert run.data == str(set_)
    runs.queue().remove(run)
    assert (set_ / "manifest.csv").is_file()


# -- with a model --------------------------------------------------------------------------


@pytest.fixture
def own_model(tmp_path):
    """Train a small model of the synthetic pictures into this user's folder."""
    from healthdash import settings, tasks

    task = tasks.get("images")
    (upload,) = task.training_examples()[0].make()
    path = archive.placed(upload.name, upload.data, tmp_path)
    chosen = TrainSettings(epochs=1, size=32, batch_size=64, folds=0, augment=False)
    out = settings.current().own_models / "images" / "spots"
    return task.train(task.load_dataset(path, chosen), chosen, out, lambda row: None)


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.usefixtures("visited", "quiet", "own_model")
def test_an_own_model_of_pictures_is_offered_on_the_page_of_images(open_page):
    app = open_page("images", task="images", sample="mean")
    assert not app.exception
    assert [error.value for error in app.error] == []
    assert "Own pictures" in str(app.segmented_control)
    app = open_page("models", model="images/spots")
    assert not app.exception
    assert "round or star from pictures" in " ".join(
        one.value for one in [*app.markdown, *app.subheader, *app.title]
    )
