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
from healthdash.training.evaluation import Evaluation
from healthdash.training.history import EpochRow
from healthdash.training.splits import Split, folds_by_group, split_by_group

from .anatomy import slice_limits
from .dataset import LabelledPictures
from .familiarity import centroids, fit_familiarity
from .fitting import described, part_of, predict_logits
from .measuring import measure
from .members import Finished, encoder_bundle, fitted_member, loaded
from .network import average
from .plans import OWN_LIMITS, OWN_USE, Recipe
from .prepare import INPUT
from .published import is_published, source_of
from .shifted import choose_threshold, rows_under_shift, training_weights
from .transfer import described_head, encoder, heads_by_folds

__all__ = ["train"]

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
    *,
    command: str = "",
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
    command : str
        The command that this is run by, for the card.

    Raises
    ------
    TooLittleData
        A label has too few groups to be split.
    TrainingDiverged
        The loss is no longer a number.
    """
    recipe = recipe.with_settings(settings)
    history: list[EpochRow] = []

    def report(row: EpochRow) -> None:
        history.append(dict(row))
        on_epoch(row)

    finished = Finished(out)
    by = _by_folds if recipe.folds > 1 else _by_split
    fitted = by(recipe, dataset, settings.seed, report, finished)
    info = _info(recipe, dataset, settings.seed, out.name, fitted)
    evaluation = fitted.evaluation(info, command)
    bundle = bundles.save(
        out, fitted.network, info, history=history, evaluation=evaluation, arrays=fitted.arrays
    )
    finished.forget()
    return bundle


@dataclass(frozen=True, kw_only=True)
class _Fitted:
    """A trained network with everything that its bundle says of it."""

    network: keras.Model
    calibration: Calibration
    operating_points: tuple[OperatingPoint, ...]
    gate: dict[str, float]
    arrays: dict[str, Floats]
    evaluation: Callable[[BundleInfo, str], Evaluation]


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

    def evaluation(info: BundleInfo, command: str) -> Evaluation:
        return _measured_on_test(recipe, dataset, network, info, split, command)

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
    folds = folds_by_group(dataset.labels, dataset.groups, recipe.folds, seed=seed)
    source = encoder_bundle(recipe)
    if source is not None and recipe.head is not None:
        shape = recipe.residual(len(dataset.names))
        network, logits = heads_by_folds(
            dataset, encoder(loaded(source), shape), recipe.head, folds, report, seed=seed
        )
    else:
        network, logits = _networks_by_folds(recipe, dataset, folds, seed, report, finished)

    def evaluation(info: BundleInfo, command: str) -> Evaluation:
        return _measured_out_of_fold(dataset, info, logits, len(folds), command)

    arrays, gate = _background(recipe, dataset, np.arange(len(dataset)), seed)
    return _Fitted(
        network=network,
        calibration=fit_calibration(logits, dataset.labels, fitted_on=_SAME_SLICES),
        operating_points=(),
        gate=gate,
        arrays=arrays,
        evaluation=evaluation,
    )


def _networks_by_folds(
    recipe: Recipe,
    dataset: LabelledPictures,
    folds: list[Rows],
    seed: int,
    report: OnEpoch,
    finished: Finished,
) -> tuple[keras.Model, Floats]:
    """Return the average of whole networks, and each fold's logits by the one that did not see it."""
    logits = np.zeros((len(dataset), len(dataset.names)), np.float32)
    members = []
    for number, fold in enumerate(folds):
        train = part_of(dataset, np.setdiff1d(np.arange(len(dataset)), fold))
        run = (seed + number, f"fold {number + 1}")
        members.append(fitted_member(recipe, dataset, train, part_of(dataset, fold), run, report, finished))
        alone = average(members[-1:], recipe.size, mirrored=recipe.mirrored)
        logits[fold] = predict_logits(alone, dataset.inputs[fold])
    return average(members, recipe.size, mirrored=recipe.mirrored), logits


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


def _measured_out_of_fold(
    dataset: LabelledPictures, info: BundleInfo, logits: Floats, folds: int, command: str
) -> Evaluation:
    return measure(
        info,
        info.calibration.apply(logits),
        dataset.labels,
        dataset.groups,
        part=f"{folds} folds by group",
        split_rule=f"{folds}-fold cross-validation; no group is in two folds. Every picture is judged by the "
        "network that did not see its group; no epoch was chosen by its fold.",
        counts={"pictures": len(dataset), "groups": len(np.unique(dataset.groups))},
        command=command,
    )


def _measured_on_test(
    recipe: Recipe,
    dataset: LabelledPictures,
    network: keras.Model,
    info: BundleInfo,
    split: Split,
    command: str,
) -> Evaluation:
    test = split.test
    calibrated = info.calibration.apply(predict_logits(network, dataset.inputs[test]))
    sizes = {"train": split.train, "validation": split.validation, "test": test}
    return measure(
        info,
        calibrated,
        dataset.labels[test],
        dataset.groups[test],
        part="test",
        split_rule="About a tenth of the groups, drawn at random and kept apart before anything else; no "
        "group is in two parts, and no choice was made on the test part.",
        counts={name: len(rows) for name, rows in sizes.items()},
        subgroups=rows_under_shift(info, network, calibrated, dataset, test),
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
    source = encoder_bundle(recipe)
    averaged = f"{recipe.folds} folds" if recipe.folds > 1 else f"{recipe.members} seeds"
    if source is None or recipe.head is None:
        steps = described(recipe.fit, recipe.network(labels))
    else:
        shape = recipe.residual(labels)
        steps = described_head(recipe.head, shape, f"{source.info.task}, {source.info.sha256[:12]}")
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
