"""A cross-validation that leaves whole recordings out, and what it measures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.training.evaluation import Evaluation, MetricRow
from healthdash.training.history import EpochRow

from .decide import fit_decision
from .examples import LABELS, Part
from .measure import Counted, count, evaluation
from .sample import EcgSample

__all__ = ["CrossValidation", "measured"]


@dataclass(slots=True)
class CrossValidation:
    """What the folds give: their networks, and logits of each recording by networks that never saw it.

    `logits` are of the beats that the detector finds, `logits_at_reference` of the annotated ones.
    `silent` are recordings in which it finds none, by their number: not trained on, all their beats missed.
    """

    parts: list[Part]
    folds: list[list[int]]
    silent: Mapping[int, EcgSample] = field(default_factory=dict)
    members: list[Any] = field(default_factory=list)
    logits: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    logits_at_reference: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    history: list[EpochRow] = field(default_factory=list)

    @property
    def labels(self) -> NDArray[np.int64]:
        """Labels of all found beats, in the order of the recordings."""
        return np.concatenate([part.labels for part in self.parts])

    @property
    def all_logits(self) -> NDArray[np.float32]:
        """Logits of all found beats, in the order of the recordings."""
        return np.concatenate([self.logits[i] for i in range(len(self.parts))])


def measured(samples: Sequence[EcgSample], done: CrossValidation, command: str) -> Evaluation:
    """Measure each fold with the calibration and thresholds that the other folds give."""
    found: dict[int, Counted] = {}
    given: dict[int, Counted] = {}
    probabilities: dict[int, NDArray[np.float32]] = {}
    for fold in done.folds:
        others = [i for i in range(len(samples)) if i not in fold]
        decision = fit_decision(
            np.concatenate([done.logits[i] for i in others]),
            np.concatenate([done.parts[i].labels for i in others]),
        )
        for i in fold:
            name = f"recording {done.parts[i].record + 1}"
            annotation, rate = samples[i].annotation, samples[i].rate_hz
            assert annotation is not None
            found[i] = count(name, annotation, samples[i].beats, decision.labels(done.logits[i]), rate)
            at_reference = decision.labels(done.logits_at_reference[i])
            given[i] = count(name, annotation, annotation.samples, at_reference, rate)
            probabilities[i] = decision.calibration.apply(done.logits[i])
    in_order, labels = range(len(samples)), done.labels
    none = np.empty((0, len(LABELS)), np.float32)
    recordings = np.repeat(in_order, [len(part.labels) for part in done.parts])
    placed = evaluation(
        [given[i] for i in in_order],
        part="", split_rule="", truth=labels[:0], probabilities=none, recordings=labels[:0],
    )  # fmt: skip
    return evaluation(
        [*(found[i] for i in in_order), *_missed(done.silent)],
        part="left-out recordings",
        split_rule=(
            f"Whole recordings left out, {len(done.folds)} folds; calibration and thresholds of each fold "
            "come from the others, and the network that ships is the mean of the folds' networks. Beats are "
            "those of the built-in detector, matched within 150 ms; ventricular flutter is left out."
        ),
        truth=labels[labels >= 0],
        probabilities=np.concatenate([probabilities[i] for i in in_order])[labels >= 0],
        recordings=recordings[labels >= 0],
        extra=_renamed(placed.metrics),
        command=command,
    )


def _missed(silent: Mapping[int, EcgSample]) -> Iterator[Counted]:
    """Yield recordings of which every annotated beat is missed."""
    nothing = np.zeros(0, np.int64)
    for number, sample in silent.items():
        assert sample.annotation is not None
        yield count(f"recording {number + 1}", sample.annotation, nothing, nothing, sample.rate_hz)


def _renamed(rows: Sequence[MetricRow]) -> list[MetricRow]:
    wanted = {f"{label} {what}" for label in "SV" for what in ("sensitivity", "+P")}
    part = "left-out recordings, beats at the annotated places"
    return [
        row.model_copy(update={"name": f"{row.name}, annotated places", "part": part})
        for row in rows
        if row.name in wanted
    ]
