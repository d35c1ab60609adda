"""What the studio asks of a labelled data set, whatever it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput

if TYPE_CHECKING:
    import keras

__all__ = ["ItemKind", "Labelled", "Prepared", "Rows", "as_labelled"]

ItemKind = Literal["row", "picture", "signal"]
#: Numbers of items, int64 (m,).
Rows = NDArray[np.int64]


class Labelled(Protocol):
    """Labelled items that are read when they are wanted, so that a set may be larger than the memory.

    It may also have `whole`, int64 (n,): the number of the recording or stay that an item is a window of,
    whose windows are judged together; and `notes`, dict of str to str: what else the card says of the data.
    """

    @property
    def task(self) -> str:
        """Slug of the task that the bundle will belong to."""

    @property
    def kind(self) -> ItemKind:
        """Which networks fit."""

    @property
    def unit(self) -> str:
        """What one item is, for people: "row", "picture", "recording", "beat"."""

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the network's outputs."""

    @property
    def truth(self) -> NDArray[np.int64]:
        """Number of each item's label, (n,)."""

    @property
    def groups(self) -> NDArray[np.str_]:
        """Items of one group (a patient) stay in one part of every split, (n,)."""

    def __len__(self) -> int:
        """Return the number of items."""

    def fitted(self, train: Rows) -> Prepared:
        """Return the items as a network takes them; every constant is fitted on these rows only."""

    def facts(self) -> Mapping[str, Any]:
        """Return title, data, intended_use and limits of the bundle, as `BundleInfo` names them."""


class Prepared(Protocol):
    """Items as network inputs, with the constants that were fitted on training items.

    It may also have `inputs_of(path)`, which reads unlabelled items of a file or folder by these constants.
    """

    @property
    def name(self) -> str:
        """Of the network's one input: "features", "image", "signal"."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one item: (columns,), (height, width, channels), (samples, leads)."""

    @property
    def preprocessing(self) -> Mapping[str, Any]:
        """The constants of the task's `prepare`, for the bundle."""

    def inputs(self, rows: Rows, rng: np.random.Generator | None = None) -> NDArray[np.float32]:
        """Return items, float32 (m, *shape); with `rng` changed at random as training wants them."""

    def changed(self, items: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return items (m, *shape), of whatever origin, changed at random as training wants them."""

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


def as_labelled(dataset: Any) -> Labelled:
    """Return what the studio can learn from: the data set itself, or its rows.

    Raises
    ------
    InvalidInput
        The task trains by a recipe of its own.
    """
    if hasattr(dataset, "fitted"):
        found: Labelled = dataset
    elif hasattr(dataset, "labelled"):
        found = dataset.labelled()
    else:
        raise InvalidInput(
            "this task trains by a recipe of its own, whose settings were tried out",
            hint="Choose the task for own tables, pictures or signals.",
        )
    return found
