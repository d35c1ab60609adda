"""Train on a small table: cross-validate, then fit all rows; other sites are for testing only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from healthdash.bundles import Bundle, BundleInfo
from healthdash.training import TrainSettings
from healthdash.training.calibration import fit_calibration
from healthdash.training.evaluation import Evaluation, metric_row
from healthdash.training.history import EpochRow
from healthdash.training.ranking import separation
from healthdash.training.splits import folds_by_group

from .compare import MODELS, Rows, compared, model_scores, other_models
from .fit import logits_of
from .measure import Scored, evaluation_of
from .prepare import features, fitted_columns
from .recipe import Recipe, Run

if TYPE_CHECKING:
    from .dataset import Dataset
    from .task import RecordsTask

__all__ = ["train_by_folds"]

_RULE = (
    "{folds}-fold cross-validation over the rows of {site}, {kept}: the metrics, curves and "
    "confusion are of rows left out, calibrated on the other folds. The model that is saved was then "
    "trained on all rows of {site}{others}."
)


def train_by_folds(
    task: RecordsTask,
    data: Dataset,
    settings: TrainSettings,
    out: Path,
    on_epoch: Callable[[EpochRow], None],
    recipe: Recipe,
) -> Bundle:
    """Cross-validate, then train on all rows of the first site.

    For tables too small to set rows aside. The calibration comes from the rows left out of
    each fold, and is itself measured on folds that it was not fitted on.
    """
    run = Run(task, recipe, settings, on_epoch)
    folds = folds_by_group(data.truth, data.groups, settings.folds or recipe.folds, seed=settings.seed)
    logits, others = _left_out(run, data, folds)
    calibration = fit_calibration(
        logits, data.truth, method="platt", fitted_on="the rows left out of the folds", smooth=recipe.smooth
    )
    columns = fitted_columns(data.frame, task.columns, rarest=recipe.rarest)
    train: Rows = (features(data.frame, {"columns": columns}), data.truth)
    network = run.fit(columns, train, None, run="all rows")
    info = run.info(data, out.name, columns, is_crossed=True, calibration=calibration)
    part = f"{data.site}, {len(folds)}-fold cross-validation"
    scored = Scored(data, _calibrated_across(logits, data.truth, folds, smooth=recipe.smooth), part)
    evaluation = _crossed_evaluation(scored, info, folds, others, kept=task.kept_together(data))
    for site in data.external:
        evaluation = _with_site(evaluation, site, info, network, train)
    return run.save(out, network, info, evaluation, train)


def _left_out(
    run: Run, data: Dataset, folds: Sequence[NDArray[np.int64]]
) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float64]]]:
    """Return logits (n, 2) and other models' scores (n,) of each row, from fits without its fold."""
    logits = np.empty((len(data), len(run.task.labels)), np.float32)
    # One score of two labels, else one of each label.
    shape = (len(data),) if logits.shape[1] == 2 else logits.shape
    others = {name: np.empty(shape) for name in MODELS}
    for number, left_out in enumerate(folds, 1):
        kept = np.setdiff1d(np.arange(len(data)), left_out)
        columns = fitted_columns(data.frame.iloc[kept], run.task.columns, rarest=run.recipe.rarest)
        values = features(data.frame, {"columns": columns})
        train, held = (values[kept], data.truth[kept]), (values[left_out], data.truth[left_out])
        # The rows left out are watched for the curves; nothing is chosen on them.
        network = run.fit(columns, train, held, run=f"fold {number}", stop_early=False)
        logits[left_out] = logits_of(network, held[0])
        for name in MODELS:
            others[name][left_out] = model_scores(name, columns, train, held[0])
    return logits, others


def _calibrated_across(
    logits: NDArray[np.float32],
    truth: NDArray[np.int64],
    folds: Sequence[NDArray[np.int64]],
    *,
    smooth: bool = False,
) -> NDArray[np.float32]:
    """Calibrate the rows of each fold on those of the others."""
    out = np.empty_like(logits)
    for left_out in folds:
        kept = np.setdiff1d(np.arange(len(truth)), left_out)
        fitted = fit_calibration(logits[kept], truth[kept], method="platt", smooth=smooth)
        out[left_out] = fitted.apply(logits[left_out])
    return out


def _crossed_evaluation(
    scored: Scored,
    info: BundleInfo,
    folds: Sequence[NDArray[np.int64]],
    others: dict[str, NDArray[np.float64]],
    *,
    kept: str,
) -> Evaluation:
    data = scored.data
    elsewhere = [site.site for site in data.external]
    rule = _RULE.format(
        folds=len(folds),
        site=data.site,
        kept=kept,
        others=f" and tested on {' and '.join(elsewhere)}" if elsewhere else "",
    )
    counts = {f"{site.site} rows": len(site) for site in (data, *data.external)}
    evaluation = evaluation_of(scored, info, split_rule=rule, counts=counts)
    each = [separation(data.truth[rows], scored.ranking[rows]) for rows in folds]
    mean = metric_row(
        "AUC, mean of folds",
        lambda y, p: float(np.mean(each)),
        data.truth,
        scored.ranking,
        data.groups,
        part=scored.part,
        note=f"standard deviation over folds {np.std(each, ddof=1):.3f}",
        draws=1,
    ).model_copy(update={"low": None, "high": None})
    compared_rows = [row for name, scores in others.items() for row in compared(name, scores, scored)]
    return evaluation.model_copy(
        update={"metrics": (*evaluation.metrics, mean), "comparisons": tuple(compared_rows)}
    )


def _with_site(
    evaluation: Evaluation, site: Dataset, info: BundleInfo, network: Any, train: Rows
) -> Evaluation:
    """Add the figures of the saved model on another site."""
    columns = info.preprocessing["columns"]
    values = features(site.frame, {"columns": columns})
    scored = Scored(
        site, info.calibration.apply(logits_of(network, values)), f"{site.site}, never trained on"
    )
    there = evaluation_of(scored, info, split_rule="", counts={}, site=f", {site.site}")
    label = f"{info.labels[1]} ({site.site})"
    return evaluation.model_copy(
        update={
            "metrics": (*evaluation.metrics, *there.metrics),
            "subgroups": (*evaluation.subgroups, *there.subgroups),
            "comparisons": (*evaluation.comparisons, *other_models(columns, train, values, scored)),
            "roc": evaluation.roc | {label: there.roc[info.labels[1]]},
            "precision_recall": evaluation.precision_recall | {label: there.precision_recall[info.labels[1]]},
            "reliability": evaluation.reliability | {label: there.reliability[info.labels[1]]},
        }
    )
