"""What an explanation is asked with, and what it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import MissingDependency

Arrays = Mapping[str, NDArray[np.float32]]
Floats = NDArray[np.float64]

if TYPE_CHECKING:
    import shap

    from healthdash.explain.players import Players

__all__ = [
    "SAMPLES",
    "Arrays",
    "ExplainRequest",
    "Explanation",
    "Floats",
    "Found",
    "OnProgress",
    "Progress",
]

#: Budget of a sampled method where nobody says another.
SAMPLES = 200


class Progress(float):
    """The share done, from 0 to 1, with the largest standard error of the values so far.

    Attributes
    ----------
    error : float
        NaN where the method has none, or none yet.
    """

    error: float

    def __new__(cls, share: float, error: float = float("nan")) -> Progress:
        """Make a number that carries its error."""
        made = super().__new__(cls, share)
        made.error = error
        return made


#: Told a `Progress`. Raising cancels the explanation; a true answer ends a sampled method with
#: what it has so far, once every value has an error.
OnProgress = Callable[[float], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainRequest:
    """What to explain, and at what cost.

    Attributes
    ----------
    method : str or None
        None takes the task's default.
    target : str
        The label whose probability is explained; empty takes the decided one.
    item : int
        Row or beat of the sample.
    samples : int
        Budget of sampled methods: background-and-step draws of expected gradients, pairs of
        permutations or of coalitions. More is more exact and slower. 0 takes the task's own number.
    seed : int
        Sampled methods use a private generator with this seed: equal seeds, equal values.
    tolerance : float
        Sampled methods stop before the budget is spent when the largest standard error is at most
        this probability; 0 spends the budget.
    players : Players or None
        Who shares the output out; None takes the columns of a table, superpixels of a picture,
        or equal parts of a signal.
    baseline : str
        What stands in for a value that is left out, see `baselines.TITLES`; empty takes the method's own.
    """

    method: str | None = None
    target: str = ""
    item: int = 0
    samples: int = SAMPLES
    seed: int = 0
    tolerance: float = 0.0
    players: Players | None = None
    baseline: str = ""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a method finds.

    Attributes
    ----------
    values : dict of str to float32 array
        One array for each network input, shaped like it without the batch.
    base : float
        Mean output over the baseline.
    output : float
        Output for the explained item: a calibrated probability.
    samples : int
        Model evaluations (or gradient evaluations) spent.
    standard_error : dict of str to float32 array
        Monte-Carlo standard error of each value; empty for exact methods.
    is_additive : bool
        Whether the values are shares of output - base. Those of occlusion and Grad-CAM are not.
    baseline : str
        What stood in for values that were left out, in words.
    players : Players or None
        Who shared the output out; a player's share is spread evenly over its values.
    shares, shares_error : float32 (players,) or None
        The share of each player and its standard error.
    """

    values: Arrays
    base: float
    output: float
    samples: int
    standard_error: Arrays = field(default_factory=dict)
    is_additive: bool = True
    baseline: str = ""
    players: Players | None = None
    shares: NDArray[np.float32] | None = None
    shares_error: NDArray[np.float32] | None = None


@dataclass(frozen=True, kw_only=True)
class Explanation(Found):
    """Shares of each input value in the output for one class.

    Attributes
    ----------
    method, target : str
    seconds : float
    """

    method: str
    target: str
    seconds: float

    @property
    def residual(self) -> float:
        """output - base - sum of the values: 0 for an exact method, NaN where values do not add up."""
        if not self.is_additive:
            return float("nan")
        total = sum(float(values.sum(dtype=np.float64)) for values in self.values.values())
        return self.output - self.base - total

    @property
    def largest_error(self) -> float:
        """Largest standard error of a player's share or of a value; 0 for an exact method."""
        if self.shares_error is not None:
            return float(self.shares_error.max(initial=0))
        return max((float(error.max(initial=0)) for error in self.standard_error.values()), default=0.0)

    def to_shap(
        self, inputs: Arrays, name: str | None = None, *, feature_names: Sequence[str] | None = None
    ) -> shap.Explanation:
        """Return the values of one network input as a `shap.Explanation`.

        Parameters
        ----------
        inputs : dict of str to float32 (1, ...)
            The explained item.
        name : str, optional
            Of the network input; the first one where there are several.
        feature_names : sequence of str, optional
            Of the columns, which SHAP's plots then show.

        Raises
        ------
        MissingDependency
            The package `shap` is not installed.
        """
        try:
            import shap
        except ImportError as error:
            raise MissingDependency("shap", purpose="Converting an explanation for SHAP's plots") from error
        name = name or next(iter(self.values))
        return shap.Explanation(
            values=self.values[name],
            base_values=self.base,
            data=inputs[name][0],
            feature_names=None if feature_names is None else list(feature_names),
        )
