"""Figures of beat labelling as ANSI/AAMI EC57 counts them, with intervals over recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from healthdash.training.evaluation import (
    Confusion,
    Evaluation,
    MetricRow,
    Points,
    ReliabilityBin,
    curve_points,
    reliability_bins,
)

from .examples import LABELS, TOLERANCE_S, matched
from .sample import Annotation

__all__ = ["Counted", "count", "evaluation"]

_NONE = len(LABELS)
_DRAWS = 1000
_FEWEST_BEATS = 10


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


def _sensitivity(counts: NDArray[np.int64], label: int) -> NDArray[np.float64]:
    return _share(counts[..., label, label], counts[..., label, :].sum(axis=-1))


def _precision(counts: NDArray[np.int64], label: int) -> NDArray[np.float64]:
    return _share(counts[..., label, label], counts[..., :, label].sum(axis=-1))


def _precision_ec57(counts: NDArray[np.int64], label: int) -> NDArray[np.float64]:
    """Leave out what EC57 does not count as wrong: F and Q called V, and Q called S."""
    spared = (LABELS.index("F"), LABELS.index("Q")) if LABELS[label] == "V" else (LABELS.index("Q"),)
    wrong = counts[..., :, label].sum(axis=-1) - sum(counts[..., other, label] for other in spared)
    return _share(counts[..., label, label], wrong)


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _metrics(counts: NDArray[np.int64], part: str) -> list[MetricRow]:
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=_DRAWS)
    if len(counts) < 2:  # each draw would be the whole: draws of nothing, which have no figures
        drawn = np.zeros_like(drawn)
    samples = np.einsum("dr,rij->dij", drawn, counts)
    total = counts.sum(axis=0)
    rows = []
    for number, label in enumerate(LABELS):
        n = int(total[number].sum())
        if n == 0:
            continue
        measures = [("sensitivity", _sensitivity), ("+P", _precision)]
        if label in ("S", "V"):
            measures.append(("+P by EC57", _precision_ec57))
        rows += [
            _row(f"{label} {what}", measure(total, number), measure(samples, number), n, part)
            for what, measure in measures
        ]
    return [*rows, *_overall(total, samples, part)]


def _overall(total: NDArray[np.int64], samples: NDArray[np.int64], part: str) -> list[MetricRow]:
    """Return the figures of the detector, and the share of reference beats labelled rightly."""

    def figures(counts: NDArray[np.int64]) -> list[NDArray[np.float64]]:
        beats = counts[..., :_NONE, :].sum(axis=(-2, -1))
        calls = counts[..., :, :_NONE].sum(axis=(-2, -1))
        pairs = counts[..., :_NONE, :_NONE]
        right = np.trace(pairs, axis1=-2, axis2=-1)
        return [
            _share(pairs.sum(axis=(-2, -1)), beats),
            _share(pairs.sum(axis=(-2, -1)), calls),
            _share(right, beats),
        ]

    names = ("beat detection sensitivity", "beat detection +P", "accuracy")
    n = int(total[:_NONE].sum())
    values = zip(names, figures(total), figures(samples), strict=True)
    return [_row(name, value, drawn, n, part) for name, value, drawn in values]


def _row(
    name: str, value: float | NDArray[np.float64], drawn: NDArray[np.float64], n: int, part: str
) -> MetricRow:
    known = drawn[np.isfinite(drawn)]
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (None, None)
    value = float(value)
    return MetricRow(
        name=name, value=value if np.isfinite(value) else 0.0, low=low, high=high, n=n, part=part
    )


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
    return rows
