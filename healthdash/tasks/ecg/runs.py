"""Recordings with runs of ventricular or supraventricular beats, made from ones that show such a beat.

In most recordings these beats come singly and early, and a network learns to expect that. In a run a beat
looks like its neighbours and comes no earlier than they do: its shape and its P wave must tell it. Few
people of a training set have such runs, so one of their beats is repeated here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .retime import Rhythm

__all__ = ["SUPRAVENTRICULAR", "VENTRICULAR", "Run", "with_runs"]

Floats = NDArray[np.float32]
Beats = NDArray[np.int64]
_BEATS_PER_RUN = 50
_LEAST_BEATS, _MOST_BEATS = 3, 80
_UNTIL_T_S = 0.38
_JITTER = 0.03
_LEAST_PAUSE_S = 0.6


@dataclass(frozen=True, slots=True)
class Run:
    """What a run is like: the least and most time between its beats, and what of a beat is repeated."""

    interval_s: tuple[float, float]
    before_s: float


# The rates are chosen wide; they are no limits of a diagnosis.
#: From tachycardia (190 a minute) to the slow rhythm of ventricles on their own (43 a minute); no P wave.
VENTRICULAR = Run((0.32, 1.4), before_s=0.14)
#: 92 to 190 a minute; the P wave belongs to the beat.
SUPRAVENTRICULAR = Run((0.32, 0.65), before_s=0.22)


def with_runs(rhythm: Rhythm, rng: np.random.Generator, *, label: int, run: Run) -> Rhythm:
    """Return the recording with runs put in, each of 3 to 80 times one of its beats.

    Parameters
    ----------
    label : int
        Of the beats that are repeated; the recording is returned as it is where there is none.
    """
    before, after = round(run.before_s * rhythm.rate_hz), round(_UNTIL_T_S * rhythm.rate_hz)
    is_whole = (rhythm.beats >= before) & (rhythm.beats < len(rhythm.leads_mv) - after)
    repeated = np.flatnonzero((rhythm.labels == label) & is_whole)
    if not len(repeated):
        return rhythm
    order, distance = _ordered(rhythm, repeated, run, rng)
    at = rhythm.beats[0] + np.cumsum(distance)
    leads = np.full((at[-1] + after, rhythm.leads_mv.shape[1]), np.nan, np.float32)
    leads[: at[0]] = rhythm.leads_mv[: at[0]]
    here = rhythm.beats[order]
    for now, then, source, following in zip(at, at[1:], here, here[1:], strict=False):
        if then - now == following - source:  # as recorded
            leads[now:then] = rhythm.leads_mv[source:following]
            continue
        for place, beat in ((now, source), (then, following)):
            first, last = max(beat - before, beat - place, 0), min(beat + after, len(rhythm.leads_mv))
            leads[place + first - beat : place + last - beat] = rhythm.leads_mv[first:last]
    return Rhythm(_bridged(leads), rhythm.rate_hz, at, rhythm.labels[order])


def _ordered(rhythm: Rhythm, repeated: Beats, run: Run, rng: np.random.Generator) -> tuple[Beats, Beats]:
    """Return which beat comes when, and how many samples after the one before."""
    order, distance = [], []
    recorded = np.diff(rhythm.beats, prepend=rhythm.beats[:1])
    for number in range(len(rhythm.beats)):
        order.append(number)
        distance.append(recorded[number])
        if rng.random() * _BEATS_PER_RUN >= 1 or number + 1 == len(rhythm.beats):
            continue
        count = round(_between(_LEAST_BEATS, _MOST_BEATS, rng))
        interval_s = _between(*run.interval_s, rng)
        order.extend([rng.choice(repeated)] * count)
        distance.extend(rhythm.rate_hz * interval_s * (1 + _JITTER * rng.standard_normal(count)))
        pause_s = max(interval_s, _LEAST_PAUSE_S) * rng.uniform(1.0, 1.5)
        recorded[number + 1] = round(rhythm.rate_hz * pause_s)
    return np.asarray(order, np.int64), np.rint(distance).astype(np.int64)


def _between(low: float, high: float, rng: np.random.Generator) -> float:
    """Return a number of which half the logarithms lie in each half."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _bridged(leads: Floats) -> Floats:
    """Return the leads with straight lines where nothing is."""
    known = np.flatnonzero(np.isfinite(leads[:, 0]))
    every = np.arange(len(leads))
    return np.stack([np.interp(every, known, lead[known]) for lead in leads.T], axis=1).astype(np.float32)
