"""What an explanation was asked with, and how two explanations are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from healthdash import explain
from healthdash.explain import players
from healthdash.explain.players import Players
from healthdash.explain.types import Arrays, ExplainRequest, Explanation

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["ALIKE", "Question", "alike", "rank_correlation", "scaled", "units"]

#: Rank correlation above which two explanations count as alike.
ALIKE = 0.7
_CELLS = 12


@dataclass(frozen=True, eq=False)
class Question:
    """What was asked for, so that it can be asked again of other inputs or another network.

    Attributes
    ----------
    method : str
    inputs, background : dict of float32
        As for `explain.run`.
    labels : sequence of str
    request : ExplainRequest
        With its target.
    """

    method: str
    forward: Forward
    inputs: Arrays
    background: Arrays
    labels: Sequence[str]
    request: ExplainRequest

    def asked(self, *, forward: Forward | None = None, inputs: Arrays | None = None) -> Explanation:
        """Explain again, of another network or other inputs."""
        return explain.run(
            self.method,
            self.forward if forward is None else forward,
            self.inputs if inputs is None else inputs,
            self.background,
            self.labels,
            self.request,
        )

    @property
    def target(self) -> int:
        """Number of the label."""
        return list(self.labels).index(self.request.target)

    def among(self, explanation: Explanation) -> Question:
        """Return the question with the players of an explanation, so that others play the same game."""
        return replace(self, request=replace(self.request, players=explanation.players))


def units(explanation: Explanation) -> Players:
    """Return the parts by which explanations are compared: the players, or cells of equal size.

    Single pixels are too many and too noisy to rank.
    """
    if explanation.players is not None:
        return explanation.players
    return players.grid({name: values.shape for name, values in explanation.values.items()}, _CELLS)


def scaled(values: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Return values in parts of the largest one, those equal that differ by rounding errors."""
    found: NDArray[np.floating[Any]] = np.round(values / (np.abs(values).max(initial=0) or 1.0), 6)
    return found


def rank_correlation(a: NDArray[np.floating[Any]], b: NDArray[np.floating[Any]]) -> float:
    """Return Spearman's rank correlation; 1 where both are equal up to scale, 0 where one has no order."""
    from scipy.stats import rankdata

    ranks = [rankdata(scaled(values)) for values in (a, b)]
    spread = [np.std(rank) for rank in ranks]
    if spread[0] == 0 and spread[1] == 0:
        return 1.0
    if 0 in spread:
        return 0.0
    return float(np.corrcoef(ranks)[0, 1])


def alike(one: Explanation, other: Explanation, among: Players) -> float:
    """Return the rank correlation of the parts that have a value in either."""
    a, b = among.sums(one.values), among.sums(other.values)
    some = (a != 0) | (b != 0)
    if some.sum() < 2:
        return 1.0
    return rank_correlation(a[some], b[some])
