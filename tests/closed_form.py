"""Doubles of `runtime.Forward` in numpy, whose Shapley values and gradients are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

Arrays = Mapping[str, np.ndarray]


class ClosedForm:
    """A "network" that is a function of its inputs; class 1 has its value, class 0 the rest.

    Parameters
    ----------
    value : function of arrays by name -> (n,)
    slope : function of arrays by name -> dict of arrays, or None
    shapes : dict of tuple
    """

    def __init__(
        self,
        value: Callable[[Arrays], np.ndarray],
        shapes: dict[str, tuple[int, ...]],
        slope: Callable[[Arrays], dict[str, np.ndarray]] | None = None,
    ) -> None:
        self.value, self.slope, self.shapes = value, slope, shapes
        self.rows_run = 0
        self.most_rows = 0

    def compiled(self, name: str, build: Callable[[Any], Any]) -> Any:
        return build(SimpleNamespace(layers=()))

    def __call__(self, inputs: Arrays) -> tuple[np.ndarray, np.ndarray]:
        value = self.value({k: np.asarray(v, np.float64) for k, v in inputs.items()})
        self.rows_run += len(value)
        self.most_rows = max(self.most_rows, len(value))
        both = np.stack([1 - value, value], axis=1)
        return both, both

    def probabilities(self, inputs: Arrays) -> np.ndarray:
        return self(inputs)[1]

    def gradients(self, inputs: Arrays, target: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        sign = 1 if target == 1 else -1
        assert self.slope is not None
        slopes = {k: (sign * v).astype(np.float32) for k, v in self.slope(inputs).items()}
        return self.probabilities(inputs)[:, target], slopes

    def is_compiled(self, name: str) -> bool:
        return True

    def mixtures(self, item, background, rows, keep, target):
        mixed = {name: np.where(keep[name], item[name], background[name][rows]) for name in self.shapes}
        return self.probabilities(mixed)[:, target]


def table(function: Callable[[np.ndarray], np.ndarray], columns: int) -> ClosedForm:
    """Return a double of a table network from a function of (n, p)."""
    return ClosedForm(lambda inputs: function(inputs["features"]), {"features": (columns,)})


def logistic(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def shapley_by_definition(
    function: Callable[[np.ndarray], np.ndarray], item: np.ndarray, background: np.ndarray
) -> np.ndarray:
    """Return Shapley values by the mean over all p! orders: slow, and plainly right."""
    from itertools import permutations

    p = len(item)
    values, orders = np.zeros(p), list(permutations(range(p)))
    for order in orders:
        rows = np.array(background, np.float64)
        before = function(rows).mean()
        for column in order:
            rows[:, column] = item[column]
            after = function(rows).mean()
            values[column] += after - before
            before = after
    return values / len(orders)
