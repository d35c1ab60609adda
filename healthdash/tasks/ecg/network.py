"""The network: one branch for each of two leads with shared weights, then the rhythm around the beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import layers, ops

__all__ = ["INPUTS", "averaged", "build"]

#: Names of the inputs, in the network's order.
INPUTS = ("window", "intervals", "shapes", "rhythm", "alike")


def build(
    shapes: Mapping[str, tuple[int, ...]], labels: int, *, dropout: float = 0.4, name: str = "member"
) -> Any:
    """Return an untrained network of named inputs that gives logits (n, labels).

    Parameters
    ----------
    shapes : dict
        Shape of each of `INPUTS` without the batch; see `prepare`.
    """
    inputs = {key: keras.Input(shapes[key], name=key) for key in INPUTS}
    windows = ops.split(inputs["window"], 2, axis=-1)
    shape_parts = ops.split(inputs["shapes"], 2, axis=-1)
    branch = _LeadBranch(dropout)
    a, b = (
        branch(window, layers.concatenate([inputs["intervals"], part]))
        for window, part in zip(windows, shape_parts, strict=True)
    )
    rate, p_first, p_second = ops.split(inputs["rhythm"], [2, 4], axis=-1)
    alike = layers.Dense(24, activation="relu")(layers.Dropout(dropout / 2)(inputs["alike"]))
    x = layers.concatenate(
        [layers.average([a, b]), layers.maximum([a, b]), rate, layers.average([p_first, p_second]), alike]
    )
    x = layers.Dense(48, activation="relu")(layers.Dropout(dropout / 2)(x))
    logits = layers.Dense(labels, name="logits")(layers.Dropout(dropout)(x))
    return keras.Model(list(inputs.values()), logits, name=name)


class _LeadBranch:
    """Layers that both leads share: the trace by convolution, the shapes and intervals by neighbours."""

    def __init__(self, dropout: float) -> None:
        self._patches = layers.Conv1D(24, 12, strides=4, activation="relu")
        self._waves = layers.Conv1D(32, 3, strides=2, activation="relu")
        self._trace = layers.Dense(24, activation="relu")
        self._beat = layers.Conv1D(32, 1, activation="relu")
        self._near = [layers.Conv1D(32, 3, padding="same", activation="relu") for _ in range(2)]
        self._sequence = layers.Dense(32, activation="relu")
        self._dropout = dropout

    def __call__(self, window: Any, features: Any) -> Any:
        x = self._waves(self._patches(window))
        x = layers.Flatten()(layers.Dropout(self._dropout / 2)(x))
        trace = self._trace(layers.Dropout(self._dropout)(x))
        y = self._beat(features)
        for near in self._near:
            y = layers.add([y, near(layers.Dropout(self._dropout / 2)(y))])
        sequence = self._sequence(layers.Dropout(self._dropout)(layers.Flatten()(y)))
        return layers.concatenate([trace, sequence])


def averaged(members: Sequence[Any]) -> Any:
    """Join networks of equal inputs into one that gives the mean of their logits."""
    inputs = [keras.Input(i.shape[1:], name=i.name) for i in members[0].inputs]
    outputs = [member(inputs) for member in members]
    mean = layers.average(outputs) if len(outputs) > 1 else outputs[0]
    return keras.Model(inputs, mean, name="ecg_beats")
