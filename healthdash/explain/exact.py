"""Exact Shapley values: every coalition of the players, through the compiled forward pass.

Against one baseline row only the players whose values differ from the item's can change anything,
so a row that agrees with the item for s of d players needs 2^(d - s) coalitions and not 2^d. The
values against each row are averaged: Shapley values are linear in the game.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.explain.game import Game
from healthdash.explain.method import explaining
from healthdash.explain.players import Players
from healthdash.explain.sums import FEWEST_PLAYERS, Sum, Sums
from healthdash.explain.types import Arrays, ExplainRequest, Floats, Found, OnProgress, Progress

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = [
    "MOST_PLAYERS",
    "TITLE",
    "USES",
    "blocks",
    "coalitions",
    "explain",
    "number_of_players",
    "reason_against",
    "worths",
]

TITLE = "Exact Shapley values"
USES = ("baseline", "players")
#: 2^16 coalitions against 100 rows: 6.5 million rows of the network.
MOST_PLAYERS = 16
# Of a picture or signal, whose network takes longer.
_PLAYERS_MADE = 10
# Mixtures put together at once; their masks take d bytes each.
_MIXTURES_AT_ONCE = 1 << 17

Group = tuple[NDArray[np.intp], NDArray[np.intp]]


def reason_against(
    inputs: Arrays, forward: Forward | None = None, players: Players | None = None
) -> str | None:
    """Say why there are too many players, or None."""
    count = number_of_players(inputs, players)
    if count > MOST_PLAYERS:
        return f"expected at most {MOST_PLAYERS} columns or players, there are {count}"
    return None


def number_of_players(inputs: Arrays, players: Players | None) -> int:
    """Return how many players there are, or 0 where their number is free."""
    if players is not None:
        return len(players)
    (first, *others) = inputs.values()
    return first.shape[1] if not others and first.ndim == 2 else 0


@explaining("exact-shapley")
def explain(
    forward: Forward,
    inputs: Arrays,
    background: Arrays,
    target_index: int,
    request: ExplainRequest,
    on_progress: OnProgress,
) -> Found:
    """Divide the probability of one label exactly among the players.

    Parameters
    ----------
    inputs : dict of float32 (1, ...)
    background : dict of float32 (m, ...)
    request : ExplainRequest
        Its players, at most 16.
    on_progress : function of Progress
        Told the share done, from 0 to 1.

    References
    ----------
    Shapley 1953, A value for n-person games, the coalition weights; Lundberg and Lee 2017,
    arXiv:1705.07874, for predictions; Janzing et al. 2020, arXiv:1910.13413, for taking the
    other columns from the background whatever the item's are.
    """
    game = Game.of(forward, inputs, background, target_index, request, _PLAYERS_MADE)
    values = np.zeros(len(game.players))
    total = int((1 << game.differs.sum(axis=1)).sum())
    done = 0

    def ran(mixtures: int) -> None:
        nonlocal done
        done += mixtures
        on_progress(Progress(done / total))

    for rows, among, worth in worths(game, ran):
        shares = worth @ coefficients(among.shape[1])
        np.add.at(values, among, shares * game.weight[rows, None])
    return game.found(values, samples=total)


def worths(
    game: Game, on_done: Callable[[int], object]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], Floats]]:
    """Yield what every coalition is worth: rows (g,), their players that matter (g, d), worth (g, 2^d).

    `on_done` is told how many mixtures were run.
    """
    if game.steps is None:
        for rows, among in blocks(game.differs):
            yield rows, among, _mixed(game, rows, among, on_done)
        return
    baseline, steps = game.steps.baseline, game.steps.steps
    ends = np.stack([game.at_background, np.full(len(game.weight), game.output)], axis=1)
    pairs = Pairs(baseline.start, steps, game.differs, ends)
    for rows, among, worth in added(baseline.sums, pairs, game.target):
        yield rows, among, worth
        on_done(worth.size)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Items and baseline rows of a table, q pairs, as sums over columns.

    Attributes
    ----------
    start : float32 (q, h)
        Sums of the row.
    steps : float32 (q, d, h)
        What each player adds on the way to the item.
    differs : bool (q, d)
    ends : float (q, 2)
        Probability of the row and of the item.
    """

    start: Sum
    steps: Sum
    differs: NDArray[np.bool_]
    ends: Floats


def added(
    sums: Sums, pairs: Pairs, target: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], Floats]]:
    """Yield numbers of pairs (g,), their players that matter (g, d), what coalitions are worth (g, 2^d)."""
    everyone = pairs.differs.shape[1]
    least = min(FEWEST_PLAYERS, everyone)
    for pack in _packs(blocks(pairs.differs, least), least):
        groups = [(pairs.start[some], pairs.steps[some[:, None], among]) for some, among in pack]
        for (some, among), worth in zip(pack, sums.coalitions(groups, everyone, target), strict=True):
            # Nobody and everybody are known as the network itself says it, so that values add up to that.
            worth[:, 0], worth[:, -1] = pairs.ends[some].T
            yield some, among, worth


def blocks(differs: NDArray[np.bool_], least: int = 0) -> Iterator[Group]:
    """Yield numbers of baseline rows with equally many players (g,), and these players (g, d).

    Fewer players than `least` take as much memory as that.
    """
    counts = differs.sum(axis=1)
    for d in np.unique(counts):
        alike = np.flatnonzero(counts == d)
        players = np.nonzero(differs[alike])[1].reshape(len(alike), d)
        at_once = max(1, _MIXTURES_AT_ONCE >> max(least, int(d)))
        for start in range(0, len(alike), at_once):
            yield alike[start : start + at_once], players[start : start + at_once]


def _packs(groups: Iterable[Group], least: int) -> Iterator[list[Group]]:
    """Put groups together as long as they are few mixtures."""
    pack: list[Group] = []
    mixtures = 0
    for rows, among in groups:
        size = len(rows) << max(least, among.shape[1])
        if pack and mixtures + size > _MIXTURES_AT_ONCE:
            yield pack
            pack, mixtures = [], 0
        pack.append((rows, among))
        mixtures += size
    if pack:
        yield pack


def _mixed(
    game: Game, rows: NDArray[np.intp], players: NDArray[np.intp], on_done: Callable[[int], object]
) -> Floats:
    """Return what each coalition of some players is worth against each row, (g, 2^d)."""
    g, d = players.shape
    everyone = len(game.players)
    if d == everyone:
        taking_part = np.broadcast_to(coalitions(d), (g, 1 << d, d))
    else:
        taking_part = np.zeros((g, 1 << d, everyone), bool)
        np.put_along_axis(taking_part, players[:, None, :], coalitions(d)[None], axis=2)
    found = game.worth(np.repeat(rows, 1 << d), taking_part.reshape(-1, everyone), on_done)
    return found.reshape(g, 1 << d)


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
