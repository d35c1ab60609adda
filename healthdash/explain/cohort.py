"""How large the shares of each column are over a whole cohort, and what they depend on.

None of this says what would happen to a patient whose value were changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from healthdash import explain
from healthdash.errors import ExplainerNotApplicable
from healthdash.explain.exact_rows import explain_rows
from healthdash.explain.players import of_inputs
from healthdash.explain.types import Arrays, ExplainRequest, Floats, OnProgress, Progress

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["Importance", "Shares", "importance", "mean_and_reach", "partner", "shares", "table_of"]

#: More rows than these are refused.
MOST_ROWS = 10_000
_CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Shares:
    """The explanation of each row of a cohort for one label.

    Attributes
    ----------
    names : tuple of str
        Of the players.
    shares : float32 (n, d)
    base, output : float64 (n,)
    largest_error : float
        Largest standard error of a share; 0 for an exact method.
    """

    names: tuple[str, ...]
    shares: NDArray[np.float32]
    base: Floats
    output: Floats
    largest_error: float


def shares(
    method: str,
    forward: Forward,
    cohort: Arrays,
    background: Arrays,
    labels: Sequence[str],
    request: ExplainRequest,
    on_progress: OnProgress | None = None,
) -> Shares:
    """Explain every row by a method that shares the output out.

    Parameters
    ----------
    cohort : dict of float32 (n, p)
        At most 10,000 rows; not changed.
    on_progress : function of Progress
        Told the share of rows done. A true answer ends with the rows so far; raising cancels.

    Raises
    ------
    ExplainerNotApplicable
        The cohort is empty or too large, or the method does not share out or does not fit.
    """
    rows_of(cohort)
    listener = on_progress or (lambda _: None)
    fits = not explain.reason_against(method, cohort, forward, request.players) and request.target in labels
    if fits and method == "exact-shapley":
        target = list(labels).index(request.target)
        found = explain_rows(forward, cohort, background, target, request, listener)
        if found is not None:
            base = np.full(len(found.output), found.base)
            return Shares(found.players.names, found.shares, base, found.output, 0.0)
    return _one_by_one(method, forward, cohort, background, labels, request, listener)


def _one_by_one(
    method: str,
    forward: Forward,
    cohort: Arrays,
    background: Arrays,
    labels: Sequence[str],
    request: ExplainRequest,
    on_progress: OnProgress,
) -> Shares:
    n, found = rows_of(cohort), []
    for row in range(n):
        one = {name: values[row : row + 1] for name, values in cohort.items()}
        explanation = explain.run(method, forward, one, background, labels, request)
        if not explanation.is_additive:
            raise ExplainerNotApplicable(f"{method} gives no shares of columns", hint="Take Shapley values.")
        found.append(explanation)
        if on_progress(Progress((row + 1) / n)):
            break
    # A method without players has a value for each column.
    players = found[0].players or of_inputs(cohort, most=n)
    return Shares(
        players.names,
        np.array([players.sums(one.values) for one in found], np.float32),
        np.array([one.base for one in found]),
        np.array([one.output for one in found]),
        max(one.largest_error for one in found),
    )


@dataclass(frozen=True, eq=False)
class Importance:
    """Mean absolute share of each player, with its 95 % confidence interval.

    Attributes
    ----------
    names : tuple of str
    mean, low, high : float64 (d,), probability
    rows : int
    """

    names: tuple[str, ...]
    mean: Floats
    low: Floats
    high: Floats
    rows: int

    @property
    def order(self) -> NDArray[np.intp]:
        """Players, the most important first."""
        return np.argsort(-self.mean, kind="stable")


def importance(found: Shares) -> Importance:
    """Average the absolute shares over a cohort; the interval is Student's, for other rows of its kind."""
    size = np.abs(found.shares.astype(np.float64))
    mean, reach = mean_and_reach(size)
    return Importance(found.names, mean, np.maximum(mean - reach, 0), mean + reach, len(size))


def partner(found: Shares, values: NDArray[np.float32], player: int) -> int:
    """Return the player whose values best explain why equal values of one player get unequal shares.

    For the colour of a dependence plot: rows are sorted by the player's value and cut into bins; within them
    the shares are correlated with every other player's values.

    Parameters
    ----------
    values : float32 (n, d)
        One value for each row and player; rows with a gap are left out pair by pair.
    player : int

    References
    ----------
    The rule of `shap.utils.approximate_interactions`, Lundberg et al. 2018, arXiv:1802.03888, section 4.
    """
    order = np.argsort(values[:, player], kind="stable")
    bins = np.array_split(order, max(1, min(len(order) // 10, 50)))
    strength = np.zeros(values.shape[1])
    for other in range(values.shape[1]):
        if other != player:
            strength[other] = sum(
                _correlation(found.shares[rows, player], values[rows, other]) for rows in bins
            )
    strength[player] = -1.0
    return int(strength.argmax())


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known].astype(np.float64), b[known].astype(np.float64)
    if len(a) < 3 or a.std() < 1e-9 or b.std() < 1e-9:
        return 0.0
    return abs(float(np.corrcoef(a, b)[0, 1]))


def rows_of(cohort: Arrays) -> int:
    n = len(next(iter(cohort.values())))
    if not 0 < n <= MOST_ROWS:
        raise ExplainerNotApplicable(f"expected 1 to {MOST_ROWS:,} rows, got {n:,}", hint="Take fewer rows.")
    return n


def table_of(cohort: Arrays) -> tuple[str, NDArray[np.float32]]:
    """Return the name and the rows (n, p) of a cohort that is a table."""
    rows_of(cohort)
    ((name, rows), *others) = cohort.items()
    if others or rows.ndim != 2:
        raise ExplainerNotApplicable("expected rows of a table")
    return name, np.asarray(rows, np.float32)


def mean_and_reach(values: Floats) -> tuple[Floats, Floats]:
    """Return the mean over rows and half the width of its confidence interval; NaN from one row."""
    n = len(values)
    if n < 2:
        return values.mean(axis=0), np.full(values.shape[1:], np.nan)
    factor = float(stats.t.ppf((1 + _CONFIDENCE) / 2, n - 1))
    return values.mean(axis=0), factor * values.std(axis=0, ddof=1) / np.sqrt(n)
