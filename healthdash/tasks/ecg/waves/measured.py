"""How well waves are found in recordings that somebody annotated: the content of an evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.training.evaluation import (
    Evaluation,
    MetricRow,
    bootstrap_interval,
    confusion,
    curve_points,
    rate_row,
    reliability_bins,
)

from .condition import filtered
from .delineate import Delineator, found_in, of_samples
from .limits import LABELS, Annotated, targets
from .matched import POINTS, TOLERANCE_S, Counted, count

__all__ = ["Answered", "answered", "evaluation"]

#: Every so many samples stand for all of them in curves of single samples.
_EVERY = 5
_DRAWS = 400


@dataclass(frozen=True, slots=True)
class Answered:
    """What was found in annotated recordings.

    Attributes
    ----------
    counted : list of Counted
        Every limit of every kind of wave in every lead.
    truth, probability : int64 (n,), float32 (n, 4)
        Of single samples that somebody annotated.
    patient : (n,)
    invented_p : dict of str to float
        P waves found in a minute of one lead, of each patient without any.
    """

    counted: list[Counted]
    truth: NDArray[np.int64]
    probability: NDArray[np.float32]
    patient: NDArray[np.str_]
    invented_p: Mapping[str, float]


def answered(recordings: Sequence[Annotated], call: Delineator, config: Mapping[str, Any]) -> Answered:
    """Delineate each annotated lead by itself and count."""
    counted: list[Counted] = []
    truth, given, patient = [], [], []
    invented = {}
    for one in recordings:
        probability = of_samples(call, one.sample.signal_mv, one.sample.rate_hz, config)
        heights = filtered(one.sample.signal_mv, one.sample.rate_hz, config)
        p_waves = 0
        for lead, limits in enumerate(one.limits):
            if limits is None or len(limits.kind) == 0:
                continue
            found = found_in(probability[lead], heights[:, lead], config["rate_hz"]).limits
            counted.extend(count(one.patient, one.sample.leads[lead], limits, found))
            p_waves += int((found.kind == 1).sum())
            label, known = targets(limits, probability.shape[1], config["rate_hz"])
            rows = np.flatnonzero(known)[::_EVERY]
            truth.append(label[rows])
            given.append(probability[lead, rows])
            patient.append(np.full(len(rows), one.patient))
        if not one.has_p_waves:
            minutes = one.sample.duration_s / 60 * len(one.sample.leads)
            invented[one.patient] = p_waves / minutes
    return Answered(counted, np.concatenate(truth), np.concatenate(given), np.concatenate(patient), invented)


def evaluation(
    found: Answered, *, part: str, split_rule: str, counts: Mapping[str, int], command: str = ""
) -> Evaluation:
    """Return sensitivity, positive predictivity and errors of each limit, with intervals over patients."""
    curves = {
        label: curve_points(found.truth == i, found.probability[:, i]) for i, label in enumerate(LABELS)
    }
    waves = [(kind, point) for kind in ("QRS", "P", "T") for point in POINTS]
    rates = [row for kind, point in waves for row in _rates(found.counted, kind, point, part)]
    errors = [row for kind, point in waves for row in _errors(found.counted, kind, point, part)]
    return Evaluation(
        split_rule=split_rule,
        counts=dict(counts),
        metrics=(*rates, *errors, *_invented(found, part)),
        roc={label: pair[0] for label, pair in curves.items()},
        precision_recall={label: pair[1] for label, pair in curves.items()},
        reliability={
            label: reliability_bins(found.truth == i, found.probability[:, i], found.patient)
            for i, label in enumerate(LABELS)
        },
        confusion=confusion(LABELS, found.truth, found.probability.argmax(axis=1)),
        subgroups=tuple(_by_lead(found.counted, part)),
        command=command,
    ).finite()


def _rates(counted: Sequence[Counted], kind: str, point: str, part: str) -> list[MetricRow]:
    chosen = [one for one in counted if one.kind == kind and one.point == point]
    note = f"{1000 * TOLERANCE_S:.0f} ms, each lead by itself"
    return [
        _rate(f"{kind} {point}, sensitivity", chosen, "missed", part, note),
        _rate(f"{kind} {point}, +P", chosen, "invented", part, note),
    ]


def _rate(name: str, counted: Sequence[Counted], wrong: str, part: str, note: str) -> MetricRow:
    """Return hits over hits and `wrong`: missed gives the sensitivity, invented +P."""
    return rate_row(
        name,
        [one.hits for one in counted],
        [one.patient for one in counted],
        among=[one.hits + getattr(one, wrong) for one in counted],
        part=part,
        note=note,
        draws=_DRAWS,
    )


def _errors(counted: Sequence[Counted], kind: str, point: str, part: str) -> list[MetricRow]:
    chosen = [one for one in counted if one.kind == kind and one.point == point]
    note = "found less annotated, of matched waves"
    return [
        _row(f"{kind} {point}, mean error (ms)", chosen, _mean_ms, part, note),
        _row(f"{kind} {point}, SD of the error (ms)", chosen, _deviation_ms, part, note),
    ]


def _mean_ms(counted: Sequence[Counted]) -> float:
    errors = np.concatenate([one.errors_s for one in counted])
    return 1000 * float(errors.mean()) if len(errors) else float("nan")


def _deviation_ms(counted: Sequence[Counted]) -> float:
    errors = np.concatenate([one.errors_s for one in counted])
    return 1000 * float(errors.std()) if len(errors) else float("nan")


def _row(
    name: str,
    counted: Sequence[Counted],
    score: Callable[[Sequence[Counted]], float],
    part: str,
    note: str,
) -> MetricRow:
    """Measure a score of the matched waves with its interval over patients; NaN where there is none."""

    def statistic(rows: NDArray[np.int64]) -> float:
        return score([counted[row] for row in rows])

    low, high = bootstrap_interval(statistic, [one.patient for one in counted], draws=_DRAWS)
    n = sum(one.hits for one in counted)
    return MetricRow(name=name, value=score(counted), low=low, high=high, n=n, part=part, note=note)


def _invented(found: Answered, part: str) -> list[MetricRow]:
    """Say how many P waves are found where the heart makes none."""
    if not found.invented_p:
        return []
    rates = np.array(list(found.invented_p.values()))
    low, high = bootstrap_interval(
        lambda rows: float(rates[rows].mean()), np.arange(len(rates)), draws=_DRAWS
    )
    return [
        MetricRow(
            name="P waves invented a minute and lead, where there is none",
            value=float(rates.mean()),
            low=low,
            high=high,
            n=len(rates),
            part=part,
            note="patients without any annotated P wave",
        )
    ]


def _by_lead(counted: Sequence[Counted], part: str) -> list[MetricRow]:
    leads = list(dict.fromkeys(one.lead for one in counted))
    rows = []
    for lead in leads:
        for kind in ("P", "T"):
            chosen = [c for c in counted if c.lead == lead and c.kind == kind and c.point == "onset"]
            note = f"{1000 * TOLERANCE_S:.0f} ms"
            rows.append(_rate(f"lead {lead}: {kind} onset, sensitivity", chosen, "missed", part, note))
            rows.append(_rate(f"lead {lead}: {kind} onset, +P", chosen, "invented", part, note))
    return rows
