"""Reports as JSON: the documented objects, for one row and for a failure."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from healthdash import export, pipeline
from healthdash.explain import ExplainRequest
from healthdash.task import Upload
from tests import fakes
from tests.toy import ToyTask, toy_bundle

TASK = ToyTask()


def _lines(data: bytes, request: ExplainRequest | None = None) -> list[dict]:
    bundle = toy_bundle()
    report = pipeline.run(TASK, [Upload("name", data)], bundle)
    lines = list(export.results(TASK, report, bundle, request))
    json.dumps(lines, allow_nan=False)
    return lines


def test_each_row_is_an_object():
    first, second = _lines(b"1,1\n-3,1")
    assert list(first) == [
        "source", "task", "model", "sha256", "label", "probabilities", "calibrated", "gate", "row",
    ]  # fmt: skip
    assert (first["row"], second["row"]) == (0, 1)
    assert (first["label"], second["label"]) == ("high", "low")
    assert first["gate"] == {"verdict": "pass", "reasons": []}
    assert sum(first["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_a_refused_row_has_its_line_with_the_reason_and_no_score():
    first, refused, last = _lines(b"1,1\n!\n-3,1", ExplainRequest())
    assert [line["row"] for line in (first, refused, last)] == [0, 1, 2]
    assert last["label"] == "low"
    assert refused["gate"] == {"verdict": "refuse", "reasons": ["column a: expected a number, got text"]}
    assert refused["error"]["type"] == "InvalidInput"
    assert refused["error"]["hint"]
    assert not {"label", "probabilities", "explanation"} & set(refused)


def test_each_row_is_explained_for_its_own_label():
    first, second = _lines(b"1,1\n-3,1", ExplainRequest())
    assert (first["explanation"]["target"], second["explanation"]["target"]) == ("high", "low")
    assert set(first["explanation"]) == {
        "method", "target", "base", "output", "values", "residual", "seconds",
    }  # fmt: skip


def test_an_unreadable_file_is_an_object_with_an_error():
    (line,) = _lines(b"x")
    assert line["error"] == {
        "type": "UnreadableUpload",
        "message": "expected numbers",
        "hint": "Write numbers.",
    }


def test_a_refused_file_says_why():
    (line,) = _lines(b"500,0")
    assert line["gate"] == {"verdict": "refuse", "reasons": ["expected values within 100"]}
    assert line["error"]["type"] == "OutOfScope"
    assert "probabilities" not in line


def test_what_is_odd_about_an_input_stands_at_its_first_object():
    bundle = toy_bundle()
    report = pipeline.run(TASK, [Upload("name", b"1,1\n-3,1")], bundle)
    assert report.sample is not None
    odd = replace(report, sample=replace(report.sample, notices=("Every second one is kept.",)))
    first, second = export.results(TASK, odd, bundle)
    assert first["notices"] == ["Every second one is kept."]
    assert "notices" not in second


class Measuring(fakes.FakeSignal):
    def figures(self, report, bundle):
        return {"height, mV": 2.0, "interval, ms": None}


def test_a_recording_without_a_verdict_has_figures_in_place_of_a_label():
    task = Measuring()
    bundle = fakes.fake_bundle(task)
    report = pipeline.run(task, [task.file(task.example)], bundle)
    (line,) = export.results(task, report, bundle, ExplainRequest())
    json.dumps(line, allow_nan=False)
    assert line["figures"] == {"height, mV": 2.0, "interval, ms": None}
    assert not {"label", "probabilities", "calibrated"} & set(line)
    assert {"source", "gate", "beats", "explanation"} <= set(line)
