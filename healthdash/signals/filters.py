"""Filters: those that a reader can lay over a drawn signal, by name, and the band-pass of the tasks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

__all__ = ["FILTERS", "band_pass", "bridged", "filtered"]

#: Names with (kind, hertz). Zero-phase, so that waves stay where they are. AHA/ACC/HRS 2007 (Kligfield et
#: al., Circulation 115:1306) allows up to 0.67 Hz for a zero-phase low cut-off, and asks for 150 Hz and more
#: as the high one: 40 Hz is for reading rhythms, and makes complexes lower.
FILTERS: dict[str, tuple[str, float]] = {
    "baseline, high-pass 0.5 Hz": ("highpass", 0.5),
    "low-pass 40 Hz": ("lowpass", 40.0),
    "mains notch 50 Hz": ("notch", 50.0),
    "mains notch 60 Hz": ("notch", 60.0),
}
_ORDER, _QUALITY = 2, 30.0


def filtered(values: NDArray[np.float32], rate_hz: float, names: Sequence[str]) -> NDArray[np.float32]:
    """Return a signal with filters laid over it, one after the other.

    Parameters
    ----------
    values : float32 (n_samples, n_channels)
        Finite; not changed.
    names : sequence of str
        Of `FILTERS`. One whose frequency the rate does not hold changes nothing.

    Returns
    -------
    float32 (n_samples, n_channels)
    """
    out = np.asarray(values, np.float64)
    for name in names:
        kind, hertz = FILTERS[name]
        if hertz >= 0.5 * rate_hz or len(out) < 30:
            continue
        sos = (
            _notch(hertz, rate_hz)
            if kind == "notch"
            else signal.butter(_ORDER, hertz, kind, fs=rate_hz, output="sos")
        )
        out = signal.sosfiltfilt(sos, out, axis=0, padlen=min(len(out) - 1, round(2 * rate_hz)))
    return np.asarray(out, np.float32)


def bridged(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a signal (n_samples, n_channels) with NaN on the straight line between its neighbours.

    A channel without any value is 0.
    """
    filled = values.copy()
    at = np.arange(len(values))
    for channel in filled.T:
        known = np.isfinite(channel)
        if not known.all():
            channel[:] = np.interp(at, at[known], channel[known]) if known.any() else 0.0
    return filled


def _notch(hertz: float, rate_hz: float) -> NDArray[np.float64]:
    return np.asarray(signal.tf2sos(*signal.iirnotch(hertz, _QUALITY, rate_hz)))


@lru_cache(maxsize=64)
def band_pass(order: int, low_hz: float, high_hz: float, rate_hz: float) -> NDArray[np.float64]:
    """Return a Butterworth band-pass in second-order sections, float64 (n_sections, 6).

    Kept by its numbers, and the same array for all, so not to be changed: to design one takes longer than
    to lay it over a minute of one lead.

    Raises
    ------
    ValueError
        The limits do not rise, or half the rate is not above them.
    """
    return np.asarray(signal.butter(order, (low_hz, high_hz), "bandpass", fs=rate_hz, output="sos"))
