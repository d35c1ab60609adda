"""Made items of each kind, as the studio takes them: drawn, not read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

__all__ = ["Made", "items"]

_NAMES = {"row": "features", "picture": "image", "signal": "signal"}
_SHAPES = {"row": (20,), "picture": (64, 64, 1), "signal": (512, 2)}


@dataclass
class Made:
    """Labelled and prepared items at once; nothing is fitted."""

    kind: Any
    values: NDArray[np.float32]
    truth: NDArray[np.int64]
    groups: NDArray[np.str_]
    labels: tuple[str, ...] = ("no", "yes")
    task: str = "made"
    unit: str = "item"

    @property
    def name(self) -> str:
        return _NAMES[self.kind]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape[1:]

    @property
    def preprocessing(self) -> Mapping[str, Any]:
        return {}

    def __len__(self) -> int:
        return len(self.truth)

    def fitted(self, train: Any) -> Made:
        return self

    def inputs(self, rows: Any, rng: Any = None) -> NDArray[np.float32]:
        return self.values[rows]

    def entry(self) -> tuple[Any, Any]:
        given = keras.Input(self.shape, name=self.name)
        if self.kind != "row":
            return given, given
        return given, keras.layers.EinsumDense("ab,bc->abc", (self.shape[0], 8), bias_axes="bc")(given)

    def background(self, rows: Any, seed: int) -> Mapping[str, NDArray[np.float32]]:
        return {self.name: self.values[:4]}

    def gate(self, rows: Any) -> Mapping[str, Any]:
        return {}

    def facts(self) -> Mapping[str, Any]:
        return {}


def items(kind: str, n: int, *, seed: int = 0) -> Made:
    """Return items whose first number tells their label, with noise."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, *_SHAPES[kind])).astype(np.float32)
    truth = (values.reshape(n, -1)[:, 0] + 0.5 * rng.normal(size=n) > 0).astype(np.int64)
    return Made(kind, values, truth, np.arange(n).astype(str))
