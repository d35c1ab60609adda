"""Bringing an ECG to another rate."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import signal

__all__ = ["WORKING_HZ", "resampled", "resampled_length"]

#: Rate at which beats are sought and cut out: 8 ms steps, and every wave of an ECG is below 40 Hz.
WORKING_HZ = 125.0
#: Rates are taken to this part of a hertz.
_HZ_PARTS = 100


def resampled(
    signal_mv: NDArray[np.float32], rate_hz: float, to_hz: float = WORKING_HZ
) -> NDArray[np.float32]:
    """Bring a signal to another rate, with a filter against aliasing.

    Parameters
    ----------
    signal_mv : float32 (n_samples, n_leads), millivolt
        Must be finite; the array is not changed.
    rate_hz, to_hz : float, hertz

    Returns
    -------
    float32 (n, n_leads), millivolt
        As many as `resampled_length` says, about n_samples * to_hz / rate_hz.
    """
    ratio = _ratio(rate_hz, to_hz)
    if ratio == 1:
        return signal_mv
    # float32 in, float32 out: a long recording must not be doubled in memory.
    return np.asarray(
        signal.resample_poly(signal_mv, ratio.numerator, ratio.denominator, axis=0, padtype="line"),
        np.float32,
    )


def resampled_length(samples: int, rate_hz: float, to_hz: float = WORKING_HZ) -> int:
    """Return how many samples a signal of so many has at another rate; see `resampled`."""
    ratio = _ratio(rate_hz, to_hz)
    return -(-samples * ratio.numerator // ratio.denominator)


def _ratio(rate_hz: float, to_hz: float) -> Fraction:
    # Of both rates by itself: that of their quotient would be a little off at 2048 Hz, and beats would drift
    # away from the signal by seconds a day.
    return Fraction(to_hz).limit_denominator(_HZ_PARTS) / Fraction(rate_hz).limit_denominator(_HZ_PARTS)
