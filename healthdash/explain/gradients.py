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
from healthdash.explain.method import explaining
from healthdash.explain.players import Players
from healthdash.explain.types import Arrays, ExplainRequest, Found, OnProgress, Progress

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["POINTS_AT_ONCE", "TITLE", "USES", "draws", "explain", "products", "reason_against"]

TITLE = "Expected gradients"
USES = ("baseline", "samples", "tolerance")
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
        `samples` is the number of gradients. `tolerance` ends it earlier, when the largest standard
        error of a value is at most that.
    on_progress : function of Progress
        Told the share of the budget spent and the largest standard error; a true answer ends it.

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
    for part in _rounds(count, np.random.default_rng([request.seed, 1])):
        (block,) = products(forward, inputs, background, target_index, rows[part], steps[part])
        for name, values in block.items():
            sums[name].add(values)
        done += len(steps[part])
        largest = max(float(mean.error.max(initial=0)) for mean in sums.values())
        # Of a saturated model the first draws may agree by chance: 0 spends the budget.
        is_enough = 0 < request.tolerance and largest <= request.tolerance
        if on_progress(Progress(done / count, largest)) or is_enough:
            break
    on_progress(Progress(1.0, largest))
    base, output = _ends(forward, background, inputs, target_index)
    return Found(
        values={name: mean.mean.astype(np.float32) for name, mean in sums.items()},
        standard_error={name: mean.error.astype(np.float32) for name, mean in sums.items()},
        base=base,
        output=output,
        samples=done,
        baseline=baselines.TITLES[baseline],
    )


def _ends(forward: Forward, background: Arrays, inputs: Arrays, target: int) -> tuple[float, float]:
    """Return the mean probability of a label over the background, and that of the item.

    The gradient's function says them too. So a network that has not been run before is not traced once
    more for them, which takes longer than some gradients that nobody asked for.
    """
    both = {name: np.concatenate([background[name], inputs[name]]) for name in inputs}
    if forward.is_compiled("logits"):
        found = forward.probabilities(both)[:, target]
    else:
        found = forward.gradients(both, target)[0]
    return float(found[:-1].mean(dtype=np.float64)), float(found[-1])


def _rounds(count: int, rng: np.random.Generator) -> list[slice]:
    """Deal the draws to rounds of one call each, every one of which covers the whole way.

    The rounds come in random order, so that what some of them say is not shifted along the way.
    """
    rounds = -(-count // POINTS_AT_ONCE)
    rounds = min(rounds, count // 2)
    return [slice(int(first), None, rounds) for first in rng.permutation(rounds)]


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
    """Mean of arrays that come in rounds, in order of their strata, and its standard error.

    The error comes from the differences of neighbours in a round (Wolter 2007, Introduction to
    Variance Estimation, chapter 8): neighbours share the part of the way, so that only the spread that
    stratification leaves is counted.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._sum = np.zeros(shape)
        self._squares = np.zeros(shape)
        self._n = self._differences = 0

    def add(self, values: NDArray[np.float32]) -> None:
        """Take in the values of a round, (n, ...)."""
        self._squares += np.square(np.diff(values, axis=0)).sum(axis=0, dtype=np.float64)
        self._sum += values.sum(axis=0, dtype=np.float64)
        self._n += len(values)
        self._differences += len(values) - 1

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean so far."""
        return self._sum / self._n

    @property
    def error(self) -> NDArray[np.float64]:
        """Standard error of the mean."""
        return np.sqrt(self._squares / (2 * self._differences) / self._n)
