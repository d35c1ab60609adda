"""Training of the shipped picture models, and of a user's own with the same code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from healthdash import bundles
from healthdash.bundles import Bundle, BundleInfo, OperatingPoint
from healthdash.training import TrainSettings
from healthdash.training.calibration import Calibration, fit_calibration
from healthdash.training.command import command_line
from healthdash.training.evaluation import Evaluation
from healthdash.training.history import EpochRow, recorded
from healthdash.training.splits import Split, split_by_group

from .anatomy import slice_limits
from .crossed import measured_out_of_fold, out_of_fold
from .dataset import LabelledPictures
from .familiarity import centroids, fit_familiarity
from .fitting import described, part_of, predict_logits
from .measuring import TRIVIAL, measure, rows_by_statistics
from .members import Finished, fitted_member
from .network import average
from .numbering import rows_by_numbering
from .plans import OWN_LIMITS, OWN_USE, Recipe
from .prepare import INPUT
from .published import is_published, source_of
from .shifted import choose_threshold, rows_under_shift, training_weights
from .shortcuts import told_by_statistics
from .transfer import described_head

__all__ = ["measured_again", "train"]

_CENTROIDS_PER_LABEL = 8
_FEWEST_FOR_OFFSETS = 100
# In multiples of the 99 percentile of patients left out of the fit; the margins allow for other hospitals.
_WARN_ABOVE, _REFUSE_ABOVE = 1.25, 1.6

_SAME_SLICES = "out-of-fold pictures, the same that the figures are from"

OnEpoch = Callable[[EpochRow], None]
Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def train(
    recipe: Recipe,
    dataset: LabelledPictures,
    settings: TrainSettings,
    out: Path,
    on_epoch: OnEpoch,
) -> Bundle:
    """Train, evaluate and save a picture model.

    Parameters
    ----------
    dataset : LabelledPictures
    settings : TrainSettings
        What is None is left to the recipe.
    out : Path
        Folder of the bundle; its name is the bundle's.
    on_epoch : function
        Gets a row an epoch, and may raise `TrainingStopped`.

    Raises
    ------
    TooLittleData
        A label has too few groups to be split.
    TrainingDiverged
        The loss is no longer a number.
    """
    recipe = recipe.with_settings(settings)
    history, report = recorded(on_epoch)
    finished = Finished(out)
    by = _by_folds if recipe.folds > 1 else _by_split
    fitted = by(recipe, dataset, settings.seed, report, finished)
    info = _info(recipe, dataset, settings.seed, out.name, fitted)
    evaluation = fitted.evaluation(info)
    bundle = bundles.save(
        out, fitted.network, info, history=history, evaluation=evaluation, arrays=fitted.arrays
    )
    finished.forget()
    return bundle


def measured_again(bundle: Bundle, dataset: LabelledPictures) -> Evaluation:
    """Measure a bundle that was trained by split on the test part of its data, as its training did."""
    split = split_by_group(dataset.labels, dataset.groups, seed=bundle.info.seed, parts=dataset.parts)
    return _measured_on_test(dataset, bundle.network, bundle.info, split, bundle.evaluation.command)


@dataclass(frozen=True, kw_only=True)
class _Fitted:
    """A trained network with everything that its bundle says of it."""

    network: keras.Model
    calibration: Calibration
    operating_points: tuple[OperatingPoint, ...]
    gate: dict[str, float]
    arrays: dict[str, Floats]
    evaluation: Callable[[BundleInfo], Evaluation]


def _by_split(
    recipe: Recipe, dataset: LabelledPictures, seed: int, report: OnEpoch, finished: Finished
) -> _Fitted:
    """Train members on one part, choose on another, and measure on a third."""
    split = split_by_group(dataset.labels, dataset.groups, seed=seed, parts=dataset.parts)
    weights = training_weights(recipe, dataset, split.train, seed)
    train, validation = part_of(dataset, split.train, weights), part_of(dataset, split.validation)
    members = [
        fitted_member(recipe, dataset, train, validation, (seed + n, f"member {n + 1}"), report, finished)
        for n in range(recipe.members)
    ]
    network = average(members, recipe.size, mirrored=recipe.mirrored)
    calibration, points = _choices(recipe, dataset, network, split, seed)

    def evaluation(info: BundleInfo) -> Evaluation:
        return _measured_on_test(dataset, network, info, split, command_line())

    arrays, gate = _background(recipe, dataset, split.train, seed)
    return _Fitted(
        network=network,
        calibration=calibration,
        operating_points=points,
        gate=gate,
        arrays=arrays,
        evaluation=evaluation,
    )


def _by_folds(
    recipe: Recipe, dataset: LabelledPictures, seed: int, report: OnEpoch, finished: Finished
) -> _Fitted:
    """Train a network without each fold, measure it there, and average the networks."""
    network, cuts = out_of_fold(recipe, dataset, seed, report, finished)

    def evaluation(info: BundleInfo) -> Evaluation:
        return measured_out_of_fold(dataset, info, cuts)

    arrays, gate = _background(recipe, dataset, np.arange(len(dataset)), seed)
    return _Fitted(
        network=network,
        calibration=fit_calibration(cuts[0].logits, dataset.labels, fitted_on=_SAME_SLICES),
        operating_points=(),
        gate=gate,
        arrays=arrays,
        evaluation=evaluation,
    )


def _choices(
    recipe: Recipe, dataset: LabelledPictures, network: keras.Model, split: Split, seed: int
) -> tuple[Calibration, tuple[OperatingPoint, ...]]:
    """Choose calibration and operating point, on validation pictures only."""
    rows = split.validation
    logits = predict_logits(network, dataset.inputs[rows])
    # Every label is drawn equally often in training; offsets bring back how often each comes.
    calibration = fit_calibration(
        logits,
        dataset.labels[rows],
        method="platt" if len(rows) >= _FEWEST_FOR_OFFSETS else "temperature",
        fitted_on="validation pictures",
    )
    points = tuple(
        choose_threshold(name, members, network, calibration, dataset, rows, seed)
        for name, members in recipe.grouped(dataset.names).items()
    )
    return calibration, points


def _measured_on_test(
    dataset: LabelledPictures,
    network: keras.Model,
    info: BundleInfo,
    split: Split,
    command: str,
) -> Evaluation:
    test = split.test
    calibrated = info.calibration.apply(predict_logits(network, dataset.inputs[test]))
    sizes = {"train": split.train, "validation": split.validation, "test": test}
    subgroups = rows_under_shift(info, network, calibrated, dataset, test)
    if is_published(dataset):
        trivial = told_by_statistics(dataset.pictures, dataset.labels, [test], seed=info.seed)[test]
        judged = {"": calibrated, TRIVIAL: trivial}
        subgroups += rows_by_numbering(info, judged, dataset, test, part="test")
    return measure(
        info,
        calibrated,
        dataset.labels[test],
        dataset.groups[test],
        part="test",
        split_rule="About a tenth of the groups, drawn at random and kept apart before anything else; no "
        "group is in two parts, and no choice was made on the test part.",
        counts={name: len(rows) for name, rows in sizes.items()},
        subgroups=subgroups,
        comparisons=rows_by_statistics(info, dataset, [test], part="test"),
        command=command,
    )


def _background(
    recipe: Recipe, dataset: LabelledPictures, train: Rows, seed: int
) -> tuple[dict[str, Floats], dict[str, float]]:
    """Return the background of explanations, and the arrays and limits of the gate."""
    pictures = dataset.inputs[train]
    arrays = fit_familiarity(pictures, dataset.groups[train], seed=seed)
    gate = {"warn_above": _WARN_ABOVE, "refuse_above": _REFUSE_ABOVE}
    if recipe.window_hu is not None:
        gate |= slice_limits(pictures)
    means = centroids(pictures, dataset.labels[train], per_label=_CENTROIDS_PER_LABEL, seed=seed)
    return {INPUT: means, **arrays}, gate


def _preprocessing(recipe: Recipe) -> dict[str, Any]:
    window = recipe.window_hu
    constants: dict[str, Any] = {"size": recipe.size}
    return constants | ({"window": {"center": window[0], "width": window[1]}} if window else {})


def _steps(recipe: Recipe, labels: int) -> dict[str, Any]:
    """Return how the network was made, for people to read."""
    averaged = f"{recipe.folds} folds" if recipe.folds > 1 else f"{recipe.members} seeds"
    network = recipe.network(labels)
    plan = recipe.head if recipe.folds > 1 else None
    steps = described(recipe.fit, network) if plan is None else described_head(plan, network)
    return {**steps, "averaged": averaged, "mirrored too": recipe.mirrored}


def _info(recipe: Recipe, dataset: LabelledPictures, seed: int, name: str, fitted: _Fitted) -> BundleInfo:
    return BundleInfo(
        task=recipe.task,
        name=name,
        title=recipe.title,
        labels=dataset.names,
        label_groups=recipe.grouped(dataset.names),
        preprocessing=_preprocessing(recipe),
        inputs={},
        calibration=fitted.calibration,
        operating_points=fitted.operating_points,
        gate=fitted.gate,
        data=source_of(dataset),
        intended_use=recipe.intended_use if is_published(dataset) else OWN_USE,
        limits=recipe.limits if is_published(dataset) else OWN_LIMITS,
        recipe=_steps(recipe, len(dataset.names)),
        seed=seed,
    )
