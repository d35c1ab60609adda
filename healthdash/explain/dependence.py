"""How the output follows one column when the rest of each row stays: partial dependence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import ExplainerNotApplicable
from healthdash.explain.cohort import mean_and_reach, table_of
from healthdash.explain.types import Arrays, Floats, OnProgress, Progress

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["PartialDependence", "partial_dependence"]

# Rows put together at once.
_ROWS_AT_ONCE = 1 << 15


@dataclass(frozen=True, eq=False)
class PartialDependence:
    """The output as one column takes other values and the rest of each row stays.

    Attributes
    ----------
    values : float32 (k,)
        What the column is set to.
    curves : float32 (n, k)
        One curve a row: individual conditional expectation.
    mean, low, high : float64 (k,), probability
        Partial dependence and its 95 % confidence interval over rows.
    """

    values: NDArray[np.float32]
    curves: NDArray[np.float32]
    mean: Floats
    low: Floats
    high: Floats


def partial_dependence(
    forward: Forward,
    cohort: Arrays,
    column: int,
    target: int,
    *,
    values: NDArray[np.float32] | None = None,
    points: int = 30,
    on_progress: OnProgress | None = None,
) -> PartialDependence:
    """Set one column of every row to each of several values.

    Parameters
    ----------
    cohort : dict of one float32 (n, p)
    column : int
    values : float32 (k,) or None
        None takes the cohort's distinct values, or as many quantiles as `points` when there are more.
    on_progress : function of Progress
        Told the share done; raising cancels.

    References
    ----------
    Friedman 2001, Annals of Statistics 29:1189, partial dependence; Goldstein et al. 2015, Journal of
    Computational and Graphical Statistics 24:44, single curves. Both may ask for rows that no patient has.
    """
    name, rows = table_of(cohort)
    grid = _grid(rows[:, column], points) if values is None else np.asarray(values, np.float32)
    curves = np.empty((len(rows), len(grid)), np.float32)
    at_once = max(1, _ROWS_AT_ONCE // len(grid))
    for start in range(0, len(rows), at_once):
        block = np.repeat(rows[start : start + at_once], len(grid), axis=0)
        block[:, column] = np.tile(grid, len(block) // len(grid))
        found = forward.probabilities({name: block})[:, target]
        curves[start : start + at_once] = found.reshape(-1, len(grid))
        if on_progress:
            on_progress(Progress(min(1.0, (start + at_once) / len(rows))))
    mean, reach = mean_and_reach(curves.astype(np.float64))
    return PartialDependence(grid, curves, mean, np.maximum(mean - reach, 0), np.minimum(mean + reach, 1))


def _grid(values: NDArray[np.float32], points: int) -> NDArray[np.float32]:
    known = values[np.isfinite(values)]
    if len(known) == 0:
        raise ExplainerNotApplicable("the column has no value in this cohort")
    distinct = np.unique(known)
    if len(distinct) <= points:
        return distinct
    return np.unique(np.quantile(known, np.linspace(0, 1, points)).astype(np.float32))
