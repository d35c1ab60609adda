"""Leads of training patients as batches: each lead once an epoch, changed anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from healthdash.training.resumable import batch_rng

from ..resample import resampled
from .changed import Lead, changed
from .condition import conditioned
from .limits import Annotated, targets

__all__ = ["LeadBatches", "leads_of"]

Batch = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]


def leads_of(recordings: Sequence[Annotated], rate_hz: float) -> list[Lead]:
    """Return every annotated lead at a rate, with its targets."""
    return [lead for one in recordings for lead in _leads(one, rate_hz)]


def _leads(one: Annotated, rate_hz: float) -> Iterator[Lead]:
    working = resampled(one.sample.signal_mv, one.sample.rate_hz, rate_hz)
    for values, limits in zip(working.T, one.limits, strict=True):
        if limits is not None and len(limits.kind):
            label, known = targets(limits, len(values), rate_hz)
            yield Lead(values.astype(np.float64), label, known)


class LeadBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of stretches (b, samples, 1), labels (b, samples) and weights (b, samples).

    Parameters
    ----------
    leads : sequence of Lead
    config : mapping
        Constants of the preprocessing, which follows the changes as it follows a recorder's.
    samples : int
        Length of a stretch; a shorter lead is filled up with zeros that do not count.
    augment : bool
        False: every lead as it is, from its beginning, in order.
    """

    def __init__(
        self,
        leads: Sequence[Lead],
        config: Mapping[str, Any],
        *,
        samples: int,
        batch_size: int,
        augment: bool,
        seed: int,
    ) -> None:
        super().__init__()
        self._leads, self._config = leads, config
        self._samples, self._batch_size = samples, batch_size
        self._augment, self._seed = augment, seed
        self.begin(0)

    def __len__(self) -> int:
        return -(-len(self._order) // self._batch_size)

    def __getitem__(self, number: int) -> Batch:
        rng = batch_rng(self._seed, self._epoch, number)
        rows = self._order[number * self._batch_size : (number + 1) * self._batch_size]
        parts = [self._stretch(self._leads[row], rng) for row in rows]
        signal, label, known = (np.stack(arrays) for arrays in zip(*parts, strict=True))
        return signal[:, :, None].astype(np.float32), label, known.astype(np.float32)

    def identity(self) -> list[NDArray[Any]]:
        """Return the targets of every lead, and where they are known."""
        return [array for lead in self._leads for array in (lead.label, lead.known)]

    def begin(self, epoch: int) -> None:
        """Draw the order of an epoch, counted from 0; it depends on the seed and the epoch only."""
        self._epoch = epoch
        rows = np.arange(len(self._leads))
        self._order = batch_rng(self._seed, epoch).permutation(rows) if self._augment else rows

    def _stretch(self, lead: Lead, rng: np.random.Generator) -> tuple[NDArray[Any], ...]:
        rate_hz = self._config["rate_hz"]
        if self._augment:
            lead = changed(lead, rate_hz, rng)
        seen = conditioned(lead.signal[:, None].astype(np.float32), rate_hz, self._config)[:, 0]
        spare = len(seen) - self._samples
        start = int(rng.integers(spare + 1)) if self._augment and spare > 0 else max(0, spare // 2)
        cut = slice(start, start + self._samples)
        missing = max(0, -spare)
        return tuple(np.pad(array[cut], (0, missing)) for array in (seen, lead.label, lead.known))
