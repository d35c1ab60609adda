"""The settings of a training on the page: only what means something, empty as the recipe has it."""

from __future__ import annotations

import tempfile
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from healthdash.task import Upload
from healthdash.training import TrainSettings


def script() -> None:
    import streamlit as st

    from healthdash import tasks
    from healthdash.ui import recipe

    task = tasks.get(st.session_state.setdefault("wanted", "table"))
    st.session_state["chosen"] = recipe.form(task)


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(script, default_timeout=180).run()


def _labels(app):
    widgets = [*app.number_input, *app.selectbox, *app.text_input, *app.toggle]
    return {one.label for one in widgets}


def _box(app, label):
    return next(one for one in app.selectbox if one.label == label)


def _number(app, label):
    return next(one for one in app.number_input if one.label == label)


def test_nothing_chosen_is_the_recipe(app):
    assert not app.exception
    chosen, name = app.session_state["chosen"]
    assert chosen == TrainSettings(network="ensemble")
    assert name == "own"
    assert {"Most epochs", "Seed", "Networks"} <= _labels(app)
    assert not {"Dropout", "Loss", "Picture size, pixels", "Column of the outcome"} & _labels(app)


def test_another_network_brings_its_words_and_its_settings(app):
    _box(app, "Network").set_value("transformer").run()
    assert not app.exception
    assert any("attention" in one.value for one in app.caption)
    assert {"Dropout", "Loss", "Optimiser", "Weight decay"} <= _labels(app)
    _number(app, "Dropout").set_value(0.5)
    _box(app, "Loss").set_value("focal").run()
    chosen, _ = app.session_state["chosen"]
    assert chosen == TrainSettings(network="transformer", dropout=0.5, loss="focal")


def test_what_means_nothing_beside_another_choice_is_not_offered_and_not_kept(app):
    _box(app, "Network").set_value("mlp").run()
    _number(app, "Weight decay").set_value(0.1).run()
    assert app.session_state["chosen"][0].weight_decay == 0.1
    _box(app, "Optimiser").set_value("adam").run()
    assert "Weight decay" not in _labels(app)
    assert app.session_state["chosen"][0] == TrainSettings(network="mlp", optimizer="adam")


@pytest.mark.parametrize(
    ("task", "there", "absent"),
    [
        ("ecg-beats", {"Folds", "Augmentation"}, {"Patience, epochs", "Network", "Dropout"}),
        ("heart-disease", {"Folds", "Column of the outcome"}, {"Augmentation", "Patience, epochs"}),
        ("chest-xray", {"Patience, epochs", "Networks"}, {"Picture size, pixels", "Network"}),
    ],
)
def test_a_task_with_a_recipe_of_its_own_offers_what_it_heeds(app, task, there, absent):
    app.session_state["wanted"] = task
    app.run()
    assert not app.exception
    assert there <= _labels(app)
    assert not absent & _labels(app)


def test_the_curve_of_rates_marks_the_proposed_one():
    from healthdash.ui import rate
    from healthdash.ui.palette import LIGHT

    figure = rate.curve([1e-4, 1e-3, 1e-2], [1.0, 0.6, 2.0], 1e-3, LIGHT)
    assert figure.layout.shapes[0].x0 == 1e-3
    assert figure.layout.xaxis.type == "log"


def test_traces_are_drawn_below_one_another():
    import numpy as np

    from healthdash.ui import changed
    from healthdash.ui.palette import LIGHT

    versions = np.random.default_rng(0).normal(size=(10, 50, 2)).astype(np.float32)
    figure = changed.traces(versions, LIGHT)
    assert len(figure.data) == 10
    assert figure.data[1].y.max() < figure.data[0].y.min() + 1e-6


def changing() -> None:
    import streamlit as st

    from healthdash import archive, tasks
    from healthdash.training import TrainSettings
    from healthdash.ui import changed

    task = tasks.get("chest-xray")
    (upload,) = task.training_examples()[0].make()

    def fill(folder):
        st.session_state["reads"] = st.session_state.get("reads", 0) + 1
        return archive.placed(upload.name, upload.data, folder)

    changed.section(task, TrainSettings(), upload, fill, {})


def test_nine_changed_versions_stand_beside_ones_own_picture():
    app = AppTest.from_function(changing, default_timeout=300).run()
    assert not app.exception
    assert "reads" not in app.session_state
    app.toggle[0].set_value(True).run()
    assert not app.exception
    assert len(app.get("image")) == 10
    app.button[0].click().run()
    # The data were read once, whatever is looked at.
    assert app.session_state["reads"] == 1


def finding() -> None:
    from healthdash import tasks
    from healthdash.training import TrainSettings
    from healthdash.ui import rate

    task = tasks.get("table")
    (upload,) = task.training_examples()[0].make()

    def fill(folder):
        (folder / upload.name).write_bytes(upload.data)
        return folder / upload.name

    rate.section(task, TrainSettings(network="mlp", target="outcome"), fill, {})


@pytest.mark.slow
@pytest.mark.tf
def test_a_learning_rate_is_found_in_a_process_of_its_own_and_taken_on_a_click():
    app = AppTest.from_function(finding, default_timeout=300).run()
    app.button[0].click().run()
    assert not app.exception
    assert any("falls most steeply" in one.value for one in app.markdown)
    next(one for one in app.button if one.label == "Take it").click().run()
    assert 1e-5 < app.session_state["setting:learning_rate"] < 1
    assert not any("falls most steeply" in one.value for one in app.markdown)


def asking() -> None:
    import streamlit as st

    from healthdash import tasks
    from healthdash.training import TrainSettings
    from healthdash.ui import rate

    held = st.session_state
    chosen = TrainSettings(network="mlp", **{"target": "died", "optimizer": "adam", **held.get("chosen", {})})
    rate.section(tasks.get("table"), chosen, lambda folder: folder, held.get("beside", {}))


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("chosen", {"target": "stay"}),
        ("chosen", {"optimizer": "sgd"}),
        ("beside", {"cleaning.json": b"{}"}),
    ],
)
def test_a_found_rate_goes_with_what_it_was_found_for(monkeypatch, name, other):
    from healthdash.ui import rate

    found = {"proposed": 0.01, "rates": [0.001, 0.01, 0.1], "losses": [1.0, 0.6, 2.0]}
    monkeypatch.setattr(rate, "_found", lambda *_: found)
    app = AppTest.from_function(asking, default_timeout=30).run()
    app.button[0].click().run()
    # Another rate in the form is not what the search depends on.
    app.session_state["chosen"] = {"learning_rate": 0.5}
    app.run()
    assert any("falls most steeply" in one.value for one in app.markdown)
    app.session_state[name] = other
    app.run()
    assert not app.exception
    assert not any("falls most steeply" in one.value for one in app.markdown)


class _Seen(Exception):
    """Ends what is tested as soon as the folder is known."""


def _looked_for_a_rate(monkeypatch, given, seen):
    from healthdash import tasks
    from healthdash.ui import rate

    rate._found(tasks.get("table"), TrainSettings(), seen, {})


def _changed(monkeypatch, given, seen):
    from healthdash import tasks
    from healthdash.ui import changed

    changed._looks(tasks.get("images"), TrainSettings(), given, seen, {})


def _compared(monkeypatch, given, seen):
    from healthdash import comparison
    from healthdash.ui import compare_models

    monkeypatch.setattr(comparison, "compare", lambda task, compared, path, chosen: seen(path))
    bundle = SimpleNamespace(info=SimpleNamespace(task="table"))
    compare_models._compared([bundle], given, TrainSettings())


@pytest.mark.parametrize("uses", [_looked_for_a_rate, _changed, _compared])
def test_labelled_data_lie_in_a_folder_that_is_swept_if_the_process_is_killed(tmp_path, monkeypatch, uses):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def seen(path):
        raise _Seen(path)

    with pytest.raises(_Seen) as told:
        uses(monkeypatch, Upload("data.csv", b"age,num\n1,0\n"), seen)
    assert told.value.args[0].relative_to(tmp_path).parts[0].startswith("healthdash-read-")
    assert not list(tmp_path.iterdir())
