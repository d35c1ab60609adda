"""The columns of a table as tokens: some numbers for each column, for the networks of the studio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
from keras import layers, ops

from .network import standardised

__all__ = ["INPUT", "WIDTH", "entry"]

INPUT = "features"
#: Numbers in a token.
WIDTH = 8


def entry(columns: Sequence[Mapping[str, Any]]) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Return the input (batch, columns) and its tokens (batch, columns, `WIDTH`), numbers first.

    A number becomes value * a + b with an own a and b for each column, a gap a vector of its own; a code
    is looked up.

    References
    ----------
    Gorishniy et al. 2021, NeurIPS, Revisiting deep learning models for tabular data, section 3.3.
    """
    x = keras.Input((len(columns),), name=INPUT, dtype="float32")
    parts = [*_numbers(x, columns), *_codes(x, columns)]
    return x, layers.Concatenate(axis=1, name="tokens")(parts) if len(parts) > 1 else parts[0]


def _numbers(x: Any, columns: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    at = [place for place, column in enumerate(columns) if column["kind"] == "number"]
    if not at:
        return
    values, centred = standardised(x, columns, at)
    gap = ops.isnan(values)
    filled = ops.where(gap, 0.0, centred)
    shape = {"equation": "ab,bc->abc", "output_shape": (len(at), WIDTH)}
    yield layers.Add(name="number_tokens")(
        [
            layers.EinsumDense(**shape, bias_axes="bc", kernel_initializer=_even(), name="numbers")(filled),
            layers.EinsumDense(**shape, kernel_initializer=_even(), name="gaps")(ops.cast(gap, "float32")),
        ]
    )


def _codes(x: Any, columns: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    at = [place for place, column in enumerate(columns) if column["kind"] == "category"]
    if not at:
        return
    sizes = [len(columns[place]["values"]) + 1 for place in at]
    starts = [float(sum(sizes[:number])) for number in range(len(sizes))]
    codes = layers.Rescaling(1.0, offset=starts, name="places", dtype="float32")(ops.take(x, at, axis=1))
    table = layers.Embedding(sum(sizes), WIDTH, embeddings_initializer=_even(), name="embeddings")
    yield table(ops.cast(codes, "int32"))


def _even() -> keras.initializers.Initializer:
    # As wide for every column, however many there are: a token begins like those beside it.
    return keras.initializers.RandomUniform(-(WIDTH**-0.5), WIDTH**-0.5)
