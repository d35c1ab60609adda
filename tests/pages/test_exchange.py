"""Models that come and go, curves from elsewhere, filters and tags, on the pages."""

from __future__ import annotations

import json

import pytest

from healthdash import bundles, comparison, settings
from healthdash.comparison import Comparison
from healthdash.exchange import incoming
from healthdash.runs import Run, queue
from healthdash.training import TrainSettings
from healthdash.training.evaluation import Points
from healthdash.training.paired import Difference
from healthdash.ui import owner, runs
from tests.unit.exchange import made

pytestmark = pytest.mark.usefixtures("visited", "quiet")
ZIP = "application/zip"
TOKEN = "A" * 43


@pytest.fixture
def quiet(monkeypatch):
    """Start neither TensorFlow nor a dispatcher nor a trial."""
    from healthdash.ui import shell

    monkeypatch.setattr(shell, "_warm_up_soon", lambda: None)
    monkeypatch.setattr(queue, "_wake", lambda _: None)
    monkeypatch.setattr(incoming, "_try", lambda _: None)
    monkeypatch.setattr(owner, "_shown", lambda: TOKEN)


def _submit(name: str, chosen: TrainSettings = TrainSettings(), **state) -> Run:  # noqa: B008  (frozen)
    """Put a run of two epochs into the queue, and into a state."""

    def fill(folder):
        (folder / "data.csv").write_text("age\n1\n")
        return folder / "data.csv"

    out = settings.current().own_models / "heart-disease" / name
    run = runs.queue().submit(owner.Owner(TOKEN, False).id, "heart-disease", out, chosen, fill)
    runs.queue().folder(run.id).history_file.write_text("epoch,loss,val_loss\n1,1.0,1.1\n2,0.5,0.6\n")
    if state:
        runs.queue().store.change(run.id, ["queued"], **state)
    return run


def _texts(app):
    parts = [app.markdown, app.caption, app.error, app.info, app.warning, app.success, app.subheader]
    return "\n".join(str(element.value) for part in parts for element in part)


def _button(app, label):
    return next(button for button in app.button if button.label == label)


def _upload(app, label, *file):
    next(one for one in app.file_uploader if one.label == label).set_value(file).run()


def test_a_hostile_model_is_refused_by_name_and_nothing_is_kept(open_page):
    app = open_page("models")
    with_script = made.document("bundle.json", lambda told: told.update(title="<script>alert(1)</script>"))
    _upload(app, "Model as a zip file", "evil.zip", with_script, ZIP)
    _button(app, "Check and keep it").click().run()
    assert not app.exception
    assert "Refused for markup" in _texts(app)
    assert not list(settings.current().own_models.glob("*/*"))


def test_an_honest_model_is_kept_shown_and_compared_with_the_one_that_ships(open_page):
    app = open_page("models")
    _upload(app, "Model as a zip file", "model.zip", made.HONEST, ZIP)
    _button(app, "Check and keep it").click().run()
    assert not app.exception
    assert "cleveland-mlp-2 was checked, tried and kept" in _texts(app)
    (use,) = (link.proto for link in app.get("page_link") if link.proto.label == "Use it")
    assert use.query_string == "task=heart-disease&model=cleveland-mlp-2"
    assert app.selectbox(key="model-shown").value == "heart-disease/cleveland-mlp-2"
    labels = [button.label for button in app.get("download_button")]
    assert "Download Bundle (zip)" in labels
    assert [button.label for button in app.button].count("Make the file") == 3
    app.multiselect[0].set_value(["cleveland-mlp"]).run()
    assert not app.exception
    assert {"ROC: present", "Reliability: present"} <= {one.value for one in app.subheader}


def test_no_text_of_a_model_is_shown_as_html(open_page):
    bundle = bundles.get("heart-disease")
    app = open_page("models", model=f"heart-disease/{bundle.name}")
    assert any(bundle.info.title in one.value for one in app.markdown)
    assert not any(one.allow_html for one in app.markdown)


def test_curves_from_elsewhere_are_drawn_and_compared(open_page):
    app = open_page("train")
    for number in (1, 2):
        data = json.dumps({"loss": [1.0, 0.5 / number], "val_loss": [1.1, 0.6]}).encode()
        _upload(app, "Curves", f"run {number}.json", data, "application/json")
    assert not app.exception
    assert "Keras History (JSON), 2 epochs" in _texts(app)
    app.multiselect(key="train:compared").set_value(["run 1", "run 2"]).run()
    assert not app.exception
    assert "Validation loss" in {one.value for one in app.subheader}


def test_a_file_that_holds_no_curves_is_told_in_words(open_page):
    app = open_page("train")
    _upload(app, "Curves", "x.json", b'{"loss": "high"}', "application/json")
    assert not app.exception
    assert "no number over epochs" in _texts(app)


def test_runs_are_filtered_and_tagged(open_page):
    first, second = _submit("first"), _submit("second")
    runs.queue().store.tag(second.id, second.owner, ["wide"])
    app = open_page("train")
    app.multiselect(key="train:filter:tags").set_value(["wide"]).run()
    assert not app.exception
    table = app.dataframe[0].value
    assert (list(table["model"]), list(table["tags"])) == (["second"], [["wide"]])
    app = open_page("train", run=first.id)
    app.multiselect(key=f"run:tags:{first.id}").set_value(["wide"]).run()
    assert runs.queue().store.get(first.id).tags == ("wide",)


def test_settings_of_finished_runs_stand_against_a_figure(open_page):
    for name, auc, epochs in (("a", 0.7, 5), ("b", 0.8, 9)):
        measured = {"AUC": {"value": auc, "part": "test"}}
        _submit(name, TrainSettings(epochs=epochs), state="done", metrics=measured)
    app = open_page("train")
    assert not app.exception
    assert "A line is a run" in _texts(app)


def test_a_paired_comparison_is_told_in_words(open_page, monkeypatch):
    def compared(_task, chosen, path, settings):
        names = tuple(bundle.name for bundle in chosen)
        assert path.read_bytes() == b"age,num\n1,0\n"
        assert settings.target == "num"
        line = Points(x=(0.0, 1.0), y=(0.0, 1.0))
        difference = Difference("AUC", 0.8, 0.85, 0.01, 0.09)
        return Comparison(
            names, 40, 20, {"present": dict.fromkeys(names, line)}, {"present": {}}, {names: (difference,)}
        )

    monkeypatch.setattr(comparison, "compare", compared)
    incoming.accept(made.HONEST)
    app = open_page("models", model="heart-disease/cleveland-mlp")
    app.multiselect[0].set_value(["cleveland-mlp-2"]).run()
    _upload(app, "Labelled data for the comparison", "rows.csv", b"age,num\n1,0\n", "text/csv")
    app.text_input(key="compared:target").set_value("num").run()
    _button(app, "Compare on these data").click().run()
    assert not app.exception
    told = _texts(app).replace("\\", "")
    assert "The AUC of cleveland-mlp-2 is 0.050 higher than that of cleveland-mlp" in told
    assert "cleveland-mlp-2 is better" in told
    assert "40 items of 20 groups" in told
