"""The page Explain over the fake tasks: what it restores, compares and hands over."""

from __future__ import annotations

import pytest

from tests import fakes

TASKS = pytest.mark.parametrize("task", fakes.TASKS, ids=lambda task: task.slug)

pytestmark = pytest.mark.usefixtures("fake_tasks", "visited")


def _texts(app):
    parts = [app.markdown, app.caption, app.error, app.info, app.warning, app.subheader, app.text, app.code]
    return "\n".join(str(element.value) for part in parts for element in part)


def _select(app, label):
    return next(box for box in app.selectbox if box.label == label)


def _compare(app, what):
    next(g for g in app.button_group if g.label == "Compare").set_value(what).run()
    assert not app.exception
    return app


@TASKS
def test_a_sample_is_explained_at_once(open_page, task):
    app = open_page("explain", task=task.slug, sample="first")
    assert not app.exception
    assert "the shares add up exactly" in _texts(app)
    assert "not where the disease is" in _texts(app)


@TASKS
def test_without_an_input_the_page_asks_for_one(open_page, task):
    app = open_page("explain", task=task.slug)
    assert not app.exception
    assert "Choose a sample, or upload a file." in _texts(app)


def test_a_link_restores_its_choices(open_page):
    app = open_page("explain", task="fake-rows", sample="first", item="2", **{"class": "low"})
    assert not app.exception
    assert _select(app, "Class").value == "low"
    assert next(n for n in app.number_input if n.label.startswith("Row")).value == 2
    for part in ("task=fake-rows", "sample=first", "item=2", "class=low", "method=exact-shapley"):
        assert part in app.code[0].value


@pytest.mark.parametrize(
    "wrong",
    [{"class": "x"}, {"method": "x"}, {"item": "-3"}, {"compare": "x"}, {"samples": "x"}, {"model": "x"}],
)
def test_a_link_that_does_not_fit_is_no_error(open_page, wrong):
    app = open_page("explain", task="fake-rows", sample="first", **wrong)
    assert not app.exception
    assert "the shares add up exactly" in _texts(app)


@TASKS
def test_two_classes_stand_side_by_side_on_one_scale(open_page, task):
    app = _compare(open_page("explain", task=task.slug, sample="first"), "classes")
    assert {"low", "high"} <= {heading.value for heading in app.subheader}
    assert "Both sides have the same scale" in _texts(app)
    assert "compare=classes" in app.code[0].value


@TASKS
def test_two_inputs_stand_side_by_side(open_page, task):
    app = _compare(open_page("explain", task=task.slug, sample="first"), "inputs")
    _select(app, "Input on the right").set_value("second").run()
    assert not app.exception
    assert any(heading.value.startswith("Second") for heading in app.subheader)
    assert "sample2=second" in app.code[0].value


def test_a_link_restores_two_inputs(open_page):
    address = {"compare": "inputs", "sample2": "second", "item2": "3"}
    app = open_page("explain", task="fake-rows", sample="first", **address)
    assert not app.exception
    assert [heading.value for heading in app.subheader] == ["First, row 1", "Second, row 3"]


def test_another_row_of_the_same_table_can_stand_beside(open_page):
    app = _compare(open_page("explain", task="fake-rows", sample="first"), "inputs")
    assert _select(app, "Input on the right").value == "same"
    app.number_input[-1].set_value(2).run()
    assert [heading.value for heading in app.subheader] == ["First, row 1", "First, row 2"]


def test_an_upload_is_never_in_the_link(open_page):
    task = fakes.TASKS[0]
    app = open_page("explain", task=task.slug)
    file = task.file(task.example, "secret.json")
    app.file_uploader[0].set_value([(file.name, file.data, "application/json")]).run()
    assert not app.exception
    assert "secret" not in app.code[0].value
    assert "sample" not in app.code[0].value
    assert "not your file" in _texts(app)


def test_an_analysis_page_hands_its_upload_over(open_page):
    task = fakes.TASKS[2]
    app = open_page("records", task=task.slug)
    file = task.file(task.example, "mine.json")
    app.file_uploader[0].set_value([(file.name, file.data, "application/json")]).run()
    assert "Look closer" in [link.proto.label for link in app.get("page_link")]
    app.switch_page("pages/explain.py")
    app.query_params.update({"task": task.slug, "item": "2", "class": "low"})
    app.run()
    assert not app.exception
    assert "mine.json" in _texts(app)
    assert next(n for n in app.number_input if n.label.startswith("Row")).value == 2


def test_choices_survive_another_page_and_go_with_my_data(open_page):
    app = _compare(open_page("explain", task="fake-rows", sample="first"), "classes")
    app.switch_page("pages/models.py").run()
    app.switch_page("pages/explain.py").run()
    assert "Both sides have the same scale" in _texts(app)
    next(button for button in app.button if button.label == "Remove my data").click().run()
    assert not app.exception
    assert "Both sides" not in _texts(app)
