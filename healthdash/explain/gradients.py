"""Expected gradients: for pictures and signals, and any network that has a gradient.

The value of an input is the mean, over background items b and points a of the way from b to the
item x, of (x - b) times the gradient of the probability at b + a (x - b). This is what SHAP's
GradientExplainer computes; here the points are stratified, which needs fewer of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.explain import baselines
from healthdash.explain.method import explaining, probability_of
from healthdash.explain.players import Players
from healthdash.explain.types import Arrays, ExplainRequest, Found, OnProgress, Progress

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["POINTS_AT_ONCE", "TITLE", "USES", "draws", "explain", "products", "reason_against"]

TITLE = "Expected gradients"
USES = ("baseline", "samples")
#: Gradients in one call.
POINTS_AT_ONCE = 64


def reason_against(
    inputs: Arrays, forward: Forward | None = None, players: Players | None = None
) -> str | None:
    """Say why the inputs have no path from a background to them, or None."""
    if any(not np.isfinite(values).all() for values in inputs.values()):
        return "expected inputs without missing values"
    if players is not None:
        return "expected no players: each value has a gradient of its own"
    if all(values.ndim == 2 for values in inputs.values()):
        return "expected a picture or a signal; for a table Shapley values say more"
    return None


@explaining("expected-gradients")
def explain(
    forward: Forward,
    inputs: Arrays,
    background: Arrays,
    target_index: int,
    request: ExplainRequest,
    on_progress: OnProgress,
) -> Found:
    """Estimate the share of each pixel or sample in the probability of one label.

    Parameters
    ----------
    inputs : dict of float32 (1, ...)
        All inputs of the network share the probability out among them.
    background : dict of float32 (m, ...)
        Rows of different inputs with one number belong together.
    request : ExplainRequest
        `samples` is the number of gradients.
    on_progress : function of Progress
        Told the share done, from 0 to 1.

    References
    ----------
    Erion et al. 2021, Nature Machine Intelligence 3:620, expected gradients; Sundararajan et
    al. 2017, arXiv:1703.01365, integrated gradients.
    """
    baseline = request.baseline or "background"
    background = baselines.rows(baseline, inputs, background)
    count = max(2, request.samples)
    m = len(next(iter(background.values())))
    rows, steps = draws(m, count, np.random.default_rng(request.seed))
    sums = {name: _RunningMean(values.shape[1:]) for name, values in inputs.items()}
    done = 0
    for block in products(forward, inputs, background, target_index, rows, steps):
        for name, values in block.items():
            sums[name].add(values)
        done = min(count, done + POINTS_AT_ONCE)
        on_progress(Progress(done / count))
    return Found(
        values={name: mean.mean.astype(np.float32) for name, mean in sums.items()},
        standard_error={name: mean.error.astype(np.float32) for name, mean in sums.items()},
        base=probability_of(forward, background, target_index),
        output=probability_of(forward, inputs, target_index),
        samples=count,
        baseline=baselines.TITLES[baseline],
    )


def draws(m: int, count: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Draw background rows and points on the way, stratified together, in order of the points.

    Each of `count` equal parts of the way holds one point. The parts are dealt to the background
    rows round by round, so that a row has its points spread over the whole way too.

    Returns
    -------
    intp (count,), rows; float32 (count,), 0 at the background and 1 at the item
    """
    rounds = [rng.permutation(m) for _ in range(-(-count // m))]
    rows = np.concatenate(rounds)[:count]
    return rows, ((np.arange(count) + rng.random(count)) / count).astype(np.float32)


def products(
    forward: Forward,
    inputs: Arrays,
    background: Arrays,
    target: int,
    rows: NDArray[np.intp],
    steps: NDArray[np.float32],
) -> Iterator[dict[str, NDArray[np.float32]]]:
    """Yield (item - background row) * gradient for blocks of the draws."""
    for start in range(0, len(rows), POINTS_AT_ONCE):
        block = slice(start, start + POINTS_AT_ONCE)
        starts = {name: background[name][rows[block]] for name in inputs}
        ways = {name: inputs[name] - starts[name] for name in inputs}
        points = {name: starts[name] + _like(steps[block], ways[name]) * ways[name] for name in inputs}
        slopes = forward.gradients(points, target)[1]
        yield {name: ways[name] * slopes[name] for name in inputs}


def _like(values: NDArray[np.float32], array: NDArray[np.float32]) -> NDArray[np.float32]:
    return values.reshape(-1, *[1] * (array.ndim - 1))


class _RunningMean:
    """Mean of arrays that come in order of their strata, and its standard error.

    The error comes from the differences of neighbours (Wolter 2007, Introduction to Variance
    Estimation, chapter 8): neighbours share the part of the way, so that only the spread that
    stratification leaves is counted.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._sum = np.zeros(shape)
        self._squares = np.zeros(shape)
        self._last: NDArray[np.float32] | None = None
        self._n = 0

    def add(self, values: NDArray[np.float32]) -> None:
        """Take in the next values, (n, ...)."""
        together = values if self._last is None else np.concatenate([self._last[None], values])
        self._squares += np.square(np.diff(together, axis=0)).sum(axis=0, dtype=np.float64)
        self._sum += values.sum(axis=0, dtype=np.float64)
        self._last = values[-1]
        self._n += len(values)

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean so far."""
        return self._sum / self._n

    @property
    def error(self) -> NDArray[np.float64]:
        """Standard error of the mean."""
        return np.sqrt(self._squares / (2 * (self._n - 1)) / self._n)
