"""What tells one fit from another: what is trained, how, and on which labels.

It is the same in every process: the numbers that Keras puts behind the names of its layers depend on
what was made before, and are left out; nothing is told by its address in memory.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

__all__ = ["of_fit", "of_values"]

#: What Keras sets behind a name that was there before in this process.
_NUMBER = re.compile(r"(?<=[A-Za-z])_\d+\b")


def of_values(arrays: Iterable[Any]) -> str:
    """Return what tells arrays from others of another type, shape or content."""
    found = hashlib.sha256()
    for values in map(np.asarray, arrays):
        found.update(f"{values.dtype}{values.shape}".encode() + np.ascontiguousarray(values).tobytes())
    return found.hexdigest()


def of_fit(
    model: keras.Model,
    batches: Any,
    *,
    epochs: int,
    stopping: keras.callbacks.EarlyStopping | None,
    first: Sequence[keras.callbacks.Callback],
    watched: Any,
) -> str:
    """Return what tells a fit from any other that begins with the same weights.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    batches : EpochBatches
        Begun at epoch 0. Of inputs the first batch is looked at, and what `identity` gives.
    first : sequence of callbacks
        By their kind: one that changes the rate between epochs is told nowhere else.
    watched : batches, tuple of arrays or None
        The validation items.
    """
    told = [
        epochs, len(batches), getattr(stopping, "patience", None), [type(one).__name__ for one in first],
        model.dtype_policy.name, model.optimizer.get_config(), model.loss,
    ]  # fmt: skip
    text = json.dumps([*told, _network(model)], default=_in_words, sort_keys=True)
    data = [*keras.tree.flatten(batches[0]), *_answers(batches), *_answers(watched)]
    return hashlib.sha256((_NUMBER.sub("", text) + of_values(data)).encode()).hexdigest()


def _network(model: keras.Model) -> Any:
    """Return the layers with their settings, as plain data where Keras can tell them."""
    try:
        return model.get_config()
    except NotImplementedError:
        # A layer was given what is no plain data; its kind is all that it tells of itself.
        return [type(layer).__name__ for layer in model.layers]


def _answers(batches: Any) -> Sequence[Any]:
    """Return what the items are to give, and all else of them that costs nothing to read."""
    if batches is None:
        return ()
    if isinstance(batches, tuple):
        return keras.tree.flatten(batches)  # type: ignore[no-any-return]
    identity: Callable[[], Sequence[NDArray[Any]]] | None = getattr(batches, "identity", None)
    if identity is not None:
        return identity()
    return keras.tree.flatten([batches[number][1:] for number in range(len(batches))])  # type: ignore[no-any-return]


def _in_words(value: Any) -> Any:
    """Return plain data in the place of what JSON does not know."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if hasattr(value, "get_config"):
        return [type(value).__name__, value.get_config()]
    return getattr(value, "__qualname__", type(value).__qualname__)
