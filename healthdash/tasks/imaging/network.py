"""The picture networks: small residual networks without batch statistics, averaged into one.

Trained with `ScaledConv2D`, whose kernels are standardised in every step; shipped as plain
convolutions with the same numbers, so that a bundle holds built-in layers only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from .prepare import INPUT

__all__ = ["NetworkPlan", "ScaledConv2D", "average", "build", "copied", "folded", "views"]

# Keeps the variance of relu(x) at 1 for a standard normal x (Brock et al. 2021, ICLR, table 1).
_RELU_GAIN = float(np.sqrt(2 / (1 - 1 / np.pi)))
_RESIDUAL_GAIN = 0.2
_SMALLEST_VARIANCE = 1e-4
# A picture of one grey, or a flat part of one, must not be blown up to noise.
_SMALLEST_SPREAD = 0.02
_SMALLEST_LOCAL_SPREAD = 0.1
_MOST_SPREADS = 3.0
_LOCAL_PARTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPlan:
    """The shape of one network.

    Attributes
    ----------
    size : int
        Height and width of the input, a multiple of 16.
    labels : int
        Number of outputs.
    stem : int
        Channels of the first convolution.
    widths, depths : tuple of int
        Channels and residual blocks of each stage; every stage halves the resolution.
    dropout : float
        Share of the pooled features that is left out in training.
    """

    size: int
    labels: int
    stem: int = 16
    widths: tuple[int, ...] = (48, 96, 128)
    depths: tuple[int, ...] = (1, 2, 3)
    dropout: float = 0.15

    def fresh(self) -> keras.Model:
        """Return a network to be trained, with random weights."""
        return build(self)

    def folded(self, network: keras.Model, name: str) -> keras.Model:
        """Return the same function made of plain convolutions only, in float32."""
        return folded(network, self, name)

    @property
    def words(self) -> str:
        """What it is, for a card."""
        return (
            f"residual, {self.size} px, widths {list(self.widths)}, depths {list(self.depths)}, "
            "weight standardisation, no batch statistics"
        )


@keras.saving.register_keras_serializable(package="healthdash")
class ScaledConv2D(layers.Conv2D):  # type: ignore[misc]
    """A convolution whose kernel has mean 0 and variance gain^2 / fan-in at every output.

    Stands in for batch normalisation: nothing depends on the other pictures of a batch or
    on stored statistics of the training hospital.

    Parameters
    ----------
    initial_gain : float
        First value of the trained gain of each output channel.

    References
    ----------
    Brock, De and Smith 2021, ICLR, Characterizing signal propagation to close the
    performance gap in unnormalized ResNets.
    """

    def __init__(self, *arguments: Any, initial_gain: float = 1.0, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.initial_gain = initial_gain

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the kernel, the bias and the gain of each output."""
        self.gain = self.add_weight(
            name="gain", shape=(self.filters,), initializer=keras.initializers.Constant(self.initial_gain)
        )
        super().build(input_shape)

    def effective_kernel(self) -> Any:
        """Return the kernel that the convolution uses, (height, width, channels in, filters)."""
        kernel = self.kernel
        mean = ops.mean(kernel, axis=(0, 1, 2), keepdims=True)
        variance = ops.var(kernel, axis=(0, 1, 2), keepdims=True)
        fan_in = float(np.prod(kernel.shape[:-1]))
        return (kernel - mean) * (_RELU_GAIN * self.gain / ops.sqrt(variance * fan_in + _SMALLEST_VARIANCE))

    def call(self, x: Any) -> Any:
        """Convolve with the standardised kernel."""
        y = ops.conv(x, self.effective_kernel(), strides=self.strides, padding=self.padding)
        return y + self.bias

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "initial_gain": self.initial_gain}


def build(plan: NetworkPlan, *, trainable: bool = True, name: str = "member") -> keras.Model:
    """Build one network from a grey picture to logits.

    Parameters
    ----------
    plan : NetworkPlan
    trainable : bool
        True: with `ScaledConv2D`, to be trained. False: with plain convolutions.

    Returns
    -------
    keras.Model
        Input `image` (n, size, size, 1), grey 0 to 1; output logits (n, labels).
    """
    picture = keras.Input((plan.size, plan.size, 1), name=INPUT)
    x = _conv(trainable, plan.stem, 3, 2, "stem")(views(picture, plan.size))
    x = _conv(trainable, plan.widths[0], 3, 2, "reduce")(layers.ReLU()(x))
    for stage, (width, depth) in enumerate(zip(plan.widths, plan.depths, strict=True)):
        for block in range(depth):
            x = _block(x, width, trainable, name=f"stage{stage}_block{block}", halve=stage > 0 and block == 0)
    x = layers.GlobalAveragePooling2D(name="features")(layers.ReLU()(x))
    x = layers.Dropout(plan.dropout)(x)
    return keras.Model(picture, layers.Dense(plan.labels, name="logits", dtype="float32")(x), name=name)


def folded(network: keras.Model, plan: NetworkPlan, name: str) -> keras.Model:
    """Return the same function made of plain convolutions only, in float32."""
    plain = build(plan, trainable=False, name=name)
    for target in plain.layers:
        source = network.get_layer(target.name) if target.weights else None
        if isinstance(source, ScaledConv2D):
            target.set_weights([ops.convert_to_numpy(w) for w in (source.effective_kernel(), source.bias)])
        elif source is not None:
            target.set_weights(source.get_weights())
    return plain


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


def copied(source: keras.Model, target: keras.Model) -> int:
    """Give a network with plain convolutions those of a shipped one.

    Parameters
    ----------
    source : keras.Model
        A shipped network, or an average of such: then its first member is taken.
    target : keras.Model
        Of the same stem, widths and depths; the size of the picture may differ.

    Returns
    -------
    int
        How many layers were copied.
    """
    source = next((layer for layer in source.layers if isinstance(layer, keras.Model)), source)
    known = {layer.name: layer for layer in source.layers if isinstance(layer, layers.Conv2D)}
    same = [layer for layer in target.layers if isinstance(layer, layers.Conv2D) and layer.name in known]
    for layer in same:
        layer.set_weights(known[layer.name].get_weights())
    return len(same)


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


def _conv(trainable: bool, filters: int, kernel: int, stride: int, name: str, gain: float = 1.0) -> Any:
    named = {"strides": stride, "padding": "same", "name": name}
    if trainable:
        return ScaledConv2D(filters, kernel, initial_gain=gain, **named)
    return layers.Conv2D(filters, kernel, **named)


def _block(x: Any, width: int, trainable: bool, *, name: str, halve: bool) -> Any:
    """Return x plus a residual of two convolutions; `halve` halves the resolution first."""
    active = layers.ReLU()(x)
    if halve:
        active = layers.AveragePooling2D(2)(active)
        x = _conv(trainable, width, 1, 1, f"{name}_shortcut")(active)
    y = _conv(trainable, width, 3, 1, f"{name}_first")(active)
    y = _conv(trainable, width, 3, 1, f"{name}_second", _RESIDUAL_GAIN)(layers.ReLU()(y))
    return layers.Add(name=name)([x, y])
