"""Stretches of a recording in which leads say nothing: where none has a value, no beat is sought."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = [
    "common",
    "heard",
    "held_still",
    "hiding",
    "inside",
    "missing",
    "missing_of_leads",
    "pauses_told",
    "shown",
    "without_beat",
]

#: As long as a QRS complex is wide: a beat may be hidden.
_HIDING_S = 0.1
#: A lead that keeps one value for so long is off; a drawn or coarse one may keep it for less, between beats.
_STILL_S = 1.0
#: An interval between beats that is longer than this times the usual one around it may hide a beat.
_LONG = 1.6
_MOST_TOLD = 5


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


def hiding(
    still: Sequence[tuple[int, int, int]], beats: NDArray[np.int64], length: int
) -> tuple[tuple[int, int, int], ...]:
    """Leave out where a lead is held still only from one beat to the next: a slow heart in coarse steps.

    Parameters
    ----------
    still : sequence of (int, int, int)
        Lead number, and from and to which samples it keeps one value.
    beats : int64 (n_beats,)
        Sample numbers of the beats that are found, ascending.
    length : int
        Number of samples of the recording.
    """
    if len(beats) < 2:
        return tuple(still)
    edges = np.concatenate([[0], beats, [length]])
    between = np.diff(edges)
    is_long = between > _LONG * ndimage.median_filter(between, size=9, mode="nearest")
    _, starts, stops = np.array(still).T
    interval = np.clip(np.searchsorted(edges, starts, side="right") - 1, 0, len(between) - 1)
    hides = is_long[interval] | (stops > edges[interval + 1])
    return tuple(one for one, may_hide in zip(still, hides.tolist(), strict=True) if may_hide)


def common(
    gaps: Sequence[tuple[int, int, int]], leads: Sequence[int], length: int, rate_hz: float
) -> tuple[tuple[int, int], ...]:
    """Return from and to which of `length` samples all of some leads lie in gaps (lead, from, to)."""
    is_silent = np.ones(length, bool)
    for lead in leads:
        of_lead = [(0, start, stop) for number, start, stop in gaps if number == lead]
        is_silent &= ~heard((length, 1), of_lead)[:, 0]
    return _stretches(is_silent, rate_hz)


def without_beat(silent: Sequence[tuple[int, int]], beats: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
    """Return from which beat to which the silent stretches last, in samples; none at the ends."""
    around = ((np.searchsorted(beats, start) - 1, np.searchsorted(beats, stop)) for start, stop in silent)
    inner = dict.fromkeys((int(a), int(b)) for a, b in around if a >= 0 and b < len(beats))
    return tuple((int(beats[first]), int(beats[last])) for first, last in inner)


def pauses_told(stretches_s: Sequence[tuple[float, float]]) -> str:
    """Say where no beat is, and why nobody can tell the reason: from and to in seconds; empty without."""
    if not stretches_s:
        return ""
    longest = sorted(stretches_s, key=lambda one: one[0] - one[1])[:_MOST_TOLD]
    told = ", ".join(f"{stop - start:.1f} s (from {start:.1f} s on)" for start, stop in longest)
    more = f" and {len(stretches_s) - _MOST_TOLD} shorter times" if len(stretches_s) > _MOST_TOLD else ""
    return (
        f"No beat for {told}{more}, while all leads keep one value: a pause, or the leads were off. Rate and "
        "intervals leave it out."
    )


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
