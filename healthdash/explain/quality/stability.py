"""Does it hold still when the input hardly moves?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import ExplainerNotApplicable
from healthdash.explain.quality.question import ALIKE, Question, alike, units
from healthdash.explain.types import Explanation, Floats, OnProgress, Progress

__all__ = ["Stability", "noise_scale", "stability"]


@dataclass(frozen=True, slots=True)
class Stability:
    """Whether nearly the same input gets nearly the same explanation.

    Attributes
    ----------
    noise : float
        Standard deviation of the noise, as a share of that of the background.
    correlations : tuple of float
        Rank correlation of each noisy input's explanation with the original.
    """

    noise: float
    correlations: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean rank correlation; 1 when the order never changes."""
        return float(np.mean(self.correlations))

    @property
    def passed(self) -> bool:
        """Whether explanations stay alike."""
        return self.mean >= ALIKE

    @property
    def words(self) -> str:
        """One sentence."""
        verb = "hardly changes" if self.passed else "changes a good deal"
        return (
            f"With a little noise ({self.noise:.0%} of the usual spread) the order of what mattered {verb}: "
            f"rank correlation {self.mean:.2f} over {len(self.correlations)} tries."
        )


def stability(
    question: Question,
    explanation: Explanation,
    *,
    noise: float = 0.02,
    repeats: int = 5,
    noisy: Mapping[str, NDArray[np.bool_]] | None = None,
    on_progress: OnProgress | None = None,
) -> Stability:
    """Explain the input with a little noise and compare.

    Parameters
    ----------
    noise : float
        As a share of the background's standard deviation at each value.
    noisy : dict of bool arrays or None
        Where noise may be added. None: everywhere, but in a table not to columns of whole numbers,
        which may be codes.

    Raises
    ------
    ExplainerNotApplicable
        No value may be changed a little.
    """
    scale = noise_scale(question, noisy)
    if not any(values.any() for values in scale.values()):
        raise ExplainerNotApplicable("the input has no number that could be changed a little")
    rng, among, own = (
        np.random.default_rng(question.request.seed),
        units(explanation),
        question.among(explanation),
    )
    found = []
    for number in range(repeats):
        moved = {
            name: (values + noise * scale[name] * rng.standard_normal(values.shape)).astype(np.float32)
            for name, values in question.inputs.items()
        }
        found.append(alike(explanation, own.asked(inputs=moved), among))
        if on_progress:
            on_progress(Progress((number + 1) / repeats))
    return Stability(noise, tuple(found))


def noise_scale(question: Question, noisy: Mapping[str, NDArray[np.bool_]] | None) -> dict[str, Floats]:
    """Return the background's standard deviation where noise may be added, 0 elsewhere."""
    scale = {}
    for name, values in question.inputs.items():
        rows = np.concatenate([question.background[name], values]).astype(np.float64)
        known = np.isfinite(rows)
        spread = np.std(np.where(known, rows, 0), axis=0, where=known)
        if noisy is not None:
            allowed = noisy[name]
        elif values.ndim == 2 and len(question.inputs) == 1:
            allowed = (np.where(known, rows, 0) % 1 != 0).any(axis=0)
        else:
            allowed = np.ones(values.shape[1:], bool)
        scale[name] = np.where(allowed & np.isfinite(values[0]), np.nan_to_num(spread), 0.0)
    return scale
