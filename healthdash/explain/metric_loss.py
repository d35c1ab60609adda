"""What a metric loses when the values of a column are mixed up between rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from healthdash.errors import ExplainerNotApplicable
from healthdash.explain.cohort import mean_and_reach, table_of
from healthdash.explain.players import Players
from healthdash.explain.types import Arrays, Floats, OnProgress, Progress

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["METRICS", "Measure", "Metric", "MetricLoss", "metric_loss"]

Truth = NDArray[np.intp] | NDArray[np.int64]
Metric = Callable[[Truth, Floats], float]


def area_under_roc(label: int) -> Metric:
    """Return the metric that says how well rows of a label are ranked above the others, 0.5 by chance.

    References
    ----------
    Hanley and McNeil 1982, Radiology 143:29: it is the Mann-Whitney statistic over the number of pairs.
    """

    def metric(truth: Truth, probabilities: Floats) -> float:
        is_label = truth == label
        inside, outside = int(is_label.sum()), int((~is_label).sum())
        if not inside or not outside:
            raise ExplainerNotApplicable(
                "the area under the ROC curve needs rows of the class and rows of another one",
                hint="Take more rows, or another class.",
            )
        ranks = stats.rankdata(probabilities[:, label])
        return float((ranks[is_label].sum() - inside * (inside + 1) / 2) / (inside * outside))

    return metric


def brier(label: int) -> Metric:
    """Return the mean square distance of the probability from the truth: smaller is better.

    References
    ----------
    Brier 1950, Monthly Weather Review 78:1.
    """

    def metric(truth: Truth, probabilities: Floats) -> float:
        return float(np.mean((probabilities[:, label] - (truth == label)) ** 2))

    return metric


@dataclass(frozen=True)
class Measure:
    """A metric to choose: what makes it for the number of a label, and which way is better."""

    of: Callable[[int], Metric]
    smaller_is_better: bool = False


#: What people call a metric, to the metric.
METRICS: dict[str, Measure] = {
    "area under the ROC curve": Measure(area_under_roc),
    "Brier score": Measure(brier, smaller_is_better=True),
}


@dataclass(frozen=True, eq=False)
class MetricLoss:
    """How much worse a metric becomes when the values of a player are exchanged between rows.

    Attributes
    ----------
    names : tuple of str
    metric : float
        On the cohort as it is.
    mean, low, high : float64 (d,)
        Mean change for the worse over the exchanges and its 95 % confidence interval, for more exchanges of
        these rows.
    smaller_is_better : bool
        Of the metric: for the worse is up.
    """

    names: tuple[str, ...]
    metric: float
    mean: Floats
    low: Floats
    high: Floats
    smaller_is_better: bool = False

    @property
    def order(self) -> NDArray[np.intp]:
        """Players, the most important first."""
        return np.argsort(-self.mean, kind="stable")


def metric_loss(
    forward: Forward,
    cohort: Arrays,
    truth: Truth,
    measure: Measure,
    label: int,
    *,
    players: Players | None = None,
    repeats: int = 10,
    seed: int = 0,
    on_progress: OnProgress | None = None,
) -> MetricLoss:
    """Exchange the values of one player after the other between rows, and measure the metric again.

    Parameters
    ----------
    cohort : dict of one float32 (n, p)
    truth : intp (n,)
        Number of each row's true label.
    measure : Measure
    label : int
        The label whose probability is measured.
    players : Players or None
        Groups of columns that are exchanged together; None: each alone. Columns that say the same as one
        another hide each other's importance unless they are exchanged together.
    on_progress : function of Progress
        Told the share done; raising cancels.

    References
    ----------
    Breiman 2001, Machine Learning 45:5, section 10; Fisher, Rudin and Dominici 2019, JMLR 20:177.
    """
    name, rows = table_of(cohort)
    if len(truth) != len(rows):
        raise ExplainerNotApplicable(f"expected a label for each of {len(rows)} rows, got {len(truth)}")
    among = players or Players.columns(name, [f"column {i + 1}" for i in range(rows.shape[1])])
    metric, worse = measure.of(label), 1 if measure.smaller_is_better else -1
    whole = metric(truth, forward.probabilities({name: rows}).astype(np.float64))
    losses = np.zeros((repeats, len(among)))
    rng = np.random.default_rng(seed)
    for repeat in range(repeats):
        order = rng.permutation(len(rows))
        for player in range(len(among)):
            columns = among.owner[name] == player
            mixed = np.where(columns, rows[order], rows)
            then = metric(truth, forward.probabilities({name: mixed}).astype(np.float64))
            losses[repeat, player] = worse * (then - whole)
            if on_progress:
                on_progress(Progress((repeat * len(among) + player + 1) / losses.size))
    mean, reach = mean_and_reach(losses)
    low, high = mean - reach, mean + reach
    return MetricLoss(among.names, float(whole), mean, low, high, measure.smaller_is_better)
