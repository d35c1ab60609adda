"""Whether synthetic items helped: the same fits without them, on the same judged items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput
from healthdash.training import TrainSettings
from healthdash.training.evaluation import MetricRow
from healthdash.training.paired import Answers, Difference, differences
from healthdash.training.studio.fitting import Fitted, Part
from healthdash.training.studio.items import Labelled, Rows

__all__ = ["compared", "is_asked", "without"]


def is_asked(settings: TrainSettings) -> bool:
    """Say whether the settings ask for the comparison."""
    return settings.synthetic not in (None, "none") and settings.synthetic_compared == "yes"


def without(settings: TrainSettings, parts: Sequence[Part]) -> tuple[TrainSettings, list[Part]]:
    """Return the same settings and parts without synthetic items, named apart in the history."""
    plain = replace(settings, synthetic="none", synthetic_epochs=None, synthetic_compared=None)
    return plain, [replace(part, run=f"{part.run}, without synthetic items") for part in parts]


def compared(
    labelled: Labelled,
    rows: Rows,
    parts: Sequence[Part],
    with_them: Sequence[Fitted],
    plain: Sequence[Fitted],
) -> tuple[MetricRow, ...]:
    """Return the paired differences, with synthetic items minus without, each with its 95 % interval.

    Parameters
    ----------
    rows : int64 (n,)
        Items that are judged; validation items of a split are not among them.
    parts : sequence of Part
        What `with_them` and `plain` were fitted to, in the same order.

    Returns
    -------
    tuple of MetricRow
        Before calibration, at the likeliest label; empty where the judged items are too few for an interval.
    """
    answers = [_answers(labelled, rows, parts, fits) for fits in (plain, with_them)]
    try:
        found = differences(*answers)
    except InvalidInput:
        return ()
    return tuple(
        MetricRow(
            name=f"{one.measure}: with synthetic items minus without",
            value=one.difference,
            low=one.low,
            high=one.high,
            n=len(rows),
            part="the same judged items",
            note=_verdict(one),
        )
        for one in found
    )


def _verdict(one: Difference) -> str:
    if one.winner is None:
        return "no difference that these items can show"
    return "they helped" if one.winner == 1 else "they did harm"


def _answers(labelled: Labelled, rows: Rows, parts: Sequence[Part], fits: Sequence[Fitted]) -> Answers:
    """Return what fits say of the judged items, members of one fold averaged."""
    labels = len(labelled.labels)
    sums, counts = np.zeros((len(labelled), labels)), np.zeros((len(labelled), 1))
    for part, one in zip(parts, fits, strict=True):
        sums[part.judged] += one.logits
        counts[part.judged] += 1
    probabilities = _softmax(sums[rows] / np.maximum(counts[rows], 1))
    return Answers(
        labels=tuple(labelled.labels),
        truth=labelled.truth[rows],
        probabilities=probabilities.astype(np.float32),
        decided=probabilities.argmax(axis=1).astype(np.int64),
        groups=labelled.groups[rows],
    )


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
