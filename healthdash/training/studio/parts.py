"""How labelled items are cut into the fits of a training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from healthdash.errors import TooLittleData
from healthdash.training.settings import TrainSettings
from healthdash.training.splits import Split, folds_by_group, split_by_group
from healthdash.training.studio.fitting import Fitted, Part
from healthdash.training.studio.items import Labelled, Rows
from healthdash.training.studio.plans import Plan

__all__ = ["is_crossed", "members_of", "parts_of", "refits", "split_of"]

#: Of what a fold learns from, so many parts are cut, and one of them ends the training.
_INNER_PARTS = (6, 4, 3, 2)
_NOBODY = np.zeros(0, np.int64)


def is_crossed(plan: Plan) -> bool:
    """Say whether every item is judged by a network that never saw it, in place of a part set aside."""
    return plan.folds > 1


def parts_of(labelled: Labelled, settings: TrainSettings) -> list[Part]:
    """Return every fit of a training: those of the members of each fold, or of the split."""
    plan = Plan.of(settings, labelled)
    if is_crossed(plan):
        return [part for fold in _folds(labelled, plan) for part in fold]
    split = split_of(labelled, plan.seed)
    judged = np.concatenate([split.validation, split.test])
    return [
        Part(_run("network", plan, n), plan.seed + n, split.train, split.validation, judged)
        for n in range(plan.members)
    ]


def split_of(labelled: Labelled, seed: int) -> Split:
    """Return the rows of train, validation and test (5:1:1)."""
    return split_by_group(labelled.truth, labelled.groups, seed=seed)


def members_of(parts: Sequence[Part], fitted: Sequence[Fitted]) -> list[tuple[Part, list[Fitted]]]:
    """Return the fits that judged the same items together."""
    together: dict[bytes, tuple[Part, list[Fitted]]] = {}
    for part, one in zip(parts, fitted, strict=True):
        together.setdefault(part.judged.tobytes(), (part, []))[1].append(one)
    return list(together.values())


def refits(labelled: Labelled, plan: Plan, fitted: Sequence[Fitted]) -> list[Part]:
    """Return the fits of all items, for as many epochs as the folds' best had in the median."""
    epochs = max(1, round(float(np.median([one.best_epoch for one in fitted]))))
    rows = np.arange(len(labelled), dtype=np.int64)
    return [
        Part(_run("all items", plan, n), plan.seed + n, rows, _NOBODY, _NOBODY, epochs)
        for n in range(plan.members)
    ]


def _folds(labelled: Labelled, plan: Plan) -> list[list[Part]]:
    folds = folds_by_group(labelled.truth, labelled.groups, plan.folds, seed=plan.seed)
    everything = np.arange(len(labelled), dtype=np.int64)
    found = []
    for number, judged in enumerate(folds, 1):
        train, validation = _inner(labelled, np.setdiff1d(everything, judged), plan.seed)
        found.append(
            [
                Part(_run(f"fold {number}", plan, n), plan.seed + n, train, validation, np.sort(judged))
                for n in range(plan.members)
            ]
        )
    return found


def _inner(labelled: Labelled, rows: Rows, seed: int) -> tuple[Rows, Rows]:
    """Set some groups of a fold's items aside to end the training; none where they are too few."""
    for count in _INNER_PARTS:
        try:
            folds = folds_by_group(labelled.truth[rows], labelled.groups[rows], count, seed=seed)
        except TooLittleData:
            continue
        return np.sort(np.setdiff1d(rows, rows[folds[0]])), np.sort(rows[folds[0]])
    return rows, _NOBODY


def _run(name: str, plan: Plan, member: int) -> str:
    return name if plan.members == 1 else f"{name}, member {member + 1}"
