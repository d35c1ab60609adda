"""Encoders and decoders of pictures, signals and rows, from built-in Keras layers only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from healthdash.training.studio.generative.form import Form

__all__ = ["Size", "decoder", "default_size", "features", "made"]

#: Sides of a picture, samples of a signal at which a network stops halving.
_SMALLEST = {"picture": 8, "signal": 16}
_KERNEL = {"picture": 3, "signal": 7}
_CONV = {"picture": layers.Conv2D, "signal": layers.Conv1D}
_DOUBLE = {"picture": layers.UpSampling2D, "signal": layers.UpSampling1D}
_CROP = {"picture": layers.Cropping2D, "signal": layers.Cropping1D}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Size of an encoder and a decoder.

    Attributes
    ----------
    latent : int
        Numbers that stand for an item.
    width : int
        Channels of the first convolution, which double with every halving up to four times as many; of
        rows, the units of each of the two hidden layers.
    """

    latent: int
    width: int


def default_size(form: Form) -> Size:
    """Return a size for a form: of rows, at most a third as many numbers as columns hold."""
    if form.kind == "row":
        return Size(latent=max(2, min(8, form.coded[0] // 3)), width=64)
    return Size(latent=32 if form.kind == "picture" else 16, width=24)


def features(form: Form, size: Size, x: Any, name: str) -> Any:
    """Return what an encoder or a critic finds in coded items (batch, *coded): (batch, d)."""
    if form.kind == "row":
        for number in range(2):
            x = layers.Dense(size.width, name=f"{name}_{number}")(x)
            x = layers.LeakyReLU(0.2)(x)
        return x
    for number, width in enumerate(_widths(form, size)):
        conv = _CONV[form.kind](width, _KERNEL[form.kind], strides=2, padding="same", name=f"{name}_{number}")
        x = layers.LeakyReLU(0.2)(conv(x))
    return layers.Flatten()(x)


def made(form: Form, size: Size, z: Any, name: str) -> Any:
    """Return what a decoder or generator makes of vectors (batch, d): (batch, *coded)."""
    if form.kind == "row":
        for number in range(2):
            z = layers.Dense(size.width, name=f"{name}_{number}")(z)
            z = layers.LeakyReLU(0.2)(z)
        return layers.Dense(form.coded[0], name=f"{name}_out")(z)
    kind, widths, spatial = form.kind, _widths(form, size)[::-1], form.coded[:-1]
    first = [math.ceil(length / 2 ** len(widths)) for length in spatial]
    h = layers.Dense(math.prod(first) * widths[0], name=f"{name}_first")(z)
    h = layers.Reshape((*first, widths[0]))(layers.LeakyReLU(0.2)(h))
    for number, width in enumerate([*widths[1:], size.width]):
        h = _DOUBLE[kind](2)(h)
        h = _CONV[kind](width, _KERNEL[kind], padding="same", name=f"{name}_{number}")(h)
        h = layers.LeakyReLU(0.2)(h)
    beyond = [(0, side * 2 ** len(widths) - length) for side, length in zip(first, spatial, strict=True)]
    if any(more for _, more in beyond):
        h = _CROP[kind](beyond if kind == "picture" else beyond[0])(h)
    return _CONV[kind](form.coded[-1], _KERNEL[kind], padding="same", name=f"{name}_out")(h)


def decoder(form: Form, size: Size, labels: int, *, name: str) -> keras.Model:
    """Return the network that makes items of noise and labels.

    Returns
    -------
    keras.Model
        (noise (batch, latent), one-hot label (batch, labels)) to (batch, *coded).
    """
    noise = keras.Input((size.latent,), name="noise")
    label = keras.Input((labels,), name="label")
    joined = layers.Concatenate()([noise, label])
    return keras.Model([noise, label], made(form, size, joined, name), name=name)


def _widths(form: Form, size: Size) -> list[int]:
    """Return the channels of each halving."""
    longest = max(form.coded[:-1])
    halvings = max(1, math.ceil(math.log2(longest / _SMALLEST[form.kind]))) if longest > 1 else 1
    return [size.width * min(4, 2**number) for number in range(halvings)]
