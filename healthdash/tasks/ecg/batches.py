"""Balanced, randomly changed batches for the training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from healthdash.training.resumable import batch_rng

from .examples import LABELS, Part
from .network import INPUTS

__all__ = ["Batches", "augmented"]

Inputs = Mapping[str, NDArray[np.float32]]


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Balanced batches: at most so many beats of each class from each recording, drawn anew each epoch.

    Parameters
    ----------
    parts : sequence of Part
    most : sequence of int
        Most beats of each class from one recording in an epoch.
    simulated_share : float
        The same for simulated recordings, as a share.
    augment : bool
        Change amplitude, polarity, place, leads, noise and rate at random.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        most: Sequence[int],
        simulated_share: float,
        batch_size: int,
        augment: bool,
        seed: int,
    ) -> None:
        super().__init__()
        self._inputs = {n: np.concatenate([p.inputs[n] for p in parts]) for n in parts[0].inputs}
        self._labels = np.concatenate([_for_training(part) for part in parts])
        self._cells = list(_cells(parts, most, simulated_share))
        self._batch_size, self._augment, self._seed = batch_size, augment, seed
        self.begin(0)

    def __len__(self) -> int:
        return max(1, len(self._order) // self._batch_size)

    def __getitem__(self, number: int) -> tuple[tuple[NDArray[np.float32], ...], NDArray[np.int64]]:
        rows = self._order[number * self._batch_size : (number + 1) * self._batch_size]
        arrays = {n: v[rows] for n, v in self._inputs.items()}
        if self._augment:
            arrays = augmented(arrays, batch_rng(self._seed, self._epoch, number))
        # A tuple: TensorFlow takes a list for one tensor.
        return tuple(arrays[n] for n in INPUTS), self._labels[rows]

    def identity(self) -> tuple[NDArray[np.int64], ...]:
        """Return the label of every beat, also of those that are not drawn."""
        return (self._labels,)

    def begin(self, epoch: int) -> None:
        """Draw the beats of an epoch, counted from 0; they depend on the seed and the epoch only."""
        self._epoch, rng = epoch, batch_rng(self._seed, epoch)
        drawn = [rng.permutation(rows)[:most] for rows, most in self._cells]
        self._order = rng.permutation(np.concatenate(drawn))


def _cells(
    parts: Sequence[Part], most: Sequence[int], simulated_share: float
) -> Iterator[tuple[NDArray[np.int64], int]]:
    start = 0
    for part in parts:
        labels = _for_training(part)
        for label, number in enumerate(most):
            rows = start + np.flatnonzero(labels == label)
            if len(rows):
                yield rows, max(1, round(number * (simulated_share if part.is_simulated else 1.0)))
        start += len(part.labels)


def _for_training(part: Part) -> NDArray[np.int64]:
    """Return the labels with false detections as Q, unclassifiable: they are not to be called V."""
    return part.labels if part.is_simulated else np.where(part.labels == -1, LABELS.index("Q"), part.labels)


def augmented(arrays: Inputs, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
    """Return a batch with leads dropped, traces scaled, moved and turned, features noisy or missing."""
    window, intervals, shapes, rhythm, alike = (arrays[n].copy() for n in INPUTS)
    n, half = len(window), shapes.shape[2] // 2
    # One lead for both, in two of five beats: one lead must be enough.
    alone = rng.random(n)
    only_second, only_first = alone < 0.2, (alone >= 0.2) & (alone < 0.4)
    window[only_second, :, :2], shapes[only_second, :, :half] = (
        window[only_second, :, 2:],
        shapes[only_second, :, half:],
    )
    window[only_first, :, 2:], shapes[only_first, :, half:] = (
        window[only_first, :, :2],
        shapes[only_first, :, :half],
    )
    sign = np.where(rng.random((n, 1, 1)) < 0.1, -1, 1)
    window *= sign * np.exp(0.1 * rng.standard_normal((n, 1, 1)))
    window = np.roll(window, rng.integers(-2, 3), axis=1)
    window += 0.03 * rng.standard_normal(window.shape)
    # Another heart rate: the absolute intervals move together, the relative ones stay.
    rate = 0.3 * rng.standard_normal(n)
    intervals[:, :, 2] += rate[:, None]
    alike[:, 2] += rate
    rhythm[:, 0] += rate
    noisy = {"window": window, "intervals": _veiled(intervals, rng), "shapes": _veiled(shapes, rng)}
    rhythm += 0.1 * rng.standard_normal(rhythm.shape)
    rhythm *= rng.random(rhythm.shape) >= 0.1
    in_common = _veiled(alike[:, None], rng)[:, 0] * (rng.random((n, 1)) >= 0.1)
    return {
        name: np.asarray(v, np.float32)
        for name, v in (noisy | {"rhythm": rhythm, "alike": in_common}).items()
    }


def _veiled(features: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float64]:
    """Add noise, and set one feature in ten to its neutral value for the beat and its neighbours."""
    n, _, f = features.shape
    noisy: NDArray[np.float64] = features + 0.1 * rng.standard_normal(features.shape)
    return noisy * (rng.random((n, 1, f)) >= 0.1)
