"""What the studio asks of a labelled data set, whatever it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

__all__ = ["ItemKind", "Labelled", "Prepared", "Rows"]

ItemKind = Literal["row", "picture", "signal"]
#: Numbers of items, int64 (m,).
Rows = NDArray[np.int64]


class Labelled(Protocol):
    """Labelled items that are read when they are wanted, so that a set may be larger than the memory.

    Attributes
    ----------
    task : str
        Slug of the task that the bundle will belong to.
    kind : str
        Which networks fit.
    unit : str
        What one item is, for people: "row", "picture", "recording", "beat".
    labels : tuple of str
        In the order of the network's outputs.
    truth : int64 (n,)
        Number of each item's label.
    groups : str (n,)
        Items of one group (a patient) stay in one part of every split.
    """

    task: str
    kind: ItemKind
    unit: str
    labels: tuple[str, ...]
    truth: NDArray[np.int64]
    groups: NDArray[np.str_]

    def __len__(self) -> int:
        """Return the number of items."""

    def fitted(self, train: Rows) -> Prepared:
        """Return the items as a network takes them; every constant is fitted on these rows only."""

    def facts(self) -> Mapping[str, Any]:
        """Return title, data, intended_use and limits of the bundle, as `BundleInfo` names them."""


class Prepared(Protocol):
    """Items as network inputs, with the constants that were fitted on training items.

    Attributes
    ----------
    name : str
        Of the network's one input: "features", "image", "signal".
    shape : tuple of int
        Of one item: (columns,), (height, width, channels), (samples, leads).
    preprocessing : dict
        The constants of the task's `prepare`, for the bundle.
    """

    name: str
    shape: tuple[int, ...]
    preprocessing: Mapping[str, Any]

    def inputs(self, rows: Rows, rng: np.random.Generator | None = None) -> NDArray[np.float32]:
        """Return items, float32 (m, *shape); with `rng` changed at random as training wants them."""

    def entry(self) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Return the network's input, and what the blocks of a network take: made anew by every call.

        A picture or a signal enters as it is, scaled. The columns of a row enter as tokens
        (batch, columns, width): numbers scaled, codes embedded, gaps marked.
        """

    def background(self, rows: Rows, seed: int) -> Mapping[str, NDArray[np.float32]]:
        """Return the arrays of `background.npz`: centroids under `name`, and those of the gate.

        No centroid is an item of a patient.
        """

    def gate(self, rows: Rows) -> Mapping[str, Any]:
        """Return the constants of the task's gate."""
