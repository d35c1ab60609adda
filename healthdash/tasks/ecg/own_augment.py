"""Random changes of windows of a signal: what differs between recordings, not between labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["changed"]

Floats = NDArray[np.float32]
#: Largest changes at strength 1: gain, shift and stretch as shares, drift and noise in standard deviations.
_GAIN, _SHIFT, _STRETCH, _DRIFT, _NOISE = 0.2, 0.05, 0.04, 0.3, 0.08
#: How likely one of several leads is silenced.
_LOST_LEAD = 0.1


def changed(windows: Floats, strength: float, rng: np.random.Generator) -> Floats:
    """Return randomly changed copies of windows.

    Parameters
    ----------
    windows : float32 (m, samples, leads)
    strength : float
        1 is usual; 0 changes nothing.

    Returns
    -------
    float32 (m, samples, leads)
        Shifted and stretched in time, each lead louder or softer, with slow drift and noise.
    """
    count, samples, leads = windows.shape
    spread = windows.std(axis=1, keepdims=True)
    moved = _moved(windows, strength, rng)
    gain = np.exp(strength * _GAIN * rng.uniform(-1, 1, (count, 1, leads)))
    time = np.linspace(0, 1, samples)[None, :, None]
    turns, phase = rng.uniform(0.2, 1.5, (count, 1, 1)), rng.uniform(0, 2 * np.pi, (count, 1, leads))
    drift = strength * _DRIFT * rng.random((count, 1, leads)) * np.sin(2 * np.pi * turns * time + phase)
    level = strength * _NOISE * rng.random((count, 1, 1))
    noise = level * rng.standard_normal(windows.shape, dtype=np.float32)
    made = moved * gain + spread * (drift + noise)
    if leads > 1:
        is_lost = rng.random(count) < strength * _LOST_LEAD
        lost = np.asarray(rng.integers(0, leads, count))
        made[is_lost, :, lost[is_lost]] = made[is_lost, :1, lost[is_lost]]
    return np.asarray(made, np.float32)


def _moved(windows: Floats, strength: float, rng: np.random.Generator) -> Floats:
    """Shift and stretch each window around its middle, all leads alike; ends repeat."""
    count, samples, _ = windows.shape
    stretch = np.exp(strength * _STRETCH * rng.uniform(-1, 1, (count, 1)))
    shift = strength * _SHIFT * samples * rng.uniform(-1, 1, (count, 1))
    middle = (samples - 1) / 2
    places = np.clip((np.arange(samples) - middle) * stretch + middle + shift, 0, samples - 1)
    low = np.minimum(places.astype(np.int64), samples - 2)
    part = (places - low)[..., None].astype(np.float32)
    rows = np.arange(count)[:, None]
    return np.asarray((1 - part) * windows[rows, low] + part * windows[rows, low + 1], np.float32)
