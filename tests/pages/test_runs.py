"""The runs on the page Train: one's own, through restarts, and nobody else's."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import streamlit as st

from healthdash import bundles, settings, tasks
from healthdash.runs import Run, Told, queue
from healthdash.training import TrainSettings
from healthdash.ui import owner, problems, runs

pytestmark = pytest.mark.usefixtures("visited", "quiet")
TOKEN = "A" * 43
OTHER = "B" * 43


@pytest.fixture
def quiet(monkeypatch):
    """Start neither TensorFlow nor a dispatcher."""
    from healthdash.ui import shell

    monkeypatch.setattr(shell, "_warm_up_soon", lambda: None)
    monkeypatch.setattr(queue, "_wake", lambda _: None)


@pytest.fixture
def browser(monkeypatch):
    """Return a function that makes the next pages those of a browser with this cookie."""

    def shows(token: str | None) -> None:
        monkeypatch.setattr(owner, "_shown", lambda: token)

    shows(TOKEN)
    return shows


def _submit(token: str = TOKEN, *, name: str = "own", epochs: int = 0, **state) -> Run:
    def fill(folder: Path) -> Path:
        (folder / "data.csv").write_text("age\n1\n")
        return folder / "data.csv"

    out = settings.current().own_models / "heart-disease" / name
    held = runs.queue()
    run = held.submit(owner.Owner(token, False).id, "heart-disease", out, TrainSettings(epochs=9), fill)
    if epochs:
        lines = [f"{i},{1 / i},{1.1 / i}" for i in range(1, epochs + 1)]
        held.folder(run.id).history_file.write_text("\n".join(["epoch,loss,val_loss", *lines]))
    if state:
        held.store.change(run.id, ["queued"], **state)
    return held.store.get(run.id)


def _texts(app):
    parts = [app.markdown, app.caption, app.error, app.info, app.warning, app.success, app.subheader]
    return "\n".join(str(element.value) for part in parts for element in part)


def _button(app, label):
    return next(button for button in app.button if button.label == label)


def test_runs_are_listed_with_their_state_and_their_losses(open_page, browser):
    _submit(epochs=5, state="done", metrics={"AUC": {"value": 0.9, "part": "test"}}, started=1.0, ended=62.0)
    app = open_page("train")
    assert not app.exception
    (row,) = app.dataframe[0].value.to_dict("records")
    assert (row["model"], row["state"], row["result"], row["time"]) == (
        "own",
        "Done",
        "AUC 0.900",
        "1 min 1 s",
    )
    np.testing.assert_allclose(row["validation loss"], [1.1 / i for i in range(1, 6)])


def test_without_runs_there_is_only_the_form(open_page, browser):
    app = open_page("train")
    assert not app.dataframe
    assert _button(app, "Train").disabled


def test_another_browser_sees_none_of_them_and_cannot_open_them(open_page, browser):
    run = _submit()
    browser(OTHER)
    assert not open_page("train").dataframe
    app = open_page("train", run=run.id)
    assert "no such run" in _texts(app)
    assert run.name not in " ".join(s.value for s in app.subheader)


def test_two_new_browsers_have_owners_of_their_own(open_page, browser):
    browser(None)
    first, second = (open_page("home").session_state["work:owner"] for _ in range(2))
    assert first.is_new
    assert first.id != second.id


def test_the_same_browser_finds_its_runs_after_a_restart(open_page, browser):
    run = _submit(epochs=3, state="lost", error=Told("TrainingLost", "ended from outside", "Resume it."))
    st.cache_resource.clear()
    app = open_page("train", run=run.id)
    assert not app.exception
    assert "Lost: " in _texts(app)
    assert "ended from outside" in _texts(app).lower()


def test_a_cookie_of_another_form_is_not_taken(monkeypatch):
    for cookie in ("", "short", "A" * 42 + ";", "A" * 44):
        monkeypatch.setattr(type(st.context), "cookies", {"healthdash-owner": cookie})
        assert owner._shown() is None
    monkeypatch.setattr(type(st.context), "cookies", {"healthdash-owner": TOKEN})
    assert owner._shown() == TOKEN


def test_the_token_itself_is_nowhere_in_the_store(browser):
    _submit()
    stored = b"".join(path.read_bytes() for path in settings.current().runs.glob("runs.db*"))
    assert TOKEN.encode() not in stored


def test_a_run_is_stopped_resumed_and_deleted(open_page, browser):
    run = _submit()
    app = open_page("train", run=run.id)
    _button(app, "Stop").click().run()
    assert "Stopped: " in _texts(app)
    _button(app, "Resume").click().run()
    assert "Waiting: " in _texts(app)
    assert runs.queue().store.get(run.id).state == "queued"
    folder = runs.queue().folder(run.id).path
    _button(app, "Delete for good").click().run()
    assert not app.exception
    assert runs.queue().store.get(run.id) is None
    assert not folder.exists()
    assert any(button.label == "Train" for button in app.button)


def test_remove_my_data_removes_all_runs_of_this_browser_only(open_page, browser):
    mine, other = _submit(), _submit(OTHER)
    app = open_page("train")
    _button(app, "Remove my data").click().run()
    assert not app.exception
    assert runs.queue().store.get(mine.id) is None
    assert not runs.queue().folder(mine.id).path.exists()
    assert runs.queue().store.get(other.id) is not None


def _no_answer(monkeypatch) -> None:
    monkeypatch.setenv("HEALTHDASH_DATABASE_URL", "nonsense")
    settings.current.cache_clear()
    st.cache_resource.clear()


def test_a_list_of_runs_that_does_not_answer_is_told_below_the_form(open_page, browser, monkeypatch):
    _no_answer(monkeypatch)
    app = open_page("train")
    assert not app.exception
    assert "The list of the runs does not answer" in _texts(app)
    assert any(button.label == "Train" for button in app.button)


def test_what_a_session_holds_is_removed_also_when_the_list_of_runs_does_not_answer(
    open_page, browser, monkeypatch
):
    app = open_page("train")
    app.session_state["work:held"] = "a patient"
    _no_answer(monkeypatch)
    _button(app, "Remove my data").click().run()
    assert not app.exception
    assert "The list of the runs does not answer" in _texts(app)
    assert "work:held" not in app.session_state


def test_a_finished_run_leads_to_its_model(open_page, browser):
    run = _submit(epochs=2, state="done", metrics={"AUC": {"value": 0.9, "part": "test"}})
    app = open_page("train", run=run.id)
    assert "ready and offered" in _texts(app)
    assert [metric.value for metric in app.metric] == ["0.900"]
    (use,) = (link.proto for link in app.get("page_link") if link.proto.label == "Use it")
    assert use.query_string == f"task=heart-disease&model={run.name}"


def test_a_finished_run_repeats_what_makes_its_figures_doubtful(open_page, browser):
    run = _submit(name="copy", epochs=2, state="done", metrics={"AUC": {"value": 0.9, "part": "test"}})
    shutil.copytree(settings.current().shipped_models / "heart-disease" / "cleveland-mlp", run.out)
    (told,) = (one.value for one in open_page("train", run=run.id).warning if "figures" in one.value)
    for words in bundles.open_folder(Path(run.out)).info.limits:
        assert problems.plain(words) in told


def test_last_good_weights_of_a_diverged_run_are_offered(open_page, browser):
    error = Told("TrainingDiverged", "the loss is no longer a number in epoch 3", "Lower the learning rate.")
    run = _submit(epochs=2, state="failed", error=error)
    kept = runs.queue().folder(run.id).checkpoints
    kept.mkdir()
    (kept / "a.keras").write_bytes(b"weights")
    app = open_page("train", run=run.id)
    assert "no longer a number" in _texts(app)
    assert [button.label for button in app.get("download_button")] == ["Last good weights (.keras)"]


def test_two_runs_are_compared_on_one_plot(open_page, browser):
    chosen = [_submit(name="a", epochs=4), _submit(name="b", epochs=6)]
    app = open_page("train")
    app.multiselect(key="train:compared").set_value([run.id for run in chosen]).run()
    assert not app.exception
    assert app.get("plotly_chart")
    figures = app.dataframe[1].value
    assert [re.match(r"\w", name)[0] for name in figures["run"]] == ["a", "b"]
    assert list(figures["epochs"]) == ["9", "9"]


def test_every_task_of_a_run_has_a_title(browser):
    assert [runs._title(task.slug) for task in tasks.all_tasks()] == [t.title for t in tasks.all_tasks()]
    assert runs._title("gone") == "gone"


def test_a_name_that_is_taken_gets_a_number(browser):
    out = settings.current().own_models / "heart-disease" / "own"
    assert runs.queue().free_name(out) == out
    _submit(token="somebody else")
    (out.parent / "own-2").mkdir(parents=True)
    assert runs.queue().free_name(out).name == "own-3"


def _stands(run: Run, **state) -> None:
    outputs = [{"item": 4, "truth": 1, "probabilities": [0.1, 0.9]}]
    curve = {"epoch": [0.5, 1.0, 1.5], "loss": [0.7, 0.6, 0.5]}
    now = {"run": "fold 2", "epoch": 2, "epochs": 9, "batch": 3, "batches": 6, "learning_rate": 0.003,
           "examples_per_s": 1234.0, "seconds_left": 200.0, "memory_mb": 512.0, "curve": curve,
           "outputs": outputs, "labels": ["Healthy", "Disease"], "written": time.time()}  # fmt: skip
    runs.queue().folder(run.id).live_file.write_text(json.dumps(now | state))


def test_a_run_that_trains_shows_how_it_stands(open_page, browser):
    run = _submit(epochs=1, state="running", started=1.0)
    _stands(run)
    app = open_page("train", run=run.id)
    assert not app.exception
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown == {
        "Epoch": "2 of 9", "Batch": "3 of 6", "Time left for fold 2, at most": "3 min 20 s",
        "Memory": "512 MB", "Examples a second": "1,234", "Learning rate": "0.003",
    }  # fmt: skip
    (item,) = app.dataframe[0].value.to_dict("records")
    assert (item["item"], item["truth"], item["says"], item["Disease"]) == (
        "no. 4",
        "Disease",
        "Disease",
        0.9,
    )


def test_the_epoch_of_a_run_that_trains_is_told_once(open_page, browser):
    run = _submit(epochs=1, state="running", started=1.0)
    _stands(run)
    assert "epoch" not in open_page("train", run=run.id).subheader[0].value


@pytest.mark.parametrize("epoch", [9, 4])  # the last of them, and one at which early stopping ended
def test_after_the_last_epoch_the_page_says_what_goes_on_instead_of_a_time(open_page, browser, epoch):
    run = _submit(epochs=1, state="running", started=1.0)
    _stands(run, epoch=epoch, batch=6, seconds_left=0.0)
    runs.queue().folder(run.id).log_file.write_text("epoch=9 loss=0.5\nexplanations 20%\nexplanations 25%\n")
    app = open_page("train", run=run.id)
    assert not any("Time left" in metric.label for metric in app.metric)
    assert "Measuring the explanations, 25 %" in [bar.proto.text for bar in app.get("progress")]


def test_between_the_last_epoch_and_what_follows_the_page_says_so(open_page, browser):
    run = _submit(epochs=1, state="running", started=1.0)
    _stands(run, epoch=9, batch=6, seconds_left=0.0)
    app = open_page("train", run=run.id)
    assert not any("Time left" in metric.label for metric in app.metric)
    assert "This network has learnt." in _texts(app)


def test_what_an_earlier_attempt_wrote_is_not_shown(open_page, browser):
    run = _submit(epochs=1, state="running", started=time.time())
    _stands(run, written=time.time() - 60)
    assert not open_page("train", run=run.id).metric


def test_over_fitting_is_told_in_words(open_page, browser):
    run = _submit(epochs=30, state="stopped")
    lines = [f"{i},{1 / i},{1 + abs(i - 10) / 20}" for i in range(1, 31)]
    runs.queue().folder(run.id).history_file.write_text("\n".join(["epoch,loss,val_loss", *lines]))
    assert "Since epoch 10 the validation loss rises" in _texts(open_page("train", run=run.id))
