"""What was measured of a model, and how: the content of `evaluation.json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict

from healthdash.training import intervals
from healthdash.training.explained import ExplanationQuality

__all__ = [
    "Confusion",
    "Evaluation",
    "MetricRow",
    "Points",
    "ReliabilityBin",
    "bootstrap_interval",
    "confusion",
    "curve_points",
    "metric_row",
    "rate_row",
    "reliability_bins",
]

_MOST_POINTS = 200
#: Bars of reliability, and the draws for the interval of each.
_BINS, _BIN_DRAWS = 10, 400


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MetricRow(_Frozen):
    """One figure with its 95 % interval; `n` counts the items that it is of, `note` says the rest."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int
    part: str
    note: str = ""


class Points(_Frozen):
    """A curve; for ROC x is 1 - specificity and y sensitivity, for PR recall and precision."""

    x: tuple[float, ...]
    y: tuple[float, ...]


class ReliabilityBin(_Frozen):
    """Mean predicted probability against observed frequency of n rows, with the 95 % interval over groups."""

    predicted: float
    observed: float
    low: float
    high: float
    n: int

    @property
    def turned(self) -> ReliabilityBin:
        """The same rows, asked about the other one of two labels."""
        return ReliabilityBin(
            predicted=1 - self.predicted,
            observed=1 - self.observed,
            low=1 - self.high,
            high=1 - self.low,
            n=self.n,
        )


class Confusion(_Frozen):
    """Counts; rows are true labels, columns decided ones."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class Evaluation(_Frozen):
    """Everything measured of one bundle.

    Attributes
    ----------
    split_rule : str
        How the tested rows were kept apart, in words.
    counts : dict
        Rows and groups in each part.
    metrics, subgroups, comparisons : tuple of MetricRow
        Of the model; of parts of the test rows; of other models on the same rows.
    roc, precision_recall, reliability : dict
        By label or named group of labels.
    explanations : ExplanationQuality or None
        How good its explanations are; None where that was not measured.
    """

    split_rule: str
    counts: dict[str, int]
    metrics: tuple[MetricRow, ...]
    roc: dict[str, Points] = {}
    precision_recall: dict[str, Points] = {}
    reliability: dict[str, tuple[ReliabilityBin, ...]] = {}
    confusion: Confusion | None = None
    subgroups: tuple[MetricRow, ...] = ()
    comparisons: tuple[MetricRow, ...] = ()
    command: str = ""
    explanations: ExplanationQuality | None = None

    def finite(self) -> Evaluation:
        """Return it without the figures that are no number: of rows of one label there is no AUC."""
        kinds = {"metrics": self.metrics, "subgroups": self.subgroups, "comparisons": self.comparisons}
        known = {name: tuple(r for r in rows if np.isfinite(r.value)) for name, rows in kinds.items()}
        return self.model_copy(update=known)

    def metric(self, name: str) -> MetricRow:
        """Return the figure of that name."""
        return next(row for row in self.metrics if row.name == name)

    def frequency_near(self, label: str, probability: float, labels: Sequence[str]) -> ReliabilityBin | None:
        """Return how often a label was right among the tested rows whose output was nearest to this one.

        Parameters
        ----------
        label : str
            A label or named group; of two labels the other one's rows are counted the other way round.
        labels : sequence of str
            All labels of the model.

        Returns
        -------
        ReliabilityBin or None
            None where nothing was measured for the label.
        """
        bins = self.reliability.get(label, ())
        if not bins and len(labels) == 2 and label in labels:
            (other,) = set(labels) - {label}
            bins = tuple(one.turned for one in self.reliability.get(other, ()))
        return min(bins, key=lambda one: abs(one.predicted - probability), default=None)


def bootstrap_interval(
    statistic: Callable[[NDArray[np.int64]], float],
    groups: ArrayLike,
    *,
    draws: int = 1000,
) -> tuple[float | None, float | None]:
    """Return the 95 % percentile interval of a statistic, drawing whole groups.

    Parameters
    ----------
    statistic : function of int64 (m,) row numbers
        May return NaN (a draw without one of the classes); such draws are left out.
    groups : (n,)
        Patient or record of each row.

    Returns
    -------
    (float or None, float or None)
        None, None where there is one group only, so that every draw is the whole, or where no draw has
        a value.

    References
    ----------
    Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
    """
    names, codes = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) < 2:
        return None, None
    rng, rows = np.random.default_rng(0), np.arange(len(codes))
    values = np.empty(draws)
    for draw in range(draws):
        times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        values[draw] = statistic(np.repeat(rows, times[codes]))
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return None, None
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def metric_row(
    name: str,
    score: Callable[..., float],
    truth: ArrayLike,
    predicted: ArrayLike,
    groups: ArrayLike,
    *,
    part: str,
    note: str = "",
    draws: int = 1000,
) -> MetricRow:
    """Measure `score(truth, predicted)` with its interval over groups.

    Draws that lost a class which the rows have are left out; without any other draw there is
    no interval.
    """
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    has_classes = len(np.unique(truth)) > 1

    def statistic(rows: NDArray[np.int64]) -> float:
        if has_classes and len(np.unique(truth[rows])) < 2:
            return float("nan")
        return float(score(truth[rows], predicted[rows]))

    low, high = bootstrap_interval(statistic, groups, draws=draws)
    value = float(score(truth, predicted))
    return MetricRow(name=name, value=value, low=low, high=high, n=len(truth), part=part, note=note)


def rate_row(
    name: str,
    right: ArrayLike,
    groups: ArrayLike,
    *,
    part: str,
    among: ArrayLike | None = None,
    note: str = "",
    draws: int = 1000,
) -> MetricRow:
    """Measure in what share of rows something is right, with its interval over groups.

    Parameters
    ----------
    right : bool (n,), or int (n,)
        Of the rows in the denominator alone: of a sensitivity those that have the label.
    groups : (n,)
        Patient or record of each row.
    among : int (n,), optional
        Where a row stands for several trials, how many; `right` then says how many of them are right.

    Returns
    -------
    MetricRow
        `n` is the denominator. Without rows the value is NaN; of one group alone there is no interval.

    References
    ----------
    `intervals.share_interval` names them; where no group errs it is the exact interval of so many groups, and
    of fewer than 20 groups never narrower than that.
    """
    hits = np.asarray(right, np.float64)
    trials = np.ones(len(hits)) if among is None else np.asarray(among, np.float64)
    n, low, high = int(trials.sum()), None, None
    share = float(hits.sum() / n) if n else float("nan")
    _, group = np.unique(np.asarray(groups)[trials > 0], return_inverse=True)
    counts, sums = (np.bincount(group, values[trials > 0])[:, None] for values in (trials, hits))
    if len(counts) > 1:
        drawn = intervals.drawn_shares(sums, counts, draws=draws)
        low, high = intervals.share_interval(drawn[:, 0], share, len(counts))
    return MetricRow(name=name, value=share, low=low, high=high, n=n, part=part, note=note)


def curve_points(truth: ArrayLike, score: ArrayLike) -> tuple[Points, Points]:
    """Return the ROC and the precision-recall curve, thinned to at most 200 points each."""
    from sklearn import metrics as sk  # the first page must not wait for it

    false_positive, true_positive, _ = sk.roc_curve(truth, score)
    precision, recall, _ = sk.precision_recall_curve(truth, score)
    return _thinned(false_positive, true_positive), _thinned(recall[::-1], precision[::-1])


def reliability_bins(
    truth: ArrayLike, probability: ArrayLike, groups: ArrayLike
) -> tuple[ReliabilityBin, ...]:
    """Return bins of about equal size by predicted probability; equal probabilities share a bin.

    Parameters
    ----------
    groups : (n,)
        Patient or record of each row. Whole groups are drawn for the intervals, the bins staying as they
        are: beats of one patient are right or wrong together, and a million of them say little more than
        their patients. Of fewer than 20 groups in a bin the interval is never narrower than the exact one
        of so many trials. Where every row is a group of its own, it is Wilson's.

    References
    ----------
    `intervals.drawn_shares`, `intervals.share_interval` and `intervals.wilson` name them.
    """
    truth, probability = np.asarray(truth, float), np.asarray(probability, float)
    if not len(truth):
        return ()
    number = _bin_numbers(probability, _BINS)
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    shape = (int(group.max()) + 1, int(number.max()) + 1)
    cell = group * shape[1] + number
    counts, hits, estimates = (
        np.bincount(cell, weights, minlength=shape[0] * shape[1]).reshape(shape)
        for weights in (None, truth, probability)
    )
    n = counts.sum(axis=0)
    observed, predicted = hits.sum(axis=0) / n, estimates.sum(axis=0) / n
    if shape[0] == len(truth):
        ends = [intervals.wilson(float(p), int(m)) for p, m in zip(observed, n, strict=True)]
    else:
        drawn = intervals.drawn_shares(hits, counts, draws=_BIN_DRAWS)
        seen = (counts > 0).sum(axis=0)
        ends = [intervals.share_interval(drawn[:, k], float(p), int(seen[k])) for k, p in enumerate(observed)]
    return tuple(
        ReliabilityBin(predicted=float(q), observed=float(p), low=low, high=high, n=int(m))
        for q, p, (low, high), m in zip(predicted, observed, ends, n, strict=True)
    )


def confusion(labels: Sequence[str], truth: ArrayLike, decided: ArrayLike) -> Confusion:
    """Count true against decided label numbers."""
    from sklearn import metrics as sk

    counts = sk.confusion_matrix(truth, decided, labels=range(len(labels)))
    return Confusion(labels=tuple(labels), counts=tuple(tuple(int(c) for c in row) for row in counts))


def flat_metrics(evaluation: Evaluation) -> Mapping[str, Any]:
    """Return the metrics as one JSON object: name to value and interval, without those that are no number."""
    return {
        row.name: {"value": row.value, "low": row.low, "high": row.high, "n": row.n, "part": row.part}
        for row in evaluation.finite().metrics
    }


def _bin_numbers(probability: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """Return the number of each row's bin, from 0 on without a gap."""
    order = np.argsort(probability, kind="stable")
    sizes = [len(rows) for rows in np.array_split(order, bins)]
    # Within a tie the order is that of the file: each cut moves to the end of its tie.
    inner = np.cumsum(sizes)[:-1]
    ends = np.unique(probability[order[inner[inner > 0] - 1]])
    number = np.searchsorted(ends, probability, side="left")
    return np.unique(number, return_inverse=True)[1].astype(np.int64)


def _thinned(x: NDArray[np.float64], y: NDArray[np.float64]) -> Points:
    keep = np.unique(np.linspace(0, len(x) - 1, min(len(x), _MOST_POINTS)).round().astype(int))
    return Points(x=tuple(np.round(x[keep], 5).tolist()), y=tuple(np.round(y[keep], 5).tolist()))
