"""How good an explanation is: does it add up, hold still, name what matters, and look at the model?

Every measure is about the model and the explanation. None says whether the model is right, nor where a
disease is.
"""

from __future__ import annotations

from dataclasses import dataclass

from healthdash.errors import ExplainerNotApplicable
from healthdash.explain.quality.additivity import Additivity, additivity
from healthdash.explain.quality.agreement import Agreement, agreement
from healthdash.explain.quality.curves import Curves, curves
from healthdash.explain.quality.question import Question, rank_correlation, units
from healthdash.explain.quality.randomisation import Randomisation, randomisation
from healthdash.explain.quality.stability import Stability, stability
from healthdash.explain.types import Explanation, OnProgress, Progress

__all__ = [
    "Additivity",
    "Agreement",
    "Curves",
    "Quality",
    "Question",
    "Randomisation",
    "Stability",
    "additivity",
    "agreement",
    "curves",
    "judge",
    "randomisation",
    "rank_correlation",
    "stability",
    "units",
]


@dataclass(frozen=True, eq=False)
class Quality:
    """All measures of one explanation; None where one does not apply."""

    additivity: Additivity
    stability: Stability | None
    curves: Curves
    randomisation: Randomisation

    @property
    def reason_to_doubt(self) -> str:
        """Why the explanation should be shown greyed, or empty."""
        return "" if self.randomisation.passed else self.randomisation.words

    @property
    def words(self) -> tuple[str, ...]:
        """A sentence each."""
        measures = (self.additivity, self.stability, self.curves, self.randomisation)
        return tuple(measure.words for measure in measures if measure is not None)


def judge(question: Question, explanation: Explanation, on_progress: OnProgress | None = None) -> Quality:
    """Take every measure of an explanation.

    Parameters
    ----------
    on_progress : function of Progress
        Told the share done of all measures together.
    """

    def part(number: int) -> OnProgress | None:
        return (lambda share: on_progress(Progress((number + share) / 3))) if on_progress else None

    try:
        still = stability(question, explanation, on_progress=part(0))
    except ExplainerNotApplicable:
        still = None
    return Quality(
        additivity(explanation),
        still,
        curves(question, explanation, on_progress=part(1)),
        randomisation(question, explanation, on_progress=part(2)),
    )
