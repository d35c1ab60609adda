"""KernelSHAP: Shapley values as the best linear fit to what coalitions are worth.

Shapley values solve a weighted regression of a coalition's worth on who is in it [1]. Coalitions
of the sizes that weigh most are run in full while the budget lasts, the others are drawn, each
with its complement [2]. Where all fit into the budget the values are exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.explain.game import Game
from healthdash.explain.method import explaining
from healthdash.explain.players import Players
from healthdash.explain.types import Arrays, ExplainRequest, Floats, Found, OnProgress, Progress

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["TITLE", "USES", "explain", "reason_against"]

TITLE = "Sampled Shapley values (KernelSHAP, paired coalitions)"
USES = ("baseline", "players", "samples", "tolerance")
# Of a picture or a signal where nobody says who plays.
_PLAYERS_MADE = 32
# How many times in all a listener is told, at least, where it may end the sampling.
_LOOKS = 20
_LEAST_FREE = 0.1

Coalitions = NDArray[np.bool_]


def reason_against(
    inputs: Arrays, forward: Forward | None = None, players: Players | None = None
) -> str | None:
    """Return None: any inputs have players."""
    return None


@explaining("kernel-shap")
def explain(
    forward: Forward,
    inputs: Arrays,
    background: Arrays,
    target_index: int,
    request: ExplainRequest,
    on_progress: OnProgress,
) -> Found:
    """Estimate each player's share in the probability of one label by regression.

    Parameters
    ----------
    inputs : dict of float32 (1, ...)
    background : dict of float32 (m, ...)
        Each coalition is run against every row of the baseline.
    request : ExplainRequest
        `samples` is the number of pairs of coalitions, raised to three times the number of players.
        `tolerance` ends the sampling earlier.
    on_progress : function of Progress
        Told the share of the budget spent and the largest standard error; a true answer ends the
        sampling.

    References
    ----------
    1. Lundberg and Lee 2017, arXiv:1705.07874, theorem 2.
    2. Covert and Lee 2021, arXiv:2012.01536, paired sampling.
    """
    game = Game.of(forward, inputs, background, target_index, request, _PLAYERS_MADE)
    active = np.flatnonzero(game.differs.any(axis=0))
    shares, error = np.zeros(len(game.players)), np.zeros(len(game.players))
    spent = len(game.weight) + 1
    if len(active) < 2:
        shares[active] = game.output - game.base
    for drawn, fit in _fits(game, active, request) if len(active) > 1 else ():
        shares[active], error[active], spent = fit.shares, fit.error, fit.spent
        largest = float(error.max())
        # Of a saturated model the first draws may agree by chance: 0 spends the budget.
        is_enough = 0 < request.tolerance and largest <= request.tolerance
        if on_progress(Progress(drawn, largest)) or is_enough:
            break
    on_progress(Progress(1.0, float(error.max(initial=0))))
    return game.found(shares, spent, error)


@dataclass(frozen=True, slots=True)
class _Fit:
    shares: Floats
    error: Floats
    spent: int


def _fits(game: Game, active: NDArray[np.intp], request: ExplainRequest) -> Iterator[tuple[float, _Fit]]:
    """Yield the share of the budget spent, and the fit to all that has been run."""
    rng = np.random.default_rng(request.seed)
    d, m = len(active), len(game.weight)
    pairs = max(3 * d, request.samples)
    fixed, mass, left, fixed_weight = _in_full(d, pairs)
    worth = [_worth(game, fixed, active)]
    n_drawn = max(2, pairs - len(fixed) // 2) if len(left) else 0
    drawn = _drawn(d, n_drawn, left, rng)
    if not n_drawn:
        yield 1.0, _regression(fixed, worth[0], fixed_weight, 0, game, spent=m + 1 + m * len(fixed))
        return
    # Fewer drawn pairs than players are fitted too closely to tell their error.
    at_once = max(d, n_drawn // _LOOKS)
    for start in range(0, n_drawn, at_once):
        stop = min(n_drawn, start + at_once)
        worth.append(_worth(game, drawn[2 * start : 2 * stop], active))
        all_, weight = np.concatenate([fixed, drawn[: 2 * stop]]), np.full(2 * stop, mass / (2 * stop))
        weight = np.concatenate([fixed_weight, weight])
        spent = m + 1 + m * len(all_)
        fit = _regression(all_, np.concatenate(worth), weight, stop, game, spent=spent)
        yield (len(fixed) / 2 + stop) / pairs, fit


def _worth(game: Game, coalitions: Coalitions, active: NDArray[np.intp]) -> Floats:
    everyone = np.zeros((len(coalitions), len(game.players)), bool)
    everyone[:, active] = coalitions
    return game.mean_worth(everyone)


def _in_full(d: int, pairs: int) -> tuple[Coalitions, float, NDArray[np.intp], Floats]:
    """Return the coalitions that are run in full and what the regression leaves to the others.

    Returns
    -------
    bool (n, d), the coalitions
    float, weight of all others
    intp, the sizes of the others, up to half of the players
    float64 (n,), the weight of each
    """
    sizes = np.arange(1, d // 2 + 1)
    both = np.where(2 * sizes == d, 1, 2)
    mass = both / (sizes * (d - sizes))
    mass = mass / mass.sum()
    chosen: list[Coalitions] = []
    weights: list[Floats] = []
    budget = 2 * pairs
    for number, size in enumerate(sizes):
        count = int(both[number]) * comb(d, int(size))
        # One size at least, so that the regression has an answer.
        if number and (count > budget or count > budget * mass[number] / mass[number:].sum()):
            return np.concatenate(chosen), float(mass[number:].sum()), sizes[number:], np.concatenate(weights)
        some = _of_size(d, int(size))
        chosen.append(some if 2 * size == d else np.concatenate([some, ~some]))
        weights.append(np.full(count, mass[number] / count))
        budget -= count
    return np.concatenate(chosen), 0.0, sizes[:0], np.concatenate(weights)


def _of_size(d: int, size: int) -> Coalitions:
    members = np.array(list(combinations(range(d), size)))
    found = np.zeros((len(members), d), bool)
    np.put_along_axis(found, members, True, axis=1)
    return found


def _drawn(d: int, pairs: int, sizes: NDArray[np.intp], rng: np.random.Generator) -> Coalitions:
    """Return drawn coalitions (2 * pairs, d), each followed by its complement."""
    if pairs == 0:
        return np.zeros((0, d), bool)
    mass = np.where(2 * sizes == d, 1, 2) / (sizes * (d - sizes))
    size = rng.choice(sizes, pairs, p=mass / mass.sum())
    rank = np.argsort(np.argsort(rng.random((pairs, d)), axis=1), axis=1)
    some = rank < size[:, None]
    return np.stack([some, ~some], axis=1).reshape(-1, d)


def _regression(
    coalitions: Coalitions, worth: Floats, weight: Floats, pairs: int, game: Game, *, spent: int
) -> _Fit:
    """Fit shares that add up to output - base, and their standard errors from the drawn pairs.

    With P = A^-1 - A^-1 1 1' A^-1 / (1' A^-1 1) for the weighted normal matrix A, the shares move by
    P z e for a coalition z that misses the fit by e: the spread of its sum over drawn pairs is
    their error. A pair that pulls the fit towards itself by its leverage h misses it by 1 / (1 - h) too
    little (the sandwich of MacKinnon and White 1985, HC3).
    """
    z, gain = coalitions.astype(np.float64), worth - game.base
    inverse = np.linalg.inv((z * weight[:, None]).T @ z)
    ones = inverse.sum(axis=1)
    first = inverse @ (z.T @ (weight * gain))
    shares = first - ones * (first.sum() - (game.output - game.base)) / ones.sum()
    if pairs == 0:
        return _Fit(shares, np.zeros(len(shares)), spent)
    projected = inverse - np.outer(ones, ones) / ones.sum()
    leverage = (weight[:, None] * (z @ projected) * z)[-2 * pairs :].reshape(pairs, -1).sum(axis=1)
    missed = (weight * (gain - z @ shares))[:, None] * z
    moved = missed[-2 * pairs :].reshape(pairs, 2, -1).sum(axis=1) @ projected
    moved /= np.maximum(1 - leverage, _LEAST_FREE)[:, None]
    return _Fit(shares, np.sqrt(pairs * moved.var(axis=0, ddof=1)), spent)
