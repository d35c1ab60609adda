"""What every shipped bundle promises."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash import bundles, tasks
from healthdash.training.card import render_card

BUNDLES = bundles.available()
FILES = {
    "model.keras",
    "bundle.json",
    "card.md",
    "history.csv",
    "evaluation.json",
    "background.npz",
    "golden.json",
}


@pytest.fixture(params=BUNDLES, ids=lambda bundle: f"{bundle.info.task}-{bundle.name}")
def bundle(request) -> bundles.Bundle:
    return request.param


def test_every_task_has_a_bundle_and_none_is_broken():
    slugs = {task.slug for task in tasks.all_tasks() if not task.is_generic}
    assert {bundle.info.task for bundle in BUNDLES} == slugs
    assert list(bundles.broken()) == []


def test_it_is_complete_and_small(bundle):
    assert FILES <= {path.name for path in bundle.path.iterdir()}
    assert sum(path.stat().st_size for path in bundle.path.rglob("*")) < 12e6


def test_its_labels_are_those_of_its_task(bundle):
    assert bundle.info.labels == tuple(tasks.get(bundle.info.task).labels)


def test_its_figures_have_intervals_and_a_command(bundle):
    evaluation = bundle.evaluation
    assert evaluation.metrics
    assert all(row.low is not None and row.low <= row.value <= row.high for row in evaluation.metrics[:3])
    assert evaluation.command.startswith("python -m healthdash train")
    assert evaluation.roc
    assert evaluation.confusion is not None
    assert not bundle.history.empty


def test_its_card_holds_its_figures_and_the_disclaimer(bundle):
    assert "not for clinical use" in bundle.card
    assert bundle.info.sha256 in bundle.card
    assert all(f"{row.value:.3f}" in bundle.card for row in bundle.evaluation.metrics if abs(row.value) < 10)


def test_its_card_holds_how_good_its_explanations_are(bundle):
    quality, task = bundle.evaluation.explanations, tasks.get(bundle.info.task)
    assert quality is not None, "run python -m healthdash judge TASK --write"
    assert quality.kind.startswith("synthetic")
    assert quality.items >= 6
    methods = [judged.method for judged in quality.methods]
    assert methods == [name for name in task.methods if name in methods]
    assert len(quality.agreement) == len(methods) * (len(methods) - 1) // 2
    for line in (*quality.methods, *quality.agreement):
        assert f"| {' | '.join(line.row().values())} |" in bundle.card
    for judged in quality.methods:
        assert judged.words in bundle.card
        assert judged.is_doubtful == ("says little about the model" in judged.words)
    assert quality.command in bundle.card
    assert "nor where a disease is" in bundle.card


def test_its_card_is_what_its_files_say(bundle):
    assert bundle.card == render_card(bundle.info.model_dump(mode="json"), bundle.evaluation)


def test_its_background_is_finite_or_marks_gaps_and_fits_the_inputs(bundle):
    for name, shape in bundle.info.inputs.items():
        values = bundle.background[name]
        assert values.shape[1:] == shape
        assert not np.isinf(values).any()


@pytest.mark.tf
def test_it_loads_in_safe_mode_and_gives_its_golden_numbers(bundle):
    bundle.verify()


@pytest.mark.tf
def test_it_is_traced_once_for_all_batch_sizes(bundle):
    forward = bundle.forward
    values = next(iter(bundle.background.values()))
    for n in (1, 2, 3, len(values)):
        forward.logits({name: bundle.background[name][:n] for name in bundle.info.inputs})
    assert forward.traces["logits"] == 1
