"""A bundle from finished fits: one network, calibrated, with its operating point, measured, described."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from healthdash import bundles
from healthdash.bundles import Bundle, BundleInfo, OperatingPoint
from healthdash.training.calibration import Calibration, fit_calibration
from healthdash.training.evaluation import Evaluation
from healthdash.training.settings import TrainSettings
from healthdash.training.studio import parts as cutting
from healthdash.training.studio.figures import Judged, evaluation_of
from healthdash.training.studio.fitting import Fitted, Part, rebuilt
from healthdash.training.studio.items import Labelled, Prepared, Rows
from healthdash.training.studio.plans import Plan
from healthdash.training.studio.wholes import by_whole, counted
from healthdash.training.youden import youden_point

__all__ = ["Amend", "Finished", "assemble", "averaged", "by_whole"]

Floats = NDArray[np.float32]
#: Adds to an evaluation what only a task can measure: the parts that were learnt from and judged.
Amend = Callable[[Evaluation, Judged, Sequence[Part]], Evaluation]
FitAll = Callable[[Sequence[Part]], Sequence[Fitted]]
#: Scale and offsets are two numbers and more; fewer rows carry a scale only.
_FEWEST_FOR_OFFSETS = 100
#: An average of larger networks would be slow to use and to send: they are refitted instead.
_MOST_AVERAGED = 3_000_000
_SPLIT_RULE = (
    "Split at random by {group} into train, validation and test (5:1:1). The validation {unit}s end the "
    "training, calibrate the model and set its operating point; the test {unit}s have no part in that."
)
_CROSSED_RULE = (
    "{folds}-fold cross-validation by {group}: every {unit} is judged by a network that saw nothing of its "
    "group, neither to learn from nor to end the training, and is calibrated and decided by the other folds. "
    "The model that is saved {saved}."
)
_AVERAGED = "is the average of the folds' networks"
_REFITTED = "was then trained on all {unit}s, for as many epochs as the folds' networks needed in the median"


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """The fits of a training that are done.

    Attributes
    ----------
    parts, fitted : sequence
        As `parts_of` cut them, and what came of each.
    fit : function of parts
        Fits more: where folds cannot be averaged, all items are fitted once more.
    """

    parts: Sequence[Part]
    fitted: Sequence[Fitted]
    fit: FitAll
    command: str = ""
    amend: Amend | None = None


def assemble(labelled: Labelled, settings: TrainSettings, out: Path, finished: Finished) -> Bundle:
    """Choose, measure and save; what is chosen is chosen on validation items only."""
    plan = Plan.of(settings, labelled)
    chosen = (_crossed if cutting.is_crossed(plan) else _split)(labelled, settings, finished)
    prepared, rows = chosen.prepared, chosen.background
    info = BundleInfo(
        task=labelled.task,
        name=out.name,
        labels=labelled.labels,
        preprocessing=dict(prepared.preprocessing),
        inputs={},
        calibration=chosen.calibration,
        operating_points=chosen.points,
        gate=dict(prepared.gate(rows)),
        recipe=plan.described() | dict(finished.fitted[0].told) | dict(getattr(labelled, "notes", {})),
        seed=plan.seed,
        **labelled.facts(),
    )
    evaluation = evaluation_of(
        chosen.judged, split_rule=chosen.rule, counts=chosen.counts, command=finished.command
    )
    if finished.amend:
        evaluation = finished.amend(evaluation, chosen.judged, finished.parts)
    return bundles.save(
        out,
        chosen.network,
        info,
        history=[row for one in chosen.fitted for row in one.history],
        evaluation=evaluation,
        arrays=prepared.background(rows, plan.seed),
    )


def averaged(networks: Sequence[keras.Model], prepared: Prepared) -> keras.Model:
    """Return one network whose logits are the mean of the networks'."""
    if len(networks) == 1:
        return networks[0]
    given = keras.Input(prepared.shape, name=prepared.name)
    outputs = []
    for number, network in enumerate(networks):
        network.name = f"network_{number + 1}"
        outputs.append(network(given))
    return keras.Model(given, keras.layers.Average(name="logits")(outputs))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Chosen:
    """A network with all that was chosen for it, and what it was measured on."""

    network: keras.Model
    prepared: Prepared
    calibration: Calibration
    points: tuple[OperatingPoint, ...]
    judged: Judged
    rule: str
    background: Rows
    counts: Mapping[str, int]
    fitted: Sequence[Fitted]


def _split(labelled: Labelled, settings: TrainSettings, finished: Finished) -> _Chosen:
    plan = Plan.of(settings, labelled)
    rows = cutting.split_of(labelled, plan.seed)
    made = [rebuilt(labelled, settings, p, f) for p, f in zip(finished.parts, finished.fitted, strict=True)]
    logits = np.mean([one.logits for one in finished.fitted], axis=0)
    on_validation, on_test = logits[: len(rows.validation)], logits[len(rows.validation) :]
    where = f"validation {labelled.unit}s"
    calibration = _calibration(on_validation, labelled.truth[rows.validation], where)
    known, estimates = by_whole(labelled, rows.validation, calibration.apply(on_validation))
    points = _points(labelled, labelled.truth[known], estimates, f"the {where}")
    tested, estimates = by_whole(labelled, rows.test, calibration.apply(on_test))
    decided = _decided(points, estimates)
    return _Chosen(
        network=averaged([network for network, _ in made], made[0][1]),
        prepared=made[0][1],
        calibration=calibration,
        points=points,
        judged=_judged(labelled, tested, estimates, decided, f"test {labelled.unit}s"),
        rule=_SPLIT_RULE.format(unit=labelled.unit, group=_group(labelled)),
        background=rows.train,
        counts=_counts(labelled, {"train": rows.train, "validation": rows.validation, "test": rows.test}),
        fitted=finished.fitted,
    )


def _crossed(labelled: Labelled, settings: TrainSettings, finished: Finished) -> _Chosen:
    everything = np.arange(len(labelled), dtype=np.int64)
    logits = np.zeros((len(labelled), len(labelled.labels)), np.float32)
    folds = cutting.members_of(finished.parts, finished.fitted)
    for part, members in folds:
        logits[part.judged] = np.mean([one.logits for one in members], axis=0)
    where = f"the {labelled.unit}s left out of the folds"
    left_out = [part.judged for part, _ in folds]
    rows, estimates = by_whole(labelled, everything, _calibrated_across(labelled, left_out, logits))
    network, prepared, saved, fitted = _saved(labelled, settings, finished)
    rule = _CROSSED_RULE.format(folds=len(folds), unit=labelled.unit, group=_group(labelled), saved=saved)
    decided = _decided_across(labelled, left_out, rows, estimates)
    return _Chosen(
        network=network,
        prepared=prepared,
        calibration=_calibration(logits, labelled.truth, where),
        points=_points(labelled, labelled.truth[rows], estimates, where),
        judged=_judged(labelled, rows, estimates, decided, f"{len(folds)}-fold cross-validation"),
        rule=rule.format(unit=labelled.unit),
        background=everything,
        counts=_counts(labelled, {"all": everything}),
        fitted=fitted,
    )


def _saved(
    labelled: Labelled, settings: TrainSettings, finished: Finished
) -> tuple[keras.Model, Prepared, str, Sequence[Fitted]]:
    """Return the network that is kept: the folds' average where they read items alike, else a new fit."""
    first = finished.fitted[0]
    size = sum(weights.size for one in finished.fitted for weights in one.weights)
    alike = all(one.preprocessing == first.preprocessing for one in finished.fitted)
    parts, fitted, how = list(finished.parts), list(finished.fitted), _AVERAGED
    again: list[Fitted] = []
    if not alike or size > _MOST_AVERAGED:
        parts = cutting.refits(labelled, Plan.of(settings, labelled), fitted)
        fitted = again = list(finished.fit(parts))
        how = _REFITTED
    made = [rebuilt(labelled, settings, p, f) for p, f in zip(parts, fitted, strict=True)]
    network = averaged([network for network, _ in made], made[0][1])
    return network, made[0][1], how, [*finished.fitted, *again]


def _calibrated_across(labelled: Labelled, folds: Sequence[Rows], logits: Floats) -> Floats:
    """Calibrate the items of each fold by those of the others."""
    found = np.empty_like(logits)
    for rows in folds:
        others = np.setdiff1d(np.arange(len(logits)), rows)
        found[rows] = _calibration(logits[others], labelled.truth[others], "").apply(logits[rows])
    return found


def _decided_across(
    labelled: Labelled, folds: Sequence[Rows], rows: Rows, estimates: Floats
) -> NDArray[np.int64]:
    """Decide the items of each fold at the operating point of the others."""
    decided = np.zeros(len(rows), np.int64)
    for fold in folds:
        own = np.isin(rows, fold)
        decided[own] = _decided(
            _points(labelled, labelled.truth[rows[~own]], estimates[~own], ""), estimates[own]
        )
    return decided


def _judged(
    labelled: Labelled, rows: Rows, estimates: Floats, decided: NDArray[np.int64], part: str
) -> Judged:
    rule = "at the operating point" if len(labelled.labels) == 2 else "the most likely label"
    return Judged(
        labelled.labels, rows, estimates, labelled.truth[rows], decided, labelled.groups[rows], part, rule
    )


def _calibration(logits: Floats, truth: NDArray[np.int64], where: str) -> Calibration:
    # Training weighs rare labels more; offsets bring back how often each comes.
    method: Any = "platt" if len(truth) >= _FEWEST_FOR_OFFSETS else "temperature"
    return fit_calibration(logits, truth, method=method, fitted_on=where, smooth=True)


def _points(
    labelled: Labelled, truth: NDArray[np.int64], probabilities: Floats, where: str
) -> tuple[OperatingPoint, ...]:
    if len(labelled.labels) != 2 or len(np.unique(truth)) < 2:
        return ()
    return (youden_point(labelled.labels[1], truth, probabilities[:, 1], where),)


def _decided(points: Sequence[OperatingPoint], probabilities: Floats) -> NDArray[np.int64]:
    if not points:
        return np.asarray(probabilities.argmax(axis=1), np.int64)
    return np.asarray(probabilities[:, 1] >= points[0].threshold, np.int64)


def _group(labelled: Labelled) -> str:
    return "group" if len(set(labelled.groups.tolist())) < len(labelled) else labelled.unit


def _counts(labelled: Labelled, parts: Mapping[str, Rows]) -> dict[str, int]:
    counts = counted(labelled, parts, f" {labelled.unit}s")
    return counts | {f"{name} groups": len(np.unique(labelled.groups[rows])) for name, rows in parts.items()}
