"""Measure a model of three labels or more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.training.evaluation import MetricRow, metric_row, rate_row

from .ranking import auc, separation

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
            _log_loss,
            f"{np.log(len(labels)):.3f} is what equal probabilities give; smaller is better",
        ),
        ("Brier score", _brier, "summed over labels, 0 to 2; smaller is better"),
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
        "balanced accuracy" + site, _balanced, data.truth, decided, data.groups, part=scored.part, note=note
    )
    yield rate_row("accuracy" + site, data.truth == decided, data.groups, part=scored.part, note=note)


def _log_loss(truth: NDArray[np.int64], probability: NDArray[np.float64]) -> float:
    of_truth = probability[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(of_truth, 1e-12)).mean())


def _brier(truth: NDArray[np.int64], probability: NDArray[np.float64]) -> float:
    """Brier 1950, Monthly Weather Review 78:1."""
    return float(((probability - np.eye(probability.shape[1])[truth]) ** 2).sum(axis=1).mean())


def _balanced(truth: NDArray[np.int64], decided: NDArray[np.int64]) -> float:
    return float(np.mean([(decided[truth == k] == k).mean() for k in np.unique(truth)]))
