"""A small transformer encoder: over the columns of a row, or over pieces of a trace."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import keras
from keras import layers, ops

if TYPE_CHECKING:
    from healthdash.training.studio.items import Prepared
    from healthdash.training.studio.plans import Plan

__all__ = ["build"]

_WIDTH, _HEADS, _BLOCKS = 32, 4, 2
#: Attention costs the square of the number of pieces.
_MOST_PIECES = 64


def build(prepared: Prepared, labels: int, plan: Plan) -> keras.Model:
    """Build it: tokens, blocks of attention, their mean, logits.

    References
    ----------
    Gorishniy et al. 2021, NeurIPS, Revisiting deep learning models for tabular data (tokens of columns);
    Xiong et al. 2020, ICML, On layer normalization in the transformer (normalised before each part).
    """
    given, entered = prepared.entry()
    # A row enters as tokens already, and the place of a column is in its token.
    x = layers.Dense(_WIDTH)(entered) if len(prepared.shape) == 1 else _pieces(entered, prepared.shape[0])
    for _ in range(_BLOCKS):
        x = _block(x, plan.dropout)
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    x = layers.Dropout(plan.dropout)(x)
    return keras.Model(given, layers.Dense(labels, dtype="float32", name="logits")(x))


def _block(x: Any, dropout: float) -> Any:
    """Add attention, then a small perceptron for each token."""
    y = layers.LayerNormalization()(x)
    y = layers.MultiHeadAttention(_HEADS, _WIDTH // _HEADS, dropout=dropout / 2)(y, y)
    x = layers.Add()([x, layers.Dropout(dropout)(y)])
    y = layers.Dense(2 * _WIDTH, activation="gelu")(layers.LayerNormalization()(x))
    y = layers.Dense(_WIDTH)(layers.Dropout(dropout)(y))
    return layers.Add()([x, y])


def _pieces(trace: Any, samples: int) -> Any:
    """Cut a trace (n, samples, leads) into pieces, each with a word of where it lies."""
    length = max(4, ceil(samples / _MOST_PIECES))
    x = layers.Conv1D(_WIDTH, length, strides=length, padding="same", name="pieces")(trace)
    # Numbers from 0 on, made from the input: a constant would not be part of the saved graph.
    places = ops.cumsum(ops.ones_like(x[:, :, :1]), axis=1) - 1.0
    known = layers.Embedding(x.shape[1], _WIDTH, name="places")(ops.cast(places[:, :, 0], "int32"))
    return layers.Add()([x, known])
