"""Networks for tables: an ensemble of small perceptrons that all learn inside one network.

Only built-in Keras layers and `keras.ops`, so that a saved network loads in safe mode.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras
from keras import layers, ops

__all__ = ["Shape", "build", "member_loss", "standardised"]

_WIDEST = 4.0
#: Keras takes no spread below 1e-7; float32 ends at 2 to the power of 127.
_TINY, _MOST_DOUBLED = 1e-6, 120


@dataclass(frozen=True, slots=True)
class Shape:
    """Size and regularisation of a network.

    Attributes
    ----------
    members : int
        Perceptrons with weights of their own; their logits are averaged.
    hidden : tuple of int
        Units of each hidden layer of a member.
    embedding : int
        Numbers by which each member stands for a category.
    dropout : float
        Share of hidden units left out while training.
    masking : float
        Share of values hidden while training, each taken as missing: so the network learns
        to do without any of its columns.
    """

    members: int = 8
    hidden: tuple[int, ...] = (32,)
    embedding: int = 4
    dropout: float = 0.3
    masking: float = 0.0

    def described(self) -> dict[str, Any]:
        """Return the sizes for the bundle's recipe."""
        return asdict(self)


def build(
    columns: Sequence[Mapping[str, Any]], shape: Shape, *, labels: int = 2, seed: int = 0
) -> tuple[keras.Model, keras.Model]:
    """Make the network for fitted columns.

    Parameters
    ----------
    columns : sequence of dict
        As `prepare.fitted_columns` returns them.

    Returns
    -------
    trained : keras.Model
        "features" (n, p) to logits of each member (n, members, labels): each member has its
        own loss, so that they stay different.
    averaged : keras.Model
        The same weights; "features" (n, p) to mean logits (n, labels).
    """
    x = keras.Input((len(columns),), name="features", dtype="float32")
    # Dropout of ones is a random mask while training, and all ones otherwise.
    keep = layers.Dropout(shape.masking, seed=seed, name="masking")(ops.ones_like(x))
    table = _Table(x, keep, columns, shape, seed)
    parts = [*table.numbers_part(), *table.categories_part()]
    h = layers.Add(name="joined")(parts) if len(parts) > 1 else parts[0]
    for depth, units in enumerate(shape.hidden):
        if depth:
            h = _dense("amb,mbh->amh", (shape.members, units), shape.hidden[depth - 1], seed + depth)(h)
        h = layers.Activation("gelu")(h)
        h = layers.Dropout(shape.dropout, seed=seed + 20 + depth)(h)
    # A third of the usual variance: members begin near "no opinion".
    out = _dense("amb,mbk->amk", (shape.members, labels), 3 * shape.hidden[-1], seed + 10, name="members")(h)
    return keras.Model(x, out), keras.Model(x, ops.mean(out, axis=1))


def member_loss(truth: Any, logits: Any) -> Any:
    """Return the cross-entropy (n,) averaged over members; logits (n, members, labels)."""
    hot = ops.one_hot(ops.reshape(ops.cast(truth, "int32"), (-1,)), logits.shape[-1])
    log_p = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    return -ops.mean(ops.sum(ops.expand_dims(hot, 1) * log_p, axis=-1), axis=-1)


def standardised(x: Any, columns: Sequence[Mapping[str, Any]], at: list[int]) -> tuple[Any, Any]:
    """Return columns of numbers, logged where they ask for it, and the same with median 0 and spread 1.

    Gaps stay gaps in both; the latter are bounded.
    """
    values = _logged(ops.take(x, at, axis=1), columns, at)
    times = [_enlargement(columns[i]["scale"]) for i in at]
    centred = layers.Normalization(
        mean=[columns[i]["center"] * factor for i, factor in zip(at, times, strict=True)],
        variance=[(columns[i]["scale"] * factor) ** 2 for i, factor in zip(at, times, strict=True)],
        name="standardised",
        dtype="float32",
    )(_enlarged(values, times))
    return values, ops.clip(centred, -_WIDEST, _WIDEST)


def _enlargement(scale: float) -> float:
    """Return the power of two that brings a tiny spread near 1, and 1 for any other."""
    return 2.0 ** min(-math.floor(math.log2(scale)), _MOST_DOUBLED) if scale < _TINY else 1.0


def _enlarged(values: Any, times: Sequence[float]) -> Any:
    if set(times) == {1.0}:
        return values
    return layers.Rescaling(list(times), name="enlarged", dtype="float32")(values)


def _logged(values: Any, columns: Sequence[Mapping[str, Any]], at: list[int]) -> Any:
    """Take the logarithm of 1 + x of the columns that ask for it."""
    asked = [1.0 if columns[i].get("log") else 0.0 for i in at]
    if not any(asked):
        return values
    which = layers.Rescaling(0.0, offset=asked, name="is_logged", dtype="float32")(ops.zeros_like(values))
    return ops.where(which > 0.5, ops.log1p(ops.maximum(values, 0.0)), values)


@dataclass(frozen=True, slots=True)
class _Table:
    """The input, its random mask, and what is known of its columns."""

    x: Any
    keep: Any
    columns: Sequence[Mapping[str, Any]]
    shape: Shape
    seed: int

    def places(self, kind: str) -> list[int]:
        """Return the places of the columns of a kind."""
        return [place for place, column in enumerate(self.columns) if column["kind"] == kind]

    @property
    def fan_in(self) -> int:
        """Values that reach a unit of the first layer: two a number, an embedding a category."""
        return 2 * len(self.places("number")) + self.shape.embedding * len(self.places("category"))

    def numbers_part(self) -> Iterator[Any]:
        """Standardise numbers, put the median where one is missing, and say where."""
        at = self.places("number")
        if not at:
            return
        values, centred = standardised(self.x, self.columns, at)
        gap = ops.logical_or(ops.isnan(values), ops.equal(ops.take(self.keep, at, axis=1), 0.0))
        filled = ops.where(gap, 0.0, centred)
        joined = layers.Concatenate()([filled, ops.cast(gap, "float32")])
        units = (self.shape.members, self.shape.hidden[0])
        yield _dense("ab,mbh->amh", units, self.fan_in, self.seed + 1, name="numbers")(joined)

    def categories_part(self) -> Iterator[Any]:
        """Look every category up in one table of embeddings, each member in its own part of it."""
        at = self.places("category")
        if not at:
            return
        codes = ops.where(ops.equal(ops.take(self.keep, at, axis=1), 0.0), 0.0, ops.take(self.x, at, axis=1))
        sizes = [len(self.columns[i]["values"]) + 1 for i in at]
        starts = [float(sum(sizes[:number])) for number in range(len(sizes))]
        members, size = self.shape.members, self.shape.embedding
        table = layers.Embedding(
            sum(sizes),
            members * size,
            embeddings_initializer=keras.initializers.RandomUniform(-1.0, 1.0, seed=self.seed + 30),
            name="embeddings",
        )(ops.cast(layers.Rescaling(1.0, offset=starts, name="places")(codes), "int32"))
        table = layers.Reshape((len(at), members, size))(table)
        units = (members, self.shape.hidden[0])
        seed = self.seed + 2
        yield _dense("acmd,mcdh->amh", units, self.fan_in, seed, name="categories", bias=False)(table)


def _dense(
    equation: str,
    units: tuple[int, int],
    fan_in: int,
    seed: int,
    *,
    name: str | None = None,
    bias: bool = True,
) -> layers.EinsumDense:
    """Return a dense layer for every member at once, with LeCun's uniform initial weights.

    References
    ----------
    LeCun et al. 1998, Efficient BackProp, section 4.6.
    """
    limit = (3.0 / max(fan_in, 1)) ** 0.5
    return layers.EinsumDense(
        equation,
        output_shape=units,
        bias_axes=equation[-2:] if bias else None,
        kernel_initializer=keras.initializers.RandomUniform(-limit, limit, seed=seed),
        name=name,
    )
