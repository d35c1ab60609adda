"""Figures of a picture model: areas under curves, recalls and decisions, with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from healthdash.bundles import BundleInfo
from healthdash.training.evaluation import (
    Confusion,
    Evaluation,
    MetricRow,
    Points,
    ReliabilityBin,
    confusion,
    curve_points,
    metric_row,
    rate_row,
    reliability_bins,
)
from healthdash.training.ranking import auc, separation

from .dataset import LabelledPictures
from .shortcuts import told_by_statistics

__all__ = [
    "TRIVIAL",
    "balanced_threshold",
    "measure",
    "one_against_another",
    "rows_by_statistics",
    "rows_for",
]

Probabilities = NDArray[np.float32]
Labels = NDArray[np.int64]

#: What is told by `told_by_statistics`, beside a figure.
TRIVIAL = "gradient boosting on brightness, sharpness and aspect alone"


def measure(
    info: BundleInfo,
    probabilities: Probabilities,
    labels: Labels,
    groups: NDArray[np.str_],
    *,
    part: str,
    split_rule: str,
    counts: Mapping[str, int],
    subgroups: Sequence[MetricRow] = (),
    comparisons: Sequence[MetricRow] = (),
    command: str = "",
) -> Evaluation:
    """Measure calibrated probabilities against true labels.

    Parameters
    ----------
    probabilities : float32 (n, k), in the order of `info.labels`
    labels : int64 (n,)
    groups : str array (n,)
        Whole groups are drawn for the intervals.
    """
    roc, precision_recall, reliability = _curves(info, probabilities, labels, groups)
    return Evaluation(
        split_rule=split_rule,
        counts=dict(counts),
        metrics=tuple(rows_for(info, probabilities, labels, groups, part=part)),
        roc=roc,
        precision_recall=precision_recall,
        reliability=reliability,
        confusion=_confusion(info, probabilities, labels),
        subgroups=tuple(subgroups),
        comparisons=tuple(comparisons),
        command=command,
    )


def rows_for(
    info: BundleInfo, probabilities: Probabilities, labels: Labels, groups: NDArray[np.str_], *, part: str
) -> list[MetricRow]:
    """Return every figure: AUC by label or group of labels, accuracy, recall of each label."""
    rows = []
    for name in info.label_groups:
        truth, score = _binary(info, name, probabilities, labels)
        rows.append(metric_row(f"{name} AUC", auc, truth, score, groups, part=part))
        members = info.members(name)
        if len(members) == 2:
            rows.append(_within(info, members, probabilities, labels, groups, part=part))
    if len(info.labels) > 2:
        rows.append(metric_row("macro AUC", separation, labels, probabilities, groups, part=part))
    else:
        rows.append(metric_row("AUC", auc, labels, probabilities[:, 1], groups, part=part))
    decided = info.decide(probabilities)
    rows.append(rate_row("accuracy", labels == decided, groups, part=part))
    for name in info.label_groups:
        rows.extend(_decisions(info, name, decided, labels, groups, part=part))
    for number, name in enumerate(info.labels):
        own = labels == number
        rows.append(rate_row(f"{name} recall", decided[own] == number, groups[own], part=part))
    return rows


def rows_by_statistics(
    info: BundleInfo, dataset: LabelledPictures, folds: Sequence[Labels], *, part: str
) -> list[MetricRow]:
    """Return the AUCs of brightness, sharpness and aspect alone, each fold judged by what saw the others.

    How much of its own figures a network may owe to how the pictures were taken.
    """
    given = told_by_statistics(dataset.pictures, dataset.labels, folds, seed=info.seed)
    rows = np.sort(np.concatenate(folds))
    found = rows_for(info, given[rows], dataset.labels[rows], dataset.groups[rows], part=part)
    return [row.model_copy(update={"note": TRIVIAL}) for row in found if row.name.endswith("AUC")]


def one_against_another(probabilities: Probabilities, first: int, second: int) -> NDArray[np.float32]:
    """Return the probability of `second` where only these two are possible."""
    pair = probabilities[:, [first, second]] + 1e-12
    return np.asarray(pair[:, 1] / pair.sum(axis=1), np.float32)


def balanced_threshold(
    truth: NDArray[np.bool_], score: NDArray[np.float32], weights: NDArray[np.float32]
) -> float:
    """Return the threshold with the highest mean of sensitivity and specificity, both weighted."""
    order = np.argsort(score)
    truth, score, weights = truth[order], score[order], weights[order]
    missed = np.cumsum(weights * truth) / (weights * truth).sum()
    cleared = np.cumsum(weights * ~truth) / (weights * ~truth).sum()
    gain = cleared - missed
    best = np.flatnonzero(gain >= gain.max() - 0.005)  # a plateau: its middle holds better elsewhere
    place = int(best[len(best) // 2])
    return float((score[place] + score[min(place + 1, len(score) - 1)]) / 2)


def _binary(
    info: BundleInfo, name: str, probabilities: Probabilities, labels: Labels
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    members = info.members(name)
    return np.isin(labels, members), probabilities[:, members].sum(axis=1)


def _within(
    info: BundleInfo,
    members: Sequence[int],
    probabilities: Probabilities,
    labels: Labels,
    groups: NDArray[np.str_],
    *,
    part: str,
) -> MetricRow:
    first, second = members
    rows = np.isin(labels, members)
    score = one_against_another(probabilities[rows], first, second)
    name = f"{info.labels[first]} against {info.labels[second]} AUC"
    return metric_row(name, auc, labels[rows] == second, score, groups[rows], part=part)


def _decisions(
    info: BundleInfo, name: str, decided: Labels, labels: Labels, groups: NDArray[np.str_], *, part: str
) -> list[MetricRow]:
    members = info.members(name)
    truth = np.isin(labels, members)
    right = truth == np.isin(decided, members)
    denominators = {"accuracy": np.ones_like(truth), "sensitivity": truth, "specificity": ~truth}
    return [
        rate_row(f"{name} {measure}", right[rows], groups[rows], part=part)
        for measure, rows in denominators.items()
    ]


def _curves(
    info: BundleInfo, probabilities: Probabilities, labels: Labels, groups: NDArray[np.str_]
) -> tuple[dict[str, Points], dict[str, Points], dict[str, tuple[ReliabilityBin, ...]]]:
    roc, precision_recall, reliability = {}, {}, {}
    for name in (*info.label_groups, *info.labels):
        truth, score = _binary(info, name, probabilities, labels)
        if truth.any() and not truth.all():
            roc[name], precision_recall[name] = curve_points(truth, score)
            reliability[name] = reliability_bins(truth, score, groups)
    return roc, precision_recall, reliability


def _confusion(info: BundleInfo, probabilities: Probabilities, labels: Labels) -> Confusion:
    return confusion(info.labels, labels, info.decide(probabilities))
