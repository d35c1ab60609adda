"""Integrated gradients: from one baseline straight to the item, without chance.

The value of an input is its distance from the baseline times the mean gradient of the probability
on the way. The way is cut into panels with a Gauss-Legendre rule in each, so that equal questions
get equal answers without a seed; what the rule misses is the residual.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.explain import baselines
from healthdash.explain.gradients import POINTS_AT_ONCE, products, reason_against
from healthdash.explain.method import explaining, probability_of
from healthdash.explain.types import Arrays, ExplainRequest, Floats, Found, OnProgress, Progress

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["TITLE", "USES", "explain", "reason_against", "rule"]

TITLE = "Integrated gradients"
USES = ("baseline", "samples")
# Nodes of each panel. Networks with ReLU have kinks on the way, where high orders help no further.
_ORDER = 4


@explaining("integrated-gradients")
def explain(
    forward: Forward,
    inputs: Arrays,
    background: Arrays,
    target_index: int,
    request: ExplainRequest,
    on_progress: OnProgress,
) -> Found:
    """Integrate the gradient of the probability of one label from the baseline to the item.

    Parameters
    ----------
    inputs : dict of float32 (1, ...)
    background : dict of float32 (m, ...)
    request : ExplainRequest
        `baseline` is the mean of the background unless it names another; `samples` is the number of
        gradients, over all rows of the baseline.
    on_progress : function of Progress
        Told the share done.

    References
    ----------
    Sundararajan, Taly and Yan 2017, arXiv:1703.01365.
    """
    baseline = request.baseline or "mean"
    starts = baselines.rows(baseline, inputs, background)
    m = len(next(iter(starts.values())))
    steps, weight = rule(max(_ORDER, request.samples // m))
    rows = np.repeat(np.arange(m), len(steps))
    steps, weight = np.tile(steps, m), np.tile(weight, m) / m
    values = {name: np.zeros(array.shape[1:]) for name, array in inputs.items()}
    done = 0
    for block in products(forward, inputs, starts, target_index, rows, steps):
        part = weight[done : done + POINTS_AT_ONCE]
        for name, moved in block.items():
            values[name] += np.tensordot(part, moved.astype(np.float64), axes=1)
        done += len(part)
        on_progress(Progress(done / len(steps)))
    return Found(
        values={name: array.astype(np.float32) for name, array in values.items()},
        base=probability_of(forward, starts, target_index),
        output=probability_of(forward, inputs, target_index),
        samples=len(steps),
        baseline=baselines.TITLES[baseline],
    )


def rule(count: int) -> tuple[NDArray[np.float32], Floats]:
    """Return about `count` points from 0 to 1 and their weights, which sum to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(_ORDER)
    panels = max(1, count // _ORDER)
    points = (np.arange(panels)[:, None] + (nodes + 1) / 2) / panels
    return points.ravel().astype(np.float32), np.tile(weights / (2 * panels), panels)
