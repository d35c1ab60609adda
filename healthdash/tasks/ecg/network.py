"""The network: one branch for each of two leads with shared weights, then the rhythm around the beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

__all__ = ["INPUTS", "averaged", "build"]

#: Names of the inputs, in the network's order.
INPUTS = ("window", "intervals", "shapes", "rhythm", "alike")

_Layer = Callable[[Any], Any]


def build(
    shapes: Mapping[str, tuple[int, ...]], labels: int, *, dropout: float = 0.4, name: str = "member"
) -> Any:
    """Return an untrained network of named inputs that gives logits (n, labels).

    Parameters
    ----------
    shapes : dict
        Shape of each of `INPUTS` without the batch; see `prepare`.
    """
    return _network(shapes, labels, _Alone(), dropout, name)


def averaged(members: Sequence[Any], *, dropout: float = 0.4) -> Any:
    """Join networks of `build` into one that gives the mean of their logits.

    It has each layer once, with the weights of all members side by side: one network to load and to
    compile, whatever their number. It keeps their dropout for whoever trains it further.
    """
    shapes = {i.name: i.shape[1:] for i in members[0].inputs}
    labels = members[0].outputs[0].shape[-1]
    joined = _network(shapes, labels, _SideBySide(len(members)), dropout, name="ecg_beats")
    weights = zip(*(member.get_weights() for member in members), strict=True)
    joined.set_weights([_beside(w, held.shape) for w, held in zip(weights, joined.weights, strict=True)])
    return joined


def _beside(weights: Sequence[NDArray[np.float32]], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Put the same weights of all members on a first axis, or among the channels of a shared convolution."""
    if len(shape) == weights[0].ndim:
        return np.concatenate(weights, axis=-1)
    return np.stack(weights).reshape(shape)


def _network(
    shapes: Mapping[str, tuple[int, ...]], labels: int, kit: _Alone | _SideBySide, dropout: float, name: str
) -> Any:
    inputs = {key: keras.Input(shapes[key], name=key) for key in INPUTS}
    windows = ops.split(inputs["window"], 2, axis=-1)
    shape_parts = ops.split(inputs["shapes"], 2, axis=-1)
    branch = _LeadBranch(kit, dropout)
    a, b = (
        branch(window, layers.concatenate([inputs["intervals"], part]))
        for window, part in zip(windows, shape_parts, strict=True)
    )
    rate, p_first, p_second = ops.split(inputs["rhythm"], [2, 4], axis=-1)
    rhythm = layers.concatenate([rate, layers.average([p_first, p_second])])
    alike = kit.dense(24)(layers.Dropout(dropout / 2)(kit.given(inputs["alike"])))
    x = layers.concatenate([layers.average([a, b]), layers.maximum([a, b]), kit.given(rhythm), alike])
    x = kit.dense(48)(layers.Dropout(dropout / 2)(x))
    logits = kit.dense(labels, activation=None, name="logits")(layers.Dropout(dropout)(x))
    return keras.Model(list(inputs.values()), kit.mean(logits), name=name)


class _LeadBranch:
    """Layers that both leads share: the trace by convolution, the shapes and intervals by neighbours."""

    def __init__(self, kit: _Alone | _SideBySide, dropout: float) -> None:
        self._patches = kit.first_conv(24, 12, strides=4)
        self._waves = kit.conv(32, 3, strides=2)
        self._trace = kit.dense(24)
        self._beat = kit.first_conv(32, 1)
        self._near = [kit.conv(32, 3, padding="same") for _ in range(2)]
        self._sequence = kit.dense(32)
        self._flat = kit.flat
        self._dropout = dropout

    def __call__(self, window: Any, features: Any) -> Any:
        x = self._waves(self._patches(window))
        x = self._flat(layers.Dropout(self._dropout / 2)(x))
        trace = self._trace(layers.Dropout(self._dropout)(x))
        y = self._beat(features)
        for near in self._near:
            y = layers.add([y, near(layers.Dropout(self._dropout / 2)(y))])
        sequence = self._sequence(layers.Dropout(self._dropout)(self._flat(y)))
        return layers.concatenate([trace, sequence])


class _Alone:
    """Layers of one network: vectors (n, channels), sequences (n, places, channels)."""

    dense = staticmethod(partial(layers.Dense, activation="relu"))
    conv = first_conv = staticmethod(partial(layers.Conv1D, activation="relu"))

    @staticmethod
    def given(vector: Any) -> Any:
        return vector

    @staticmethod
    def flat(sequence: Any) -> Any:
        return layers.Flatten()(sequence)

    mean = given


class _SideBySide:
    """The same layers of some networks at once: (networks, n, channels), (networks, n, places, channels).

    The networks come first, so that each layer is one product of matrices for all of them.
    """

    def __init__(self, networks: int) -> None:
        self._networks = networks

    def dense(self, units: int, activation: str | None = "relu", name: str | None = None) -> _Layer:
        layer: _Layer = layers.EinsumDense(
            "mnc,mcd->mnd", (None, units), activation=activation, bias_axes="md", name=name
        )
        return layer

    def first_conv(self, filters: int, width: int, strides: int = 1) -> _Layer:
        """Return a convolution of what all networks are given: an ordinary one of more channels."""
        conv = layers.Conv1D(self._networks * filters, width, strides=strides, activation="relu")

        def convolved(given: Any) -> Any:
            apart = layers.Reshape((-1, self._networks, filters))(conv(given))
            return ops.transpose(apart, (2, 0, 1, 3))

        return convolved

    def conv(self, filters: int, width: int, strides: int = 1, padding: str = "valid") -> _Layer:
        """Return a convolution of each network's own channels, as a product over the places beside each."""
        margin = width // 2 if padding == "same" else 0
        product = layers.EinsumDense(
            "mntkc,mkcd->mntd", (None, None, filters), activation="relu", bias_axes="md"
        )

        def convolved(sequence: Any) -> Any:
            padded = ops.pad(sequence, ((0, 0), (0, 0), (margin, margin), (0, 0))) if margin else sequence
            starts = range(0, padded.shape[2] - width + 1, strides)
            beside = ops.take(padded, [[start + k for k in range(width)] for start in starts], axis=2)
            # The product leaves the number of places open.
            return layers.Reshape((-1, len(starts), filters))(product(beside))

        return convolved

    def given(self, vector: Any) -> Any:
        return ops.repeat(ops.expand_dims(vector, 0), self._networks, axis=0)

    @staticmethod
    def flat(sequence: Any) -> Any:
        return layers.Reshape((-1, sequence.shape[2] * sequence.shape[3]))(sequence)

    @staticmethod
    def mean(logits: Any) -> Any:
        return ops.mean(logits, axis=0)
