"""The network: a U-Net along one lead (Ronneberger et al. 2015; on ECG Moskalenko et al. 2019)."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from .condition import INPUT
from .limits import LABELS

__all__ = ["DELINEATOR", "delineator", "of_windows"]

#: Name of the inner network, which says what every sample is.
DELINEATOR = "delineator"
_WIDTHS = (24, 32, 48, 64, 96)
_KERNEL = 7
#: Of the deepest level, 64 ms a step: with them a sample sees four seconds.
_DILATIONS = (1, 2, 4)


def delineator(*, dropout: float = 0.1) -> Any:
    """Return an untrained network from a lead (n, time, 1) to logits of each sample (n, time, 4).

    Any time that 16 divides. It works at half the rate first, a quarter next, and so on; what each level
    saw on the way down is added on the way up. The last step to the full rate is linear.
    """
    given = keras.Input((None, 1), name=INPUT)
    x = _block(given, _WIDTHS[0], kernel=11, strides=2)
    levels = [x]
    for width in _WIDTHS[1:4]:
        x = _block(_block(layers.MaxPooling1D(2)(x), width), width)
        levels.append(x)
    for dilation in _DILATIONS:
        x = layers.add([_block(x, _WIDTHS[4], kernel=5, dilation=dilation), _wide(x, _WIDTHS[4])])
    x = layers.SpatialDropout1D(dropout)(x)
    for level, width in zip(reversed(levels), (64, 48, 32, 32), strict=True):
        if level is not levels[-1]:
            x = layers.UpSampling1D(2)(x)
        x = _block(layers.add([_wide(x, width), _wide(level, width)]), width)
    x = layers.UpSampling1D(2)(x)
    # The mean of neighbours turns the repeated values into a line between them.
    x = layers.AveragePooling1D(2, strides=1, padding="same")(x)
    logits = layers.Conv1D(len(LABELS), 1, name="logits")(x)
    return keras.Model(given, logits, name=DELINEATOR)


def of_windows(inner: Any, samples: int, core: int) -> Any:
    """Return the network of a bundle: the share of a window's core that is each label, as logits (n, 4).

    Their softmax is the mean of the probabilities of the core's samples.
    """
    given = keras.Input((samples, 1), name=INPUT)
    each = ops.log_softmax(inner(given), axis=-1)
    margin = (samples - core) // 2
    each = layers.Cropping1D((margin, samples - core - margin))(each)
    return keras.Model(given, ops.logsumexp(each, axis=1), name="ecg_waves")


def _block(x: Any, width: int, *, kernel: int = _KERNEL, strides: int = 1, dilation: int = 1) -> Any:
    x = layers.Conv1D(width, kernel, strides=strides, dilation_rate=dilation, padding="same", use_bias=False)(
        x
    )
    return layers.Activation("relu")(layers.BatchNormalization(momentum=0.95)(x))


def _wide(x: Any, width: int) -> Any:
    return x if x.shape[-1] == width else layers.Conv1D(width, 1, use_bias=False)(x)
