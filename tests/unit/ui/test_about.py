"""What the pages say of a model: its key figures, and how good its explanations are."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd

from healthdash import bundles, settings, tasks
from healthdash.judging.averages import Scores, averaged
from healthdash.training.evaluation import Evaluation, MetricRow
from healthdash.training.explained import ExplanationQuality
from healthdash.ui import about

GOOD = Scores(residual=0.001, stability=0.9, deletion=0.2, insertion=0.1, beaten=1.0, shuffled=0.1)
BAD = Scores(residual=float("nan"), stability=0.9, deletion=0.0, insertion=0.0, beaten=0.5, shuffled=1.0)


def _evaluation(**scores: Scores) -> Evaluation:
    methods = tuple(averaged(method.replace("_", "-"), [one, one]) for method, one in scores.items())
    quality = ExplanationQuality(
        items=2, kind="synthetic images", samples=200, seed=0, methods=methods, command="judge"
    )
    return Evaluation(split_rule="None.", counts={}, metrics=(), explanations=quality)


def test_the_figures_hold_a_line_for_each_method():
    (grid,) = about.figures(_evaluation(expected_gradients=GOOD, occlusion=GOOD))
    assert list(grid.frame["adds up"]) == ["0.10 (0.10 to 0.10)"] * 2
    assert "2 synthetic images" in grid.caption
    assert "The explanations by" not in grid.caption


def test_methods_that_say_little_are_named():
    (grid,) = about.figures(_evaluation(expected_gradients=GOOD, occlusion=BAD))
    by = "The explanations by Occlusion (a sliding patch)"
    assert grid.caption.startswith(
        f"{by} say little about this model. {by} name what it uses hardly better than"
    )


def test_a_method_whose_orders_are_worse_than_random_ones_is_named_as_such():
    (grid,) = about.figures(_evaluation(expected_gradients=GOOD, grad_cam=replace(GOOD, beaten=0.4)))
    assert "Grad-CAM (the last convolution) name what it uses worse than chance" in grid.caption


def test_models_without_these_figures_show_none():
    assert list(about.figures(Evaluation(split_rule="None.", counts={}, metrics=()))) == []


def test_the_figures_that_a_task_names_come_first_and_are_measured():
    for task in tasks.all_tasks():
        for bundle in bundles.available(task.slug):
            shown = [row.name for row in about.headline(bundle)]
            assert shown, task.slug
            assert len(shown) == len(set(shown))
            if task.key_figures:
                assert tuple(shown) == task.key_figures


def test_the_number_of_items_does_not_wrap_within_itself():
    row = MetricRow(name="AUC", value=0.9, low=0.8, high=0.95, n=1522, part="test")
    assert about.in_words(row) == "AUC **0.900** (0.800 to 0.950), test, n\u00a0=\u00a01,522"


def test_of_several_runs_the_epoch_of_the_lowest_mean_loss_is_marked():
    losses = {"fold 1": [3.0, 2.0, 1.0, 2.0], "fold 2": [3.0, 1.0, 1.5]}
    rows = [
        {"run": run, "epoch": n, "loss": 1.0, "val_loss": loss}
        for run, found in losses.items()
        for n, loss in enumerate(found, 1)
    ]
    (curves,) = about.learning_curves(pd.DataFrame(rows))
    assert (curves.mark_x, curves.mark_label) == (3.0, "best epoch 3")


def test_a_model_of_the_users_models_is_called_their_own_whoever_trained_it():
    info = SimpleNamespace(title="Two classes")
    own = SimpleNamespace(info=info, name="mlp", path=settings.current().own_models / "table" / "mlp")
    shipped = SimpleNamespace(info=info, name="mlp", path=settings.current().shipped_models / "table" / "mlp")
    assert about.model_words(own) == "Two classes (mlp, your own)"
    assert about.model_words(own, "table/mlp") == "Two classes (table/mlp, your own)"
    assert about.model_words(shipped) == "Two classes (mlp)"
