"""Recurrent networks over traces: a few convolutions shorten the trace, then it is read both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import keras
from keras import layers

if TYPE_CHECKING:
    from healthdash.training.studio.items import Prepared
    from healthdash.training.studio.plans import Plan

__all__ = ["build"]

_CHANNELS, _UNITS = 32, 32
#: Steps are taken one after the other, and gradients fade over some hundreds of them.
_MOST_STEPS = 128


def build(prepared: Prepared, labels: int, plan: Plan, *, cell: Literal["gru", "lstm"]) -> keras.Model:
    """Build it: convolutions that halve the trace until it is short, the cell in both directions, logits.

    References
    ----------
    Cho et al. 2014, EMNLP (gated recurrent unit); Hochreiter & Schmidhuber 1997, Neural Computation 9:1735
    (long short-term memory).
    """
    given, x = prepared.entry()
    x = layers.Conv1D(_CHANNELS, 7, strides=2, padding="same", activation="relu")(x)
    while x.shape[1] > _MOST_STEPS:
        x = layers.Conv1D(_CHANNELS, 5, strides=2, padding="same", activation="relu")(x)
    kind = layers.GRU if cell == "gru" else layers.LSTM
    x = layers.Bidirectional(kind(_UNITS, return_sequences=True))(layers.LayerNormalization()(x))
    # What was seen on average and what stood out anywhere: an event may be short.
    x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    x = layers.Dropout(plan.dropout)(x)
    return keras.Model(given, layers.Dense(labels, dtype="float32", name="logits")(x))
