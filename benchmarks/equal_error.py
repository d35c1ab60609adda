"""Two samplers compared by the time that each needs for one error."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.cases import Values
from benchmarks.rows import Row, seconds_of

__all__ = ["at_equal_error"]

_SEEDS = 5


def at_equal_error(
    name: str,
    ours: Callable[[int], Values],
    theirs: Callable[[int], Values],
    truth: Values,
    *,
    reference: str,
    at_least: float | None,
    seeds: int = _SEEDS,
) -> Row:
    """Compare time times mean square error, which does not depend on the number of samples.

    Parameters
    ----------
    ours, theirs : functions of a seed
        Give the values of one explanation.
    truth : array
        The values of very many samples, or exact ones.
    """
    ours(0), theirs(0)  # warm
    runs: list[list[tuple[float, Values]]] = [[], []]
    for seed in range(1, seeds + 1):  # in turn, so that other load meets both
        for run, sampler in zip(runs, (ours, theirs), strict=True):
            run.append(seconds_of(partial(sampler, seed)))
    times = [float(np.median([seconds for seconds, _ in run])) for run in runs]
    errors = [_error(np.array([values for _, values in run]), truth) for run in runs]
    both = [np.mean([values for _, values in run], axis=0) for run in runs]
    difference = float(np.sqrt(np.square(both[0] - both[1]).mean()))
    expected = float(np.sqrt((errors[0] ** 2 + errors[1] ** 2) / seeds))
    return Row.compared(
        name,
        ours=f"{times[0]:.3f} s, error {errors[0]:.1e}",
        reference=f"{times[1]:.2f} s, error {errors[1]:.1e} shap {reference}",
        ratio=times[1] * errors[1] ** 2 / (times[0] * errors[0] ** 2),
        at_least=at_least,
        check=f"means differ by {difference:.0e}, chance {expected:.0e}",
        equal=difference < 3 * expected + 1e-7,
    )


def _error(runs: Values, truth: Values) -> float:
    return float(np.sqrt(np.square(runs - truth).mean()))
