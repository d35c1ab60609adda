"""What every task promises, for each task that is found."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash import archive, bundles, pipeline, tasks
from healthdash.errors import InputError
from healthdash.explain import METHODS, ExplainRequest
from healthdash.task import Task, Upload
from healthdash.training import TrainSettings
from healthdash.views import View

#: A generic task gets labels, fields and examples from a bundle, and none of it ships.
TASKS = tuple(task for task in tasks.all_tasks() if not task.is_generic)
EXAMPLES = [
    pytest.param(task, example, id=f"{task.slug}-{example.slug}")
    for task in TASKS
    for example in task.examples()
]
GARBAGE = {
    "empty": b"",
    "noise": np.random.default_rng(0).bytes(5000),
    "text": b"this is no file of any kind that a model was made for\n" * 3,
    "pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94K\x01s.",
    "half a PNG": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00",
    "half a DICOM": b"\0" * 128 + b"DICM\x02\x00\x00\x00UL",
}


@pytest.fixture(params=TASKS, ids=lambda task: task.slug)
def task(request) -> Task:
    return request.param


def test_it_says_who_it_is(task):
    assert task.slug == task.slug.lower().replace("_", "-")
    assert task.title
    assert task.summary.endswith(".")
    assert len(task.labels) >= 2
    assert set(task.methods) <= set(METHODS)
    assert len(task.examples()) >= 2


def test_it_has_a_bundle_that_agrees_with_it(task):
    info = bundles.get(task.slug).info
    assert info.labels == tuple(task.labels)
    assert info.task == task.slug


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("task", tasks.all_tasks(), ids=lambda task: task.slug)
def test_garbage_is_one_clear_error(task, garbage):
    with pytest.raises(InputError) as caught:
        _read(task, GARBAGE[garbage])
    assert caught.value.hint
    assert "file.dcm" not in str(caught.value)


@pytest.mark.tf
@pytest.mark.parametrize(("task", "example"), EXAMPLES)
def test_a_sample_runs_end_to_end_and_again_the_same(task, example):
    bundle = bundles.get(task.slug)
    (uploads,) = task.group(example.make())
    first, second = (pipeline.run(task, uploads, bundle) for _ in range(2))
    assert first.error is None
    assert first.gate.verdict != "refuse"
    assert first.prediction.calibrated.sum(axis=1) == pytest.approx(1, abs=1e-4)
    assert np.array_equal(first.prediction.calibrated, second.prediction.calibrated)


@pytest.mark.tf
@pytest.mark.parametrize(
    ("task", "example"), [p for p in EXAMPLES if p.values[1] is p.values[0].examples()[0]]
)
def test_an_explanation_adds_up_and_is_rendered(task, example):
    bundle = bundles.get(task.slug)
    (uploads,) = task.group(example.make())
    report = pipeline.run(task, uploads, bundle, ExplainRequest(samples=40))
    explanation = report.explanation
    lines = task.attributions(report)
    total = sum(line.attribution for line in lines)
    assert explanation.base + total + explanation.residual == pytest.approx(explanation.output, abs=1e-4)
    for views in _sections(task, report, bundle):
        assert views
        assert all(isinstance(view, View) for view in views)


def _read(task, data):
    task.validate(task.read([Upload("file.dcm", data)]))


def _sections(task, report, bundle):
    sections = task.render(report, bundle, report.explained_item)
    return sections.input, sections.result, sections.explanation


@pytest.mark.tf
def test_a_batch_of_two_is_two_single_runs(task):
    bundle = bundles.get(task.slug)
    groups = [task.group(example.make())[0] for example in task.examples()[:2]]
    together = list(pipeline.run_many(task, groups, bundle))
    for report, group in zip(together, groups, strict=True):
        alone = pipeline.run(task, group, bundle)
        assert np.allclose(report.prediction.calibrated, alone.prediction.calibrated, atol=1e-5)


def test_inspect_reads_every_sample(task):
    from healthdash import export

    for example in task.examples():
        (line,) = [row for row in export.inspections(example.make()) if "error" not in row]
        assert {"source", "kind", "format"} <= set(line)


@pytest.mark.parametrize("task", tasks.all_tasks(), ids=lambda task: task.slug)
def test_it_offers_a_synthetic_set_to_train_on(task):
    (example, *_) = task.training_examples()
    (upload,) = example.make()
    assert "ynthetic" in example.title
    assert "ynthetic" in example.description
    assert example.settings.epochs <= 10
    assert len(upload.data) < 3_000_000
    assert upload == example.make()[0]


@pytest.mark.tf
def test_its_synthetic_set_is_a_data_set_with_enough_groups(task, tmp_path):
    (upload,) = task.training_examples()[0].make()
    dataset = task.load_dataset(archive.placed(upload.name, upload.data, tmp_path), TrainSettings())
    assert len(dataset) >= 8
