"""Cross-validation of a picture model: every picture is judged by a network that did not see its fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from healthdash.bundles import BundleInfo
from healthdash.training.command import command_line
from healthdash.training.evaluation import Evaluation
from healthdash.training.history import EpochRow
from healthdash.training.splits import folds_by_group, folds_by_neighbours

from .dataset import LabelledPictures
from .fitting import part_of, predict_logits
from .measuring import TRIVIAL, measure, rows_by_statistics, rows_for
from .members import Finished, fitted_member
from .network import average
from .numbering import rows_by_numbering
from .plans import Recipe
from .published import is_published
from .shifted import training_weights
from .shortcuts import told_by_statistics
from .transfer import HeadPlan, encoder, heads_by_folds, training_features, with_head

__all__ = ["Cut", "measured_out_of_fold", "out_of_fold"]

OnEpoch = Callable[[EpochRow], None]
Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cut:
    """One way to cut a data set into folds.

    Attributes
    ----------
    part : str
        What it is called beside a figure.
    folds : sequence of int64 arrays
    logits : float32 (n, labels)
        Of every picture, by the network that did not see its fold.
    """

    part: str
    folds: Sequence[Rows]
    logits: Floats


def out_of_fold(
    recipe: Recipe, dataset: LabelledPictures, seed: int, report: OnEpoch, finished: Finished
) -> tuple[keras.Model, list[Cut]]:
    """Train without each fold.

    Returns
    -------
    keras.Model
        The average of the networks.
    list of Cut
        By group; then of neighbouring files, where the recipe says that these part patients better.
    """
    folds = folds_by_group(dataset.labels, dataset.groups, recipe.folds, seed=seed)
    if recipe.head is not None:
        return _heads(recipe, recipe.head, dataset, folds, seed, report)
    return _networks(recipe, dataset, folds, seed, report, finished)


def measured_out_of_fold(dataset: LabelledPictures, info: BundleInfo, cuts: Sequence[Cut]) -> Evaluation:
    """Measure the first cut; the others stand among the subgroups.

    Beside each stands what brightness, sharpness and aspect alone tell in the same folds.
    """
    first, *others = cuts
    labels, groups = dataset.labels, dataset.groups
    subgroups = [
        row
        for cut in others
        for row in rows_for(info, info.calibration.apply(cut.logits), labels, groups, part=cut.part)
    ]
    calibrated = info.calibration.apply(first.logits)
    if is_published(dataset):
        trivial = told_by_statistics(dataset.pictures, labels, first.folds, seed=info.seed)
        judged, every = {"": calibrated, TRIVIAL: trivial}, np.arange(len(dataset))
        subgroups += rows_by_numbering(info, judged, dataset, every, part=first.part)
    return measure(
        info,
        calibrated,
        labels,
        groups,
        part=first.part,
        split_rule=f"{len(first.folds)}-fold cross-validation; no group is in two folds. Every picture is "
        "judged by the network that did not see its group; no epoch was chosen by its fold.",
        counts={"pictures": len(dataset), "groups": len(np.unique(groups))},
        subgroups=subgroups,
        comparisons=[
            row for cut in cuts for row in rows_by_statistics(info, dataset, cut.folds, part=cut.part)
        ],
        command=command_line(),
    )


def _heads(
    recipe: Recipe, plan: HeadPlan, dataset: LabelledPictures, folds: list[Rows], seed: int, report: OnEpoch
) -> tuple[keras.Model, list[Cut]]:
    """Fit heads on the features of the network as ImageNet left it."""
    network = encoder(recipe.network(len(dataset.names)))
    versions = training_features(network, dataset, plan, seed)
    head, logits = heads_by_folds(dataset, versions, plan, folds, report, seed=seed)
    cuts = [Cut(f"{len(folds)} folds by group", folds, logits)]
    if recipe.numbered and is_published(dataset):
        apart = folds_by_neighbours(dataset.labels, dataset.groups, recipe.folds)
        _, logits = heads_by_folds(dataset, versions, plan, apart, lambda _: None, seed=seed)
        cuts.append(Cut(f"{len(apart)} folds of neighbouring files", apart, logits))
    return with_head(network, head), cuts


def _networks(
    recipe: Recipe,
    dataset: LabelledPictures,
    folds: list[Rows],
    seed: int,
    report: OnEpoch,
    finished: Finished,
) -> tuple[keras.Model, list[Cut]]:
    """Train whole networks."""
    logits = np.zeros((len(dataset), len(dataset.names)), np.float32)
    members = []
    for number, fold in enumerate(folds):
        rest = np.setdiff1d(np.arange(len(dataset)), fold)
        train = part_of(dataset, rest, training_weights(recipe, dataset, rest, seed))
        run = (seed + number, f"fold {number + 1}")
        members.append(fitted_member(recipe, dataset, train, part_of(dataset, fold), run, report, finished))
        alone = average(members[-1:], recipe.size, mirrored=recipe.mirrored)
        logits[fold] = predict_logits(alone, dataset.inputs[fold])
    network = average(members, recipe.size, mirrored=recipe.mirrored)
    return network, [Cut(f"{len(folds)} folds by group", folds, logits)]
