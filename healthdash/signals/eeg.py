"""A page of an EEG as its readers see it: a stretch in a montage, filtered by name, in microvolt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .leads import to_millivolt
from .montage import Derivation, derivations, derived, eeg_channels, mixed_references
from .recording import Mark, Recording

__all__ = ["FILTERS", "EegPage", "filtered", "left_out", "lines_of", "page_of", "value_range"]

#: Filters by name: (kind, hertz). Zero-phase Butterworth of second order each way; notches of quality 30.
#: 1 to 70 Hz and a notch only where needed are the ACNS's standards (Sinha et al. 2016, J Clin Neurophysiol
#: 33:303); 35 Hz hides muscle, and fast activity of the brain with it.
FILTERS: dict[str, tuple[str, float]] = {
    "high-pass 0.5 Hz": ("highpass", 0.5),
    "high-pass 1 Hz": ("highpass", 1.0),
    "low-pass 70 Hz": ("lowpass", 70.0),
    "low-pass 35 Hz": ("lowpass", 35.0),
    "mains notch 50 Hz": ("notch", 50.0),
    "mains notch 60 Hz": ("notch", 60.0),
}
_ORDER, _QUALITY = 2, 30.0
#: Seconds filtered beside a page, so that its edges are as if the whole recording had been filtered.
_MARGIN_S = 10.0
_FEWEST = 30


@dataclass(frozen=True, slots=True, eq=False)
class EegPage:
    """A stretch of an EEG.

    Attributes
    ----------
    names : tuple of str
    microvolts : tuple of float32 (n_samples,)
        One a name; NaN where the recording has a gap.
    rate_hz : float, hertz
    start_s : float
        Of the first sample.
    marks : tuple of Mark
        Those that touch the stretch.
    unit : str
        "µV", or that of the file where it is no voltage.
    """

    names: tuple[str, ...]
    microvolts: tuple[NDArray[np.float32], ...]
    rate_hz: float
    start_s: float
    marks: tuple[Mark, ...]
    unit: str


def page_of(
    recording: Recording,
    montage: str,
    start_s: float,
    length_s: float,
    *,
    filters: Sequence[str] = (),
    lines: slice = slice(None),
) -> EegPage:
    """Return a stretch of a recording in a montage.

    Parameters
    ----------
    montage : str
        Of `montage.MONTAGES`.
    start_s, length_s : float, second
    filters : sequence of str
        Of `FILTERS`, laid over one after the other; none by default.
    lines : slice
        Of the montage: a recording of 139 channels is read in parts.

    Returns
    -------
    EegPage
        Without names where the montage needs positions that the recording does not name.
    """
    channels = eeg_channels(recording)
    chosen = derivations([channel.name for channel in channels], montage)[lines]
    rate_hz = channels[0].rate_hz if channels else recording.rate_hz
    length = max((len(channel.values) for channel in channels), default=0)
    first = min(max(0, round(start_s * rate_hz)), max(0, length - 1))
    last = min(length, first + max(2, round(length_s * rate_hz)))
    margin = round(_MARGIN_S * rate_hz) if filters else 0
    around = slice(max(0, first - margin), min(length, last + margin))
    needed = {number for line in chosen for number in (line.plus, *line.minus)}
    factors = {n: 1000 * (to_millivolt(channels[n].unit) or 0.001) for n in needed}
    rows = {n: channels[n].values[around] * np.float32(factors[n]) for n in needed}
    signals = derived(_alike(rows), chosen)
    inside = slice(first - around.start, last - around.start)
    return EegPage(
        names=tuple(line.name for line in chosen),
        microvolts=tuple(filtered(signal, rate_hz, filters)[inside] for signal in signals),
        rate_hz=rate_hz,
        start_s=first / rate_hz,
        marks=_touching(recording.marks, first / rate_hz, last / rate_hz),
        unit="µV" if channels and to_millivolt(channels[0].unit) is not None else recording.stored().unit,
    )


def _alike(rows: dict[int, NDArray[np.float32]]) -> dict[int, NDArray[np.float32]]:
    """Return rows of one length: a channel that ends early is a gap then."""
    longest = max((len(row) for row in rows.values()), default=0)
    return {
        n: row
        if len(row) == longest
        else np.pad(row, (0, longest - len(row)), constant_values=np.float32(np.nan))
        for n, row in rows.items()
    }


def filtered(values: NDArray[np.float32], rate_hz: float, names: Sequence[str]) -> NDArray[np.float32]:
    """Return a signal with filters laid over it; gaps are bridged for them, and stay gaps.

    A filter whose frequency the rate does not hold changes nothing.
    """
    from scipy import signal

    usable = [FILTERS[name] for name in names if FILTERS[name][1] < 0.5 * rate_hz]
    known = np.isfinite(values)
    if not usable or known.sum() < _FEWEST:
        return values
    at = np.arange(len(values))
    out = np.interp(at, at[known], values[known]).astype(np.float64)
    for kind, hertz in usable:
        if kind == "notch":
            sos = signal.tf2sos(*signal.iirnotch(hertz, _QUALITY, rate_hz))
        else:
            sos = signal.butter(_ORDER, hertz, kind, fs=rate_hz, output="sos")
        out = signal.sosfiltfilt(sos, out, padlen=min(len(out) - 1, round(3 * rate_hz)))
    return np.where(known, out, np.nan).astype(np.float32)


def _touching(marks: Sequence[Mark], start_s: float, stop_s: float) -> tuple[Mark, ...]:
    return tuple(m for m in marks if m.onset_s < stop_s and m.onset_s + m.duration_s >= start_s)


def value_range(page: EegPage) -> float:
    """Return a height that most lines of a page stay within, in its unit: for a first sensitivity."""
    spread = [float(np.nanpercentile(np.abs(row - np.nanmedian(row)), 95)) for row in page.microvolts
              if np.isfinite(row).any()]  # fmt: skip
    return float(np.median(spread)) if spread else 1.0


def lines_of(recording: Recording, montage: str) -> tuple[Derivation, ...]:
    """Return every line that a montage has over a recording."""
    return derivations([channel.name for channel in eeg_channels(recording)], montage)


def left_out(recording: Recording, montage: str) -> str:
    """Return why a montage lacks lines over a recording that names their electrodes; empty where none is."""
    return mixed_references([channel.name for channel in eeg_channels(recording)], montage)
