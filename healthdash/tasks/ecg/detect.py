"""Finding the beats of an ECG: slope energy over all leads, with a threshold that follows the signal.

Offline and vectorised: a recording of 24 hours takes seconds. The steps are those of Pan and
Tompkins (1985, IEEE TBME 32:230) - band-pass, slope, energy, threshold, search back, rejection of T
waves - with running levels that look both ways, since the whole recording is at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from healthdash.signals.filters import band_pass

from .gaps import heard, held_still
from .resample import WORKING_HZ, resampled

__all__ = [
    "NOISE_CLARITY",
    "Steepness",
    "accepted",
    "clarity",
    "find_beats",
    "slope_energy",
    "steepness",
]

# Energy of a QRS complex lies between these (Thakor et al. 1984, IEEE TBME 31:702: maximum near 17 Hz,
# ventricular beats lower).
_BAND_HZ = (4.0, 22.0)
_INTEGRATION_S = 0.1
# No two beats are nearer: the ventricle is refractory.
_REFRACTORY_S = 0.22
_T_WAVE_S = 0.36
_LEVEL_BLOCK_S = 1.6
_LEVEL_BLOCKS = 9
_THRESHOLD = 0.30
_SEARCH_BACK = 0.18
_LONG_GAP = 1.6
# Below this share of its usual level a lead is silent: an electrode that is off, or a gap. Of the records of
# MIT-BIH no lead's level falls below a quarter of it.
# Where no clear lead is heard, low complexes that stand out count nevertheless.
_SILENT = 0.2
# A level is slow: where no slope within four seconds reaches this share of the usual one, silence too.
_QUIET, _QUIET_S = 0.1, 4.0
#: Leads of less clarity look like noise (see `gate`), and say nothing where clearer ones are silent.
NOISE_CLARITY = 4.5
# This percentile of the energy lies between the complexes.
_BETWEEN = 40
# Noise of some 5 microvolt has this level (millivolt a sample at 125 Hz); it says nothing of what is usual.
_LEAST_LEVEL = 0.002
# Ten minutes say enough about a day, and the beginning of a recording is often disturbed.
_MIDDLE_S = 600.0


@dataclass(frozen=True, slots=True)
class Steepness:
    """How steep a lead is.

    Attributes
    ----------
    energy : float32 (n_samples,), at 125 Hz
        Root of the mean squared slope over a tenth of a second.
    clarity : float
        How far the complexes stand out: about 3 for noise, 6 to 50 for an ECG; 0 if flat.
    """

    energy: NDArray[np.float32]
    clarity: float


def find_beats(signal_mv: NDArray[np.float32], rate_hz: float) -> NDArray[np.int64]:
    """Return the sample number of each beat, ascending.

    Parameters
    ----------
    signal_mv : float32 (n_samples, n_leads), millivolt
        All leads of one recording; must be finite. A lead that is flat counts for nothing.
    rate_hz : float, hertz

    Returns
    -------
    int64 (n_beats,)
        Places of steepest energy, within 0.1 s of the R peak; empty when there is none.
    """
    working = resampled(signal_mv, rate_hz)
    is_heard = heard(working.shape, held_still(signal_mv, rate_hz), WORKING_HZ / rate_hz)
    peaks = accepted(slope_energy(working, is_heard))
    positions = np.rint(peaks * (rate_hz / WORKING_HZ)).astype(np.int64)
    return np.asarray(np.minimum(positions, len(signal_mv) - 1))


def slope_energy(
    working: NDArray[np.float32], is_heard: NDArray[np.bool_], middle: Sequence[Steepness] = ()
) -> NDArray[np.float32]:
    """Return how steep the signal is, 0 or more, joined over leads; (n_samples, n_leads) at 125 Hz.

    Each lead is divided by its own running level and weighted by how clearly its complexes stand out, where
    it is not silent. Where all leads are, or all but noise, those count whose low complexes still stand out;
    where there are none, the energy is 0.

    Parameters
    ----------
    is_heard : bool (n_samples, n_leads)
        Where a lead has a signal.
    middle : sequence of Steepness
        What `steepness` says of the leads, if known; used where their middle is all of the recording.
    """
    if len(working) < _samples(1.0):
        return np.zeros(len(working), np.float32)
    is_known = bool(middle) and len(middle[0].energy) == len(working)
    leads = middle if is_known else map(_steepness, working.T, is_heard.T)
    loud, low = _Joined(len(working)), _Joined(len(working))
    for lead, has_signal in zip(leads, is_heard.T, strict=True):
        level, usual = _levels(lead.energy, has_signal)
        has_slopes = has_signal & ~_is_quiet(lead.energy, usual)
        is_low = level < _SILENT * usual
        loud.add(lead, np.maximum(level, max(_SILENT * usual, 1e-9)), has_slopes & ~is_low)
        if (has_slopes & is_low).any():
            level, stands_out = _levels_while(has_signal & is_low, lead.energy)
            low.add(lead, np.maximum(level, 1e-9), has_slopes & stands_out)
    return np.where(loud.is_known, loud.mean, low.mean)


class _Joined:
    """The energies of some leads, joined: each over its level, weighted by its clarity."""

    def __init__(self, length: int) -> None:
        self._sum, self._weight = np.zeros(length, np.float32), np.zeros(length, np.float32)
        self._clearest, self._clearest_of_all = np.zeros(length, np.float32), 0.0

    def add(self, lead: Steepness, level: NDArray[np.float32], where: NDArray[np.bool_]) -> None:
        clarity = np.float32(lead.clarity) * where
        weight = np.float32(lead.clarity**2) * where
        self._sum += weight * lead.energy / level
        self._weight += weight
        np.maximum(self._clearest, clarity, out=self._clearest)
        self._clearest_of_all = max(self._clearest_of_all, lead.clarity)

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Where a lead takes part: one that is more than noise, if there is any such lead."""
        least = NOISE_CLARITY if self._clearest_of_all >= NOISE_CLARITY else 0.0
        return np.asarray((self._weight > 0) & (self._clearest >= least))

    @property
    def mean(self) -> NDArray[np.float32]:
        """The mean of the leads that take part, 0 where none does."""
        return np.divide(self._sum, self._weight, out=np.zeros_like(self._sum), where=self._weight > 0)


def _levels(energy: NDArray[np.float32], has_signal: NDArray[np.bool_]) -> tuple[NDArray[np.float32], float]:
    """Return the running level of a lead, 0 where it has no signal, and the usual one."""
    level = np.zeros_like(energy)
    if has_signal.any():
        level[has_signal] = _level(energy[has_signal])
    loud = level[level > _LEAST_LEVEL]
    return level, float(np.median(loud if len(loud) else level))


def _is_quiet(energy: NDArray[np.float32], usual: float) -> NDArray[np.bool_]:
    """Say where no slope of a lead reaches its usual level."""
    return np.asarray(ndimage.maximum_filter1d(energy, _samples(_QUIET_S)) < _QUIET * usual)


def _levels_while(
    is_low: NDArray[np.bool_], energy: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the running level of a lead while it is low, and where its complexes stand out, unlike noise.

    Both are of these stretches alone, so that the higher complexes beside them say nothing.
    """
    level, stands_out = np.zeros_like(energy), np.zeros_like(is_low)
    # Mirrored, the first block counts once: what remains of a higher complex there must not be the level.
    level[is_low] = _running(energy[is_low], 100, ends="mirror")
    between = _running(energy[is_low], _BETWEEN, ends="mirror")
    stands_out[is_low] = level[is_low] >= NOISE_CLARITY * between
    return level, stands_out


def clarity(lead_mv: NDArray[np.float32], rate_hz: float) -> float:
    """Return how far the complexes of a lead stand out: about 3 for noise, 6 to 50 for an ECG; 0 if flat."""
    start = max(0, len(lead_mv) // 2 - round(_MIDDLE_S / 2 * rate_hz))
    part = lead_mv[start : start + round(_MIDDLE_S * rate_hz), None]
    working = resampled(part, rate_hz)[:, 0]
    return _steepness(working, np.ones(len(working), bool)).clarity


def steepness(working: NDArray[np.float32], has_signal: NDArray[np.bool_]) -> Steepness:
    """Return how steep the ten minutes in the middle of one lead are; (n_samples,) at 125 Hz.

    Its clarity is that of where it has a signal.
    """
    start = max(0, len(working) // 2 - _samples(_MIDDLE_S / 2))
    part = slice(start, start + _samples(_MIDDLE_S))
    return _steepness(working[part], has_signal[part])


def _steepness(working: NDArray[np.float32], has_signal: NDArray[np.bool_]) -> Steepness:
    if len(working) < _samples(1.0):
        return Steepness(np.zeros(len(working), np.float32), 0.0)
    energy = _energy(working)
    return Steepness(energy, _contrast(energy[has_signal]))


def _energy(working: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the root of the mean squared slope of one lead over a tenth of a second."""
    band = band_pass(2, *_BAND_HZ, WORKING_HZ)
    slope = np.square(np.gradient(np.asarray(signal.sosfiltfilt(band, working), np.float32)))
    smooth = ndimage.uniform_filter1d(slope, _samples(_INTEGRATION_S))
    return np.asarray(np.sqrt(np.maximum(smooth, 0)), np.float32)


def _samples(seconds: float) -> int:
    return round(seconds * WORKING_HZ)


def _contrast(energy: NDArray[np.float32]) -> float:
    """Return the peaks of an energy over the level between them, at most 50; 0 if flat."""
    if not np.any(energy > 1e-7):
        return 0.0
    quiet, peak = np.percentile(energy[:: max(1, len(energy) // 200_000)], [_BETWEEN, 97])
    return float(min(peak / max(quiet, 1e-9), 50.0))


def _level(energy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the running height of the peaks."""
    return _running(energy, 100)


def _running(energy: NDArray[np.float32], percentile: float, ends: str = "nearest") -> NDArray[np.float32]:
    """Return a running percentile: the median over blocks of theirs, looking both ways."""
    block = _samples(_LEVEL_BLOCK_S)
    n_blocks = -(-len(energy) // block)
    padded = np.pad(
        energy, (0, n_blocks * block - len(energy)), mode="reflect" if len(energy) > block else "edge"
    )
    of_block = np.percentile(padded.reshape(n_blocks, block), percentile, axis=1)
    level = ndimage.percentile_filter(of_block, 50, size=_LEVEL_BLOCKS, mode=ends)
    centers = (np.arange(n_blocks) + 0.5) * block
    return np.asarray(np.interp(np.arange(len(energy)), centers, level), np.float32)


def accepted(energy: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the peaks of a slope energy that are beats, sample numbers at 125 Hz."""
    peaks, _ = signal.find_peaks(energy, height=_SEARCH_BACK, distance=_samples(_REFRACTORY_S))
    if len(peaks) == 0:
        return np.asarray(peaks, np.int64)
    height = energy[peaks] / np.maximum(_level(energy)[peaks], 1e-9)
    sure = peaks[height >= _THRESHOLD]
    sure = _without_t_waves(sure, energy)
    return _searched_back(sure, peaks, height)


def _without_t_waves(beats: NDArray[np.int64], energy: NDArray[np.float32]) -> NDArray[np.int64]:
    """Leave out a peak soon after another one of more than twice its energy."""
    if len(beats) < 2:
        return beats
    soon = np.diff(beats) < _samples(_T_WAVE_S)
    flatter = energy[beats[1:]] < 0.5 * energy[beats[:-1]]
    return np.asarray(beats[np.concatenate([[True], ~(soon & flatter)])])


def _searched_back(
    beats: NDArray[np.int64],
    peaks: NDArray[np.int64],
    height: NDArray[np.float32],
) -> NDArray[np.int64]:
    """Add the highest lower peak in each gap that is long for its surroundings."""
    if len(beats) < 3:
        return beats
    gaps = np.diff(beats)
    usual = ndimage.median_filter(gaps, size=9, mode="nearest")
    added = []
    for i in np.flatnonzero(gaps > _LONG_GAP * usual):
        inside = (peaks > beats[i] + _samples(_T_WAVE_S)) & (peaks < beats[i + 1] - _samples(_REFRACTORY_S))
        if inside.any():
            added.append(peaks[inside][height[inside].argmax()])
    return np.sort(np.concatenate([beats, np.asarray(added, np.int64)]))
