"""Spectra of a signal by Welch's method, and the power of the EEG's bands.

Welch 1967, IEEE Trans Audio Electroacoust 15:70: mean of periodograms of overlapping windows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BANDS_HZ", "Spectra", "band_powers", "spectra"]

#: Kane et al. 2017, Clin Neurophysiol Pract 2:170 (glossary of the IFCN): delta 0.1 to under 4 Hz, theta 4 to
#: under 8, alpha 8 to 13, beta 14 to 30, gamma above 30 to 80. Delta begins at 0.5 Hz here, as slower power
#: is mostly drift, and beta where alpha ends, so that no power is left out between them.
BANDS_HZ: dict[str, tuple[float, float]] = {
    "delta": (0.5, 4.0),
    "theta": (4.0, 8.0),
    "alpha": (8.0, 13.0),
    "beta": (13.0, 30.0),
    "gamma": (30.0, 80.0),
}
#: Seconds of a window: frequencies are a quarter of a hertz apart.
WINDOW_S = 4.0
_MOST_WINDOWS = 1200
#: Above all bands; a file may state a rate of a megahertz.
_MOST_HZ = 200.0
#: Values that are transformed at a time.
_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Spectra:
    """Periodograms along a signal.

    Attributes
    ----------
    times_s : float64 (n_windows,)
        Middle of each window.
    frequencies_hz : float64 (n_frequencies,)
    power : float32 (n_windows, n_frequencies), unit of the signal squared a hertz
        NaN where a window holds a gap.
    """

    times_s: NDArray[np.float64]
    frequencies_hz: NDArray[np.float64]
    power: NDArray[np.float32]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Welch's estimate: the mean over all windows without a gap; NaN where there is none."""
        whole = np.isfinite(self.power).all(axis=1)
        if not whole.any():
            return np.full(len(self.frequencies_hz), np.nan)
        return np.asarray(self.power[whole].mean(axis=0, dtype=np.float64))


def spectra(values: NDArray[np.float32], rate_hz: float, *, start_s: float = 0.0) -> Spectra:
    """Return periodograms of Hann windows of 4 s up to 200 Hz, half overlapping; further apart in a long one.

    Parameters
    ----------
    values : float32 (n,)
        NaN where there is a gap. A signal shorter than a window is one window.
    """
    from scipy.signal import periodogram

    width = min(len(values), max(8, round(WINDOW_S * rate_hz)))
    step = max(width // 2, -(-len(values) // _MOST_WINDOWS), 1)
    windows = np.lib.stride_tricks.sliding_window_view(values, width)[::step]
    frequencies = np.fft.rfftfreq(width, 1 / rate_hz)
    used = frequencies <= _MOST_HZ
    power = np.empty((len(windows), int(used.sum())), np.float32)
    many = max(1, _AT_ONCE // width)
    for start in range(0, len(windows), many):
        some = slice(start, start + many)
        _, found = periodogram(windows[some], rate_hz, window="hann", detrend="constant", axis=1)
        power[some] = found[:, used]
    middles = start_s + (np.arange(len(windows)) * step + width / 2) / rate_hz
    return Spectra(np.asarray(middles, np.float64), np.asarray(frequencies[used], np.float64), power)


def band_powers(found: Spectra) -> dict[str, float]:
    """Return the power in each band, unit of the signal squared; NaN where the rate does not hold it."""
    frequencies, mean = found.frequencies_hz, found.mean
    apart = float(frequencies[1] - frequencies[0]) if len(frequencies) > 1 else 0.0
    powers = {}
    for name, (low, high) in BANDS_HZ.items():
        inside = (frequencies >= low) & (frequencies < high)
        holds = len(frequencies) > 0 and frequencies[-1] > low
        powers[name] = float(mean[inside].sum() * apart) if holds else float("nan")
    return powers
