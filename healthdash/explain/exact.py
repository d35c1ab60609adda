"""Exact Shapley values: every coalition of a table's columns, through the compiled forward pass.

Against one background row only the columns that differ from the item can change anything, so a
row that shares s of p columns with the item needs 2^(p - s) coalitions and not 2^p. The values
against each row are averaged: Shapley values are linear in the game.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.explain.table import Game, reason_against_table
from healthdash.explain.types import Arrays, ExplainRequest, Explanation

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["MOST_PLAYERS", "TITLE", "explain", "reason_against"]

TITLE = "Exact Shapley values"
#: 2^16 coalitions against 100 rows: 6.5 million rows of the network.
MOST_PLAYERS = 16
# Mixtures put together at once; their masks take p bytes each.
_MIXTURES_AT_ONCE = 1 << 17


def reason_against(inputs: Arrays) -> str | None:
    """Say why the inputs are not a table row of few columns, or None."""
    reason = reason_against_table(inputs)
    if reason:
        return reason
    columns = next(iter(inputs.values())).shape[1]
    if columns > MOST_PLAYERS:
        return f"expected at most {MOST_PLAYERS} columns, the table has {columns}"
    return None


def explain(
    forward: Forward,
    inputs: Arrays,
    background: Arrays,
    target_index: int,
    request: ExplainRequest,
    on_progress: Callable[[float], None] | None = None,
) -> Explanation:
    """Divide the probability of one label exactly among the columns.

    Parameters
    ----------
    inputs : dict of one float32 (1, p), p <= 16
    background : dict of float32 (m, p)
    on_progress : function of float
        Told the share done, from 0 to 1.

    References
    ----------
    Shapley 1953, A value for n-person games, the coalition weights; Lundberg and Lee 2017,
    arXiv:1705.07874, for predictions; Janzing et al. 2020, arXiv:1910.13413, for taking the
    other columns from the background whatever the item's are.
    """
    started = time.perf_counter()
    game = Game.of(forward, inputs, background, target_index)
    values = np.zeros(len(game.item))
    total = int((1 << game.differs.sum(axis=1)).sum())
    done = 0
    for rows, players in _blocks(game):
        shares = _worth(game, rows, players) @ coefficients(players.shape[1])
        np.add.at(values, players, shares * game.weight[rows, None])
        done += len(rows) << players.shape[1]
        if on_progress:
            on_progress(done / total)
    return Explanation(
        method="exact-shapley",
        target=request.target,
        values={game.name: values.astype(np.float32)},
        base=game.base,
        output=game.output,
        samples=total,
        seconds=time.perf_counter() - started,
    )


def _blocks(game: Game) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield background rows with equally many players (g,), and their columns (g, d)."""
    counts = game.differs.sum(axis=1)
    for d in np.unique(counts):
        alike = np.flatnonzero(counts == d)
        players = np.nonzero(game.differs[alike])[1].reshape(len(alike), d)
        at_once = max(1, _MIXTURES_AT_ONCE >> int(d))
        for start in range(0, len(alike), at_once):
            yield alike[start : start + at_once], players[start : start + at_once]


def _worth(game: Game, rows: NDArray[np.intp], players: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return what each coalition is worth against each row, (g, 2^d)."""
    g, d = players.shape
    columns = len(game.item)
    if d == columns:
        keep = np.broadcast_to(coalitions(d), (g, 1 << d, d))
    else:
        keep = np.zeros((g, 1 << d, columns), bool)
        np.put_along_axis(keep, players[:, None, :], coalitions(d)[None], axis=2)
    worth = game.worth(np.repeat(rows, 1 << d), keep.reshape(-1, columns))
    return worth.reshape(g, 1 << d)


@lru_cache(maxsize=MOST_PLAYERS + 1)
def coalitions(players: int) -> NDArray[np.bool_]:
    """Return who is in each coalition, bool (2^d, d); coalition s holds player j by bit j."""
    return (np.arange(1 << players)[:, None] >> np.arange(players)[None, :] & 1).astype(bool)


@lru_cache(maxsize=MOST_PLAYERS + 1)
def coefficients(players: int) -> NDArray[np.float64]:
    """Return the weight of each coalition's worth in each player's value, float64 (2^d, d).

    A coalition S with player j counts +(|S| - 1)! (d - |S|)! / d!, one without j counts
    -|S|! (d - |S| - 1)! / d!.
    """
    inside = coalitions(players)
    size = inside.sum(axis=1)
    weight = np.array(
        [factorial(k) * factorial(players - k - 1) / factorial(players) for k in range(players)]
    )
    joining = weight[np.maximum(size - 1, 0)] if players else np.zeros(1)
    leaving = weight[np.minimum(size, players - 1)] if players else np.zeros(1)
    return np.where(inside, joining[:, None], -leaving[:, None])
