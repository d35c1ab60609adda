"""Rows of a table for networks that make rows: numbers standardised, gaps as a mask, codes as one-hot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.training.studio.generative.form import Form
from healthdash.training.studio.items import ItemKind

__all__ = ["Number", "RowForm"]

Floats = NDArray[np.float32]
_SMALLEST_SPREAD = 1e-6
#: A number this many standard deviations away is taken as that far, so that one value cannot rule a network.
_WIDEST = 6.0
# Of a number that a decoder could tell without error; half the width within which rows look alike.
_SMALLEST_VARIANCE = 0.01


@dataclass(frozen=True, slots=True)
class Number:
    """How a column of numbers is standardised; `whole` rounds what is made, `log` takes log(1 + x)."""

    place: int
    center: float
    spread: float
    low: float
    high: float
    log: bool
    whole: bool


@dataclass(frozen=True, eq=False)
class RowForm(Form):
    """Coded as [standardised numbers, their gaps as 0 or 1, the codes of each column as one-hot].

    Attributes
    ----------
    numbers : tuple of Number
    codes : tuple of (place, choices)
        Columns of codes; code 0 is a gap or an unknown one.
    """

    shape: tuple[int, ...]
    numbers: tuple[Number, ...]
    codes: tuple[tuple[int, int], ...]
    kind: ItemKind = "row"

    @classmethod
    def fitted(cls, values: Floats, columns: Sequence[Mapping[str, Any]]) -> RowForm:
        """Fit it on training rows (m, p), NaN where a number is missing.

        `columns` says of each whether its kind is "number" (and whether `log`), or "category" with `values`.
        """
        kinds = list(enumerate(columns))
        return cls(
            shape=tuple(values.shape[1:]),
            numbers=tuple(
                _number(at, values[:, at], is_log=bool(column.get("log")))
                for at, column in kinds
                if column["kind"] == "number"
            ),
            codes=tuple((at, len(c["values"]) + 1) for at, c in kinds if c["kind"] != "number"),
        )

    @property
    def coded(self) -> tuple[int, ...]:  # type: ignore[override]
        """Length of a coded row."""
        return (2 * len(self.numbers) + sum(size for _, size in self.codes),)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> RowForm:
        """Return the form that a bundle holds."""
        return cls(
            shape=tuple(stored["shape"]),
            numbers=tuple(Number(**number) for number in stored["numbers"]),
            codes=tuple((place, size) for place, size in stored["codes"]),
        )

    def stored(self) -> dict[str, Any]:
        """Return it as JSON for a bundle."""
        return asdict(self)

    # -- arrays ----------------------------------------------------------------------------------

    def encode(self, values: Floats) -> Floats:
        """Return coded rows; gaps have the mean and a mark."""
        parts = [self._standardised(values)]
        parts += [np.isnan(values[:, [n.place for n in self.numbers]]).astype(np.float32)]
        parts += [np.eye(size, dtype=np.float32)[self._known(values[:, at], size)] for at, size in self.codes]
        return np.concatenate(parts, axis=1)

    def decode(self, out: Floats, rng: np.random.Generator | None = None) -> Floats:
        """Return rows; with `rng` gaps and codes are drawn by their probabilities."""
        rows = np.empty((len(out), *self.shape), np.float32)
        count = len(self.numbers)
        for number, z, gap in zip(self.numbers, out[:, :count].T, out[:, count : 2 * count].T, strict=True):
            missing = gap > (0.0 if rng is None else rng.logistic(size=len(out)))
            rows[:, number.place] = np.where(missing, np.nan, _in_unit(number, z))
        for (at, _), logits in zip(self.codes, self._code_parts(out), strict=True):
            # The largest of logits with Gumbel's noise is a draw from their softmax.
            noise = 0.0 if rng is None else rng.gumbel(size=logits.shape)
            rows[:, at] = (logits + noise).argmax(axis=1)
        return rows

    def corrupted(self, coded: Floats, share: float, rng: np.random.Generator) -> Floats:
        """Return rows some of whose columns are empty: the mean, no mark of a gap, no code."""
        keep = (rng.random((len(coded), len(self.numbers) + len(self.codes))) >= share).astype(np.float32)
        count = len(self.numbers)
        sizes = [1] * (2 * count) + [size for _, size in self.codes]
        columns = np.concatenate([keep[:, :count], keep], axis=1)
        return np.asarray(coded * np.repeat(columns, sizes, axis=1), np.float32)

    def hidden(self, values: Floats, share: float, rng: np.random.Generator) -> Floats:
        """Return rows with gaps in some columns."""
        gap = np.zeros(self.shape, np.float32)
        gap[[n.place for n in self.numbers]] = np.nan
        return np.where(rng.random(values.shape) < share, gap, values).astype(np.float32)

    def residual_spread(self, coded: Floats, out: Floats) -> Floats:
        """Return it for the numbers, over the rows that have them; 0 for gaps and codes, which are drawn."""
        count = len(self.numbers)
        known = 1.0 - coded[:, count : 2 * count]
        squares = known * (coded[:, :count] - out[:, :count]) ** 2
        spread = np.zeros(self.coded, np.float32)
        spread[:count] = np.sqrt(squares.sum(axis=0) / np.maximum(known.sum(axis=0), 1.0))
        return spread

    def flat(self, values: Floats) -> Floats:
        """Return coded rows in which another code, or a gap, counts like one standard deviation."""
        coded = self.encode(values)
        count = 2 * len(self.numbers)
        coded[:, count:] /= np.sqrt(2)
        return coded

    # -- layers ----------------------------------------------------------------------------------

    def entry(self, x: Any) -> Any:
        """Return coded rows of (batch, columns)."""
        from keras import layers, ops

        parts = []
        if self.numbers:
            values = ops.take(x, [n.place for n in self.numbers], axis=1)
            standard = layers.Normalization(
                mean=[n.center for n in self.numbers],
                variance=[n.spread**2 for n in self.numbers],
                name="standardised",
            )(self._logged(values))
            gap = ops.isnan(values)
            parts += [ops.where(gap, 0.0, ops.clip(standard, -_WIDEST, _WIDEST)), ops.cast(gap, "float32")]
        for at, size in self.codes:
            known = ops.clip(ops.nan_to_num(ops.take(x, at, axis=1)), 0, size - 1)
            parts.append(ops.one_hot(ops.cast(known, "int32"), size))
        return layers.Concatenate(name="coded")(parts) if len(parts) > 1 else parts[0]

    def errors(self, coded: Any, out: Any) -> Any:
        """Return for each column the squared difference or -log of the probability of its code.

        A number adds how little its gap, or that it is none, was expected.
        """
        from keras import ops

        columns, count = [], len(self.numbers)
        if count:
            gap, logits = coded[:, count : 2 * count], out[:, count : 2 * count]
            surprise = ops.softplus(logits) - gap * logits
            columns.append((1.0 - gap) * ops.square(coded[:, :count] - out[:, :count]) + surprise)
        for hot, logits in zip(self._code_parts(coded), self._code_parts(out), strict=True):
            columns.append(-ops.sum(hot * ops.log_softmax(logits, axis=-1), axis=-1, keepdims=True))
        return self._in_order(columns)

    def negative_log_likelihood(self, coded: Any, out: Any) -> Any:
        """Return that of independent columns: Gaussians of the likeliest widths, Bernoulli gaps, codes."""
        from keras import ops

        total, count = 0.0, len(self.numbers)
        if count:
            gap, logits = coded[:, count : 2 * count], out[:, count : 2 * count]
            known = 1.0 - gap
            squares = known * ops.square(coded[:, :count] - out[:, :count])
            seen = ops.maximum(ops.sum(known, axis=0), 1.0)
            variance = ops.maximum(ops.sum(squares, axis=0) / seen, _SMALLEST_VARIANCE)
            width = 0.5 * (known * ops.log(variance) + squares / variance)
            total += ops.sum(width + ops.softplus(logits) - gap * logits, axis=-1)
        for hot, logits in zip(self._code_parts(coded), self._code_parts(out), strict=True):
            total -= ops.sum(hot * ops.log_softmax(logits, axis=-1), axis=-1)
        return total

    def soft(self, out: Any) -> Any:
        """Return numbers as they are, gaps and codes as probabilities; a gap hides its number."""
        from keras import ops

        parts, count = [], len(self.numbers)
        if count:
            gap = ops.sigmoid(out[:, count : 2 * count])
            parts += [out[:, :count] * (1.0 - gap), gap]
        parts += [ops.softmax(logits, axis=-1) for logits in self._code_parts(out)]
        return ops.concatenate(parts, axis=-1)

    # -- parts -----------------------------------------------------------------------------------

    def _code_parts(self, coded: Any) -> list[Any]:
        """Return the part of each column of codes."""
        parts, start = [], 2 * len(self.numbers)
        for _, size in self.codes:
            parts.append(coded[:, start : start + size])
            start += size
        return parts

    def _in_order(self, columns: list[Any]) -> Any:
        """Join numbers and codes in the order of the table's columns."""
        from keras import ops

        joined = ops.concatenate(columns, axis=-1) if len(columns) > 1 else columns[0]
        places = [n.place for n in self.numbers] + [at for at, _ in self.codes]
        return ops.take(joined, [int(i) for i in np.argsort(places)], axis=-1)

    def _standardised(self, values: Floats) -> Floats:
        columns = [_standard(number, values[:, number.place]) for number in self.numbers]
        return np.stack(columns, axis=1) if columns else np.empty((len(values), 0), np.float32)

    def _known(self, column: Floats, size: int) -> NDArray[np.int64]:
        return np.clip(np.nan_to_num(column), 0, size - 1).astype(np.int64)

    def _logged(self, values: Any) -> Any:
        from keras import layers, ops

        asked = [1.0 if number.log else 0.0 for number in self.numbers]
        if not any(asked):
            return values
        which = layers.Rescaling(0.0, offset=asked, name="is_logged")(ops.zeros_like(values))
        return ops.where(which > 0.5, ops.log1p(ops.maximum(values, 0.0)), values)


def _number(place: int, column: Floats, *, is_log: bool) -> Number:
    known = column[np.isfinite(column)].astype(np.float64)
    if not len(known):
        known = np.zeros(1)
    scaled = np.log1p(np.maximum(known, 0)) if is_log else known
    return Number(
        place=place,
        center=float(scaled.mean()),
        spread=float(max(scaled.std(), _SMALLEST_SPREAD)),
        low=float(known.min()),
        high=float(known.max()),
        log=is_log,
        whole=bool(np.all(known == np.round(known))),
    )


def _standard(number: Number, column: Floats) -> Floats:
    scaled = np.log1p(np.maximum(column, 0)) if number.log else column
    z = np.clip((scaled - number.center) / number.spread, -_WIDEST, _WIDEST)
    return np.where(np.isnan(column), 0.0, z).astype(np.float32)


def _in_unit(number: Number, z: Floats) -> Floats:
    scaled = np.clip(z, -_WIDEST, _WIDEST).astype(np.float64) * number.spread + number.center
    values = np.clip(np.expm1(scaled) if number.log else scaled, number.low, number.high)
    return np.asarray(np.round(values) if number.whole else values, np.float32)
