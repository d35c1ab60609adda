"""Random search on the page Train: what is asked for, the table of its trials, and the best trained anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from healthdash import settings
from healthdash.runs import Told, queue, search
from healthdash.training import TrainSettings
from healthdash.ui import owner, runs

pytestmark = pytest.mark.usefixtures("visited", "quiet")
TOKEN = "A" * 43
DRAWN = [TrainSettings(learning_rate=rate, network="mlp", epochs=3) for rate in (0.1, 0.01)]


@pytest.fixture
def quiet(monkeypatch):
    """Start neither TensorFlow nor a dispatcher; all pages are those of one browser."""
    from healthdash.ui import shell

    monkeypatch.setattr(shell, "_warm_up_soon", lambda: None)
    monkeypatch.setattr(queue, "_wake", lambda _: None)
    monkeypatch.setattr(owner, "_shown", lambda: TOKEN)


def _me() -> str:
    return owner.Owner(TOKEN, False).id


def _texts(app):
    parts = [app.markdown, app.caption, app.error, app.success, app.subheader]
    return "\n".join(str(element.value) for part in parts for element in part)


def _searched(losses: tuple[float, ...]) -> None:
    def fill(folder: Path) -> Path:
        (folder / "data.csv").write_text("age,outcome\n1,0\n")
        return folder / "data.csv"

    held = runs.queue()
    out = settings.current().own_models / "table" / "own"
    search.submit(held, _me(), "table", out, DRAWN, ["learning_rate"], fill)
    (found,) = search.searches(held, _me())
    for (_, run), loss in zip(found.trials, losses, strict=False):
        metrics = {"validation loss": {"value": loss, "part": "validation"}}
        held.folder(run.id).answer_file.write_text(json.dumps({"metrics": metrics}))
        held.store.change(run.id, ["queued"], state="done", metrics=metrics)


def _button(app, label):
    return next((button for button in app.button if button.label == label), None)


def test_a_synthetic_table_is_searched_with_the_ranges_of_the_form(open_page):
    app = open_page("train", task="table")
    next(button for button in app.button if (button.key or "").startswith("synthetic:table/")).click().run()
    app.number_input(key="search:trials").set_value(3)
    app.number_input(key="search:dropout:high").set_value(0.2)
    app.multiselect(key="search:batch_size").set_value([16])
    wanted = next(box for box in app.selectbox if box.label == "Column of the outcome")
    wanted.set_value("outcome").run()
    _button(app, "Search").click().run()
    assert not app.exception
    (found,) = search.searches(runs.queue(), _me())
    assert len(found.trials) == 3
    chosen = [run.settings for _, run in found.trials]
    assert all(one["dropout"] <= 0.2 and one["folds"] == 0 and one["target"] == "outcome" for one in chosen)
    assert len({one["learning_rate"] for one in chosen}) == 3
    assert "batch_size" not in found.drawn
    assert "0 of 3 trials are through" in _texts(app)


def test_the_trials_stand_in_a_table_the_best_first(open_page):
    _searched((0.5, 0.2))
    app = open_page("train")
    assert not app.exception
    table = next(
        frame.value for frame in app.dataframe if "validation loss" in frame.value and "trial" in frame.value
    )
    assert table["trial"].tolist() == [2, 1]
    assert table["learning rate"].tolist() == [0.01, 0.1]
    assert "measured on the test part" in _texts(app)


def test_the_reason_of_a_failed_trial_stands_in_the_table(open_page):
    _searched((0.5,))
    _, (_, failed) = search.searches(runs.queue(), _me())[0].trials
    runs.queue().store.change(failed.id, ["queued"], state="failed", error=Told("TooLittleData", "too few"))
    app = open_page("train")
    assert not app.exception
    table = next(frame.value for frame in app.dataframe if "trial" in frame.value)
    assert table["error"].tolist()[1] == "too few"


def test_the_best_is_trained_anew_with_as_many_epochs_as_wanted(open_page):
    _searched((0.5, 0.2))
    app = open_page("train")
    next(one for one in app.number_input if (one.key or "").startswith("search:full")).set_value(25)
    _button(app, "Train the best anew").click().run()
    assert not app.exception
    (run,) = [run for run in runs.queue().of(_me()) if not runs.queue().folder(run.id).search]
    assert (run.settings["learning_rate"], run.settings["epochs"], run.name) == (0.01, 25, "own")
    assert "Waiting: " in _texts(app)


def test_before_a_trial_is_through_there_is_no_best(open_page):
    _searched(())
    app = open_page("train")
    assert _button(app, "Train the best anew") is None


def test_a_trial_that_is_through_offers_no_model(open_page):
    _searched((0.5,))
    (found,) = search.searches(runs.queue(), _me())
    app = open_page("train", run=found.trials[0][1].id)
    assert "The trial is through" in _texts(app)
    assert "ready and offered" not in _texts(app)
