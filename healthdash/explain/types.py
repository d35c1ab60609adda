"""What an explanation is asked with, and what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import MissingDependency

Arrays = Mapping[str, NDArray[np.float32]]

if TYPE_CHECKING:
    import shap

__all__ = ["Arrays", "ExplainRequest", "Explanation"]


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
        Budget of sampled methods: background-and-step draws of expected gradients, or
        permutations. More is more exact and slower.
    seed : int
        Sampled methods use a private generator with this seed: equal seeds, equal values.
    """

    method: str | None = None
    target: str = ""
    item: int = 0
    samples: int = 200
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Shares of each input value in the output for one class.

    Attributes
    ----------
    method, target : str
    values : dict of str to float32 array
        One array for each network input, shaped like it without the batch.
    base : float
        Mean output over the background.
    output : float
        Output for the explained item: a calibrated probability.
    standard_error : dict of str to float32 array
        Monte-Carlo standard error of each value; empty for exact methods.
    samples : int
        Model evaluations (or gradient evaluations) spent.
    seconds : float
    """

    method: str
    target: str
    values: Mapping[str, NDArray[np.float32]]
    base: float
    output: float
    samples: int
    seconds: float
    standard_error: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def residual(self) -> float:
        """output - base - sum of the values: 0 for an exact method."""
        total = sum(float(values.sum(dtype=np.float64)) for values in self.values.values())
        return self.output - self.base - total

    def to_shap(self, inputs: Mapping[str, NDArray[np.float32]], name: str | None = None) -> shap.Explanation:
        """Return the values of one network input as a `shap.Explanation`.

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
        return shap.Explanation(values=self.values[name], base_values=self.base, data=inputs[name][0])
