"""Stretches of a recording in which leads say nothing: where none has a value, no beat is sought."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["heard", "held_still", "inside", "missing", "missing_of_leads", "shown"]

#: As long as a QRS complex is wide: a beat may be hidden.
_HIDING_S = 0.1
#: A lead that keeps one value for so long is off; a drawn or coarse one may keep it for less, between beats.
_STILL_S = 1.0


def missing(signal_mv: NDArray[np.float32], rate_hz: float) -> tuple[tuple[int, int], ...]:
    """Return from and to which samples all leads are NaN; a signal (n_samples, n_leads) may hold others."""
    return _stretches(np.asarray(np.isnan(signal_mv).all(axis=1)), rate_hz)


def missing_of_leads(signal_mv: NDArray[np.float32], rate_hz: float) -> tuple[tuple[int, int, int], ...]:
    """Return lead number, and from and to which samples it is NaN, of a signal (n_samples, n_leads)."""
    found = (_stretches(np.isnan(lead), rate_hz) for lead in signal_mv.T)
    return tuple((number, *stretch) for number, stretches in enumerate(found) for stretch in stretches)


def shown(signal_mv: NDArray[np.float32], gaps: Sequence[tuple[int, int, int]]) -> NDArray[np.float32]:
    """Return a signal (n_samples, n_leads) as a reader sees it: NaN, no line, in gaps (lead, from, to)."""
    if not gaps:
        return signal_mv
    drawn = signal_mv.copy()
    for lead, start, stop in gaps:
        drawn[start:stop, lead] = np.nan
    return drawn


def held_still(signal_mv: NDArray[np.float32], rate_hz: float) -> tuple[tuple[int, int, int], ...]:
    """Return lead number, and from and to which samples it keeps one value, for a second or longer."""
    found = (_stretches(np.diff(lead) == 0, rate_hz, _STILL_S) for lead in signal_mv.T)
    return tuple((number, start, stop + 1) for number, some in enumerate(found) for start, stop in some)


def heard(
    shape: tuple[int, int], gaps: Sequence[tuple[int, int, int]], scale: float = 1.0
) -> NDArray[np.bool_]:
    """Say where each lead has a signal, bool (n_samples, n_leads), at `scale` times the rate of the gaps."""
    is_heard = np.ones(shape, bool)
    for lead, start, stop in gaps:
        is_heard[round(start * scale) : round(stop * scale), lead] = False
    return is_heard


def _stretches(
    is_gap: NDArray[np.bool_], rate_hz: float, least_s: float = _HIDING_S
) -> tuple[tuple[int, int], ...]:
    edges = np.flatnonzero(np.diff(is_gap, prepend=False, append=False)).reshape(-1, 2)
    return tuple((start, stop) for start, stop in edges.tolist() if stop - start >= least_s * rate_hz)


def inside(at: NDArray[Any], gaps: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    """Say which moments (m,) lie in a gap, from its start up to its end, in the same unit."""
    if not gaps:
        return np.zeros(len(at), bool)
    starts, stops = np.array(gaps).T
    before = np.searchsorted(starts, at, side="right") - 1
    return np.asarray((before >= 0) & (at < stops[before]))
