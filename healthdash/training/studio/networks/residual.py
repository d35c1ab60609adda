"""Residual networks over pictures and traces, without statistics of the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers

if TYPE_CHECKING:
    from healthdash.training.studio.items import Prepared
    from healthdash.training.studio.plans import Plan

__all__ = ["build"]

_PICTURE_WIDTHS, _SIGNAL_WIDTHS = (24, 48, 96), (32, 48, 64, 96)
_GROUPS = 8
#: Below this many places along an axis nothing is left to be halved.
_FEWEST_PLACES = 4


def build(prepared: Prepared, labels: int, plan: Plan) -> keras.Model:
    """Build it: a first convolution, stages that each halve the resolution, the mean of the places, logits.

    Normalisation is by groups of channels of one item: means of a batch are of little worth in small ones,
    and their running averages lag behind in data sets of a few hundred items.

    References
    ----------
    He et al. 2016, ECCV, Identity mappings in deep residual networks (activation before convolution);
    Wu & He 2018, ECCV, Group normalization.
    """
    given, x = prepared.entry()
    is_picture = len(prepared.shape) == 3
    widths = _PICTURE_WIDTHS if is_picture else _SIGNAL_WIDTHS
    x = _convolution(is_picture, widths[0], 5 if is_picture else 11, 2)(x)
    for stage, width in enumerate(widths):
        halve = stage > 0 and min(x.shape[1:-1]) >= 2 * _FEWEST_PLACES
        x = _block(x, width, is_picture, halve=halve)
    x = layers.Activation("relu")(layers.GroupNormalization(_GROUPS)(x))
    pool = layers.GlobalAveragePooling2D if is_picture else layers.GlobalAveragePooling1D
    x = layers.Dropout(plan.dropout)(pool(name="features")(x))
    return keras.Model(given, layers.Dense(labels, dtype="float32", name="logits")(x))


def _block(x: Any, width: int, is_picture: bool, *, halve: bool) -> Any:
    """Return x plus what two convolutions make of it, perhaps at half the resolution."""
    size, stride = (3, 2 if halve else 1) if is_picture else (7, 2 if halve else 1)
    y = layers.Activation("relu")(layers.GroupNormalization(_GROUPS)(x))
    if halve or x.shape[-1] != width:
        x = _convolution(is_picture, width, 1, stride)(y)
    y = _convolution(is_picture, width, size, stride)(y)
    y = layers.Activation("relu")(layers.GroupNormalization(_GROUPS)(y))
    return layers.Add()([x, _convolution(is_picture, width, size, 1)(y)])


def _convolution(is_picture: bool, width: int, size: int, stride: int) -> Any:
    kind = layers.Conv2D if is_picture else layers.Conv1D
    return kind(width, size, strides=stride, padding="same", kernel_initializer="he_normal")
