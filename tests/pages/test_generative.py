"""What generative networks make while they learn, and what an autoencoder expected, on the pages."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash import settings, tasks
from healthdash.runs import queue
from healthdash.training import TrainSettings, samples
from healthdash.training.samples import Look
from healthdash.ui import owner, runs

pytestmark = pytest.mark.usefixtures("visited", "quiet")
TOKEN = "A" * 43
COLUMNS = ({"name": "age", "kind": "number"}, {"name": "sex", "kind": "category", "values": ["f", "m"]})


@pytest.fixture
def quiet(monkeypatch):
    """Start neither TensorFlow nor a dispatcher, and be one browser."""
    from healthdash.ui import shell

    monkeypatch.setattr(shell, "_warm_up_soon", lambda: None)
    monkeypatch.setattr(queue, "_wake", lambda _: None)
    monkeypatch.setattr(owner, "_shown", lambda: TOKEN)


def _run(*looks: Look):
    """Return a run in whose folder some looks lie."""

    def fill(folder):
        (folder / "data.csv").write_text("age\n1\n")
        return folder / "data.csv"

    out = settings.current().own_models / "heart-disease" / "own"
    held = runs.queue()
    run = held.submit(owner.Owner(TOKEN, False).id, "heart-disease", out, TrainSettings(), fill)
    with samples.kept_in(held.folder(run.id).path / samples.FOLDER):
        for look in looks:
            samples.write(look)
    return run


def _look(epoch, kind, items, columns=()):
    return Look(epoch, kind, ("well", "ill"), items.astype(np.float32), np.array([0, 1]), columns=columns)


def _subheaders(app):
    return [one.value for one in app.subheader]


def test_a_run_without_such_a_network_shows_no_samples(open_page):
    app = open_page("train", run=_run().id)
    assert not app.exception
    assert "Synthetic items as they are learnt" not in _subheaders(app)


def test_rows_are_shown_with_the_words_of_their_codes(open_page):
    rows = [_look(epoch, "row", np.array([[50 + epoch, 1], [70, np.nan]]), COLUMNS) for epoch in (1, 8)]
    app = open_page("train", run=_run(*rows).id)
    assert not app.exception
    assert "Synthetic items as they are learnt" in _subheaders(app)
    frame = app.dataframe[0].value
    assert frame["made for"].tolist() == ["well", "ill"]
    assert frame["sex"].tolist() == ["f", ""]
    assert frame["age"].tolist() == [58.0, 70.0]
    app.select_slider[0].set_value(1).run()
    assert app.dataframe[0].value["age"].tolist() == [51.0, 70.0]


def test_pictures_are_shown_as_a_drawing(open_page):
    app = open_page("train", run=_run(_look(3, "picture", np.random.default_rng(0).random((2, 9, 9, 1)))).id)
    assert not app.exception
    assert "Synthetic items as they are learnt" in _subheaders(app)
    assert "no patient is shown" in str(app.image[0].proto)


@pytest.fixture
def unusual_model(tmp_path):
    """Train a small autoencoder of the synthetic table into this user's folder."""
    task = tasks.get("table")
    (upload,) = task.training_examples()[0].make()
    path = tmp_path / "table.csv"
    path.write_bytes(upload.data)
    chosen = TrainSettings(network="autoencoder", epochs=2)
    out = settings.current().own_models / "table" / "odd"
    return task.train(task.load_dataset(path, chosen), chosen, out, lambda row: None)


@pytest.mark.tf
def test_a_model_of_usual_items_shows_what_it_expected(open_page, unusual_model):
    assert unusual_model.info.labels == ("usual", "unusual")
    app = open_page("records", task="table", sample="usual")
    assert not app.exception
    assert [error.value for error in app.error] == []
    assert "What was expected" in _subheaders(app)
    tables = [one.value for one in app.dataframe if "share of the error" in one.value]
    assert len(tables) == 1
    assert tables[0]["share of the error"].sum() == pytest.approx(1, abs=1e-5)
    app = open_page("models", model="table/odd")
    assert not app.exception
    app = open_page("explain", task="table", sample="usual")
    assert not app.exception
    assert [error.value for error in app.error] == []
    method = next(one for one in app.selectbox if one.label == "Method")
    assert method.value == "reconstruction"


def _second(app):
    return [one for one in app.file_uploader if one.label.startswith("Items without labels")]


def test_unlabelled_items_are_a_second_upload_and_leave_with_the_data(open_page):
    app = open_page("train", task="table")
    next(one for one in app.button if one.label.startswith("Synthetic table")).click().run()
    next(one for one in app.selectbox if one.label == "Network").set_value("mlp").run()
    assert not _second(app)
    next(one for one in app.number_input if one.label == "Epochs of pre-training").set_value(2).run()
    _second(app)[0].set_value(("Smith, John.csv", b"age\n1\n", "text/csv")).run()
    next(one for one in app.button if one.label.startswith("Take every remedy")).click().run()
    next(one for one in app.button if one.label == "Train").click().run(timeout=300)
    assert not app.exception
    (run,) = runs.queue().of(owner.Owner(TOKEN, False).id)
    folder = runs.queue().folder(run.id)
    assert run.settings["unlabelled"] == "unlabelled/items.csv"
    assert (folder.path / "unlabelled" / "items.csv").read_bytes() == b"age\n1\n"
    folder.forget_inputs()
    assert not (folder.path / "unlabelled").exists()
