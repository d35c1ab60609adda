"""The figures of a classifier of anything: two labels or more, each figure with its interval by group."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from healthdash.training.evaluation import (
    Evaluation,
    MetricRow,
    confusion,
    curve_points,
    metric_row,
    rate_row,
    reliability_bins,
)
from healthdash.training.ranking import auc, average_precision, separation
from healthdash.training.scores import balanced_accuracy, brier, log_loss

__all__ = ["Judged", "evaluation_of", "figures"]

Labels = NDArray[np.int64]
Score = Callable[[NDArray[np.int64], NDArray[np.float64]], float]
_AGAINST_REST = "mean over labels, each against the rest"


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Items with what a model gave them.

    Attributes
    ----------
    rows : int64 (n,)
        Their numbers in the labelled set.
    probabilities : float (n, k)
        Calibrated, in the order of `labels`.
    truth, decided : int64 (n,)
        Numbers of the true and of the decided label.
    groups : (n,)
        Whole groups are drawn for the intervals.
    part : str
        Where the items come from, as it stands in the card.
    rule : str
        How a label is decided, in words.
    """

    labels: tuple[str, ...]
    rows: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    truth: Labels
    decided: Labels
    groups: NDArray[np.str_]
    part: str
    rule: str = "the most likely label"

    @property
    def ranking(self) -> NDArray[np.float64]:
        """What ranks the items: the second label's probability (n,) of two, all (n, k) of more."""
        wide = np.asarray(self.probabilities, np.float64)
        return wide[:, 1] if wide.shape[1] == 2 else wide


def evaluation_of(
    judged: Judged, *, split_rule: str, counts: Mapping[str, int], command: str = ""
) -> Evaluation:
    """Return everything that is measured of judged items."""
    # Of two labels the second says all; of more each is drawn against the rest.
    shown = (1,) if len(judged.labels) == 2 else tuple(range(len(judged.labels)))
    seen = [k for k in shown if 0 < (judged.truth == k).sum() < len(judged.truth)]
    curves = {k: curve_points(judged.truth == k, judged.probabilities[:, k]) for k in seen}
    return Evaluation(
        split_rule=split_rule,
        counts=dict(counts),
        metrics=tuple(figures(judged)),
        roc={judged.labels[k]: roc for k, (roc, _) in curves.items()},
        precision_recall={judged.labels[k]: line for k, (_, line) in curves.items()},
        reliability={
            judged.labels[k]: reliability_bins(judged.truth == k, judged.probabilities[:, k], judged.groups)
            for k in seen
        },
        confusion=confusion(judged.labels, judged.truth, judged.decided),
        command=command,
    )


def figures(judged: Judged) -> Iterator[MetricRow]:
    """Yield every figure with its 95 % bootstrap interval over groups."""
    is_two = len(judged.labels) == 2
    for name, score, note in _rankings_of_two(judged) if is_two else _rankings_of_many(judged.labels):
        yield metric_row(
            name, score, judged.truth, judged.ranking, judged.groups, part=judged.part, note=note
        )
    if not is_two:
        yield metric_row(
            "balanced accuracy", balanced_accuracy, judged.truth, judged.decided, judged.groups,
            part=judged.part, note=judged.rule,
        )  # fmt: skip
    right = judged.truth == judged.decided
    for name, rows in _denominators_of_two(judged) if is_two else _denominators_of_many(judged):
        yield rate_row(name, right[rows], judged.groups[rows], part=judged.part, note=judged.rule)


def _rankings_of_two(judged: Judged) -> Iterator[tuple[str, Score, str]]:
    prevalence = f"prevalence {judged.truth.mean():.3f}"
    yield "AUC", auc, f"larger means {judged.labels[1]}"
    yield "average precision", average_precision, prevalence
    yield "Brier score", brier, "smaller is better"
    yield (
        "calibration in the large",
        lambda y, p: float(y.mean() - p.mean()),
        "observed minus estimated; 0 is right",
    )


def _rankings_of_many(labels: Sequence[str]) -> Iterator[tuple[str, Score, str]]:
    yield "AUC", separation, _AGAINST_REST
    yield "log loss", log_loss, f"{np.log(len(labels)):.3f} is what equal probabilities give"
    yield "Brier score", brier, "summed over labels, 0 to 2; smaller is better"


def _denominators_of_two(judged: Judged) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield each share with the items that it is of."""
    yield "sensitivity", judged.truth == 1
    yield "specificity", judged.truth == 0
    yield "accuracy", np.ones(len(judged.truth), bool)


def _denominators_of_many(judged: Judged) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield each share with the items that it is of."""
    yield "accuracy", np.ones(len(judged.truth), bool)
    yield from ((f"{label} recall", judged.truth == k) for k, label in enumerate(judged.labels))
