"""Every page, over the fake tasks: what it shows, what it refuses, what it forgets."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from healthdash import DISCLAIMER, bundles
from healthdash.errors import UnreadableUpload
from healthdash.task import Report
from healthdash.ui import failures, results, state
from tests import fakes

PAGES = ("home", "images", "ecg", "eeg", "records", "explain", "models", "train")
KINDS = {"images": fakes.FakePicture(), "ecg": fakes.FakeSignal(), "records": fakes.FakeRows()}

pytestmark = pytest.mark.usefixtures("fake_tasks", "visited")


def _upload(app, task, *files):
    app.file_uploader[0].set_value([(u.name, u.data, "application/json") for u in files]).run()
    assert not app.exception
    return app


def _texts(app):
    parts = [app.markdown, app.caption, app.error, app.info, app.warning, app.subheader, app.text]
    return "\n".join(str(element.value) for part in parts for element in part)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_with_the_disclaimer_and_a_way_to_remove_data(open_page, name):
    app = open_page(name)
    assert not app.exception
    assert DISCLAIMER in _texts(app)
    assert "Remove my data" in [button.label for button in app.button]


def test_home_shows_the_measured_figures(open_page):
    assert "AUC **0.900** (0.800 to 0.950)" in _texts(open_page())


@pytest.mark.parametrize("name", ["records", "explain"])
def test_what_an_own_model_predicts_is_said_before_any_input(monkeypatch, open_page, name):
    monkeypatch.setattr(fakes.FakeRows, "is_generic", True)
    app = open_page(name, task="fake-rows")
    assert f"**{KINDS['records'].title} model**" in _texts(app)


@pytest.mark.parametrize("name", KINDS)
def test_a_deep_link_gives_the_result_of_a_sample(open_page, name):
    app = open_page(name, task=KINDS[name].slug, sample="first")
    assert not app.exception
    assert "Estimated probability" in _texts(app)
    assert "Explain" in [button.label for button in app.button]


@pytest.mark.parametrize("name", KINDS)
def test_an_explanation_is_given_when_asked_for_and_says_what_it_misses(open_page, name):
    app = open_page(name, task=KINDS[name].slug, sample="first")
    next(button for button in app.button if button.label == "Explain").click().run()
    assert not app.exception
    assert "the shares add up exactly" in _texts(app)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("address", [{"task": "no-such"}, {"sample": "no-such"}])
def test_an_unknown_address_is_told_kindly(open_page, name, address):
    app = open_page(name, **address)
    assert not app.exception
    assert "There is no" in app.warning[0].value


@pytest.fixture
def two_models(monkeypatch, fake_tasks):
    """Give the rows a second model, of the user's own."""
    task = KINDS["records"]
    first, second = fakes.fake_bundle(task), fakes.fake_bundle(task)
    second.name, second.path = "mine", second.path.with_name("mine")
    second.info = second.info.model_copy(update={"name": "mine", "sha256": "1" * 64})
    monkeypatch.setattr(bundles, "available", lambda slug=None: [first, second])


@pytest.mark.usefixtures("two_models")
@pytest.mark.parametrize(("asked", "used"), [({}, "fake"), ({"model": "mine"}, "mine")])
def test_the_model_of_the_address_is_the_one_that_analyses(open_page, asked, used):
    task = KINDS["records"]
    app = _upload(open_page("records", task=task.slug, **asked), task, task.file(task.example))
    assert [report.model for report in app.session_state[f"work:{task.slug}"].reports] == [used]


@pytest.mark.usefixtures("two_models")
def test_a_model_that_the_reader_chooses_takes_the_place_of_that_of_the_address(open_page):
    task = KINDS["records"]
    app = open_page("records", task=task.slug, model="mine")
    (box,) = (box for box in app.selectbox if box.label == "Model")
    assert box.value == "/nowhere/fake-rows/mine"
    box.set_value("/nowhere/fake-rows/fake").run()
    assert "model" not in app.query_params
    _upload(app, task, task.file(task.example))
    assert app.session_state[f"work:{task.slug}"].reports[0].model == "fake"


@pytest.mark.usefixtures("two_models")
def test_a_sample_leaves_the_model_in_the_address(open_page):
    task = KINDS["records"]
    app = open_page("records", task=task.slug, model="mine")
    app.button(key=f"sample:{task.slug}:first").click().run()
    assert (app.query_params["model"], app.query_params["sample"]) == ("mine", "first")


@pytest.mark.usefixtures("two_models")
@pytest.mark.parametrize("name", ["records", "explain"])
def test_a_model_that_is_not_there_is_told(open_page, name):
    assert "no model of that name" in _texts(open_page(name, task="fake-rows", model="gone"))


@pytest.mark.parametrize("name", KINDS)
def test_an_upload_gives_a_result_that_survives_another_page(open_page, name):
    task = KINDS[name]
    app = _upload(open_page(name), task, task.file(task.example, "one.json"))
    assert "one.json" in _texts(app)
    app.switch_page("pages/models.py").run()
    app.switch_page(f"pages/{name}.py").run()
    assert "Estimated probability" in _texts(app)


@pytest.mark.parametrize("name", KINDS)
def test_a_bad_file_gets_its_problems_and_a_hint_and_no_result(open_page, name):
    task = KINDS[name]
    app = _upload(open_page(name), task, fakes.Upload("bad.json", b"{ not json"))
    assert "Expected JSON with numbers." in app.error[0].value
    assert "Write JSON." in _texts(app)
    assert "Estimated probability" not in _texts(app)


def test_every_problem_is_shown(open_page):
    task = KINDS["images"]
    app = _upload(open_page("images"), task, task.file([[5000.0, 0.0]]))
    assert [error.value for error in app.error] == ["The first problem.", "The second problem."]


def test_the_gate_warns_and_refuses(open_page):
    task = KINDS["images"]
    warned = _upload(open_page("images"), task, task.file([[60.0, 0.0], [0.0, 0.0]]))
    assert "A value is above 50" in _texts(warned)
    refused = _upload(open_page("images"), task, task.file([[600.0, 0.0]]))
    assert "Expected values within 100." in refused.error[0].value
    assert "Use other values." in _texts(refused)


def test_many_files_give_a_table_with_the_failures_in_it(open_page):
    task = KINDS["images"]
    good = [task.file(task.example, f"{i}.json") for i in range(3)]
    app = _upload(open_page("images"), task, *good, fakes.Upload("bad.json", b"?"))
    table = app.dataframe[0].value
    assert list(table["result"]) == ["low", "low", "low", "failed"]
    assert table["message"].iloc[-1] == "expected JSON with numbers"
    assert "3 of 4 analysed; 1 could not be" in _texts(app)


def test_the_table_for_download_is_written_when_it_is_asked_for(open_page, monkeypatch):
    written = []
    monkeypatch.setattr(results, "safe_csv", lambda frame: written.append(frame) or b"")
    app = open_page("records", task=KINDS["records"].slug, sample="first")
    assert not app.exception
    assert "Download the results" in [button.proto.label for button in app.get("download_button")]
    assert not written


def test_of_many_files_the_open_one_is_named_and_ticked(open_page):
    task = KINDS["images"]
    good = [task.file(task.example, f"good_{i}.json") for i in range(2)]
    app = _upload(open_page("images"), task, fakes.Upload("bad.json", b"?"), *good)
    assert r"good\_0.json" in [heading.value for heading in app.subheader]
    assert json.loads(app.dataframe[0].proto.selection_default)["selection"]["rows"] == [1]


def test_columns_that_are_wholly_empty_are_not_shown(open_page):
    task = KINDS["images"]
    good = [task.file(task.example, f"good{i}.json") for i in range(2)]
    app = _upload(open_page("images"), task, *good)
    assert list(app.dataframe[0].value) == ["source", "result", "P(low)", "P(high)", "gate"]
    assert "message" in app.session_state[f"work:{task.slug}"].table


def test_a_table_of_values_is_wider_than_the_bars_beside_it():
    def script():
        import pandas as pd

        from healthdash.ui.draw import draw_beside
        from healthdash.views import ClassBars, Grid

        bars = ClassBars(title="Row 1", labels=("a", "b"), probabilities=(0.4, 0.6))
        draw_beside([bars], [Grid(title="Values", frame=pd.DataFrame({"Value": ["long"]}))], "here")

    app = AppTest.from_function(script).run()
    bars_width, table_width = (column.weight for column in app.columns)
    assert table_width > bars_width


def test_of_many_rows_the_open_one_is_named(open_page):
    task = KINDS["records"]
    app = _upload(open_page("records"), task, task.file([[None, 2.0], [1.0, 1.0]]))
    assert "sample.json, row 2" in [heading.value for heading in app.subheader]


def test_what_failed_is_listed_above_the_results_with_the_reason_and_what_to_do(open_page):
    task = KINDS["images"]
    bad = [fakes.Upload(f"bad{i}.json", b"?") for i in range(5)]
    app = _upload(
        open_page("images"), task, task.file(task.example, "good.json"), *bad, task.file([[5000.0]])
    )
    assert (
        "- **bad0.json, bad1.json, bad2.json and 2 more**: Expected JSON with numbers. Write JSON.\n"
        "- **sample.json**: The first problem. The second problem. Use smaller numbers."
    ) in _texts(app)
    assert len(app.dataframe[0].value) == 7


def test_a_name_among_the_failures_is_not_read_as_markdown():
    report = Report(source="*a*\n#b", task="t", model="m", sha256="", error=UnreadableUpload("expected 0"))
    assert failures.lines([report]) == ["**\\*a\\* \\#b**: Expected 0."]


def test_refused_rows_stand_in_the_table_with_their_reason_and_without_a_score(open_page):
    task = KINDS["records"]
    app = _upload(open_page("records"), task, task.file([[1.0, 1.0], [None, 2.0], [-1.0, -3.0]]))
    table = app.dataframe[0].value
    assert list(table["row"]) == [1, 2, 3]
    assert list(table["result"]) == ["high", "refused", "low"]
    assert table["message"].iloc[1] == "column a: expected a number, got text"
    assert table["P(high)"].isna().tolist() == [False, True, False]
    assert "2 of 3 analysed; 1 could not be" in _texts(app)
    assert "**sample.json, row 2**: Column a: expected a number, got text." in _texts(app).replace("\\", "")


def test_a_refused_row_is_opened_with_its_reason_and_nothing_else(monkeypatch, open_page):
    task = KINDS["records"]
    monkeypatch.setattr(results, "_chosen", lambda task, bundle, work, found: found[1])
    app = _upload(open_page("records"), task, task.file([[1.0, 1.0], [None, 2.0], [-1.0, -3.0]]))
    assert "expected a number, got text" in app.error[0].value
    assert "sample.json, row 2" in _texts(app)
    assert "Estimated probability" not in _texts(app)
    assert "Explain" not in [button.label for button in app.button]


def test_the_two_files_of_a_recording_are_put_together(open_page):
    task = KINDS["ecg"]
    app = _upload(open_page("ecg"), task, task.file(task.example, "100.hea"))
    app = _upload(app, task, task.file(task.example, "100.dat"))
    work = app.session_state[f"work:{task.slug}"]
    assert [upload.name for upload in work.uploads] == ["100.hea", "100.dat"]


def test_a_typed_patient_gives_a_result(open_page):
    app = open_page("records")
    next(button for button in app.button if button.label == "Analyse").click().run()
    assert not app.exception
    assert "the patient typed by hand" in _texts(app)
    assert "Estimated probability" in _texts(app)


def test_many_rows_are_explained_together(open_page):
    app = open_page("records", sample="first")
    next(b for b in app.button if b.label.startswith("Explain the first 3 rows")).click().run()
    assert not app.exception
    assert "over 3 rows" in _texts(app)
    swarm = json.loads(app.get("plotly_chart")[-1].proto.spec)["layout"]
    assert sorted(swarm["yaxis"]["ticktext"]) == ["First", "Second"]


def test_removing_my_data_forgets_uploads_and_results(open_page):
    task = KINDS["images"]
    app = _upload(open_page("images"), task, task.file(task.example, "secret.json"))
    next(button for button in app.button if button.label == "Remove my data").click().run()
    assert not app.exception
    assert "secret.json" not in _texts(app)
    held = app.session_state[f"work:{task.slug}"]
    assert held == state.Workspace()


def test_removing_my_data_gives_the_typed_patient_new_widgets(open_page):
    """A browser sends what is typed in a widget that it still shows, whatever the session forgot."""
    app = open_page("records")
    before = {number.key for number in app.number_input}
    next(button for button in app.button if button.label == "Remove my data").click().run()
    assert before.isdisjoint(number.key for number in app.number_input)


def test_two_sessions_do_not_see_each_other(open_page):
    task = KINDS["images"]
    _upload(open_page("images"), task, task.file(task.example, "mine.json"))
    assert "mine.json" not in _texts(open_page("images"))


def test_models_shows_figures_curves_and_card(open_page):
    app = open_page("models", model="fake-ecg/fake")
    assert app.selectbox[0].value == "fake-ecg/fake"
    text = _texts(app)
    for part in ("Measured", "ROC", "Confusion matrix", "Reliability", "Subgroups", "Loss", "Of the fake."):
        assert part in text


def test_hints_of_a_silent_file_reach_the_reader(open_page):
    task = KINDS["ecg"]
    app = _upload(open_page("ecg"), task, task.file(task.example, "a.json"))
    next(n for n in app.number_input if n.label.startswith("Sampling rate")).set_value(360.0).run()
    assert not app.exception
    work = app.session_state[f"work:{task.slug}"]
    assert work.uploads[0].hints == {"rate_hz": 360.0}
    assert json.loads(work.uploads[0].data)


def _rate(app):
    return next(number for number in app.number_input if number.label.startswith("Sampling rate"))


def _hints(app):
    return [upload.hints for upload in app.session_state["work:fake-ecg"].uploads]


@pytest.fixture
def with_rate(open_page):
    """A recording, a.json, of which the reader said that it has 360 Hz."""
    task = KINDS["ecg"]
    app = _upload(open_page("ecg"), task, task.file(task.example, "a.json"))
    _rate(app).set_value(360.0).run()
    return app


def test_the_rate_of_one_recording_is_not_that_of_the_next(with_rate):
    task = KINDS["ecg"]
    app = _upload(with_rate, task, task.file(task.example, "b.json"))
    assert _rate(app).value is None
    assert _hints(app) == [{}]


def test_the_rate_of_a_recording_goes_when_it_is_cleared(with_rate):
    task = KINDS["ecg"]
    next(button for button in with_rate.button if button.label == "Clear").click().run()
    app = _upload(with_rate, task, task.file(task.example, "a.json"))
    assert _rate(app).value is None
    assert _hints(app) == [{}]


def test_the_rate_of_a_recording_is_there_after_another_page_and_for_its_other_half(with_rate):
    task = KINDS["ecg"]
    with_rate.switch_page("pages/models.py").run()
    with_rate.switch_page("pages/ecg.py").run()
    assert _rate(with_rate).value == 360.0
    app = _upload(with_rate, task, task.file(task.example, "a.dat"))
    assert _rate(app).value == 360.0
    assert _hints(app) == [{"rate_hz": 360.0}] * 2
