"""Prepared items and others behind them: synthetic ones, or ones without a label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from healthdash.training.studio.items import Prepared, Rows

if TYPE_CHECKING:
    import keras

__all__ = ["Extended"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Extended:
    """Prepared items followed by others: row n + i is the i-th other one, n being the number of real ones.

    Everything that is fitted or stored of the items (background, gate) must be asked of real rows only.
    """

    real: Prepared
    others: Floats
    count: int

    @property
    def name(self) -> str:
        """Name of the network's one input."""
        return self.real.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one item."""
        return self.real.shape

    @property
    def preprocessing(self) -> Mapping[str, Any]:
        """The constants of the task's `prepare`."""
        return self.real.preprocessing

    def inputs(self, rows: Rows, rng: np.random.Generator | None = None) -> Floats:
        """Return items, float32 (m, *shape); with `rng` changed at random, real ones and others alike.

        Were others left as they are, a network could tell by that which items are made, and so their label.
        """
        is_other = rows >= self.count
        items = np.empty((len(rows), *self.shape), np.float32)
        if not is_other.all():
            items[~is_other] = self.real.inputs(rows[~is_other])
        items[is_other] = self.others[rows[is_other] - self.count]
        return items if rng is None else self.changed(items, rng)

    def changed(self, items: Floats, rng: np.random.Generator) -> Floats:
        """Return items changed at random as those of the training."""
        return self.real.changed(items, rng)

    def entry(self) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Return the network's input, and what the blocks of a network take."""
        return self.real.entry()

    def background(self, rows: Rows, seed: int) -> Mapping[str, Floats]:
        """Return the arrays of `background.npz`, of real rows."""
        return self.real.background(rows, seed)

    def gate(self, rows: Rows) -> Mapping[str, Any]:
        """Return the constants of the task's gate, of real rows."""
        return self.real.gate(rows)
