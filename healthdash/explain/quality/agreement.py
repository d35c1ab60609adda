"""Do methods agree?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from healthdash.errors import ExplainerNotApplicable
from healthdash.explain.quality.question import ALIKE, rank_correlation, units
from healthdash.explain.types import Explanation, Floats

__all__ = ["Agreement", "agreement"]


@dataclass(frozen=True, eq=False)
class Agreement:
    """How alike several methods find what mattered.

    Attributes
    ----------
    methods : tuple of str
    correlation : float64 (k, k)
        Rank correlation of the parts' values.
    overlap : float64 (k, k)
        Share of the largest parts that two methods have in common.
    largest : int
        How many parts count as the largest.
    """

    methods: tuple[str, ...]
    correlation: Floats
    overlap: Floats
    largest: int

    @property
    def lowest(self) -> float:
        """Rank correlation of the two methods that differ most."""
        return float(self.correlation.min())

    @property
    def words(self) -> str:
        """One sentence."""
        verb = "agree" if self.lowest >= ALIKE else "differ"
        return (
            f"The methods {verb} about what mattered: rank correlation at least {self.lowest:.2f}, "
            f"{self._common():.0%} of the {self.largest} largest parts in common on average."
        )

    def _common(self) -> float:
        pairs = np.triu_indices(len(self.methods), 1)
        return float(self.overlap[pairs].mean()) if len(pairs[0]) else 1.0


def agreement(explanations: Sequence[Explanation], *, largest: int = 5) -> Agreement:
    """Compare explanations of one input and one label by several methods.

    Raises
    ------
    ExplainerNotApplicable
        They explain inputs of different shapes.
    """
    shapes = [{name: values.shape for name, values in one.values.items()} for one in explanations]
    if any(shape != shapes[0] for shape in shapes):
        raise ExplainerNotApplicable("expected explanations of one input, their shapes differ")
    among = next((one.players for one in explanations if one.players is not None), None) or units(
        explanations[0]
    )
    sums = np.array([among.sums(one.values) for one in explanations])
    largest = min(largest, len(among))
    top = [set(np.argsort(-np.abs(row), kind="stable")[:largest].tolist()) for row in sums]
    return Agreement(
        tuple(one.method for one in explanations),
        np.array([[rank_correlation(a, b) for b in sums] for a in sums]),
        np.array([[len(a & b) / largest for b in top] for a in top]),
        largest,
    )
