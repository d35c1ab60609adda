"""A table's baseline and item as sums over players, where the network begins as such a sum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.explain.players import Players
from healthdash.explain.sums import Sum, Sums, sums_of
from healthdash.explain.types import Arrays
from healthdash.runtime import Forward, tensorflow

__all__ = ["Baseline", "Steps"]

# Numbers in the table of what each player changes against each baseline row.
_LARGEST_TABLE = 1 << 25
# Of sums that are put together, against those of the network; float32 rounds to 1e-7.
_ROUNDING = 1e-5


@dataclass(frozen=True, eq=False)
class Baseline:
    """Baseline rows of a table, taken apart by players.

    Attributes
    ----------
    sums : Sums
    rows : float32 (m, p)
    keep : bool (d, p)
        The columns of each player.
    start : float32 (m, h)
        Sums of each row.
    effects : float32 (m, d, h)
        What each player adds for each row to the sums of the first.
    """

    sums: Sums
    rows: NDArray[np.float32]
    keep: NDArray[np.bool_]
    start: Sum
    effects: Sum

    @classmethod
    def of(cls, forward: Forward, background: Arrays, players: Players) -> Baseline | None:
        """Return it, or None where the network has no sums or a value belongs to nobody."""
        sums = sums_of(forward)
        if sums is None:
            return None
        rows, owner = background[sums.name], players.owner[sums.name]
        if (owner < 0).any() or len(rows) * len(players) * sums.width > _LARGEST_TABLE:
            return None
        # Weights that have changed since give other sums.
        key = rows.tobytes(), owner.tobytes(), sums.of(rows[:1]).tobytes()
        return sums.kept(key, lambda: cls._of(sums, rows, owner))

    @classmethod
    def _of(cls, sums: Sums, rows: NDArray[np.float32], owner: NDArray[np.intp]) -> Baseline:
        keep = owner == np.arange(owner.max() + 1)[:, None]
        return cls(sums, rows, keep, sums.of(rows), sums.effects(rows, rows[0], keep))

    def steps_to(self, items: NDArray[np.float32]) -> Sum | None:
        """Return what the players of items (n, p) add when they replace a row's, (n, m, d, h).

        None where the steps do not lead from every row to the item but for rounding: a value is not finite,
        or so large that it hides others.
        """
        steps = self.sums.effects(items, self.rows[0], self.keep)[:, None] - self.effects
        aim = self.sums.of(items)[:, None]
        missed = np.abs(self.start + steps.sum(axis=2) - aim).max(initial=0)
        return steps if missed <= _ROUNDING * max(1.0, float(np.abs(aim).max(initial=0))) else None


@dataclass(frozen=True, eq=False)
class Steps:
    """The way from each row of a baseline to one item, as sums.

    Attributes
    ----------
    baseline : Baseline
    steps : float32 (m, d, h)
        What each player adds.
    """

    baseline: Baseline
    steps: Sum

    @classmethod
    def of(cls, forward: Forward, item: Arrays, background: Arrays, players: Players) -> Steps | None:
        """Return it, or None where the network has no sums or rounding would show."""
        baseline = Baseline.of(forward, background, players)
        if baseline is None:
            return None
        steps = baseline.steps_to(item[baseline.sums.name][None])
        return None if steps is None else cls(baseline, steps[0])

    @cached_property
    def _tensors(self) -> tuple[Any, Any]:
        tensor = tensorflow().convert_to_tensor
        return tensor(self.baseline.start), tensor(self.steps)

    def worth(
        self, rows: NDArray[np.intp], coalitions: NDArray[np.bool_], target: int
    ) -> NDArray[np.float32]:
        """Return what coalitions (n, d) are worth, each against the row of its number, rising (n,)."""
        return self.baseline.sums.worth(*self._tensors, rows, coalitions, target)
