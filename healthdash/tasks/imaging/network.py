"""The picture network: EfficientNet-Lite0 without its last stage, started from ImageNet.

Trained with batch normalisation; shipped as plain convolutions with the same numbers, so that a bundle
holds built-in layers only and one picture never depends on others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from .imagenet import imagenet_weights
from .prepare import INPUT

__all__ = ["NetworkPlan", "average", "stage_ends", "views"]

_EPSILON = 1e-3  # of batch normalisation, as in the pretrained weights
_STEM = 32
_VIEWS = 2
_STATISTICS = ("scale", "shift", "mean", "variance")

# A picture of one grey, or a flat part of one, must not be blown up to noise.
_SMALLEST_SPREAD = 0.02
_SMALLEST_LOCAL_SPREAD = 0.1
_MOST_SPREADS = 3.0
_LOCAL_PARTS = 8


@dataclass(frozen=True, slots=True)
class _Stage:
    kernel: int
    stride: int
    expansion: int
    width: int
    depth: int


# Tan and Le 2019, ICML, EfficientNet, table 1; the Lite variant (Google 2020) has ReLU6 in place of swish
# and no squeeze-and-excitation. The seventh stage (0.6 M weights) is left out: a bundle holds 12 MB.
_STAGES = (
    _Stage(kernel=3, stride=1, expansion=1, width=16, depth=1),
    _Stage(kernel=3, stride=2, expansion=6, width=24, depth=2),
    _Stage(kernel=5, stride=2, expansion=6, width=40, depth=2),
    _Stage(kernel=3, stride=2, expansion=6, width=80, depth=3),
    _Stage(kernel=5, stride=1, expansion=6, width=112, depth=3),
    _Stage(kernel=5, stride=2, expansion=6, width=192, depth=4),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPlan:
    """The shape of one network, 2.3 M weights.

    Attributes
    ----------
    size : int
        Height and width of the input, a multiple of 32.
    labels : int
        Number of outputs.
    dropout : float
        Share of the pooled features that is left out in training.
    skipped : float
        How often the last block is skipped in training; earlier ones in proportion (Huang et al. 2016,
        ECCV, Deep networks with stochastic depth).
    momentum : float
        Of the running mean and variance of the batch normalisation.
    """

    size: int
    labels: int
    dropout: float = 0.2
    skipped: float = 0.1
    momentum: float = 0.95

    def fresh(self) -> keras.Model:
        """Return a network to be trained, with the weights of ImageNet."""
        network = _Builder(self, trainable=True).network("member")
        _start(network)
        return network

    def folded(self, network: keras.Model, name: str) -> keras.Model:
        """Return the same function with the normalisation inside the convolutions, in float32.

        Its weights are rounded to half precision: compressed, they take 60 % of the room.
        """
        plain = _Builder(self, trainable=False).network(name)
        for target in plain.layers:
            if target.weights:
                target.set_weights([_rounded(array) for array in _without_norm(network, target)])
        return plain

    @property
    def words(self) -> str:
        """What it is, for a card."""
        return (
            f"EfficientNet-Lite0 without its last stage, {self.size} px, started from ImageNet weights; "
            "batch normalisation, folded into the convolutions after training"
        )


def average(members: Sequence[keras.Model], size: int, *, mirrored: bool = False) -> keras.Model:
    """Return one network whose logits are the mean of the members'.

    Parameters
    ----------
    members : sequence of keras.Model
        Networks with the same input and output shape.
    mirrored : bool
        Each member also sees the picture mirrored left to right; this doubles the work.
    """
    picture = keras.Input((size, size, 1), name=INPUT)
    seen = [picture, ops.flip(picture, axis=2)] if mirrored else [picture]
    outputs = [member(x) for member in members for x in seen]
    return keras.Model(picture, layers.Average(name="logits")(outputs) if len(outputs) > 1 else outputs[0])


def stage_ends(network: keras.Model) -> list[Any]:
    """Return the output of each stage of a folded network, (n, height, width, channels)."""
    last = np.cumsum([stage.depth for stage in _STAGES]) - 1
    # A block that changes the width has no sum; its projection is its end.
    names = [
        f"block{number}" if stage.depth > 1 else f"block{number}_project"
        for number, stage in zip(last, _STAGES, strict=True)
    ]
    return [network.get_layer(name).output for name in names]


def views(picture: Any, size: int) -> Any:
    """Return the picture standardised as a whole, and around each place, (n, size, size, 2).

    Brightness and contrast differ between X-ray rooms more than between patients.
    """
    part = size // _LOCAL_PARTS
    mean = ops.mean(picture, axis=(1, 2, 3), keepdims=True)
    spread = ops.std(picture, axis=(1, 2, 3), keepdims=True)
    whole = (picture - mean) / (spread + _SMALLEST_SPREAD)
    whole = ops.clip(whole, -_MOST_SPREADS, _MOST_SPREADS)
    difference = whole - _smooth(whole, part)
    local_spread = ops.sqrt(_smooth(ops.square(difference), part) + _SMALLEST_LOCAL_SPREAD**2)
    local = ops.clip(difference / local_spread, -_MOST_SPREADS, _MOST_SPREADS)
    return layers.Concatenate(name="views")([whole, local])


def _smooth(x: Any, width: int) -> Any:
    pooled = layers.AveragePooling2D(width)(x)
    return layers.UpSampling2D(width, interpolation="bilinear")(pooled)


@dataclass(frozen=True, slots=True)
class _Builder:
    """Builds the network with normalisation for training, or without."""

    plan: NetworkPlan
    trainable: bool

    def network(self, name: str) -> keras.Model:
        picture = keras.Input((self.plan.size, self.plan.size, 1), name=INPUT)
        stem = layers.Conv2D(_STEM, 3, 2, **self._named("stem"))
        x = layers.ReLU(6)(self._applied(stem, views(picture, self.plan.size)))
        strides = [(stage, stage.stride if n == 0 else 1) for stage in _STAGES for n in range(stage.depth)]
        for number, (stage, stride) in enumerate(strides):
            x = self._block(x, stage, stride, number, self.plan.skipped * number / len(strides))
        x = layers.GlobalAveragePooling2D(name="features")(x)
        x = layers.Dropout(self.plan.dropout)(x)
        # From zero: random weights on the features of ImageNet would be far from any chance, and the first
        # steps would spoil the features to mend that.
        logits = layers.Dense(self.plan.labels, kernel_initializer="zeros", name="logits", dtype="float32")
        return keras.Model(picture, logits(x), name=name)

    def _block(self, x: Any, stage: _Stage, stride: int, number: int, skipped: float) -> Any:
        name, width = f"block{number}", x.shape[-1]
        y = x
        if stage.expansion > 1:
            expand = layers.Conv2D(stage.expansion * width, 1, **self._named(f"{name}_expand"))
            y = layers.ReLU(6)(self._applied(expand, y))
        depthwise = layers.DepthwiseConv2D(stage.kernel, stride, **self._named(f"{name}_depthwise"))
        y = layers.ReLU(6)(self._applied(depthwise, y))
        y = self._applied(layers.Conv2D(stage.width, 1, **self._named(f"{name}_project")), y)
        if stride > 1 or width != stage.width:
            return y
        if self.trainable:
            y = layers.Dropout(skipped, noise_shape=(None, 1, 1, 1))(y)
        return layers.Add(name=name)([x, y])

    def _named(self, name: str) -> dict[str, Any]:
        return {"padding": "same", "use_bias": not self.trainable, "name": name}

    def _applied(self, convolution: layers.Layer, x: Any) -> Any:
        x = convolution(x)
        if not self.trainable:
            return x
        name = _norm_of(convolution)
        return layers.BatchNormalization(momentum=self.plan.momentum, epsilon=_EPSILON, name=name)(x)


def _start(network: keras.Model) -> None:
    """Give a network the weights of ImageNet; the last layer keeps its zeros."""
    given = imagenet_weights()
    for layer in network.layers:
        if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D):
            kernel = given[f"{layer.name}/kernel"]
            if layer.name == "stem":
                # A grey picture is the same in red, green and blue; our two views share it.
                kernel = np.repeat(kernel.sum(axis=2, keepdims=True) / _VIEWS, _VIEWS, axis=2)
            layer.set_weights([kernel])
            norm = network.get_layer(_norm_of(layer))
            norm.set_weights([given[f"{layer.name}/{part}"] for part in _STATISTICS])


def _without_norm(network: keras.Model, target: layers.Layer) -> list[NDArray[np.float32]]:
    """Return the weights of a plain layer that does what the trained one and its normalisation do."""
    trained = [_array(weight) for weight in network.get_layer(target.name).weights]
    if isinstance(target, layers.Dense):
        return trained
    norm = network.get_layer(_norm_of(target))
    mean, variance = _array(norm.moving_mean), _array(norm.moving_variance)
    factor = _array(norm.gamma) / np.sqrt(variance + _EPSILON)
    # The outputs of a depthwise kernel are its third axis, those of others the fourth.
    along = factor[:, None] if isinstance(target, layers.DepthwiseConv2D) else factor
    return [trained[0] * along, _array(norm.beta) - mean * factor]


def _rounded(array: NDArray[np.float32]) -> NDArray[np.float32]:
    return array.astype(np.float16).astype(np.float32)


def _norm_of(layer: layers.Layer) -> str:
    return f"{layer.name}_norm"


def _array(weight: Any) -> NDArray[np.float32]:
    return np.asarray(ops.convert_to_numpy(weight), np.float32)
