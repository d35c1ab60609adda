"""Figures of beat labelling as ANSI/AAMI EC57 counts them, with intervals over recordings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from healthdash.training.evaluation import (
    Confusion,
    Evaluation,
    MetricRow,
    Points,
    ReliabilityBin,
    curve_points,
    rate_row,
    reliability_bins,
)

from .examples import LABELS, TOLERANCE_S, matched
from .sample import Annotation

__all__ = ["Counted", "count", "evaluation"]

_NONE = len(LABELS)
_FEWEST_BEATS = 10

Counts = NDArray[np.int64]
#: How many of how many, each (...) for counts (..., 6, 6).
Shared = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Counted:
    """One recording: its name, and reference against decided labels, int64 (6, 6).

    The last row counts found beats without a reference, the last column reference beats not found.
    """

    name: str
    counts: NDArray[np.int64]


def count(
    name: str, annotation: Annotation, found: NDArray[np.int64], decided: NDArray[np.int64], rate_hz: float
) -> Counted:
    """Match found beats to reference beats within 150 ms and count labels; flutter is left out."""
    outside = np.ones(len(found), bool)
    for start, stop in annotation.excluded:
        outside &= (found < start) | (found > stop)
    found, decided = found[outside], decided[outside]
    pairs = matched(annotation.samples, found, TOLERANCE_S * rate_hz)
    reference = np.asarray([LABELS.index(label) for label in annotation.labels.tolist()], np.int64)
    counts = np.zeros((_NONE + 1, _NONE + 1), np.int64)
    called = np.full(len(reference), _NONE)
    called[pairs >= 0] = decided[pairs[pairs >= 0]]
    np.add.at(counts, (reference, called), 1)
    alone = np.ones(len(found), bool)
    alone[pairs[pairs >= 0]] = False
    np.add.at(counts[_NONE], decided[alone], 1)
    return Counted(name, counts)


def evaluation(
    records: Sequence[Counted],
    *,
    part: str,
    split_rule: str,
    truth: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    recordings: NDArray[np.int64],
    extra: Sequence[MetricRow] = (),
    command: str = "",
) -> Evaluation:
    """Return all figures of some recordings.

    Parameters
    ----------
    truth, probabilities, recordings : (n,), (n, k), (n,)
        Of the matched beats only, for the curves and the reliability: true label, probabilities and number
        of the recording.
    """
    counts = np.stack([record.counts for record in records])
    total = counts.sum(axis=0)
    names = {"V": "ventricular", "S": "supraventricular"}
    roc: dict[str, Points] = {}
    precision: dict[str, Points] = {}
    reliability: dict[str, tuple[ReliabilityBin, ...]] = {}
    for label in names:
        is_label = truth == LABELS.index(label)
        if 0 < is_label.sum() < len(is_label):
            scores = probabilities[:, LABELS.index(label)]
            roc[label], precision[label] = curve_points(is_label, scores)
            reliability[label] = reliability_bins(is_label, scores, recordings)
    kept = total[:_NONE, :_NONE]
    return Evaluation(
        split_rule=split_rule,
        counts={"recordings": len(records), "beats": int(total[:_NONE].sum())},
        metrics=(*_metrics(counts, part), *extra),
        roc=roc,
        precision_recall=precision,
        reliability=reliability,
        confusion=Confusion(labels=LABELS, counts=tuple(tuple(int(c) for c in row) for row in kept)),
        subgroups=tuple(row for record in records for row in _of_record(record, part)),
        command=command,
    )


def _sensitivity(counts: Counts, label: int) -> Shared:
    return counts[..., label, label], counts[..., label, :].sum(axis=-1)


def _precision(counts: Counts, label: int) -> Shared:
    return counts[..., label, label], counts[..., :, label].sum(axis=-1)


def _precision_ec57(counts: Counts, label: int) -> Shared:
    """Leave out what EC57 does not count as wrong: F and Q called V, and Q called S."""
    spared = (LABELS.index("F"), LABELS.index("Q")) if LABELS[label] == "V" else (LABELS.index("Q"),)
    right, called = _precision(counts, label)
    return right, called - sum(counts[..., other, label] for other in spared)


def _detected(counts: Counts) -> Shared:
    return _pairs(counts).sum(axis=(-2, -1)), counts[..., :_NONE, :].sum(axis=(-2, -1))


def _detections(counts: Counts) -> Shared:
    return _pairs(counts).sum(axis=(-2, -1)), counts[..., :, :_NONE].sum(axis=(-2, -1))


def _labelled_rightly(counts: Counts) -> Shared:
    right = np.trace(_pairs(counts), axis1=-2, axis2=-1)
    return right, counts[..., :_NONE, :].sum(axis=(-2, -1))


def _pairs(counts: Counts) -> Counts:
    return counts[..., :_NONE, :_NONE]


def _metrics(counts: Counts, part: str) -> list[MetricRow]:
    """Return the figures of each label, of the detector, and the share of reference beats labelled rightly.

    A share of nothing is left out: where no beat is called Q, it is not known how many would be right.
    """
    measures: dict[str, Callable[[Counts], Shared]] = {}
    for number, label in enumerate(LABELS):
        of_label = {"sensitivity": _sensitivity, "+P": _precision}
        if label in ("S", "V"):
            of_label["+P by EC57"] = _precision_ec57
        measures |= {f"{label} {what}": partial(of, label=number) for what, of in of_label.items()}
    measures |= {
        "beat detection sensitivity": _detected,
        "beat detection +P": _detections,
        "accuracy": _labelled_rightly,
    }
    rows = []
    for name, measure in measures.items():
        right, among = measure(counts)
        rows.append(rate_row(name, right, np.arange(len(counts)), among=among, part=part))
    return [row for row in rows if row.n]


def _of_record(record: Counted, part: str) -> list[MetricRow]:
    rows = []
    for label in ("V", "S"):
        number = LABELS.index(label)
        n, called = int(record.counts[number].sum()), int(record.counts[:, number].sum())
        right = int(record.counts[number, number])
        if n >= _FEWEST_BEATS:
            note = f"{right} of {n} found, {called - right} other beats so called"
            rows.append(
                MetricRow(
                    name=f"{record.name}: {label} sensitivity", value=right / n, n=n, part=part, note=note
                )
            )
        elif called >= _FEWEST_BEATS:
            note = f"{right} of {n} found, {called - right} other beats so called"
            rows.append(
                MetricRow(
                    name=f"{record.name}: {label} +P", value=right / called, n=called, part=part, note=note
                )
            )
    return rows
