"""Does it look at the model? Explanations of the network with shuffled weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from healthdash.explain.copies import shuffled
from healthdash.explain.quality.question import Question, alike, units
from healthdash.explain.types import Explanation, OnProgress, Progress

__all__ = ["Randomisation", "randomisation"]

#: Rank correlation with the explanation of a shuffled network above which it cannot have come from the model.
MOST_LIKE_RANDOM = 0.5


@dataclass(frozen=True, slots=True)
class Randomisation:
    """How alike the explanation is to that of a network whose weights are shuffled.

    Attributes
    ----------
    shares : tuple of float
        Share of the layers that are shuffled, counted from the output.
    correlations : tuple of float
        Mean rank correlation with the original, at each share.
    """

    shares: tuple[float, ...]
    correlations: tuple[float, ...]

    @property
    def passed(self) -> bool:
        """Whether the explanation changes when nothing of the model is left."""
        return self.correlations[-1] <= MOST_LIKE_RANDOM

    @property
    def words(self) -> str:
        """One sentence."""
        last = f"rank correlation {self.correlations[-1]:.2f} when all weights are shuffled"
        if self.passed:
            return f"It depends on what the model has learnt: {last}."
        return f"It says little about the model, for it stays much the same without it: {last}."


def randomisation(
    question: Question,
    explanation: Explanation,
    *,
    stages: int = 3,
    repeats: int = 3,
    on_progress: OnProgress | None = None,
) -> Randomisation:
    """Shuffle the weights, layer after layer from the output, and compare explanations.

    Works on a copy of the network.

    Parameters
    ----------
    stages : int
        How often to look on the way to the first layer.
    repeats : int
        Shuffles whose correlations are averaged, as chance makes some explanations alike.

    References
    ----------
    Adebayo et al. 2018, arXiv:1810.03292, cascading randomisation; weights are shuffled within each array,
    which keeps their size.
    """
    among, own = units(explanation), question.among(explanation)
    shares = tuple((stage + 1) / stages for stage in range(stages))
    found = np.zeros((repeats, stages))
    networks = shuffled(question.forward, shares, repeats, question.request.seed)
    for number, forward in enumerate(networks):
        found.flat[number] = alike(explanation, own.asked(forward=forward), among)
        if on_progress:
            on_progress(Progress((number + 1) / found.size))
    return Randomisation(shares, tuple(found.mean(axis=0).tolist()))
