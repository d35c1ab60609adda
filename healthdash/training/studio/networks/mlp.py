"""A perceptron over the columns of a row, each of which enters as a few numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
from keras import layers

if TYPE_CHECKING:
    from healthdash.training.studio.items import Prepared
    from healthdash.training.studio.plans import Plan

__all__ = ["build"]

_WIDTHS = (64, 32)


def build(prepared: Prepared, labels: int, plan: Plan) -> keras.Model:
    """Build it: tokens side by side, two hidden layers, logits."""
    given, tokens = prepared.entry()
    x = layers.Flatten()(tokens)
    for width in _WIDTHS:
        x = layers.Dense(width, activation="gelu")(x)
        x = layers.Dropout(plan.dropout)(x)
    return keras.Model(given, layers.Dense(labels, dtype="float32", name="logits")(x))
