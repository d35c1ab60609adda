"""Sampled Shapley values: paired permutations, for tables of many columns.

A permutation walks from a background row to the item, one column at a time; the change of the
probability at each step is that column's share. The same permutation walked backwards cancels
much of the noise (antithetic pair). Steps where row and item agree are not run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.explain.table import Game, reason_against_table
from healthdash.explain.types import Arrays, ExplainRequest, Explanation

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["TITLE", "explain", "reason_against"]

TITLE = "Sampled Shapley values (paired permutations)"
# Mask values (mixtures times columns) put together at once.
_MASKS_AT_ONCE = 1 << 21


def reason_against(inputs: Arrays) -> str | None:
    """Say why the inputs are not a table row, or None."""
    return reason_against_table(inputs)


def explain(
    forward: Forward,
    inputs: Arrays,
    background: Arrays,
    target_index: int,
    request: ExplainRequest,
    on_progress: Callable[[float], None] | None = None,
) -> Explanation:
    """Estimate each column's share in the probability of one label.

    Parameters
    ----------
    inputs : dict of one float32 (1, p)
    background : dict of float32 (m, p)
        Its rows are taken in turn, each at least once, so that the values always add up to
        output - base.
    request : ExplainRequest
        `samples` is the number of permutation pairs; fewer than m are raised to m.
    on_progress : function of float
        Told the share done, from 0 to 1.

    References
    ----------
    Castro et al. 2009, Computers & Operations Research 36:1726, sampling permutations; Mitchell
    et al. 2022, JMLR 23:1, antithetic pairs.
    """
    started = time.perf_counter()
    rng = np.random.default_rng(request.seed)
    game = Game.of(forward, inputs, background, target_index)
    pairs = max(len(game.background), request.samples)
    rows = _in_turn(len(game.background), pairs, rng)
    shares = np.zeros((pairs, len(game.item)))
    at_once = max(1, _MASKS_AT_ONCE // (2 * len(game.item) ** 2))
    spent = len(game.background) + 1
    for start in range(0, pairs, at_once):
        block = slice(start, start + at_once)
        shares[block], evaluated = _shares(game, rows[block], rng)
        spent += evaluated
        if on_progress:
            on_progress(min(1.0, (start + at_once) / pairs))
    values, error = _estimate(shares, rows, game.weight)
    return Explanation(
        method="permutation-shapley",
        target=request.target,
        values={game.name: values.astype(np.float32)},
        standard_error={game.name: error.astype(np.float32)},
        base=game.base,
        output=game.output,
        samples=spent,
        seconds=time.perf_counter() - started,
    )


def _in_turn(m: int, n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return n row numbers: every row once in random order, then again, and so on."""
    rounds = [rng.permutation(m) for _ in range(-(-n // m))]
    return np.concatenate(rounds)[:n]


def _shares(game: Game, rows: NDArray[np.intp], rng: np.random.Generator) -> tuple[NDArray[np.float64], int]:
    """Return each pair's shares (n, p), and the number of mixtures that were run."""
    differs = game.differs[rows]
    # Columns that agree with the item come last: the walk has arrived before it meets them.
    order = np.argsort(np.where(differs, rng.random(differs.shape), 2.0), axis=1)
    length = differs.sum(axis=1)
    place = np.argsort(order, axis=1)
    backwards = np.where(differs, length[:, None] - 1 - place, place)
    there, once = _walk(game, rows, place, length)
    back, again = _walk(game, rows, backwards, length)
    return (there + back) / 2, once + again


def _walk(
    game: Game, rows: NDArray[np.intp], place: NDArray[np.intp], length: NDArray[np.intp]
) -> tuple[NDArray[np.float64], int]:
    """Return the step of each column (n, p) when columns move to the item by `place` (n, p)."""
    p = place.shape[1]
    steps = np.arange(1, p)
    walk, step = np.nonzero(steps < length[:, None])
    path = np.repeat(game.at_background[rows][:, None], p + 1, axis=1)
    path[np.arange(p + 1) >= length[:, None]] = game.output
    if len(walk):
        keep = place[walk] < steps[step, None]
        path[walk, steps[step]] = game.worth(rows[walk], keep)
    return np.take_along_axis(np.diff(path, axis=1), place, axis=1), len(walk)


def _estimate(
    shares: NDArray[np.float64], rows: NDArray[np.intp], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return values and standard errors (p,), the background rows being strata.

    With two pairs or more for each row, the spread within rows counts. Otherwise that of all
    pairs does, which takes the differences between rows for noise: too large, if anything.
    """
    count = np.bincount(rows)
    per_pair = (weight / count)[rows]
    values = per_pair @ shares
    if len(shares) < 2:
        return values, np.full(shares.shape[1], np.nan)
    if count.min() >= 2:
        mean = np.zeros((len(count), shares.shape[1]))
        np.add.at(mean, rows, shares / count[rows, None])
        per_pair = per_pair * np.sqrt(count / (count - 1))[rows]
        deviation = shares - mean[rows]
    else:
        deviation = (shares - values) * np.sqrt(len(shares) / (len(shares) - 1))
    return values, np.sqrt((per_pair**2) @ deviation**2)
