"""What pairs of players do together beyond what each does alone: the Shapley interaction index.

Every coalition is run, against each baseline row only those of the players that differ from it, as for
exact Shapley values; a player that changes nothing has no part in any interaction.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from math import factorial
from typing import TYPE_CHECKING

import numpy as np

from healthdash.errors import ExplainerNotApplicable
from healthdash.explain import exact
from healthdash.explain.game import Game
from healthdash.explain.players import Players
from healthdash.explain.types import Arrays, ExplainRequest, Floats, OnProgress, Progress

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["MOST_PLAYERS", "TITLE", "Interactions", "explain", "reason_against"]

TITLE = "Shapley interactions of pairs"
MOST_PLAYERS = 12
# Of a picture or signal where nobody says who plays.
_PLAYERS_MADE = 8


@dataclass(frozen=True, eq=False)
class Interactions:
    """What pairs of players do together.

    Attributes
    ----------
    players : Players
        d of them.
    target : str
    shares : float64 (d,)
        Shapley value of each player; they sum to output - base.
    index : float64 (d, d)
        Shapley interaction index of each pair, symmetric, 0 on the diagonal. Above 0: together
        they raise the output by more than one by one.
    base, output : float
    samples : int
    seconds : float
    """

    players: Players
    target: str
    shares: Floats
    index: Floats
    base: float
    output: float
    samples: int
    seconds: float

    def strongest(self, count: int = 3) -> list[tuple[str, str, float]]:
        """Return the pairs with the largest interactions: two names and the index."""
        first, second = np.triu_indices(len(self.players), 1)
        order = np.argsort(-np.abs(self.index[first, second]), kind="stable")[:count]
        names = self.players.names
        return [(names[first[i]], names[second[i]], float(self.index[first[i], second[i]])) for i in order]


def reason_against(
    inputs: Arrays, forward: Forward | None = None, players: Players | None = None
) -> str | None:
    """Say why there are too many players, or None."""
    count = exact.number_of_players(inputs, players)
    if count > MOST_PLAYERS:
        return f"expected at most {MOST_PLAYERS} columns or players, there are {count}"
    return None


def explain(
    forward: Forward,
    inputs: Arrays,
    background: Arrays,
    target_index: int,
    request: ExplainRequest,
    on_progress: OnProgress | None = None,
) -> Interactions:
    """Compute the interaction index of every pair for the probability of one label.

    Parameters
    ----------
    inputs : dict of float32 (1, ...)
    background : dict of float32 (m, ...)
    request : ExplainRequest
        Its players, at most 12; group columns to make them fewer.
    on_progress : function of Progress
        Told the share done.

    Raises
    ------
    ExplainerNotApplicable
        There are more players.

    References
    ----------
    Grabisch and Roubens 1999, International Journal of Game Theory 28:547, definition 2; halves on either
    side as in Lundberg et al. 2020, Nature Machine Intelligence 2:56.
    """
    reason = reason_against(inputs, forward, request.players)
    if reason is not None:
        raise ExplainerNotApplicable(f"interactions: {reason}", hint="Put columns together into groups.")
    started = time.perf_counter()
    game = Game.of(forward, inputs, background, target_index, request, _PLAYERS_MADE)
    d = len(game.players)
    shares, index = np.zeros(d), np.zeros((d, d))
    total = int((1 << game.differs.sum(axis=1)).sum())
    done = 0

    def ran(mixtures: int) -> None:
        nonlocal done
        done += mixtures
        if on_progress:
            on_progress(Progress(done / total))

    for rows, among, each in exact.worths(game, ran):
        worth = each * game.weight[rows, None]
        np.add.at(shares, among, worth @ exact.coefficients(among.shape[1]))
        pairs = np.einsum("gs,sij->gij", worth, coefficients(among.shape[1]), optimize=True)
        np.add.at(index, (among[:, :, None], among[:, None, :]), pairs)
    seconds = time.perf_counter() - started
    return Interactions(game.players, request.target, shares, index, game.base, game.output, total, seconds)


@lru_cache(maxsize=MOST_PLAYERS + 1)
def coefficients(players: int) -> Floats:
    """Return the weight of each coalition's worth in each pair's index, float64 (2^d, d, d).

    A coalition that holds k players besides the pair counts k! (d - k - 2)! / (d - 1)!, with + when it
    holds both of the pair or neither, with - when it holds one.
    """
    inside = exact.coalitions(players)
    both = inside[:, :, None].astype(int) + inside[:, None, :]
    others = inside.sum(axis=1)[:, None, None] - both
    most = max(1, players - 1)
    weight = np.array([factorial(k) * factorial(most - 1 - k) / factorial(most) for k in range(most)])
    signed = np.where(both == 1, -1.0, 1.0) * weight[np.clip(others, 0, most - 1)]
    signed[:, np.arange(players), np.arange(players)] = 0.0
    return np.asarray(signed)
