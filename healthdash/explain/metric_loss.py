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

__all__ = ["METRICS", "Metric", "MetricLoss", "metric_loss"]

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


def minus_brier(label: int) -> Metric:
    """Return the metric that is minus the mean square distance of the probability from the truth.

    References
    ----------
    Brier 1950, Monthly Weather Review 78:1.
    """

    def metric(truth: Truth, probabilities: Floats) -> float:
        return -float(np.mean((probabilities[:, label] - (truth == label)) ** 2))

    return metric


#: What people call a metric, to what makes it for the number of a label.
METRICS: dict[str, Callable[[int], Metric]] = {
    "area under the ROC curve": area_under_roc,
    "Brier score (turned round: larger is better)": minus_brier,
}


@dataclass(frozen=True, eq=False)
class MetricLoss:
    """What a metric loses when the values of a player are exchanged between rows.

    Attributes
    ----------
    names : tuple of str
    metric : float
        On the cohort as it is.
    mean, low, high : float64 (d,)
        Mean loss over the exchanges and its 95 % confidence interval, for more exchanges of these rows.
    """

    names: tuple[str, ...]
    metric: float
    mean: Floats
    low: Floats
    high: Floats

    @property
    def order(self) -> NDArray[np.intp]:
        """Players, the most important first."""
        return np.argsort(-self.mean, kind="stable")


def metric_loss(
    forward: Forward,
    cohort: Arrays,
    truth: Truth,
    metric: Metric,
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
    metric : function of truth (n,) and probabilities float64 (n, labels)
        Larger is better.
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
    whole = metric(truth, forward.probabilities({name: rows}).astype(np.float64))
    losses = np.zeros((repeats, len(among)))
    rng = np.random.default_rng(seed)
    for repeat in range(repeats):
        order = rng.permutation(len(rows))
        for player in range(len(among)):
            columns = among.owner[name] == player
            mixed = np.where(columns, rows[order], rows)
            losses[repeat, player] = whole - metric(
                truth, forward.probabilities({name: mixed}).astype(np.float64)
            )
            if on_progress:
                on_progress(Progress((repeat * len(among) + player + 1) / losses.size))
    mean, reach = mean_and_reach(losses)
    return MetricLoss(among.names, float(whole), mean, mean - reach, mean + reach)
