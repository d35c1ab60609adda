"""The order of the steps, and what happens when one of them fails."""

from __future__ import annotations

import pytest

from healthdash import pipeline, tasks
from healthdash.errors import InvalidInput, OutOfScope, UnreadableUpload
from healthdash.explain import ExplainRequest
from healthdash.task import Upload
from tests.toy import ToyTask, toy_bundle

TASK = ToyTask()


def test_run_gives_probabilities_for_each_row():
    report = pipeline.run(TASK, [Upload("a", b"1,1\n-1,-1")], toy_bundle())
    assert report.error is None
    assert [report.prediction.label(i) for i in range(2)] == ["high", "low"]
    assert report.prediction.probabilities(0)["high"] == pytest.approx(0.8808, abs=1e-4)
    assert set(report.seconds) == {"read", "gate", "prepare", "predict"}


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"x", UnreadableUpload),
        (b"", UnreadableUpload),
        (b"nan,1", InvalidInput),
        (b"500,1", OutOfScope),
        (b"7,7", UnreadableUpload),
    ],
)
def test_a_bad_input_is_an_error_in_its_report(data, error):
    report = pipeline.run(TASK, [Upload("secret-name", data)], toy_bundle())
    assert type(report.error) is error
    assert report.error.hint
    assert "secret-name" not in str(report.error)
    assert report.prediction is None


def test_every_problem_is_kept():
    report = pipeline.run(TASK, [Upload("a", b"nan,nan")], toy_bundle())
    assert report.error.problems == ("first", "second")


def test_the_others_of_a_batch_still_run_in_order_and_in_one_forward_pass():
    bundle = toy_bundle()
    uploads = [
        [Upload(str(i), data)] for i, data in enumerate([b"1,1", b"x", b"-2,1\n3,3", b"7,7", b"-1,-1"])
    ]
    reports = list(pipeline.run_many(TASK, uploads, bundle))
    assert [r.source for r in reports] == list("01234")
    assert [r.error is None for r in reports] == [True, False, True, False, True]
    assert [len(r.prediction) for r in reports if r.prediction] == [1, 2, 1]
    assert reports[2].prediction.label(1) == "high"
    assert bundle.forward.calls == 1


def test_a_batch_gives_the_same_as_single_runs():
    uploads = [[Upload(str(i), f"{i - 2},0.5".encode())] for i in range(5)]
    together = [r.prediction.probabilities() for r in pipeline.run_many(TASK, uploads, toy_bundle())]
    alone = [pipeline.run(TASK, group, toy_bundle()).prediction.probabilities() for group in uploads]
    assert together == alone


def test_inputs_that_unfold_to_much_are_predicted_before_the_next_are_held(monkeypatch):
    monkeypatch.setattr(pipeline, "_BLOCK_BYTES", 0)
    uploads = [[Upload(str(i), f"{i / 10},1".encode())] for i in range(10)]
    bundle = toy_bundle()
    apart = [r.prediction.probabilities() for r in pipeline.run_many(TASK, uploads, bundle)]
    monkeypatch.undo()
    assert apart == [r.prediction.probabilities() for r in pipeline.run_many(TASK, uploads, bundle)]
    assert all(r.nbytes > 0 for r in pipeline.run_many(TASK, uploads, bundle))


def test_explain_names_the_decided_class_and_adds_up():
    report = pipeline.run(TASK, [Upload("a", b"-1,-1\n1,1")], toy_bundle(), ExplainRequest(item=1))
    assert report.explanation.target == "high"
    assert report.explained_item == 1
    assert report.explanation.residual == pytest.approx(0, abs=1e-6)


def test_explaining_an_item_that_is_not_there_is_an_error():
    report = pipeline.run(TASK, [Upload("a", b"1,1")], toy_bundle(), ExplainRequest(item=5))
    assert isinstance(report.error, InvalidInput)


def test_a_refused_input_is_not_scored():
    report = pipeline.run(TASK, [Upload("a", b"500,1")], toy_bundle())
    assert report.gate.verdict == "refuse"
    assert report.gate.reasons == ("expected values within 100",)


def test_the_log_of_an_unforeseen_error_says_where_and_quotes_nothing(monkeypatch, caplog):
    task = ToyTask()

    def broken(*_):
        raise ValueError("could not convert 'Jane Doe'")

    monkeypatch.setattr(task, "prepare", broken)
    report = pipeline.run(task, [Upload("rows", b"1,1")], toy_bundle())
    assert isinstance(report.error, UnreadableUpload)
    assert "ValueError at" in caplog.text
    assert "test_pipeline:" in caplog.text
    assert "Jane" not in caplog.text


@pytest.mark.parametrize("slug", ["lung-ct", "ecg-beats", "heart-disease"])
def test_an_input_above_the_limit_is_refused_before_it_is_read(monkeypatch, slug):
    monkeypatch.setenv("HEALTHDASH_MAX_UPLOAD_MB", "1")
    report = pipeline.run(tasks.get(slug), [Upload("large", bytes((1 << 20) + 1))], toy_bundle())
    assert "expected at most 1 MB, got 1.0" in report.error.message
    assert "smaller parts" in report.error.hint
