"""Every task that ships, on its page: its samples, a file that is none, and what stands about it at home."""

from __future__ import annotations

import pytest

from healthdash import tasks

TASKS = tasks.all_tasks()
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
    return app.file_uploader[0].set_value(files).run(timeout=120)


@pytest.mark.tf
@pytest.mark.parametrize(("task", "example"), SAMPLES)
def test_a_sample_gives_a_result_in_one_click(open_page, task, example):
    app = open_page(task.kind, task=task.slug, sample=example.slug)
    assert not app.exception
    assert [error.value for error in app.error] == []
    assert "stimated probability" in _texts(app) or "Results" in _texts(app)


@pytest.mark.tf
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.slug)
def test_an_uploaded_sample_is_explained(open_page, task):
    app = _upload(open_page(task.kind, task=task.slug), *task.examples()[0].make())
    next(button for button in app.button if button.label == "Explain").click().run(timeout=120)
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
