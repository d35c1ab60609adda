"""Stretches of a recording in which no lead has a value: no beat is sought there, no interval crosses one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["inside", "missing", "shown"]

#: As long as a QRS complex is wide: a beat may be hidden.
_HIDING_S = 0.1


def missing(signal_mv: NDArray[np.float32], rate_hz: float) -> tuple[tuple[int, int], ...]:
    """Return from and to which samples all leads are NaN; a signal (n_samples, n_leads) may hold others."""
    is_gap = np.isnan(signal_mv).all(axis=1)
    edges = np.flatnonzero(np.diff(is_gap, prepend=False, append=False)).reshape(-1, 2)
    return tuple((start, stop) for start, stop in edges.tolist() if stop - start >= _HIDING_S * rate_hz)


def shown(signal_mv: NDArray[np.float32], gaps: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """Return a signal (n_samples, n_leads) as a reader sees it: NaN, no flat line, in gaps (from, to)."""
    if not gaps:
        return signal_mv
    drawn = signal_mv.copy()
    for start, stop in gaps:
        drawn[start:stop] = np.nan
    return drawn


def inside(at: NDArray[Any], gaps: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    """Say which moments (m,) lie in a gap, from its start up to its end, in the same unit."""
    if not gaps:
        return np.zeros(len(at), bool)
    starts, stops = np.array(gaps).T
    before = np.searchsorted(starts, at, side="right") - 1
    return np.asarray((before >= 0) & (at < stops[before]))
