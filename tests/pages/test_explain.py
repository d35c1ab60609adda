"""The page Explain over the fake tasks: what it restores, compares and hands over."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from urllib.parse import parse_qsl

import numpy as np
import pytest

from healthdash.errors import InvalidInput
from healthdash.ui import progress
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


def _what_if(app):
    return next(n for n in app.number_input if n.label == "First, mm" and "whatif" in n.key)


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
    assert [heading.value for heading in app.subheader][:2] == ["First, row 1", "Second, row 3"]


def test_another_row_of_the_same_table_can_stand_beside(open_page):
    app = _compare(open_page("explain", task="fake-rows", sample="first"), "inputs")
    assert _select(app, "Input on the right").value == "same"
    [n for n in app.number_input if n.label.startswith("Row")][-1].set_value(3).run()
    assert [heading.value for heading in app.subheader][:2] == ["First, row 1", "First, row 3"]


def test_an_upload_is_never_in_the_link(open_page):
    task = fakes.TASKS[0]
    app = open_page("explain", task=task.slug)
    file = task.file(task.example, "secret.json")
    app.file_uploader[0].set_value([(file.name, file.data, "application/json")]).run()
    assert not app.exception
    assert "secret" not in app.code[0].value
    assert "sample" not in app.code[0].value
    assert "not your file" in _texts(app)


def _with_bad_ones(app, *good):
    bad = [(f"bad{i}.json", b"?", "application/json") for i in range(3)]
    app.file_uploader[0].set_value([*bad, *((u.name, u.data, "application/json") for u in good)]).run()
    assert not app.exception
    return app


def test_bad_files_among_others_are_listed_in_one_closed_place(open_page):
    task = fakes.TASKS[0]
    app = _with_bad_ones(open_page("explain", task=task.slug), task.file(task.example, "good.json"))
    (box,) = (box for box in app.expander if box.label == "3 of 4 inputs are left out")
    assert not box.proto.expanded
    told = "Expected JSON with numbers. Write JSON."
    assert box.markdown[0].value == f"- **bad0.json, bad1.json and bad2.json**: {told}"
    assert not app.warning


def test_files_of_which_none_is_good_are_listed_in_one_open_place(open_page):
    app = _with_bad_ones(open_page("explain", task=fakes.TASKS[0].slug))
    (box,) = (box for box in app.expander if box.label == "3 of 3 inputs are left out")
    assert box.proto.expanded
    assert not app.error


def _compared_with(app, name, data):
    _compare(app, "inputs")
    _select(app, "Input on the right").set_value("upload").run()
    app.file_uploader[-1].set_value([(name, data, "application/json")]).run()
    assert not app.exception
    return app


def test_a_bad_upload_on_the_right_is_told(open_page):
    app = _compared_with(open_page("explain", task="fake-rows", sample="first"), "bad.json", b"?")
    assert "Expected JSON with numbers." in [error.value for error in app.error]


class _SilentSignal(fakes.FakeSignal):
    """A recording that is read once somebody says its rate; the samples say it."""

    def read(self, uploads):
        if uploads[0].name != "sample.json" and not uploads[0].hints.get("rate_hz"):
            raise InvalidInput(["the file does not say its sampling rate"], hint="Enter the rate in hertz.")
        return super().read(uploads)


def test_the_rate_of_a_recording_on_the_right_is_said_there_and_of_another_one_anew(open_page, monkeypatch):
    from healthdash import tasks

    task, (right, other) = _SilentSignal(), (f"{name}.json" for name in ("right", "other"))
    monkeypatch.setattr(tasks, "all_tasks", lambda: (task,))
    data = task.file(task.example).data
    app = _compared_with(open_page("explain", task=task.slug, sample="first"), right, data)
    assert "The file does not say its sampling rate." in [error.value for error in app.error]
    rate = [number for number in app.number_input if number.label == "Sampling rate, Hz"][-1]
    rate.set_value(250.0).run()
    assert not app.exception
    assert [heading.value.split(",")[0] for heading in app.subheader][:2] == ["First", right]
    assert [n.value for n in app.number_input if n.label == "Sampling rate, Hz"] == [250.0]
    _compared_with(app, other, data)
    assert "The file does not say its sampling rate." in [error.value for error in app.error]


def test_refused_rows_of_either_side_are_listed_once(open_page):
    task = fakes.TASKS[2]
    app = open_page("explain", task=task.slug)
    file = task.file([[1, 1], [np.nan, 2], [3, 4]], "mine.json")
    app.file_uploader[0].set_value([(file.name, file.data, "application/json")]).run()
    _compare(app, "inputs")
    (box,) = (box for box in app.expander if box.label == "1 of 3 rows is left out")
    assert not box.proto.expanded
    assert box.markdown[0].value.startswith("- **mine.json, row 2**: Column a")
    other = task.file([[np.nan, 2], [3, 4]])
    _compared_with(app, other.name, other.data)
    assert [box.label for box in app.expander if "left out" in box.label] == [
        "1 of 3 rows is left out", "1 of 2 rows is left out"
    ]  # fmt: skip


def test_an_upload_after_a_sample_is_explained_for_its_own_class_and_row(open_page):
    app = open_page("explain", task="fake-rows", sample="first", item="2", **{"class": "low"})
    task = next(task for task in fakes.TASKS if task.slug == "fake-rows")
    file = task.file(task.example, "mine.json")
    app.file_uploader[0].set_value([(file.name, file.data, "application/json")]).run()
    assert not app.exception
    told = app.code[0].value
    app.query_params.clear()
    fresh = open_page("explain", task="fake-rows")
    fresh.file_uploader[0].set_value([(file.name, file.data, "application/json")]).run()
    assert "item=2" not in told
    assert told == fresh.code[0].value


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


def test_what_is_taken_away_can_be_downloaded(open_page):
    app = open_page("explain", task="fake-rows", sample="first")
    labels = [button.proto.label for button in app.get("download_button")]
    assert {"Values (CSV)", "Picture (PNG)", "Report (HTML)"} <= set(labels)


def test_a_changed_value_moves_the_probability_beside_the_original(open_page):
    app = open_page("explain", task="fake-rows", sample="first", item="2", **{"class": "high"})
    assert "Nothing is changed yet" in _texts(app)
    _what_if(app).set_value(9.0).run()
    assert not app.exception
    given, changed = (m for m in app.metric if m.label.startswith("high, "))
    assert (given.label, changed.label) == ("high, as given", "high, changed")
    assert changed.value == "> 99.9 %"
    assert given.value != changed.value


def test_changed_values_stay_within_what_is_possible_and_survive_another_page(open_page):
    app = open_page("explain", task="fake-rows", sample="first")
    first = _what_if(app)
    assert (first.min, first.max) == (-10, 10)
    first.set_value(9.0).run()
    app.switch_page("pages/models.py").run()
    app.switch_page("pages/explain.py").run()
    assert _what_if(app).value == 9.0
    assert any(m.label == "high, changed" for m in app.metric)


def test_only_rows_have_a_what_if(open_page):
    assert "What if?" not in _texts(open_page("explain", task="fake-picture", sample="first"))


def _checked(monkeypatch):
    """Return what every check finds from now on."""
    from healthdash.explain import quality

    shares = np.linspace(0, 1, 3)
    rising, falling = shares, 1 - shares
    found = quality.Quality(
        additivity=quality.Additivity(0.0),
        stability=quality.Stability(0.02, (0.9, 1.0)),
        curves=quality.Curves(shares, falling, rising, falling[None], rising[None]),
        randomisation=quality.Randomisation((1.0,), (0.97,)),
    )
    monkeypatch.setattr(quality, "judge", lambda question, explanation, on_progress: found)
    return found


def test_the_checks_are_made_when_asked_for_and_a_failed_one_greys_the_explanation(open_page, monkeypatch):
    found = _checked(monkeypatch)
    app = open_page("explain", task="fake-rows", sample="first")
    assert "Shown greyed" not in _texts(app)
    next(button for button in app.button if button.label == "Check it").click().run()
    assert not app.exception
    for words in found.words:
        assert words in _texts(app)
    assert f"Shown greyed. {found.reason_to_doubt}" in _texts(app)
    assert "Check it" not in [button.label for button in app.button]


@pytest.mark.parametrize("is_doubtful", [False, True])
def test_what_the_card_says_of_a_method_stands_beside_its_explanation(open_page, monkeypatch, is_doubtful):
    from healthdash import bundles
    from healthdash.training import explained

    one = explained.Average(value=0.5, n=1)
    method = explained.JudgedMethod(
        method="exact-shapley", title="Exact", residual=one, stability=one, deletion=one, insertion=one,
        beaten=one, shuffled=one, is_doubtful=is_doubtful, words="does as the test says",
    )  # fmt: skip
    quality = explained.ExplanationQuality(
        items=1, kind="synthetic rows", samples=0, seed=0, methods=(method,), command=""
    )
    (bundle,) = bundles.available("fake-rows")
    monkeypatch.setattr(bundle, "evaluation", bundle.evaluation.model_copy(update={"explanations": quality}))
    app = open_page("explain", task="fake-rows", sample="first")
    assert not app.exception
    assert "does as the test says" in _texts(app)
    assert ("Shown greyed" in _texts(app)) == is_doubtful


def test_names_of_files_are_no_markdown_on_either_side_nor_in_its_checks(open_page, monkeypatch):
    _checked(monkeypatch)
    told, run = [], progress.run

    def heard(words, *given, **named):
        told.append(words)
        return run(words, *given, **named)

    monkeypatch.setattr(progress, "run", heard)
    task = fakes.TASKS[0]
    files = [task.file(task.example, name) for name in ("a_*b*_.json", "[b](c).json")]
    left, right = r"a\_\*b\*\_.json", r"\[b\](c).json"
    app = open_page("explain", task=task.slug)
    app.file_uploader[0].set_value([(files[0].name, files[0].data, "application/json")]).run()
    _compared_with(app, files[1].name, files[1].data)
    assert [heading.value for heading in app.subheader][:2] == [left, right]
    next(button for button in app.button if button.label == "Check it").click().run()
    assert not app.exception
    assert {f"**{left}**", f"**{right}**"} <= {words.value for words in app.markdown}
    assert {f"Checking {left}…", f"Checking {right}…"} <= {*told}


def test_many_rows_are_explained_together(open_page):
    app = open_page("explain", task="fake-rows", sample="first")
    next(button for button in app.button if button.label == "Explain 3 rows").click().run()
    assert not app.exception
    assert [tab.label for tab in app.tabs] == [
        "Mean size", "Every row", "Dependence", "Partial dependence", "Loss of the metric",
    ]  # fmt: skip
    assert "Mean over 3 rows" in _texts(app)


def test_the_synthetic_samples_are_a_cohort_too(open_page):
    app = open_page("explain", task="fake-rows", sample="first")
    _select(app, "Rows").set_value("synthetic").run()
    next(button for button in app.button if button.label == "Explain 6 rows").click().run()
    assert not app.exception
    assert "Mean over 6 rows" in _texts(app)


def test_the_smallest_change_that_is_enough_is_found(open_page):
    app = open_page("explain", task="fake-rows", sample="first", item="2", **{"class": "high"})
    next(button for button in app.button if button.label == "Look for changes that cross 50%").click().run()
    assert not app.exception
    assert "not what would help a patient" in _texts(app)
    table = next(frame.value for frame in app.dataframe if "Changed" in frame.value)
    assert list(table["Feature"]) == ["First", "Second"]
    assert list(table["Way"]) == [1, 2]
    assert table["As given"][0] == "-1 mm"


def _two_models(monkeypatch, task):
    from healthdash import bundles

    first, second = fakes.fake_bundle(task), fakes.fake_bundle(task)
    second.name, second.path = "other", second.path.with_name("other")
    second.info = second.info.model_copy(update={"sha256": "1" * 64})
    second.forward = fakes.FakeForward(strength=3)
    monkeypatch.setattr(bundles, "available", lambda slug=None: [first, second])


def test_two_models_stand_side_by_side_and_a_link_restores_them(open_page, monkeypatch):
    task = fakes.TASKS[2]
    _two_models(monkeypatch, task)
    app = open_page("explain", task=task.slug, sample="first", compare="models", model="fake", model2="other")
    assert not app.exception
    headings = [heading.value for heading in app.subheader][:2]
    assert headings == ["Fake rows model (fake), row 1", "Fake rows model (other), row 1"]
    assert len({metric.value for metric in app.metric if metric.label.startswith("Estimated")}) == 2
    assert "model2=other" in app.code[0].value


def test_the_upload_on_the_right_is_still_there_after_two_models(open_page, monkeypatch):
    task = fakes.TASKS[2]
    _two_models(monkeypatch, task)
    app = open_page("explain", task=task.slug)
    left, right = task.file(task.example, "left.json"), task.file(task.example, "right.json")
    app.file_uploader[0].set_value([(left.name, left.data, "application/json")]).run()
    _compare(app, "models")
    _select(_compare(app, "inputs"), "Input on the right").set_value("upload").run()
    assert "Upload what is shown on the right." in _texts(app)
    _compared_with(app, right.name, right.data)
    for compared in ("models", "inputs"):
        _compare(app, compared)
    assert [heading.value.split(",")[0] for heading in app.subheader][:2] == ["left.json", "right.json"]


class _RowsOfOutcomes(fakes.FakeRows):
    """A table whose labels say nothing by themselves, beside a word with asterisks."""

    def said(self, label):
        return f"*outcome* = {label}"


def test_a_class_is_named_as_people_read_it_wherever_the_page_names_it(open_page, monkeypatch):
    from healthdash import tasks

    # Escaped: asterisks of a table are no Markdown.
    task = _RowsOfOutcomes()
    monkeypatch.setattr(tasks, "all_tasks", lambda: (task,))
    app = open_page("explain", task=task.slug, sample="first", **{"class": "high"})
    _what_if(app).set_value(3.0).run()
    assert "for \\*outcome\\* = high; the shares" in _texts(app)
    named = [metric.label for metric in app.metric]
    assert {
        "Estimated probability of \\*outcome\\* = high",
        "\\*outcome\\* = high, as given",
        "\\*outcome\\* = high, changed",
    } <= {*named}
    assert any(slider.label == "Threshold of \\*outcome\\* = high" for slider in app.select_slider)
    next(b for b in app.button if b.label.startswith("Explain ") and "rows" in b.label).click().run()
    assert not app.exception
    assert "for \\*outcome\\* = high. " in _texts(app)
    app = open_page("explain", task=task.slug, sample="first", compare="classes")
    assert {"\\*outcome\\* = high", "\\*outcome\\* = low"} <= {heading.value for heading in app.subheader}
    app = open_page("records", task=task.slug, sample="first")
    assert "Explain the first 3 rows for \\*outcome\\* = high" in [button.label for button in app.button]


class _RowsOfTwoModels(fakes.FakeRows):
    """Each model has a column of its own and refuses the rows that have a gap there."""

    columns = (0,)

    def bound(self, bundle):
        made = copy(self)
        made.columns = (("fake", "other").index(bundle.name),)
        return made

    def read(self, uploads):
        table = fakes.FakeTask.read(self, uploads)
        gaps = np.isnan(table.values[:, self.columns]).any(axis=1)
        refused = {int(row): ("expected a number, got text",) for row in np.flatnonzero(gaps)}
        return replace(table, values=np.nan_to_num(table.values[~gaps]), refused=refused)


def _two_models_with_gaps(open_page, monkeypatch):
    from healthdash import tasks

    task = _RowsOfTwoModels()
    monkeypatch.setattr(tasks, "all_tasks", lambda: (task,))
    _two_models(monkeypatch, task)
    app = open_page("explain", task=task.slug, compare="models", model="fake", model2="other")
    file = task.file([[1, np.nan], [np.nan, 2], [3, 4]])
    app.file_uploader[0].set_value([(file.name, file.data, "application/json")]).run()
    return _compare(app, "models")


def test_two_models_are_compared_on_the_same_row_of_the_file(open_page, monkeypatch):
    app = _two_models_with_gaps(open_page, monkeypatch)
    next(n for n in app.number_input if n.label.startswith("Analysed row")).set_value(2).run()
    assert not app.exception
    headings = [heading.value for heading in app.subheader][:2]
    assert headings == ["Fake rows model (fake), row 3", "Fake rows model (other), row 3"]


def test_a_row_that_the_other_model_refuses_is_compared_with_no_other_row(open_page, monkeypatch):
    app = _two_models_with_gaps(open_page, monkeypatch)
    assert "The other model cannot judge row 1\\: expected a number, got text." in [i.value for i in app.info]
    assert len([metric for metric in app.metric if metric.label.startswith("Estimated")]) == 1


def test_the_gate_warns_here_too(open_page):
    task = fakes.TASKS[0]
    file = task.file([[60.0, 0.0], [0.0, 0.0]])
    app = open_page("explain", task=task.slug)
    app.file_uploader[0].set_value([(file.name, file.data, "application/json")]).run()
    assert not app.exception
    assert "A value is above 50" in _texts(app)


@TASKS
def test_the_address_of_look_closer_is_the_one_that_the_page_writes(open_page, task):
    app = open_page(task.kind, task=task.slug, sample="first")
    link = next(link.proto for link in app.get("page_link") if link.proto.label == "Look closer")
    told = dict(parse_qsl(link.query_string))
    app = open_page("explain", **told)
    assert not app.exception
    # Another address would be one more step of the browser's way back.
    assert dict(app.query_params) == told


def test_the_way_back_leads_to_the_result_that_was_left(open_page):
    app = open_page("explain", task="fake-rows", sample="second")
    link = next(link.proto for link in app.get("page_link") if link.proto.label == "Back to the result")
    assert (link.page, dict(parse_qsl(link.query_string))) == (
        "records",
        {"task": "fake-rows", "sample": "second"},
    )


def test_what_is_chosen_for_a_result_survives_another_page(open_page):
    app = open_page("records", task="fake-rows", sample="first")
    other = next(label for label in _select(app, "Class").options if label != _select(app, "Class").value)
    _select(app, "Class").set_value(other).run()
    next(button for button in app.button if button.label == "Explain").click().run()
    assert not app.exception
    assert "the shares add up exactly" in _texts(app)
    app.switch_page("pages/explain.py").run()
    app.switch_page("pages/records.py").run()
    assert _select(app, "Class").value == other
    assert "the shares add up exactly" in _texts(app)
    assert "Explained" in [button.label for button in app.button]
