"""Whether synthetic items helped: the same fits without them, on the same judged items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput
from healthdash.training import TrainSettings
from healthdash.training.calibration import Calibration, fit_calibration
from healthdash.training.evaluation import MetricRow
from healthdash.training.paired import Answers, Difference, differences
from healthdash.training.studio.fitting import Fitted, Part
from healthdash.training.studio.items import Labelled, Rows
from healthdash.training.studio.parts import members_of
from healthdash.training.studio.wholes import by_whole

__all__ = ["compared", "is_asked", "without"]

#: As for the model itself: scale and offsets are two numbers and more, fewer items carry a scale only.
_FEWEST_FOR_OFFSETS = 100


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
        Each calibrated alike, at the likeliest label; empty where too few items are judged for an interval.
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
    """Return what fits say of the judged items: members of one fold averaged, calibrated by other items.

    Of an item that is a window of a recording, all windows of it count, as when a model is judged.
    """
    whole = np.asarray(getattr(labelled, "whole", np.arange(len(labelled))))
    every = np.flatnonzero(np.isin(whole, whole[rows])).astype(np.int64)
    logits = np.zeros((len(labelled), len(labelled.labels)), np.float32)
    folds = members_of(parts, fits)
    for part, members in folds:
        logits[part.judged] = np.mean([one.logits for one in members], axis=0)
    judged = [part.judged for part, _ in folds]
    probabilities = np.zeros_like(logits)
    for fold in judged:
        # Of one part that is set aside, the validation items are judged too, and are not among the rows.
        others = np.setdiff1d(np.concatenate(judged), fold if len(judged) > 1 else every)
        probabilities[fold] = _calibration(logits[others], labelled.truth[others]).apply(logits[fold])
    kept, estimates = by_whole(labelled, every, probabilities[every])
    return Answers(
        labels=tuple(labelled.labels),
        truth=labelled.truth[kept],
        probabilities=estimates,
        decided=estimates.argmax(axis=1).astype(np.int64),
        groups=labelled.groups[kept],
    )


def _calibration(logits: NDArray[np.float32], truth: NDArray[np.int64]) -> Calibration:
    if len(np.unique(truth)) < 2:
        return Calibration()
    method: Any = "platt" if len(truth) >= _FEWEST_FOR_OFFSETS else "temperature"
    return fit_calibration(logits, truth, method=method, smooth=True)
