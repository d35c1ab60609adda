"""Every task that ships, on its page: its samples, a file that is none, and what stands about it at home."""

from __future__ import annotations

import pytest

from healthdash import tasks
from healthdash.runs import queue
from healthdash.task import Task
from healthdash.ui import runs

TASKS = tuple(task for task in tasks.all_tasks() if not task.is_generic)
SAMPLES = [pytest.param(t, e, id=f"{t.slug}-{e.slug}") for t in TASKS for e in t.examples()]
GARBAGE = {"empty": b"", "text": b"no file of any kind\n" * 9, "half a PNG": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"}

pytestmark = pytest.mark.usefixtures("visited", "no_warm_up")


@pytest.fixture
def no_warm_up(monkeypatch):
    from healthdash.ui import shell

    monkeypatch.setattr(shell, "_warm_up_soon", lambda: None)


def _texts(app):
    parts = [app.markdown, app.caption, app.error, app.info, app.warning, app.subheader, app.title]
    return "\n".join(str(element.value) for part in parts for element in part)


def _upload(app, *uploads):
    files = [(upload.name, upload.data, "application/octet-stream") for upload in uploads]
    return app.file_uploader[0].set_value(files).run(timeout=300)


@pytest.mark.tf
@pytest.mark.parametrize(("task", "example"), SAMPLES)
def test_a_sample_gives_a_result_in_one_click(open_page, task, example):
    app = open_page(task.kind, task=task.slug, sample=example.slug)
    assert not app.exception
    assert [error.value for error in app.error] == []
    assert "stimated probability" in _texts(app) or "Results" in _texts(app)


@pytest.mark.tf
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.slug)
def test_an_uploaded_sample_is_explained(open_page, monkeypatch, task):
    # How near more coalitions come to the output is tested elsewhere.
    monkeypatch.setattr(Task, "usual_samples", lambda self, method: 50)
    app = _upload(open_page(task.kind, task=task.slug), *task.examples()[0].make())
    next(button for button in app.button if button.label == "Explain").click().run(timeout=300)
    assert not app.exception
    assert "the shares add up" in _texts(app)


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.slug)
def test_a_file_of_another_kind_gets_a_message_and_a_hint(open_page, task, garbage):
    from healthdash.task import Upload

    app = _upload(open_page(task.kind, task=task.slug), Upload("holiday.png", GARBAGE[garbage]))
    assert not app.exception
    assert app.error
    assert app.info
    assert "Explain" not in [button.label for button in app.button]


def test_home_offers_a_sample_of_every_task(open_page):
    app = open_page()
    assert not app.exception
    for task in TASKS:
        assert f"**{task.title}**" in _texts(app)


def test_every_model_is_shown_with_its_card(open_page):
    from healthdash import bundles

    for bundle in bundles.available():
        app = open_page("models", model=f"{bundle.info.task}/{bundle.name}")
        assert not app.exception
        assert bundle.info.data.licence in _texts(app)


@pytest.fixture
def no_dispatcher(monkeypatch):
    """Leave the runs in the queue."""
    monkeypatch.setattr(queue, "_wake", lambda _: None)


def _button(app, label):
    return next(button for button in app.button if button.label == label)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.slug)
def test_a_synthetic_set_is_trained_on_the_way_of_an_upload(open_page, no_dispatcher, task):
    (example, *_) = task.training_examples()
    app = open_page("train", task=task.slug)
    assert _button(app, "Train").disabled
    _button(app, example.title).click().run()
    assert "worth nothing" in _texts(app)
    _button(app, "Train").click().run(timeout=300)
    assert not app.exception
    (run,) = runs.queue().of(app.session_state["work:owner"].id)
    assert (runs.queue().folder(run.id).path / run.data).exists()
    assert run.settings["epochs"] == example.settings.epochs
    assert run.name == "synthetic"
    assert "Waiting" in _texts(app)


def test_a_synthetic_set_is_forgotten_with_its_settings_for_own_data(open_page):
    app = open_page("train", task="heart-disease")
    _button(app, "Synthetic table").click().run()
    epochs = next(n for n in app.number_input if n.label == "Most epochs")
    assert epochs.value is not None
    app.file_uploader[0].set_value([("own.csv", b"age,sex", "text/csv")]).run()
    assert "worth nothing" not in _texts(app)
    assert next(n for n in app.number_input if n.label == "Most epochs").value is None
    assert next(t for t in app.text_input if t.label.startswith("Name")).value == "own"


def test_data_and_settings_of_a_training_are_still_there_after_another_page(open_page):
    app = open_page("train", task="heart-disease")
    app.file_uploader[0].set_value([("own.csv", b"age,sex", "text/csv")]).run()
    next(n for n in app.number_input if n.label == "Most epochs").set_value(7).run()
    app.switch_page("pages/models.py").run()
    app.switch_page("pages/train.py").run()
    assert "own.csv" in _texts(app)
    assert next(n for n in app.number_input if n.label == "Most epochs").value == 7
    assert not _button(app, "Train").disabled
    _button(app, "Remove").click().run()
    assert _button(app, "Train").disabled


def test_a_patient_is_still_typed_after_another_page(open_page):
    app = open_page("records", task="heart-disease")
    _typed(app, "Age").set_value(71.0)
    _button(app, "Analyse").click().run(timeout=300)
    app.switch_page("pages/models.py").run()
    app.switch_page("pages/records.py").run(timeout=300)
    assert not app.exception
    assert _typed(app, "Age").value == 71


def _typed(app, label):
    return next(n for n in app.number_input if n.label.startswith(label))


def test_another_task_does_not_keep_the_synthetic_set(open_page):
    app = open_page("train", task="heart-disease")
    _button(app, "Synthetic table").click().run()
    app.selectbox[0].set_value("readmission").run()
    assert not app.exception
    assert _button(app, "Train").disabled


@pytest.mark.tf
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.slug)
def test_two_classes_of_a_sample_are_compared_on_one_scale(open_page, task):
    address = {"task": task.slug, "sample": task.examples()[0].slug, "samples": "50", "compare": "classes"}
    app = open_page("explain", **address)
    assert not app.exception
    assert [error.value for error in app.error] == []
    assert "Both sides have the same scale" in _texts(app)
    assert _texts(app).count("the shares add up") == 2
