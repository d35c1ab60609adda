"""What a reader can choose on the page Explain: players, baseline, precision, pairs, cohorts, ways across.

The tasks are small doubles whose networks are closed forms, explained by the real methods.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from healthdash.explain.choices import Column
from healthdash.fields import CategoryField, NumberField
from healthdash.task import Attribution, Task, Upload
from healthdash.views import Picture, Sections, Trace
from tests import fakes
from tests.closed_form import ClosedForm, logistic

pytestmark = pytest.mark.usefixtures("small_tasks", "visited")

_NAMES = "abcd"


class Rows(fakes.FakeRows):
    """Four numbers; a and b work together, c goes up only, d is never changed."""

    slug, example = "rows", ((1.0, 1.0, 0.0, 0.5), (-1.0, 0.5, 1.0, 0.0), (2.0, -3.0, 2.0, 1.0))
    methods = ("exact-shapley", "permutation-shapley", "kernel-shap")
    column_groups = {"the pair": ("a", "b")}
    fields = (
        NumberField(name="a", label="First", unit="mm", low=-10, high=10, step=0.5),
        NumberField(name="b", label="Second", low=-10, high=10, step=0.5),
        NumberField(name="c", label="Third", low=-10, high=10, step=0.5, direction="up"),
        CategoryField(name="d", label="Fourth", choices={"0": "no", "1": "yes"}, is_mutable=False),
    )
    explain = Task.explain

    def choices(self, bundle: Any) -> tuple[Column, ...]:
        numbers = (Column(field, low=-3, high=3) for field in self.fields[:3])
        return (*numbers, Column(self.fields[3], {"0": 0.0, "1": 1.0}))

    def truth_in(self, sample):
        return (np.arange(len(sample.values)) % 2).astype(np.int64) if sample.format == "JSON" else None

    def attributions(self, report):
        shares = report.explanation.values["features"]
        row = report.sample.values[report.explained_item]
        return [Attribution(n, float(v), float(s)) for n, v, s in zip(_NAMES, row, shares, strict=True)]

    def show(self, sample):
        return ()

    def render(self, report, bundle, item=0):
        if report.explanation is None:
            return super().render(report, bundle, item)
        return Sections(explanation=self._waterfall(report))


class Pictures(fakes.FakePicture):
    """The left half of the picture counts."""

    slug = "pictures"
    methods = ("expected-gradients", "kernel-shap", "exact-shapley", "occlusion")
    explain, attributions = Task.explain, Task.attributions

    def prepare(self, sample, config):
        return {"image": sample.values[None, :, :, None].astype(np.float32)}

    def render(self, report, bundle, item=0):
        sections = super().render(report, bundle, item) if report.explanation is None else Sections()
        if report.explanation is None:
            return sections
        heat = report.explanation.values["image"][..., 0]
        return Sections(explanation=(Picture(title="Heat", pixels=report.sample.values, heat=heat),))


class Signals(fakes.FakeSignal):
    """The first quarter of the trace counts, and the rhythm."""

    slug = "signals"
    methods = ("exact-shapley", "permutation-shapley")
    explain = Task.explain

    def prepare(self, sample, config):
        window = sample.values[:120].reshape(3, 40, 1)
        return {"window": window.astype(np.float32), "rhythm": np.ones((3, 2), np.float32)}

    def attributions(self, report):
        found = report.explanation
        return [
            Attribution(n, None, float(s)) for n, s in zip(found.players.names, found.shares, strict=True)
        ]

    def render(self, report, bundle, item=0):
        if report.explanation is None:
            return super().render(report, bundle, item)
        along = report.explanation.values["window"]
        return Sections(
            explanation=(Trace(signal=along, rate_hz=100.0, leads=("II",), attribution=along, paper=False),)
        )


def _rows_value(inputs):
    row = inputs["features"]
    return logistic(row[:, 0] * row[:, 1] + 0.5 * row[:, 2] + row[:, 3] - 1)


def _picture_slope(inputs):
    image = inputs["image"]
    p = logistic(image[:, :, :4].mean(axis=(1, 2, 3)))
    slope = np.zeros_like(image)
    slope[:, :, :4] = (p * (1 - p))[:, None, None, None] / 32
    return {"image": slope}


_NETWORKS = {
    "rows": ClosedForm(_rows_value, {"features": (4,)}),
    "pictures": ClosedForm(
        lambda inputs: logistic(inputs["image"][:, :, :4].mean(axis=(1, 2, 3))),
        {"image": (8, 8, 1)},
        _picture_slope,
    ),
    "signals": ClosedForm(
        lambda inputs: logistic(inputs["window"][:, :10].sum(axis=(1, 2)) + inputs["rhythm"].sum(axis=1)),
        {"window": (40, 1), "rhythm": (2,)},
    ),
}


def _bundle(task: Task) -> SimpleNamespace:
    bundle, forward = fakes.fake_bundle(task), _NETWORKS[task.slug]
    bundle.forward = forward
    rng = np.random.default_rng(0)
    bundle.background = {
        name: rng.normal(size=(5, *shape)).astype(np.float32) for name, shape in forward.shapes.items()
    }
    bundle.info = bundle.info.model_copy(update={"inputs": forward.shapes})
    return bundle


@pytest.fixture
def small_tasks(monkeypatch):
    from healthdash import bundles, tasks
    from healthdash.explain import gradcam
    from healthdash.ui import shell

    monkeypatch.setattr(gradcam, "reason_against", lambda *_: "a closed form has no convolution")
    offered = (Rows(), Pictures(), Signals())
    found = {task.slug: _bundle(task) for task in offered}
    monkeypatch.setattr(tasks, "all_tasks", lambda: offered)
    monkeypatch.setattr(
        bundles, "available", lambda slug=None: [b for s, b in found.items() if slug in (None, s)]
    )
    monkeypatch.setattr(bundles, "broken", lambda: iter(()))
    monkeypatch.setattr(shell, "_warm_up_soon", lambda: None)


def _texts(app):
    parts = [app.markdown, app.caption, app.error, app.info, app.warning, app.subheader, app.text, app.code]
    return "\n".join(str(element.value) for part in parts for element in part)


def _labelled(elements, label):
    return next(element for element in elements if element.label.startswith(label))


def _click(app, label):
    _labelled(app.button, label).click().run()
    assert not app.exception
    return app


def _segment(app, label, value):
    next(g for g in app.button_group if g.label == label).set_value(value).run()
    assert not app.exception
    return app


def _uploaded(open_page, task: Task, **address: str):
    app = open_page("explain", task=task.slug, **address)
    file = task.file(task.example, "mine.json")
    app.file_uploader[0].set_value([(file.name, file.data, "application/json")]).run()
    assert not app.exception
    return app


def _link(app) -> str:
    return next(code.value for code in app.code if "task=" in code.value)


def _features(app):
    """Return the features of the explanation, with the shares as the page writes them."""
    _segment(app, "Show shares as", "Numbers")
    table = next(f.value for f in app.dataframe if "Share, percentage points" in f.value)
    return dict(zip(table["Feature"], table["Share, percentage points"], strict=True))


def test_columns_of_an_upload_share_in_groups_that_the_reader_makes(open_page):
    app = _segment(_uploaded(open_page, Rows()), "Who shares the output out", "groups")
    assert "3 share the output out" in _texts(app)
    assert set(_features(app)) == {"the pair", "Third", "Fourth"}
    _labelled(app.text_input, "Name of group 1").set_value("my pair: a, b").run()
    assert "my pair a b" in _features(app)
    _click(app, "Add a group")
    _labelled(app.multiselect, "Columns of group 2").set_value(["c", "d"]).run()
    assert set(_features(app)) == {"my pair a b", "group 2"}
    assert "groups=my+pair+a+b%3Aa%2Cb%3Bgroup+2%3Ac%2Cd" in _link(app)
    _click(app, "Remove")
    assert set(_features(app)) == {"First", "Second", "group 2"}


def test_a_column_is_in_one_group_only(open_page):
    app = open_page("explain", task="rows", sample="first", players="groups", groups="x:a,b;y:c")
    assert _labelled(app.multiselect, "Columns of group 2").options == ["Third", "Fourth"]


def test_a_link_restores_the_groups_and_what_it_does_not_name_is_as_usual(open_page):
    address = {"players": "groups", "groups": "left:a,c;nonsense;right:b,zz", "method": "exact-shapley"}
    app = open_page("explain", task="rows", sample="first", **address)
    assert not app.exception
    assert set(_features(app)) == {"left", "right", "Fourth"}
    assert "groups=left%3Aa%2Cc%3Bright%3Ab" in _link(app)
    app.query_params.clear()
    app.query_params.update({"task": "rows", "sample": "first", "method": "exact-shapley"})
    app.run()
    assert set(_features(app)) != {"left", "right", "Fourth"}
    assert "groups" not in _link(app)


def test_many_columns_fit_an_exact_method_once_they_are_in_groups(open_page, monkeypatch):
    from healthdash.explain import exact

    monkeypatch.setattr(exact, "MOST_PLAYERS", 3)
    app = open_page("explain", task="rows", sample="first")
    assert "Exact Shapley values" not in str(_labelled(app.selectbox, "Method").options)
    _segment(app, "Who shares the output out", "groups")
    assert "Exact Shapley values" in str(_labelled(app.selectbox, "Method").options)


def test_the_tolerance_is_offered_for_sampled_methods_and_is_in_the_link(open_page):
    app = open_page("explain", task="rows", sample="first", method="permutation-shapley")
    _labelled(app.select_slider, "Stop when").set_value(0.02).run()
    assert not app.exception
    assert "tolerance=0.02" in _link(app)
    _labelled(app.selectbox, "Method").set_value("exact-shapley").run()
    assert "Stop when" not in str([slider.label for slider in app.select_slider])
    assert "tolerance" not in _link(app)


def test_pixels_and_regions_have_tolerances_of_their_own(open_page):
    app = open_page("explain", task="pictures", sample="first", method="kernel-shap", tolerance="0.01")
    assert "tolerance=0.01" in _link(app)
    _labelled(app.selectbox, "Method").set_value("expected-gradients").run()
    assert not app.exception
    assert "tolerance" not in _link(app)
    assert _labelled(app.select_slider, "Stop when the largest standard error of a pixel")


@pytest.mark.parametrize(("kind", "parts", "count"), [("grid", "3", 9), ("superpixels", "6", None)])
def test_regions_of_an_uploaded_picture_share_the_output_out(open_page, kind, parts, count):
    app = _uploaded(open_page, Pictures(), method="kernel-shap")
    _segment(app, "Who shares the output out", kind)
    label = "Squares along each edge" if kind == "grid" else "Regions at most"
    _labelled(app.select_slider, label).set_value(int(parts)).run()
    found = _features(app)
    assert all("% across, " in name for name in found)
    assert len(found) == count or (count is None and 1 < len(found) <= 6)
    assert f"players={kind}" in _link(app)
    assert f"parts={parts}" in _link(app)


def test_a_baseline_is_chosen_told_and_in_the_link(open_page):
    app = open_page("explain", task="pictures", sample="first", method="kernel-shap")
    assert "What was left out became: the same input, blurred." in _texts(app)
    _labelled(app.selectbox, "What stands in").set_value("zero").run()
    assert not app.exception
    assert "What was left out became: zero" in _texts(app)
    assert "baseline=zero" in _link(app)


def test_two_baselines_stand_side_by_side(open_page):
    app = open_page("explain", task="pictures", sample="first", method="kernel-shap", compare="baselines")
    assert not app.exception
    assert "What was left out became: the same input, blurred." in _texts(app)
    assert "What was left out became: zero" in _texts(app)
    assert "baseline2=zero" in _link(app)


def test_a_table_says_why_it_has_one_baseline(open_page):
    app = open_page("explain", task="rows", sample="first")
    assert "the mean of codes is no code" in _texts(app)
    assert "What stands in" not in str([box.label for box in app.selectbox])


def test_stretches_of_a_signal_share_the_output_out(open_page):
    app = _uploaded(open_page, Signals())
    _labelled(app.select_slider, "Stretches").set_value(4).run()
    found = _features(app)
    assert {f"stretch {n} of 4" for n in (1, 2, 3, 4)} | {"rhythm"} == set(found)
    assert found["stretch 3 of 4"] == found["stretch 4 of 4"] == 0


def test_pairs_of_an_uploaded_row_are_told_strongest_first(open_page):
    app = _click(_uploaded(open_page, Rows()), "Look at all pairs")
    told = [line for line in _texts(app).splitlines() if "than one by one." in line]
    assert told[0].startswith("**First** and **Second**: together")
    assert any(chart.proto.id for chart in app.get("plotly_chart"))


def test_with_many_columns_the_reader_says_who_plays_alone(open_page, monkeypatch):
    from healthdash.explain import interactions

    monkeypatch.setattr(interactions, "MOST_PLAYERS", 3)
    app = open_page("explain", task="rows", sample="first")
    box = _labelled(app.multiselect, "Who plays alone, at most 2")
    assert len(box.value) == 2
    box.set_value(["First", "Third"]).run()
    _click(app, "Look at all pairs")
    assert "**Second**" not in _texts(app)
    assert "**all others**" in _texts(app)
    _labelled(app.multiselect, "Who plays alone").set_value(["First"]).run()
    assert "Choose at least two." in _texts(app)


def test_pairs_of_regions_and_of_stretches(open_page):
    for slug in ("pictures", "signals"):
        app = _click(open_page("explain", task=slug, sample="first"), "Look at all pairs")
        assert "model evaluations" in _texts(app)
        assert not [error.value for error in app.error]


def test_an_uploaded_cohort_with_outcomes_tells_what_a_metric_loses(open_page):
    app = open_page("explain", task="rows", sample="first")
    _labelled(app.selectbox, "Rows").set_value("upload").run()
    assert "Upload the table of the cohort." in _texts(app)
    rows = np.random.default_rng(0).normal(size=(30, 4)).round(2).tolist()
    file = Rows().file(rows, "our_secret*.json")
    uploader = _labelled(app.file_uploader, "Table with one patient a row")
    uploader.set_value((file.name, file.data, "application/json")).run()
    assert not app.exception
    _labelled(app.select_slider, "How many").set_value(20).run()
    _click(app, "Explain 20 rows")
    assert "Mean over 20 rows" in _texts(app)
    assert r"our\_secret\*.json is loaded." in _texts(app)  # a name is no Markdown
    assert "Faint: single rows" in _texts(app)
    _click(app, "Measure")
    assert "The area under the ROC curve is" in _texts(app)
    assert "secret" not in _link(app)


def test_another_cohort_has_no_plots_until_it_is_explained(open_page):
    app = open_page("explain", task="rows", sample="first")
    _labelled(app.selectbox, "Rows").set_value("upload").run()
    for seed in (0, 1):
        rows = np.random.default_rng(seed).normal(size=(30, 4)).round(2).tolist()
        file = Rows().file(rows, f"{seed}.json")
        uploader = _labelled(app.file_uploader, "Table with one patient a row")
        uploader.set_value((file.name, file.data, "application/json")).run()
        assert "Mean over" not in _texts(app)
        _labelled(app.select_slider, "How many").set_value(20).run()
        _click(app, "Explain 20 rows")
        assert "Mean over 20 rows" in _texts(app)


def test_a_cohort_without_outcomes_says_so(open_page, monkeypatch):
    monkeypatch.setattr(Rows, "truth_in", lambda self, sample: None)
    app = _click(open_page("explain", task="rows", sample="first"), "Explain 3 rows")
    assert "without their outcomes" in _texts(app)


def test_curves_can_begin_at_nought_and_another_column_can_colour(open_page):
    app = _click(open_page("explain", task="rows", sample="first"), "Explain 3 rows")
    _labelled(app.toggle, "Every line begins at 0").set_value(True).run()
    assert not app.exception
    _labelled(app.selectbox, "Column that takes other values").set_value(3).run()
    assert not app.exception
    _labelled(app.selectbox, "Colour").set_value(2).run()
    assert not app.exception


def test_groups_share_a_cohort_out_too(open_page):
    app = open_page("explain", task="rows", sample="first", players="groups", method="exact-shapley")
    _click(app, "Explain 3 rows")
    assert set(_labelled(app.selectbox, "Column").options) == {"Third", "Fourth"}
    _click(app, "Measure")
    assert not [error.value for error in app.error]


def test_ways_across_keep_what_cannot_be_otherwise_and_the_range_of_training(open_page):
    app = open_page("explain", task="rows", sample="first", item="2", **{"class": "high"})
    assert "stays as it is: Fourth." in _texts(app)
    _labelled(app.select_slider, "Different ways").set_value(2).run()
    _labelled(app.select_slider, "Threshold of high").set_value(0.8).run()
    _click(app, "Look for changes that cross 80%")
    table = next(frame.value for frame in app.dataframe if "Changed" in frame.value)
    assert set(table["Way"]) == {1, 2}
    assert set(table["Feature"]) <= {"First", "Second", "Third"}
    numbers = table["Changed"].str.extract(r"(-?[\d.]+)")[0].astype(float)
    assert numbers.between(-3, 3).all()
    up = table[table["Feature"] == "Third"]
    assert (up["Changed"].astype(float) > 1).all()


def test_a_link_of_a_sample_and_all_choices_gives_the_same_link(open_page):
    app = open_page(
        "explain", task="pictures", sample="second", method="kernel-shap", samples="100", players="grid",
        parts="4", baseline="mean", tolerance="0.01", **{"class": "low"},
    )  # fmt: skip
    assert not app.exception
    link = _link(app)
    for part in ("samples=100", "players=grid", "parts=4", "baseline=mean", "tolerance=0.01", "class=low"):
        assert part in link


def test_an_upload_that_is_no_table_is_told_in_the_cohort(open_page):
    app = open_page("explain", task="rows", sample="first")
    _labelled(app.selectbox, "Rows").set_value("upload").run()
    bad = Upload("x.json", b"{}")
    _labelled(app.file_uploader, "Table with").set_value((bad.name, bad.data, "application/json")).run()
    assert not app.exception
    assert "expected json with numbers" in _texts(app).lower()


def test_a_link_says_how_it_is_drawn(open_page):
    address = {"method": "kernel-shap", "style": "One bar", "opacity": "0.25", "hide": "0.1"}
    app = open_page("explain", task="pictures", sample="first", **address)
    assert not app.exception
    assert _labelled(app.select_slider, "Opacity").value == 0.25
    for part in ("style=One+bar", "opacity=0.25", "hide=0.1"):
        assert part in _link(app)
    app = open_page("explain", task="pictures", sample="first", method="kernel-shap", style="x", hide="x")
    assert not app.exception
    assert "hide" not in _link(app)
