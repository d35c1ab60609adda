"""What coalitions of a table's columns are worth: the game that Shapley values divide.

Coalition S of an item x against a background b_1 ... b_m is worth the mean probability of the
rows that take the columns in S from x and the others from b_i (interventional, or marginal).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.explain.types import Arrays

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["Game", "reason_against_table"]


def reason_against_table(inputs: Arrays) -> str | None:
    """Say why the inputs are not one table row whose columns are the players, or None."""
    if len(inputs) != 1:
        return f"expected one table as input, the network has {len(inputs)} inputs"
    (values,) = inputs.values()
    if values.ndim != 2:
        return "expected a table, the input is a picture or a signal"
    return None


@dataclass(frozen=True, eq=False)
class Game:
    """One item against a background; each column is a player.

    Attributes
    ----------
    name : str
        Of the network's only input.
    item : float32 (p,)
    background : float32 (m, p)
        Distinct rows.
    weight : float64 (m,)
        Share of each row in the stored background; sums to 1.
    target : int
    differs : bool (m, p)
        Where a background row differs from the item. Elsewhere taking the column from the one
        or the other changes nothing: the player is idle against this row, and need not be run.
    at_background : float64 (m,)
        Probability of each background row.
    output : float
        Probability of the item.
    """

    forward: Forward
    name: str
    item: NDArray[np.float32]
    background: NDArray[np.float32]
    weight: NDArray[np.float64]
    target: int
    differs: NDArray[np.bool_]
    at_background: NDArray[np.float64]
    output: float

    @classmethod
    def of(cls, forward: Forward, inputs: Arrays, background: Arrays, target: int) -> Game:
        """Set up the game for a batch of one; equal background rows are merged."""
        ((name, (item,)),) = inputs.items()
        item = np.ascontiguousarray(item, np.float32)
        rows, weight = _distinct(np.ascontiguousarray(background[name], np.float32))
        both = forward.probabilities({name: np.concatenate([rows, item[None]])})[:, target]
        return cls(
            forward=forward,
            name=name,
            item=item,
            background=rows,
            weight=weight,
            target=target,
            differs=_bits(rows) != _bits(item),
            at_background=both[:-1].astype(np.float64),
            output=float(both[-1]),
        )

    @property
    def base(self) -> float:
        """Mean probability over the background."""
        return float(self.weight @ self.at_background)

    def worth(self, rows: NDArray[np.intp], keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the probability of each mixture: columns in `keep` (n, p) from the item."""
        mixed = self.forward.mixtures(self.item, self.background, rows.astype(np.int32), keep, self.target)
        return mixed.astype(np.float64)


def _bits(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """View numbers as bits, so that a missing value (NaN) equals a missing value."""
    return values.view(np.uint32)


def _distinct(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    bits, counts = np.unique(_bits(rows), axis=0, return_counts=True)
    return np.ascontiguousarray(bits).view(np.float32), counts / len(rows)
