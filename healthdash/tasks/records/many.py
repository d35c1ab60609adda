"""Measure a model of three labels or more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.training.evaluation import MetricRow, metric_row, rate_row
from healthdash.training.ranking import auc, separation
from healthdash.training.scores import balanced_accuracy, brier, log_loss

if TYPE_CHECKING:
    from .measure import Scored

__all__ = ["decisions_of_many", "measures_of_many"]

_EACH = "mean over labels, each against the rest"


def measures_of_many(scored: Scored, labels: Sequence[str], site: str = "") -> Iterator[MetricRow]:
    """Yield the figures that need no decision, with 95 % bootstrap intervals over patients."""
    data, probability = scored.data, np.asarray(scored.probability, np.float64)
    yield metric_row(
        "AUC" + site, separation, data.truth, probability, data.groups, part=scored.part, note=_EACH
    )
    for name, score, note in (
        (
            "log loss",
            log_loss,
            f"{np.log(len(labels)):.3f} is what equal probabilities give; smaller is better",
        ),
        ("Brier score", brier, "summed over labels, 0 to 2; smaller is better"),
    ):
        yield metric_row(
            name + site, score, data.truth, probability, data.groups, part=scored.part, note=note
        )
    for k, label in enumerate(labels):
        truth = (data.truth == k).astype(np.int64)
        if 0 < truth.sum() < len(truth):
            yield metric_row(
                f"AUC, {label} against the rest{site}", auc, truth, probability[:, k], data.groups,
                part=scored.part, note=f"prevalence {truth.mean():.3f}", draws=500,
            )  # fmt: skip


def decisions_of_many(
    scored: Scored, decided: NDArray[np.int64], site: str, note: str
) -> Iterator[MetricRow]:
    """Yield what the decided labels give; balanced accuracy is the mean sensitivity of the labels."""
    data = scored.data
    yield metric_row(
        "balanced accuracy" + site,
        balanced_accuracy,
        data.truth,
        decided,
        data.groups,
        part=scored.part,
        note=note,
    )
    yield rate_row("accuracy" + site, data.truth == decided, data.groups, part=scored.part, note=note)
