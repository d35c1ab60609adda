"""What is taken away says what it is of, opens by itself, and names no file."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from healthdash import DISCLAIMER, pipeline
from healthdash.explain import ExplainRequest
from healthdash.task import Attribution
from healthdash.ui import shown as ready
from healthdash.ui import state, takeaway
from healthdash.ui.radiograph import Look
from healthdash.ui.sides import Side
from healthdash.views import Picture, Sections, Trace, Waterfall, Window
from tests import fakes


class _Picture(fakes.FakePicture):
    """A picture whose explanation is a heat map."""

    def render(self, report, bundle, item=0):
        heat = np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8) / 100
        view = Picture(title="Heat", pixels=report.sample.values, heat=heat, heat_label="high")
        return Sections(explanation=(view,))


class _Signal(fakes.FakeSignal):
    """A signal whose explanation lies along it."""

    def render(self, report, bundle, item=0):
        signal = report.sample.values[:500].reshape(-1, 1)
        view = Trace(title="Along", signal=signal, rate_hz=250, leads=("II",), attribution=signal / 500)
        return Sections(explanation=(view, *super().render(report, bundle, item).explanation))


class _Hostile(fakes.FakeRows):
    """A table whose column names attack whoever shows them."""

    def attributions(self, report):
        return [Attribution("=cmd()|' /C calc'!A0", "<script>alert(1)</script>", 0.25)]

    def render(self, report, bundle, item=0):
        view = Waterfall(
            title="</script><script>alert(2)</script>", features=("</script><b>$a$ $b$",), base=0.5,
            output=0.7, attributions=np.array([0.2], np.float32), residual=0.0, target="high",
        )  # fmt: skip
        return Sections(explanation=(view,))


TASKS = pytest.mark.parametrize(
    "task", [_Picture(), _Signal(), fakes.FakeRows(), _Hostile()], ids=lambda t: t.key
)


def _shown(task, target="high"):
    bundle, work = fakes.fake_bundle(task), state.Workspace()
    work.take(
        task, [task.file(task.example, "Jane Doe 1970.json")], origin="upload", title="Jane Doe 1970.json"
    )
    work.done(bundle.info.sha256, list(pipeline.run_many(task, work.groups, bundle)))
    side = Side(task, bundle, work, 0, ExplainRequest(method="exact-shapley", target=target))
    report = pipeline.explain(task, work.reports[0], bundle, side.asked)
    return ready.sides([(side, "", report)])


def _look():
    return Look(Window(name="all", center=0, width=4), opacity=0.5, threshold=0.1)


@TASKS
def test_the_table_holds_every_value_and_what_it_is_of(task):
    shown = _shown(task)
    frame = pd.read_csv(io.BytesIO(takeaway.csv(shown)))
    lines = task.attributions(shown[0].report)
    np.testing.assert_allclose(frame["share"], [line.attribution for line in lines])
    assert set(frame["model"]) == {"fake"}
    assert set(frame["note"]) == {DISCLAIMER}
    assert not frame["feature"].str.startswith("=").any()


@TASKS
def test_the_picture_is_a_png_without_metadata_and_wider_for_two(task):
    one = Image.open(io.BytesIO(takeaway.png(_shown(task), _look())))
    two = Image.open(io.BytesIO(takeaway.png(_shown(task) + _shown(task, "low"), _look())))
    assert one.format == "PNG"
    assert two.width == 2 * one.width
    assert set(one.info) <= {"dpi"}
    assert np.asarray(one).std() > 1


@TASKS
def test_the_report_says_what_it_is_of_and_fetches_nothing(task):
    text = takeaway.html(_shown(task), _look(), "http://127.0.0.1:8501/explain?task=x").decode()
    for part in (
        DISCLAIMER,
        "0" * 64,
        "exact-shapley",
        "residual",
        "not where the disease is",
        "Knows nothing.",
    ):
        assert part in text
    assert "default-src 'none'" in text
    page = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?!data:)\w""", page)


@TASKS
def test_nothing_names_the_file(task):
    shown = _shown(task)
    # Of two inputs each side is headed by its input, on the page.
    two = [replace(one, heading=one.side.input_words) for one in (*shown, *_shown(task))]
    for sides in (shown, two):
        for made in (takeaway.csv(sides), takeaway.html(sides, _look()), takeaway.png(sides, _look())):
            assert b"Jane Doe" not in made
    assert b"<h2>An input of the reader" in takeaway.html(two, _look())


class _Outcomes(fakes.FakeRows):
    """A table whose labels say nothing by themselves."""

    def said(self, label):
        return f"outcome = {label}"


def test_the_class_is_named_as_people_read_it_and_the_table_keeps_the_label():
    shown = _shown(_Outcomes())
    text = takeaway.html(shown, None).decode()
    assert "<h2>Exact Shapley values: outcome = high</h2>" in text
    assert text.count("outcome = high") >= 2
    assert set(pd.read_csv(io.BytesIO(takeaway.csv(shown)))["class"]) == {"high"}


def test_names_of_columns_are_shown_and_never_run():
    text = takeaway.html(_shown(_Hostile()), None).decode()
    assert "alert(1)" in text
    assert "<script>alert" not in text
    assert "</script><b>" not in text


def test_a_doubted_explanation_is_greyed_with_its_reason():
    class Doubt:
        words, reason_to_doubt = (
            ("It is the same for a shuffled network.",),
            "It is the same for any network.",
        )

    shown = _shown(fakes.FakeRows())
    shown[0].side.work.judged[(0, shown[0].side.asked)] = Doubt()
    text = takeaway.html(shown, None).decode()
    assert 'class="doubted"' in text
    assert Doubt.reason_to_doubt in text
    assert Doubt.words[0] in text


def test_two_sides_share_a_scale_only_where_values_mean_the_same():
    left, right = _shown(_Picture())[0], _shown(_Picture(), "low")[0]
    found = [(one.side, "", one.report) for one in (left, right)]
    same = ready.sides(found)
    assert same[0].views[0].heat_scale == same[1].views[0].heat_scale is not None
    relative = replace(right.report, explanation=replace(right.report.explanation, is_additive=False))
    other = ready.sides([found[0], (right.side, "", relative)])
    assert [one.views[0].heat_scale for one in other] == [None, None]
    another = replace(relative, explanation=replace(relative.explanation, method="occlusion"))
    assert not ready.is_one_scale([relative, another])
    assert ready.is_one_scale([relative, relative])
    assert "do not mean the same" in ready.scale_in_words([relative, another])


@pytest.mark.tf
def test_nothing_of_a_dicom_header_is_taken_away():
    import pydicom

    from healthdash import bundles, tasks
    from healthdash.task import Upload

    task = tasks.get("chest-xray")
    (upload,) = next(e for e in task.examples() if e.slug == "viral-dicom").make()
    dataset = pydicom.dcmread(io.BytesIO(upload.data))
    dataset.PatientName, dataset.PatientID, dataset.InstitutionName = (
        "Mustermann^Erika",
        "ID-4711-0815",
        "St. Elsewhere",
    )
    file = io.BytesIO()
    dataset.save_as(file)
    bundle, work = bundles.get("chest-xray"), state.Workspace()
    work.take(task, [Upload("scan.dcm", file.getvalue())], origin="upload", title="scan.dcm")
    work.done(bundle.info.sha256, list(pipeline.run_many(task, work.groups, bundle)))
    asked = ExplainRequest(method="expected-gradients", target=bundle.info.labels[0], samples=4)
    side = Side(task, bundle, work, 0, asked)
    report = pipeline.explain(task, work.reports[0], bundle, asked)
    shown = ready.sides([(side, "", report)])
    for made in (takeaway.csv(shown), takeaway.html(shown, None), takeaway.png(shown, None)):
        assert not [
            word for word in (b"Mustermann", b"ID-4711-0815", b"St. Elsewhere", b"scan.dcm") if word in made
        ]
