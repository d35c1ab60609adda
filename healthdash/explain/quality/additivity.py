"""Does it add up?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from healthdash.explain.types import Explanation

__all__ = ["Additivity", "additivity"]

#: Shares that miss more than this probability do not add up.
MOST_RESIDUAL = 0.01
_ROUNDING = 1e-5


@dataclass(frozen=True, slots=True)
class Additivity:
    """How far the shares miss output - base.

    Attributes
    ----------
    residual : float
        Probability; NaN for a method whose values are no shares.
    """

    residual: float

    @property
    def passed(self) -> bool | None:
        """Whether the shares add up; None where they are not meant to."""
        return None if np.isnan(self.residual) else abs(self.residual) <= MOST_RESIDUAL

    @property
    def words(self) -> str:
        """One sentence."""
        if self.passed is None:
            return "The values of this method are no shares of the output, so they do not add up to it."
        if abs(self.residual) < _ROUNDING:
            return "The shares add up to the model's output."
        missed = f"{100 * abs(self.residual):.2g} percentage points"
        if self.passed:
            return f"The shares add up to the model's output within {missed}."
        return f"The shares miss the model's output by {missed}: ask for more samples."


def additivity(explanation: Explanation) -> Additivity:
    """Say how far the shares miss the output."""
    return Additivity(explanation.residual)
