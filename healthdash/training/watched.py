"""A few validation items whose outputs are watched while a network learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from healthdash.training.live import Output

__all__ = ["Watched"]

_ITEMS = 6


@dataclass(frozen=True, slots=True)
class Watched:
    """Items of the validation part, the labels in turn.

    Attributes
    ----------
    inputs : nest of arrays (m, ...)
        As the network takes them.
    items : int64 (m,)
        Their places in the validation part, from 0.
    truth : int64 (m,)
        Numbers of their labels.
    """

    inputs: Any
    items: NDArray[np.int64]
    truth: NDArray[np.int64]

    @classmethod
    def of(cls, validation: Any, most: int = _ITEMS) -> Watched | None:
        """Choose items of what `keras.Model.fit` validates on; None where they have no labels.

        Parameters
        ----------
        validation : Any
            Arrays (inputs, truth, ...), or batches of them, of which the first is taken.
        """
        part = _first_batch(validation)
        if part is None:
            return None
        truth = _numbers(part[1])
        if truth is None or not len(truth):
            return None
        items = _in_turn(truth, most)
        inputs = keras.tree.map_structure(lambda values: np.asarray(values[items]), part[0])
        return cls(inputs, items, truth[items])

    def outputs(self, network: keras.Model) -> tuple[Output, ...]:
        """Return what the network says of the items now; nothing where its output is no class."""
        out = network(self.inputs, training=False)
        if isinstance(out, (list, tuple, dict)):
            return ()
        probabilities = _probabilities(np.asarray(keras.ops.convert_to_numpy(out), np.float64))
        if probabilities is None or self.truth.max() >= probabilities.shape[1]:
            return ()
        return tuple(
            Output(item=int(item) + 1, truth=int(truth), probabilities=tuple(row.round(4).tolist()))
            for item, truth, row in zip(self.items, self.truth, probabilities, strict=True)
        )


def _first_batch(validation: Any) -> tuple[Any, Any] | None:
    """Return (inputs, truth) of some validation items."""
    if validation is None:
        return None
    if isinstance(validation, keras.utils.PyDataset):
        validation = validation[0] if len(validation) else None
    if not isinstance(validation, (list, tuple)) or len(validation) < 2:
        return None
    return validation[0], validation[1]


def _numbers(truth: Any) -> NDArray[np.int64] | None:
    """Return label numbers (n,) of numbers (n,), (n, 1) or one-hot rows (n, k); None of anything else."""
    if isinstance(truth, (list, tuple, dict)):
        return None
    values = np.asarray(truth)
    if values.ndim == 2 and values.shape[1] > 1:
        # Of an autoencoder the truth is the input itself.
        return (
            values.argmax(axis=1)
            if np.allclose(values.sum(axis=1), 1) and values.min(initial=0) >= 0
            else None
        )
    values = values.reshape(-1) if values.ndim == 2 else values
    if values.ndim != 1 or not np.array_equal(values, values.astype(np.int64)) or values.min(initial=0) < 0:
        return None
    return values.astype(np.int64)


def _in_turn(truth: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return places of items: the first of each label, then the second of each, in the order of places."""
    rank = np.empty(len(truth), np.int64)
    for label in np.unique(truth):
        at = np.flatnonzero(truth == label)
        rank[at] = np.arange(len(at))
    return np.sort(np.lexsort((np.arange(len(truth)), rank))[:most])


def _probabilities(out: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return probabilities (m, k) of logits or probabilities (m, k), or of members' (m, members, k)."""
    out = out.mean(axis=1) if out.ndim == 3 else out
    if out.ndim != 2 or out.shape[1] < 2 or not np.isfinite(out).all():
        return None
    if out.min() >= 0 and np.allclose(out.sum(axis=1), 1, atol=1e-3):
        return out
    powers = np.exp(out - out.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float64)
