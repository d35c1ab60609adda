"""What coalitions of players are worth: the game that Shapley values divide.

Coalition S of an item x against a baseline b_1 ... b_m is worth the mean probability of the
inputs that take the players in S from x and the others from b_i (interventional, or marginal).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.explain import baselines, players
from healthdash.explain.players import Players
from healthdash.explain.steps import Steps
from healthdash.explain.types import Arrays, ExplainRequest, Floats, Found

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["Game", "default_baseline", "differs", "distinct"]

# Mask values (mixtures times values of an input) put together at once.
_MASKS_AT_ONCE = 1 << 24


@dataclass(frozen=True, eq=False)
class Game:
    """One item against a baseline.

    Attributes
    ----------
    players : Players
        d of them.
    item : dict of float32 (...)
    background : dict of float32 (m, ...)
        Distinct rows of the baseline.
    weight : float64 (m,)
        Share of each row in the baseline; sums to 1.
    target : int
    differs : bool (m, d)
        Where what a player owns differs between a row and the item. Elsewhere taking it from the one
        or the other changes nothing: the player is idle against this row, and need not be run.
    at_background : float64 (m,)
        Probability of each row.
    output : float
        Probability of the item.
    baseline : str
        A key of `baselines.TITLES`.
    """

    forward: Forward
    players: Players
    item: Arrays
    background: Arrays
    weight: Floats
    target: int
    differs: NDArray[np.bool_]
    at_background: Floats
    output: float
    baseline: str

    @classmethod
    def of(
        cls,
        forward: Forward,
        inputs: Arrays,
        background: Arrays,
        target: int,
        request: ExplainRequest,
        most: int,
    ) -> Game:
        """Set up the game for a batch of one; equal baseline rows are merged.

        Parameters
        ----------
        request : ExplainRequest
            Says who plays, and against which baseline.
        most : int
            Players to make where none are given and their number is free.
        """
        inputs = {name: np.ascontiguousarray(values, np.float32) for name, values in inputs.items()}
        among = request.players or players.of_inputs(inputs, most)
        baseline = request.baseline or default_baseline(inputs)
        rows, weight = distinct(baselines.rows(baseline, inputs, background))
        both = {name: np.concatenate([rows[name], inputs[name]]) for name in inputs}
        probability = forward.probabilities(both)[:, target]
        item = {name: values[0] for name, values in inputs.items()}
        return cls(
            forward=forward,
            players=among,
            item=item,
            background=rows,
            weight=weight,
            target=target,
            differs=differs(item, rows, among),
            at_background=probability[:-1].astype(np.float64),
            output=float(probability[-1]),
            baseline=baseline,
        )

    @property
    def base(self) -> float:
        """Mean probability over the baseline."""
        return float(self.weight @ self.at_background)

    @cached_property
    def steps(self) -> Steps | None:
        """The way from each row to the item as sums over columns; None where the network has none."""
        return Steps.of(self.forward, self.item, self.background, self.players)

    def worth(
        self,
        rows: NDArray[np.intp],
        coalitions: NDArray[np.bool_],
        on_done: Callable[[int], object] | None = None,
    ) -> Floats:
        """Return the probability (n,) of mixtures: the players in `coalitions` (n, d) from the item.

        `on_done` is told how many mixtures were run, each time after a part of them.
        """
        worth = np.empty(len(rows))
        largest = max(values.size for values in self.item.values())
        at_once = max(1, _MASKS_AT_ONCE // largest)
        # By rows, so that those of one row can be put together in one go.
        order = np.argsort(rows, kind="stable")
        for start in range(0, len(rows), at_once):
            part = order[start : start + at_once]
            worth[part] = self._run(rows[part], coalitions[part])
            if on_done:
                on_done(len(part))
        return worth

    def _run(self, rows: NDArray[np.intp], coalitions: NDArray[np.bool_]) -> NDArray[np.float32]:
        if self.steps:
            return self.steps.worth(rows, coalitions, self.target)
        keep = self.players.keep(coalitions)
        return self.forward.mixtures(self.item, self.background, rows.astype(np.int32), keep, self.target)

    def mean_worth(
        self, coalitions: NDArray[np.bool_], on_done: Callable[[int], object] | None = None
    ) -> Floats:
        """Return what each coalition (n, d) is worth on average over the baseline, (n,)."""
        n, m = len(coalitions), len(self.weight)
        rows = np.tile(np.arange(m), n)
        return self.worth(rows, np.repeat(coalitions, m, axis=0), on_done).reshape(n, m) @ self.weight

    def found(self, shares: Floats, samples: int, error: Floats | None = None) -> Found:
        """Return the shares (d,) of the players and what they are shares of."""
        return Found(
            values=self.players.spread(shares),
            base=self.base,
            output=self.output,
            samples=samples,
            standard_error={} if error is None else self.players.spread(error),
            baseline=baselines.TITLES[self.baseline],
            players=self.players,
            shares=shares.astype(np.float32),
            shares_error=None if error is None else error.astype(np.float32),
        )


def default_baseline(inputs: Arrays) -> str:
    """Return the baseline of inputs for which none is named: pictures are blurred.

    Against stored pictures a region of one chest would be set into another.
    """
    return "blur" if all(values.ndim == 4 for values in inputs.values()) else "background"


def _bits(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """View numbers as bits, so that a missing value (NaN) equals a missing value."""
    return np.ascontiguousarray(values, np.float32).view(np.uint32)


def distinct(rows: Arrays) -> tuple[dict[str, NDArray[np.float32]], Floats]:
    """Return rows that differ, and the share of each in all."""
    m = len(next(iter(rows.values())))
    flat = np.concatenate([_bits(values).reshape(m, -1) for values in rows.values()], axis=1)
    _, first, counts = np.unique(flat, axis=0, return_index=True, return_counts=True)
    return {
        name: np.ascontiguousarray(values[first], np.float32) for name, values in rows.items()
    }, counts / m


def differs(item: Arrays, rows: Arrays, among: Players) -> NDArray[np.bool_]:
    """Return where what a player owns differs between rows and an item, bool (m, d)."""
    found = np.zeros((len(next(iter(rows.values()))), len(among) + 1), bool)
    for name, numbers in among.owner.items():
        row, value = np.nonzero((_bits(rows[name]) != _bits(item[name])).reshape(len(found), -1))
        found[row, numbers.ravel()[value]] = True
    return found[:, :-1]
