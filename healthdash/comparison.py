"""Several models of one task, measured on the same labelled data: curves of each, and who is better."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from healthdash.bundles import Bundle
from healthdash.errors import InvalidInput
from healthdash.task import Task
from healthdash.training import TrainSettings
from healthdash.training.evaluation import Points, ReliabilityBin, curve_points, reliability_bins
from healthdash.training.paired import Answers, Difference, aligned, differences

__all__ = ["CAUTION", "Comparison", "compare"]

CAUTION = (
    "Rows that a model was trained on flatter it: compare on data that none of the models has seen. "
    "Nothing of the data is kept."
)


@dataclass(frozen=True)
class Comparison:
    """What several models give on the same items.

    Attributes
    ----------
    names : tuple of str
    items, groups : int
        Rows that any of the models puts together are one group.
    roc : dict of dict of Points
        Of each label that is drawn, one curve a model.
    reliability : dict of dict of tuple of ReliabilityBin
        The same.
    differences : dict of tuple of Difference
        Of each pair of names.
    """

    names: tuple[str, ...]
    items: int
    groups: int
    roc: Mapping[str, Mapping[str, Points]]
    reliability: Mapping[str, Mapping[str, tuple[ReliabilityBin, ...]]]
    differences: Mapping[tuple[str, str], tuple[Difference, ...]]

    def as_json(self) -> dict[str, Any]:
        """Return the differences as one JSON object."""
        return {
            "models": list(self.names),
            "items": self.items,
            "groups": self.groups,
            "differences": [
                {
                    "measure": one.measure, "models": list(pair), "values": [one.first, one.second],
                    "difference": one.difference, "low": one.low, "high": one.high,
                    "better": None if one.winner is None else pair[one.winner], "words": one.words(pair),
                }
                for pair, found in self.differences.items() for one in found
            ],
            "caution": CAUTION,
        }  # fmt: skip


def compare(
    task: Task, bundles: Sequence[Bundle], path: Path, settings: TrainSettings, *, seed: int = 0
) -> Comparison:
    """Measure models on the same labelled data.

    Parameters
    ----------
    bundles : sequence of Bundle
        Two or more. Where two have one name, as two versions of a model have, all are named by their folders.
    path : Path
        Labelled data as `evaluate` takes them; each model reads them in its own way.

    Raises
    ------
    ModelMismatch
        The models have other labels, or do not use the same items.
    InvalidInput
        There is only one model, or one that is there twice, or too little data for an interval.
    """
    names = _shown_names(bundles)
    same = aligned(*(_answers(task, bundle, path, settings) for bundle in bundles))
    first = same[0]
    by_name = dict(zip(names, same, strict=True))
    shown = [1] if len(first.labels) == 2 else np.unique(first.truth).tolist()
    return Comparison(
        names=names,
        items=len(first),
        groups=len(np.unique(np.asarray(first.groups).astype(str))),
        roc={first.labels[k]: {name: _roc(one, k) for name, one in by_name.items()} for k in shown},
        reliability={first.labels[k]: {name: _bins(one, k) for name, one in by_name.items()} for k in shown},
        differences={
            (one, other): tuple(differences(by_name[one], by_name[other], seed=seed))
            for one, other in combinations(names, 2)
        },
    )


def _shown_names(bundles: Sequence[Bundle]) -> tuple[str, ...]:
    """Return names that tell the models apart: their own, or their folders below the common one."""
    names = tuple(bundle.name for bundle in bundles)
    if len(set(names)) == len(names) > 1:
        return names
    if len({bundle.info.sha256 for bundle in bundles}) < max(2, len(bundles)):
        raise InvalidInput(
            "expected two models of other weights",
            hint="Name two models of the task; of two versions of one name, name their folders.",
        )
    folders = [bundle.path.resolve() for bundle in bundles]
    common = os.path.commonpath([folder.parent for folder in folders])
    return tuple(folder.relative_to(common).as_posix() for folder in folders)


def _roc(answers: Answers, label: int) -> Points:
    return curve_points(answers.truth == label, answers.probabilities[:, label])[0]


def _bins(answers: Answers, label: int) -> tuple[ReliabilityBin, ...]:
    return reliability_bins(answers.truth == label, answers.probabilities[:, label], answers.groups)


def _answers(task: Task, bundle: Bundle, path: Path, settings: TrainSettings) -> Answers:
    bound = task.bound(bundle)
    return bound.answers(bundle, bound.load_dataset(path, settings))
