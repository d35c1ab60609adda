"""Batches of labelled items: drawn, changed and mixed anew in every epoch, always the same for one seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from healthdash.training.resumable import batch_rng
from healthdash.training.studio.items import Prepared, Rows
from healthdash.training.studio.losses import class_weights
from healthdash.training.studio.plans import Plan
from healthdash.training.studio.streams import Stream

__all__ = ["ItemBatches", "Items", "steady", "training"]

Floats = NDArray[np.float32]
Batch = tuple[Floats, Floats, Floats]
#: Items that need no change in an epoch are held in memory up to this size.
_HELD_BYTES = 256 << 20
#: In the place of a batch's number, of changes that are made to all items of an epoch at once.
_ALL = -1


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """Some of the prepared items with their labels.

    Attributes
    ----------
    truth : int64 (n,)
        Label of every item, also of those that are not among `rows`.
    labels : int
        How many labels there are.
    """

    prepared: Prepared
    truth: NDArray[np.int64]
    rows: Rows
    labels: int

    @property
    def is_small(self) -> bool:
        """Whether all of them fit easily into memory."""
        return len(self.rows) * int(np.prod(self.prepared.shape)) * 4 <= _HELD_BYTES


class ItemBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches (inputs, targets (m, k), weights (m,)) that depend on seed, epoch and number only.

    Parameters
    ----------
    items : Items
    weights : float32 (labels,)
        What an item of each label counts.
    is_training : bool
        Draw in a random order, change and mix at random; else every item once, in order.
    """

    def __init__(
        self, items: Items, plan: Plan, weights: Floats, *, is_training: bool, batch_size: int, seed: int = 0
    ) -> None:
        super().__init__()
        self._items, self._plan, self._weights = items, plan, weights
        self._is_training, self._batch_size, self._seed = is_training, batch_size, seed
        self._changes = is_training and plan.augment
        # Rows are small, and changed more quickly all at once than a batch at a time.
        self._at_once = self._changes and items.is_small and len(items.prepared.shape) == 1
        self._held = items.prepared.inputs(items.rows) if items.is_small and not self._changes else None
        self._stream: Stream | None = None
        self.begin(0)

    def stream(self) -> Any:
        """Return the same batches as TensorFlow gathers them by itself; None where each is made anew."""
        is_mixed = self._is_training and self._plan.mixup > 0
        if self._held is None or is_mixed or not Stream.is_possible():
            return None
        if self._stream is None:
            targets = self._targets(self._items.rows)
            arrays = (self._held, self._smooth(targets), targets @ self._weights)
            self._stream = Stream(arrays, self._batch_size)
            self._stream.begin(self._order)
        return self._stream.dataset

    def begin(self, epoch: int) -> None:
        """Draw the items of an epoch, counted from 0."""
        self._epoch, count = epoch, len(self._items.rows)
        self._order = np.arange(count)
        if self._is_training:
            rng = batch_rng(self._seed, epoch)
            is_drawn = self._plan.balance == "resampling"
            self._order = self._drawn_evenly(rng) if is_drawn else rng.permutation(count)
        if self._at_once:
            rng = batch_rng(self._seed, epoch, _ALL)
            self._held = self._items.prepared.inputs(self._items.rows, rng)
        if self._stream:
            self._stream.begin(self._order, self._held if self._at_once else None)

    def identity(self) -> tuple[NDArray[Any], ...]:
        """Return which items these are, their labels, and what an item of each label counts."""
        rows = self._items.rows
        return rows, self._items.truth[rows], self._weights

    def __len__(self) -> int:
        return math.ceil(len(self._items.rows) / self._batch_size)

    def __getitem__(self, number: int) -> Batch:
        places = self._order[number * self._batch_size : (number + 1) * self._batch_size]
        rng = batch_rng(self._seed, self._epoch, number)
        rows = self._items.rows[places]
        if self._held is not None:
            inputs = self._held[places]
        else:
            inputs = self._items.prepared.inputs(rows, rng if self._changes else None)
        targets = self._targets(rows)
        if self._is_training:
            inputs, targets = _mixed(inputs, targets, self._plan.mixup, rng)
        return inputs, self._smooth(targets), targets @ self._weights

    def _targets(self, rows: Rows) -> Floats:
        return np.eye(self._items.labels, dtype=np.float32)[self._items.truth[rows]]

    def _smooth(self, targets: Floats) -> Floats:
        """Spread a share of each label over all, while training."""
        share = self._plan.label_smoothing if self._is_training else 0.0
        return (1 - share) * targets + np.float32(share / self._items.labels)

    def _drawn_evenly(self, rng: np.random.Generator) -> Rows:
        """Return as many places as there are items, each label about equally often, in random order."""
        truth = self._items.truth[self._items.rows]
        present = np.unique(truth)
        share = math.ceil(len(truth) / len(present))
        drawn = []
        for label in present:
            own = np.flatnonzero(truth == label)
            drawn.append(np.concatenate([rng.permutation(own) for _ in range(-(-share // len(own)))])[:share])
        return np.asarray(rng.permutation(np.concatenate(drawn))[: len(truth)], np.int64)


def training(items: Items, plan: Plan, *, seed: int) -> ItemBatches:
    """Return the batches that a network learns from."""
    weights = np.ones(items.labels, np.float32)
    if plan.balance == "class-weights":
        weights = class_weights(items.truth[items.rows], items.labels)
    return ItemBatches(items, plan, weights, is_training=True, batch_size=plan.batch_size, seed=seed)


def steady(items: Items, plan: Plan, learnt: NDArray[np.int64]) -> ItemBatches:
    """Return the batches that a network is watched on: unchanged, labels weighed as training weighs them.

    Parameters
    ----------
    learnt : int64 (m,)
        Labels of the real items that are learnt from.
    """
    even = plan.balance in ("class-weights", "resampling")
    weights = class_weights(learnt, items.labels) if even else np.ones(items.labels, np.float32)
    return ItemBatches(items, plan, weights, is_training=False, batch_size=max(plan.batch_size, 64))


def _mixed(
    inputs: Floats, targets: Floats, strength: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Mix each item with another of its batch.

    References
    ----------
    Zhang et al. 2018, ICLR, mixup: Beyond empirical risk minimization.
    """
    if strength <= 0 or len(inputs) < 2:
        return inputs, targets
    shares = rng.beta(strength, strength, len(inputs)).astype(np.float32)
    # The larger share stays with the item itself, so that no pair comes twice.
    shares = np.maximum(shares, 1 - shares)
    partner = rng.permutation(len(inputs))
    wide = shares.reshape(-1, *[1] * (inputs.ndim - 1))
    mixed = wide * inputs + (1 - wide) * inputs[partner]
    return mixed, shares[:, None] * targets + (1 - shares[:, None]) * targets[partner]
