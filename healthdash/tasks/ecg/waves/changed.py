"""Random changes of a lead that leave its waves where they are marked: what other recorders and hearts do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

__all__ = ["Lead", "changed"]

Generator = np.random.Generator
#: Shares of the training leads that a change is made to.
_WITHOUT_ANY_P, _WITHOUT_SOME_P, _NOTHING_BUT_NOISE = 0.15, 0.10, 0.03
_INVERTED, _STRETCHED, _DULLED, _HUMMING = 0.3, 0.8, 0.25, 0.3
#: Fibrillatory waves: 4 to 9 Hz, up to this share of the lead's height.
_FIBRILLATORY_HZ, _FIBRILLATORY = (4.0, 9.0), 0.08


@dataclass(frozen=True, slots=True)
class Lead:
    """One lead of one recording with what each sample is.

    Attributes
    ----------
    signal : float64 (n,)
    label : int64 (n,)
        Numbers of `limits.LABELS`.
    known : float32 (n,)
        1 where somebody annotated, 0 elsewhere.
    """

    signal: NDArray[np.float64]
    label: NDArray[np.int64]
    known: NDArray[np.float32]


def changed(lead: Lead, rate_hz: float, rng: Generator) -> Lead:
    """Return a lead randomly stretched, turned, disturbed, and sometimes without P waves."""
    if rng.random() < _NOTHING_BUT_NOISE:
        return _noise_alone(len(lead.signal), rate_hz, rng)
    lead = _without_p(lead, rate_hz, rng)
    if rng.random() < _STRETCHED:
        lead = _stretched(lead, np.exp(rng.uniform(np.log(0.6), np.log(1.6))))
    x = lead.signal - np.median(lead.signal)
    x = x / max(float(np.std(x)), 1e-9)
    if rng.random() < _DULLED:
        x = _dulled(x, rate_hz, rng)
    x = x * (-1 if rng.random() < _INVERTED else 1) + _disturbance(len(x), rate_hz, rng)
    return Lead(x, lead.label, lead.known)


def _without_p(lead: Lead, rate_hz: float, rng: Generator) -> Lead:
    """Take all P waves out, or some: where none is, none is to be found."""
    chance = rng.random()
    if chance >= _WITHOUT_ANY_P + _WITHOUT_SOME_P:
        return lead
    share = 1.0 if chance < _WITHOUT_ANY_P else rng.uniform(0.2, 0.7)
    pieces, count = ndimage.label(lead.label == 1)
    out = np.isin(pieces, 1 + np.flatnonzero(rng.random(count) < share))
    # A little wider than marked, so that no foot of the wave is left.
    gap = ndimage.binary_dilation(out, iterations=max(1, round(0.02 * rate_hz))) & (
        (lead.label == 0) | (lead.label == 1)
    )
    x = lead.signal.copy()
    if gap.any() and not gap.all():
        at = np.arange(len(x))
        x[gap] = np.interp(at[gap], at[~gap], x[~gap])
    if share == 1.0:
        x = x + _fibrillation(len(x), rate_hz, rng) * float(np.std(x)) * 4
    return Lead(x, np.where(out, 0, lead.label), lead.known)


def _fibrillation(length: int, rate_hz: float, rng: Generator) -> NDArray[np.float64]:
    """Return waves of changing rate and height, or nothing."""
    if rng.random() < 0.3:
        return np.zeros(length)
    steps = ndimage.gaussian_filter1d(rng.standard_normal(length), 0.3 * rate_hz)
    steps /= max(float(np.std(steps)), 1e-9)
    hertz = np.clip(rng.uniform(*_FIBRILLATORY_HZ) * (1 + 0.12 * steps), 3, 10)
    phase = 2 * np.pi * np.cumsum(hertz) / rate_hz + rng.uniform(0, 2 * np.pi)
    return rng.uniform(0.1, 1.0) * _FIBRILLATORY * (np.sin(phase) + 0.35 * np.sin(2 * phase + 1))


def _stretched(lead: Lead, factor: float) -> Lead:
    """Return a lead `factor` times as long; limits move with the signal."""
    length = round(len(lead.signal) * factor)
    at = np.linspace(0, len(lead.signal) - 1, length)
    near = np.rint(at).astype(np.int64)
    x = np.interp(at, np.arange(len(lead.signal)), lead.signal)
    return Lead(x, lead.label[near], lead.known[near])


def _dulled(x: NDArray[np.float64], rate_hz: float, rng: Generator) -> NDArray[np.float64]:
    """Return a lead as a recorder of a lower rate or with a stronger filter gives it."""
    band = signal.butter(2, rng.uniform(12, 40), fs=rate_hz, output="sos")
    return np.asarray(signal.sosfiltfilt(band, x))


def _disturbance(length: int, rate_hz: float, rng: Generator) -> NDArray[np.float64]:
    """Return drift, muscle noise, hum and a step of an electrode, in standard deviations of the lead."""
    time_s = np.arange(length) / rate_hz
    drift = sum(
        rng.uniform(0, 0.8) * np.sin(2 * np.pi * rng.uniform(0.05, 0.6) * time_s + rng.uniform(0, 2 * np.pi))
        for _ in range(3)
    )
    muscle = np.exp(rng.uniform(np.log(0.003), np.log(0.25))) * rng.standard_normal(length)
    if rng.random() < 0.5:  # in bursts
        muscle = muscle * (0.3 + 1.4 * (ndimage.gaussian_filter1d(rng.standard_normal(length), rate_hz) > 0))
    slow = ndimage.gaussian_filter1d(rng.standard_normal(length), rate_hz / 20)
    total = drift + muscle + rng.uniform(0, 0.08) * slow / max(float(np.std(slow)), 1e-9)
    if rng.random() < _HUMMING:
        total = total + rng.uniform(0, 0.3) * np.sin(2 * np.pi * rng.choice([50.0, 60.0]) * time_s)
    if rng.random() < 0.1:
        total = total + rng.normal(0, 1.5) * (np.arange(length) > rng.integers(length))
    return np.asarray(total)


def _noise_alone(length: int, rate_hz: float, rng: Generator) -> Lead:
    """Return a lead without a heart: an electrode that is off."""
    x = _disturbance(length, rate_hz, rng) + rng.uniform(0, 0.5) * rng.standard_normal(length)
    return Lead(x, np.zeros(length, np.int64), np.ones(length, np.float32))
