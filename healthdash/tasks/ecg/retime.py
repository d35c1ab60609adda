"""Recordings with another rhythm, made from real ones: more training examples of what is rare.

Few people in a training set have atrial fibrillation or supraventricular beats, and a network learns
these people instead of the rhythm. Here the time between the beats of any recording is stretched and
shortened, and its P waves are changed or replaced by fibrillation waves; QRS complexes stay as they are.
Nor do few people show all shapes that a beat can have: mixtures of the leads give other shapes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

__all__ = ["Rhythm", "disturbed", "fibrillating", "turned", "with_early_beats"]

Floats = NDArray[np.float32]
Beats = NDArray[np.int64]
# Part of a beat that is never stretched: the QRS complex, or with its P wave (seconds about the peak).
_QRS_S = (0.08, 0.12)
_P_QRS_S = (0.20, 0.12)
_P_S = (0.26, 0.07)
_NEAREST_S = 0.34
_FIBRILLATION_HZ = (4.0, 9.0)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Leads (n_samples, n_leads), beats and their labels; label -1 is left out of the training."""

    leads_mv: Floats
    rate_hz: float
    beats: Beats
    labels: NDArray[np.int64]


def fibrillating(rhythm: Rhythm, rng: np.random.Generator, *, keep: tuple[int, ...]) -> Rhythm:
    """Return the recording as if its atria fibrillated: no P waves, irregular intervals.

    Parameters
    ----------
    keep : tuple of int
        Labels that stay true (normal and ventricular beats); other beats get -1.

    References
    ----------
    Intervals: Tateno & Glass 2001, Med Biol Eng Comput 39:664 (spread about a quarter of the mean).
    """
    n = len(rhythm.beats)
    mean, spread = rng.uniform(0.5, 1.0), rng.uniform(0.16, 0.28)
    intervals = np.clip(mean * np.exp(spread * rng.standard_normal(n)), _NEAREST_S, 2.0)
    flat = _scaled_p_waves(rhythm, np.zeros(n))
    moved, beats = _moved(flat, rhythm, intervals, _QRS_S)
    band = signal.butter(2, _FIBRILLATION_HZ, "bandpass", fs=rhythm.rate_hz, output="sos")
    waves = signal.sosfilt(band, rng.standard_normal(moved.shape), axis=0)
    height = rng.uniform(0.0, 0.06) * np.percentile(np.abs(moved), 99.5, axis=0)
    moved = (moved + height * waves / max(float(waves.std()), 1e-9)).astype(np.float32)
    labels = np.where(np.isin(rhythm.labels, keep), rhythm.labels, -1)
    return Rhythm(moved, rhythm.rate_hz, beats, labels)


def with_early_beats(rhythm: Rhythm, rng: np.random.Generator, *, normal: int, early: int) -> Rhythm:
    """Return the recording with some normal beats moved forward, single and in runs.

    Parameters
    ----------
    normal, early : int
        Label of the beats that may be moved, and the one that they get.
    """
    n = len(rhythm.beats)
    usual = (
        np.diff(rhythm.beats, prepend=rhythm.beats[:1] - rhythm.beats[1:2] + rhythm.beats[:1])
        / rhythm.rate_hz
    )
    usual = np.clip(usual, _NEAREST_S, 2.0)
    breathing = 1 + rng.uniform(0, 0.10) * np.sin(np.arange(n) * rng.uniform(0.2, 1.2))
    intervals = usual * breathing * rng.uniform(0.85, 1.2)
    moved_forward = _early_places(rhythm.labels == normal, rng)
    middle = float(np.median(intervals))
    intervals[moved_forward] = middle * rng.uniform(0.5, 0.85, moved_forward.sum())
    for start, stop in _runs(moved_forward):
        if stop - start > 1:
            intervals[start:stop] = middle * rng.uniform(0.5, 0.8) * rng.uniform(0.97, 1.03, stop - start)
        if stop < n:
            intervals[stop] *= rng.uniform(0.95, 1.35)
    p_waves = np.where(moved_forward, rng.uniform(-1.0, 0.9, n), 1.0)
    changed = _scaled_p_waves(rhythm, p_waves)
    moved, beats = _moved(changed, rhythm, np.clip(intervals, _NEAREST_S, 2.5), _P_QRS_S)
    return Rhythm(moved, rhythm.rate_hz, beats, np.where(moved_forward, early, rhythm.labels))


def disturbed(rhythm: Rhythm, rng: np.random.Generator) -> Rhythm:
    """Return the recording with drift, motion and muscle noise that come and go; labels stay.

    References
    ----------
    Moody et al. 1984, Computers in Cardiology 11:381, the noise stress test and its three noises.
    """
    shape, rate = rhythm.leads_mv.shape, rhythm.rate_hz
    size = np.percentile(np.abs(rhythm.leads_mv), 99, axis=0) * rng.uniform(0.0, 0.25, shape[1])
    noise = np.zeros(shape)
    for low, high, share in ((0.5, 1.5, 1.0), (1.0, 8.0, 0.7), (15.0, 45.0, 0.4)):
        band = signal.butter(1, (low, high), "bandpass", fs=rate, output="sos")
        waves = signal.sosfilt(band, rng.standard_normal(shape), axis=0)
        coming = _loudness(shape[0], rate, rng)
        noise += rng.uniform(0, share) * coming[:, None] * waves / max(float(waves.std()), 1e-9)
    leads = (rhythm.leads_mv + size * noise).astype(np.float32)
    return Rhythm(leads, rate, rhythm.beats, rhythm.labels)


def turned(rhythm: Rhythm, rng: np.random.Generator) -> Rhythm:
    """Return the recording as electrodes elsewhere might see it: two mixtures of its leads; labels stay.

    A lead is the projection of the heart's dipole on a direction (Frank 1956, Circulation 13:737), so
    mixtures of two leads are leads of other directions in the plane that the two span.
    """
    leads = rhythm.leads_mv if rhythm.leads_mv.shape[1] == 2 else np.repeat(rhythm.leads_mv, 2, axis=1)
    direction = rng.uniform(0, 2 * np.pi, 2)
    gain = np.exp(0.4 * rng.standard_normal())
    mixing = np.stack([np.cos(direction), gain * np.sin(direction)])
    return Rhythm((leads @ mixing).astype(np.float32), rhythm.rate_hz, rhythm.beats, rhythm.labels)


def _loudness(n: int, rate_hz: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return how loud the noise is at each sample: another level every eight seconds."""
    points = max(2, int(n / rate_hz / 8))
    return np.interp(np.arange(n), np.linspace(0, n, points), rng.exponential(1.0, points))


def _early_places(may_move: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Choose single beats and runs among those whose neighbours may move too."""
    n = len(may_move)
    inside = may_move & np.roll(may_move, 1) & np.roll(may_move, -1)
    chosen = inside & (rng.random(n) < rng.uniform(0.02, 0.06))
    for start in np.flatnonzero(inside & (rng.random(n) < 0.004)):
        chosen[start : start + rng.integers(3, 25)] = True
    return chosen & inside


def _runs(chosen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.diff(np.concatenate([[0], chosen.astype(int), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))


def _scaled_p_waves(rhythm: Rhythm, factors: NDArray[np.float64]) -> Floats:
    """Return the lead with what lies before each QRS complex scaled about a straight line."""
    changed = rhythm.leads_mv.copy()
    first, last = (round(s * rhythm.rate_hz) for s in _P_S)
    for beat, factor in zip(rhythm.beats.tolist(), factors.tolist(), strict=True):
        if factor == 1.0 or beat - first < 0:
            continue
        part = changed[beat - first : beat - last]
        line = np.linspace(part[0], part[-1], len(part), dtype=np.float32)  # a column a lead
        part[:] = line + np.float32(factor) * (part - line)
    return changed


def _moved(
    leads: Floats, rhythm: Rhythm, intervals_s: NDArray[np.float64], kept_s: tuple[float, float]
) -> tuple[Floats, Beats]:
    """Return the leads with new intervals; only the time between the kept parts is stretched."""
    rate = rhythm.rate_hz
    old = rhythm.beats.astype(np.float64)
    new = old[0] + np.concatenate([[0.0], np.cumsum(intervals_s[1:] * rate)])
    before, after = (s * rate for s in kept_s)
    to = np.stack([new - before, new + after], axis=1).ravel()
    of = np.stack([old - before, old + after], axis=1).ravel()
    # Where beats of the recording are nearer than the kept parts, these overlap: time must still rise.
    of, to = np.maximum.accumulate(of), np.maximum.accumulate(to + 1e-6 * np.arange(len(to)))
    length = int(new[-1] + min(len(leads) - 1 - old[-1], rate))
    source = np.interp(np.arange(max(length, 1)), to, of, left=0.0)
    columns = [np.interp(source, np.arange(len(leads)), lead) for lead in leads.T]
    moved = np.stack(columns, axis=1).astype(np.float32)
    return moved, np.minimum(np.rint(new).astype(np.int64), len(moved) - 1)
