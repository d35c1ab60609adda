"""What is wrong with a lead, in words: off, flat, clipped, noisy, or with hum of the mains.

The bands are those of Jekova et al. 2012 (Physiol Meas 33:1463): QRS complexes above 4 Hz, hum about its own
frequency, muscle noise above 20 Hz. Heights are judged by what shows on paper at 10 mm/mV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from .detect import clarity

__all__ = ["LIMITS", "Limits", "flags", "hum_mv"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a lead is flagged.

    Attributes
    ----------
    flat_mv : float
        Height from the 1st to the 99th percentile. 0.05 mV is half a millimetre, about the width of the drawn
        line: no wave can be read.
    clipped_share : float
        Share of the samples that stay at the highest or lowest value for `clipped_run` samples or more. A
        converter's rail gives one such stretch after the other, a wave's round top at most one.
    hum_mv : float
        From peak to peak at 50 or 60 Hz, half a millimetre as well; and `hum_times` as much as beside it.
    noise : float
        Clarity of the complexes (`detect.clarity`): noise has about 3, the recordings of MIT-BIH that
        networks were trained on 10.9 and more, the worst EEG 4.4.
    """

    flat_mv: float = 0.05
    clipped_share: float = 0.005
    clipped_run: int = 4
    hum_mv: float = 0.05
    hum_times: float = 4.0
    noise: float = 4.5
    most_s: float = 600.0


LIMITS = Limits()


def flags(signal_mv: Floats, rate_hz: float, limits: Limits = LIMITS) -> tuple[str, ...]:
    """Return what is wrong with each lead, "" where nothing is.

    Parameters
    ----------
    signal_mv : float32 (n_samples, n_leads), millivolt
        NaN where nothing was recorded. Of a long recording the ten minutes in its middle are looked at.
    """
    reach = round(limits.most_s * rate_hz / 2)
    middle = len(signal_mv) // 2
    part = signal_mv[max(0, middle - reach) : middle + reach]
    return tuple(", ".join(_found(lead[np.isfinite(lead)], rate_hz, limits)) for lead in part.T)


def _found(lead: Floats, rate_hz: float, limits: Limits) -> Sequence[str]:
    if len(lead) == 0:
        return ["off: nothing was recorded"]
    if float(lead.max()) == float(lead.min()):
        return ["off: the value never changes"]
    low, high = np.percentile(lead, [1, 99])
    if high - low < limits.flat_mv and float(lead.max() - lead.min()) < 4 * limits.flat_mv:
        return [f"flat: {1000 * (high - low):.0f} µV high"]
    told = []
    clipped = _clipped(lead, limits)
    if clipped > limits.clipped_share:
        told.append(f"clipped: {clipped:.1%} at its limit")
    for mains in (50.0, 60.0):
        hum, beside = hum_mv(lead, rate_hz, mains)
        if hum > limits.hum_mv and hum > limits.hum_times * beside:
            told.append(f"mains: {hum:.2f} mV at {mains:.0f} Hz")
    clear = clarity(lead, rate_hz)
    if 0 <= clear < limits.noise and len(lead) > 2 * rate_hz:
        told.append(f"noisy: complexes stand out {clear:.1f}-fold")
    return told


def _clipped(lead: Floats, limits: Limits) -> float:
    """Return the share of samples in stretches at the highest or lowest value."""
    held = 0
    for edge in (lead.max(), lead.min()):
        at = np.concatenate([[False], lead == edge, [False]]).astype(np.int8)
        ends = np.flatnonzero(np.diff(at))
        runs = ends[1::2] - ends[::2]
        long = runs[runs >= limits.clipped_run]
        held += int(long.sum()) if len(long) > 1 or (long > 10 * limits.clipped_run).any() else 0
    return held / len(lead)


def hum_mv(lead: Floats, rate_hz: float, mains_hz: float) -> tuple[float, float]:
    """Return the height from peak to peak at the mains' frequency, and 3 to 6 Hz beside it, mV."""
    if rate_hz < 2.4 * mains_hz or len(lead) < 2 * rate_hz:
        return 0.0, 0.0
    hertz, power = signal.welch(np.asarray(lead, np.float64), rate_hz, nperseg=round(2 * rate_hz))
    step = hertz[1] - hertz[0]
    at = np.abs(hertz - mains_hz) <= 1.0
    beside = (np.abs(hertz - mains_hz) >= 3.0) & (np.abs(hertz - mains_hz) <= 6.0)
    # A sine of height h from peak to peak has the power h^2 / 8.
    usual = float(np.median(power[beside])) * int(at.sum())
    return float(np.sqrt(8 * power[at].sum() * step)), float(np.sqrt(8 * usual * step))
