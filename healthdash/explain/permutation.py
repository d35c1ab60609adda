"""Sampled Shapley values: paired permutations, for many players.

A permutation walks from a baseline row to the item, one player at a time; the change of the
probability at each step is that player's share. The same permutation walked backwards cancels
much of the noise (antithetic pair). Steps where row and item agree are not run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.explain.game import Game
from healthdash.explain.method import explaining
from healthdash.explain.players import Players
from healthdash.explain.types import Arrays, ExplainRequest, Found, OnProgress, Progress

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["TITLE", "USES", "explain", "reason_against"]

TITLE = "Sampled Shapley values (paired permutations)"
USES = ("baseline", "players", "samples", "tolerance")
# Of a picture or a signal where nobody says who plays.
_PLAYERS_MADE = 32
# Mask values (mixtures times players) put together at once.
_MASKS_AT_ONCE = 1 << 21
# How many times in all a listener is told, at least, where it may end the sampling.
_LOOKS = 20


def reason_against(
    inputs: Arrays, forward: Forward | None = None, players: Players | None = None
) -> str | None:
    """Return None: any inputs have players."""
    return None


@explaining("permutation-shapley")
def explain(
    forward: Forward,
    inputs: Arrays,
    background: Arrays,
    target_index: int,
    request: ExplainRequest,
    on_progress: OnProgress,
) -> Found:
    """Estimate each player's share in the probability of one label.

    Parameters
    ----------
    inputs : dict of float32 (1, ...)
    background : dict of float32 (m, ...)
        The baseline's rows are taken in turn, each at least once, so that the values always add up
        to output - base.
    request : ExplainRequest
        `samples` is the number of permutation pairs; fewer than baseline rows are raised to that.
        `tolerance` ends the sampling earlier.
    on_progress : function of Progress
        Told the share of the budget spent and the largest standard error; a true answer ends the
        sampling.

    References
    ----------
    Castro et al. 2009, Computers & Operations Research 36:1726, sampling permutations; Mitchell
    et al. 2022, JMLR 23:1, antithetic pairs.
    """
    rng = np.random.default_rng(request.seed)
    game = Game.of(forward, inputs, background, target_index, request, _PLAYERS_MADE)
    m, d = game.differs.shape
    pairs = max(m, request.samples)
    rows = _in_turn(m, pairs, rng)
    shares = np.zeros((pairs, d))
    spent, drawn = m + 1, 0
    while drawn < pairs:
        block = slice(drawn, min(pairs, drawn + _pairs_at_once(m, d, pairs)))
        shares[block], evaluated = _shares(game, rows[block], rng)
        spent, drawn = spent + evaluated, block.stop
        if drawn < m:
            on_progress(Progress(drawn / pairs))
            continue
        values, error = _estimate(shares[:drawn], rows[:drawn], game.weight)
        largest = float(error.max(initial=0))
        # Of a saturated model the first draws may agree by chance: 0 spends the budget.
        is_enough = 0 < request.tolerance and largest <= request.tolerance
        if on_progress(Progress(drawn / pairs, largest)) or is_enough:
            break
    on_progress(Progress(1.0, largest))
    return game.found(values, spent, error)


def _pairs_at_once(m: int, d: int, pairs: int) -> int:
    """Return how many pairs to run before looking at the error: whole rounds of the rows if that fits."""
    fitting = max(1, _MASKS_AT_ONCE // (2 * d**2))
    rounds = max(1, pairs // _LOOKS // m)
    return min(fitting, rounds * m)


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
    both_ways = np.concatenate([place, backwards])
    steps, evaluated = _walk(game, np.tile(rows, 2), both_ways, np.tile(length, 2))
    there, back = np.split(steps, 2)
    return (there + back) / 2, evaluated


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
