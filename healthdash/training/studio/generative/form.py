"""How generative networks see an item: values of about the same size, codes as one-hot, gaps as a mask.

A `Form` is fitted on training items and goes both ways: into what a network takes, and back into the
values of the item. The way in exists twice, as arrays for training and as layers for a saved network.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from healthdash.training.studio.items import ItemKind, Prepared, Rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["FieldForm", "Form", "fitted_form", "form_of", "some_of", "to_restore"]

Floats = NDArray[np.float32]
#: Items that centre and spread are fitted on; more would change the third digit.
_MOST_FITTED = 2000
_SMALLEST_SPREAD = 1e-6
_HELD_BYTES = 128 << 20


class Form(ABC):
    """Items as arrays of one shape, for networks that make items.

    Attributes
    ----------
    kind : str
    shape, coded : tuple of int
        Of an item, and of an item as the networks see it.
    """

    kind: ItemKind
    shape: tuple[int, ...]
    coded: tuple[int, ...]

    @abstractmethod
    def stored(self) -> dict[str, Any]:
        """Return it as JSON for a bundle, which `form_of` reads."""

    @abstractmethod
    def encode(self, values: Floats) -> Floats:
        """Return items (m, *shape) as networks see them (m, *coded)."""

    @abstractmethod
    def decode(self, out: Floats, rng: np.random.Generator | None = None) -> Floats:
        """Return a decoder's output (m, *coded) as items (m, *shape); with `rng` drawn, else expected."""

    @abstractmethod
    def entry(self, x: Any) -> Any:
        """Return what `encode` does, as layers: (batch, *shape) to (batch, *coded)."""

    @abstractmethod
    def errors(self, coded: Any, out: Any) -> Any:
        """Return how far a decoder's output is from an item at each place, (batch, *shape), 0 and more."""

    @abstractmethod
    def negative_log_likelihood(self, coded: Any, out: Any) -> Any:
        """Return -log p(item | output) without constants, (batch,), in nats."""

    @abstractmethod
    def soft(self, out: Any) -> Any:
        """Return a decoder's output as a critic sees items: logits as probabilities."""

    @abstractmethod
    def corrupted(self, coded: Floats, share: float, rng: np.random.Generator) -> Floats:
        """Return items (m, *coded) of which about a share is hidden, for a network to restore."""

    @abstractmethod
    def hidden(self, values: Floats, share: float, rng: np.random.Generator) -> Floats:
        """Return items (m, *shape) in their own units, of which about a share is hidden."""

    def residual_spread(self, coded: Floats, out: Floats) -> Floats | None:
        """Return the standard deviation (*coded,) of items around a decoder's output; None draws none."""
        return None

    @abstractmethod
    def flat(self, values: Floats) -> Floats:
        """Return items (m, *shape) as vectors (m, d) whose Euclidean distances compare items."""


def fitted_form(kind: ItemKind, prepared: Prepared, rows: Rows, *, seed: int) -> Form:
    """Fit the form of a kind of items on training rows; the same seed gives the same form."""
    values = prepared.inputs(some_of(rows, prepared.shape, seed=seed, most=_MOST_FITTED))
    if kind == "row":
        from healthdash.training.studio.generative.rows import RowForm

        plain = [{"kind": "number"}] * values.shape[1]
        return RowForm.fitted(values, prepared.preprocessing.get("columns", plain))
    return FieldForm.fitted(kind, values)


def some_of(rows: Rows, shape: tuple[int, ...], *, seed: int, most: int | None = None) -> Rows:
    """Return rows drawn at random, in order, whose items fit easily into memory; all where they do.

    Parameters
    ----------
    shape : tuple of int
        Of one item.
    most : int or None
        At most so many rows.
    """
    fitting = max(1, _HELD_BYTES // (4 * int(np.prod(shape))))
    count = min(len(rows), fitting, most or len(rows))
    if count == len(rows):
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, count, replace=False))


def form_of(stored: Mapping[str, Any]) -> Form:
    """Return the form that a bundle holds."""
    if stored["kind"] == "row":
        from healthdash.training.studio.generative.rows import RowForm

        return RowForm.of(stored)
    constants: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in stored.items()}
    return FieldForm(**constants)


@dataclass(frozen=True, eq=False)
class FieldForm(Form):
    """Pictures (height, width, channels) and signals (samples, leads): each channel standardised.

    A signal loses its own mean first, for its level is that of the electrodes: what is made has mean 0.

    Attributes
    ----------
    center, spread : tuple of float, length channels
        Mean and standard deviation over the training items.
    low, high : tuple of float, length channels
        Range of the training items; what is made stays inside.
    """

    kind: ItemKind
    shape: tuple[int, ...]
    center: tuple[float, ...]
    spread: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def fitted(cls, kind: ItemKind, values: Floats) -> FieldForm:
        """Fit it on training items (m, *shape)."""
        values = values - _level(kind, values)
        axes = tuple(range(values.ndim - 1))
        spread = np.maximum(values.std(axis=axes, dtype=np.float64), _SMALLEST_SPREAD)
        return cls(
            kind=kind,
            shape=tuple(values.shape[1:]),
            center=_floats(values.mean(axis=axes, dtype=np.float64)),
            spread=_floats(spread),
            low=_floats(values.min(axis=axes)),
            high=_floats(values.max(axis=axes)),
        )

    @property
    def coded(self) -> tuple[int, ...]:  # type: ignore[override]
        """The shape of an item."""
        return self.shape

    def stored(self) -> dict[str, Any]:
        """Return it as JSON for a bundle."""
        return asdict(self)

    def encode(self, values: Floats) -> Floats:
        """Return standardised items."""
        return (values - _level(self.kind, values) - _float32(self.center)) / _float32(self.spread)

    def decode(self, out: Floats, rng: np.random.Generator | None = None) -> Floats:
        """Return items in their own unit, inside the range of training; nothing is drawn."""
        values = out * _float32(self.spread) + _float32(self.center)
        return np.asarray(np.clip(values, _float32(self.low), _float32(self.high)), np.float32)

    def entry(self, x: Any) -> Any:
        """Return the standardised input."""
        from keras import layers, ops

        if self.kind == "signal":
            x = x - ops.mean(x, axis=1, keepdims=True)
        variance = [value**2 for value in self.spread]
        return layers.Normalization(mean=list(self.center), variance=variance, name="standardised")(x)

    def errors(self, coded: Any, out: Any) -> Any:
        """Return squared differences, in squares of the standard deviation."""
        from keras import ops

        return ops.square(coded - out)

    def negative_log_likelihood(self, coded: Any, out: Any) -> Any:
        """Return that of a Gaussian of one width, the likeliest one for the batch.

        References
        ----------
        Rybkin, Daniilidis & Levine 2021, ICML, Simple and effective VAE training with calibrated decoders.
        """
        from keras import ops

        axes = tuple(range(1, len(self.coded) + 1))
        squares = ops.mean(ops.square(coded - out), axis=axes)
        variance = ops.maximum(ops.mean(squares), _SMALLEST_VARIANCE)
        return float(np.prod(self.coded)) * 0.5 * (ops.log(variance) + squares / variance)

    def soft(self, out: Any) -> Any:
        """Return the output itself."""
        return out

    def corrupted(self, coded: Floats, share: float, rng: np.random.Generator) -> Floats:
        """Return items with the mean in the place of patches, an eighth of each axis long."""
        spatial = self.coded[:-1]
        cells = rng.random((len(coded), *(_PATCHES for _ in spatial))) >= share
        for axis, length in enumerate(spatial, start=1):
            cells = cells.take(np.arange(length) * _PATCHES // length, axis=axis)
        return coded * cells[..., None].astype(np.float32)

    def hidden(self, values: Floats, share: float, rng: np.random.Generator) -> Floats:
        """Return items with the mean in the place of patches."""
        return self.decode(self.corrupted(self.encode(values), share, rng)) + _level(self.kind, values)

    def flat(self, values: Floats) -> Floats:
        """Return standardised items, averaged to at most 16 places along each axis.

        Distances of fine detail would hide that two pictures are one, moved by a pixel.
        """
        coded = self.encode(values)
        for axis in range(1, coded.ndim - 1):
            length = coded.shape[axis]
            starts = np.unique(np.arange(_PLACES) * length // _PLACES)
            sizes: Floats = np.diff([*starts, length]).astype(np.float32)
            sums: Floats = np.add.reduceat(coded, starts, axis=axis)
            coded = sums / sizes.reshape([-1 if a == axis else 1 for a in range(coded.ndim)])
        return np.asarray(coded.reshape(len(coded), -1), np.float32)


#: Patches along each axis that are hidden as a whole.
_PATCHES = 8
#: Places along each axis that distances are measured on.
_PLACES = 16
# The likeliest width of a decoder that makes no error would be 0, and its likelihood infinite.
_SMALLEST_VARIANCE = 1e-4


def _level(kind: ItemKind, values: Floats) -> Floats:
    """Return what is taken off each lead of items (m, *shape), to be broadcast: nothing off pictures."""
    if kind != "signal":
        return np.zeros((1,) * values.ndim, np.float32)
    return np.asarray(values.mean(axis=1, keepdims=True), np.float32)


def _float32(values: Sequence[float]) -> Floats:
    return np.asarray(values, np.float32)


def _floats(values: Sequence[float] | NDArray[Any]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def to_restore(
    kind: ItemKind, prepared: Prepared, rows: Rows, rng: np.random.Generator | None
) -> tuple[Floats, Floats]:
    """Return items to hide parts of, and what is to be restored of them, both (m, *shape).

    Parameters
    ----------
    rng : numpy.random.Generator or None
        Changes items at random as training does: a moved picture is restored as it was moved. The change
        of a row is hidden values; were these to be restored as gaps, a gap would seem usual everywhere.
    """
    plain = prepared.inputs(rows)
    changed = plain if rng is None else prepared.changed(plain, rng)
    return changed, plain if kind == "row" else changed
