"""From bytes to ECG leads in millivolt; the formats are those of `healthdash.signals`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput
from healthdash.signals import formats
from healthdash.signals.filters import bridged
from healthdash.signals.leads import guessed_unit, lead_kind, to_millivolt
from healthdash.signals.montage import position
from healthdash.signals.recording import Channel, Recording
from healthdash.signals.wfdb import read_marks
from healthdash.task import Upload

from .beat_codes import beats_among
from .gaps import missing, missing_of_leads, pauses_told
from .sample import Annotation, EcgSample

__all__ = ["group", "read", "recognises"]

# Slower than the slowest monitor or faster than any ECG: a typing error or another unit.
_RATES_HZ = (40.0, 20_000.0)
#: Units that exported ECGs have where theirs was lost: no unit, converter steps.
_NO_UNITS = ("", "NU", "adu")

group = formats.group
recognises = formats.recognises


def read(uploads: Sequence[Upload]) -> EcgSample:
    """Read one recording, and keep the leads that may be ECG.

    Parameters
    ----------
    uploads : sequence of Upload
        The files of one recording. `hints` may hold "rate_hz" and "unit" where a file is silent.

    Raises
    ------
    UnreadableUpload
        The bytes are of no known form, or damaged.
    InvalidInput
        The rate is missing or no ECG's, or a file that belongs to the recording is missing.
    """
    recording = formats.read(uploads)
    kept, rate_hz = _ecg_channels(recording.channels)
    if not _RATES_HZ[0] <= rate_hz <= _RATES_HZ[1]:
        raise InvalidInput(
            f"expected a rate of {_RATES_HZ[0]:g} to {_RATES_HZ[1]:g} Hz, got {rate_hz:g}",
            hint="Check the time column, or enter the rate.",
        )
    kept, guessed = _with_units(kept)
    signal_mv = _millivolts(kept)
    gaps = float(np.mean(~np.isfinite(signal_mv)))
    sample = EcgSample(
        source=uploads[0].name,
        kind="signal",
        format=recording.format,
        notices=(
            *recording.notices,
            *guessed,
            *_left_out(recording, kept, rate_hz),
            *_told_gaps(recording, gaps),
        ),
        signal_mv=bridged(signal_mv) if gaps else signal_mv,
        rate_hz=rate_hz,
        leads=tuple(channel.name for channel in kept),
        stored=recording.stored(rate_hz),
        unit_stated=recording.unit_stated
        and not guessed
        and all(to_millivolt(c.unit) is not None for c in kept),
        gap_share=gaps,
        gaps=missing(signal_mv, rate_hz) if gaps else (),
        lead_gaps=missing_of_leads(signal_mv, rate_hz) if gaps else (),
        annotation=_annotation(uploads, rate_hz),
        marks=recording.marks,
        facts=recording.facts,
    )
    # In place: a copy would forget the beats that were found to tell it.
    object.__setattr__(sample, "notices", (*sample.notices, *_told_off(sample)))
    return sample


def _ecg_channels(channels: Sequence[Channel]) -> tuple[list[Channel], float]:
    """Return the ECG leads, of one rate; else unknown voltages; else all, for the gate to refuse."""
    # C3 is a chest lead on its own, and an electrode on the head beside others there.
    has_head = any(position(c.name) and lead_kind(c.name) != "ecg" for c in channels)
    sure = [
        c
        for c in channels
        if lead_kind(c.name) == "ecg"
        and not (has_head and position(c.name))
        and (to_millivolt(c.unit) is not None or c.unit in _NO_UNITS)
    ]
    unknown = [c for c in channels if lead_kind(c.name) == "unknown" and to_millivolt(c.unit) is not None]
    chosen = sure or unknown or list(channels)
    counted = Counter(channel.rate_hz for channel in chosen)
    rate_hz = max(counted, key=lambda rate: (counted[rate], rate))
    return [channel for channel in chosen if channel.rate_hz == rate_hz], rate_hz


def _with_units(kept: Sequence[Channel]) -> tuple[list[Channel], list[str]]:
    """Give leads that state no unit the one that fits their size; say so."""
    silent = [channel.values for channel in kept if channel.unit in _NO_UNITS]
    if not silent:
        return list(kept), []
    unit = guessed_unit(np.concatenate(silent))
    told = (
        f"The file states no unit for {len(silent)} leads; from the size of their values, {unit} is assumed."
    )
    return [replace(c, unit=unit) if c.unit in _NO_UNITS else c for c in kept], [told]


def _millivolts(kept: Sequence[Channel]) -> NDArray[np.float32]:
    """Return the leads side by side, float32 (n_samples, n_leads); NaN where one is shorter or has a gap."""
    length = max(len(channel.values) for channel in kept)
    if length == 0:
        raise InvalidInput("the recording holds no samples", hint="Export it again.")
    signal = np.full((length, len(kept)), np.nan, np.float32)
    for lead, channel in zip(signal.T, kept, strict=True):
        lead[: len(channel.values)] = channel.values
        factor = to_millivolt(channel.unit) or 1.0
        if factor != 1.0:
            lead *= np.float32(factor)
    return signal


def _left_out(recording: Recording, kept: Sequence[Channel], rate_hz: float) -> list[str]:
    chosen = {channel.name for channel in kept}
    others = [channel for channel in recording.channels if channel.name not in chosen]
    slower = [c for c in others if c.rate_hz != rate_hz and lead_kind(c.name) == "ecg"]
    told = []
    if slower:
        told.append(f"{len(slower)} ECG leads of another rate are left out.")
    if len(others) > len(slower):
        told.append(f"{len(others) - len(slower)} channels that are no ECG leads are left out.")
    return told


def _told_gaps(recording: Recording, share: float) -> list[str]:
    if share == 0:
        return []
    why = f" ({'; '.join(recording.gaps)})" if recording.gaps else ""
    return [f"{share:.1%} of the values are marked as missing{why}; the model is given straight lines there."]


def _told_off(sample: EcgSample) -> list[str]:
    """Name the leads that keep one value for a time, but not always; and when all do between two beats."""
    seconds = np.zeros(len(sample.leads))
    for lead, start, stop in sample.off:
        seconds[lead] += (stop - start) / sample.rate_hz
    some = (seconds > 0) & (seconds < sample.duration_s)
    if not some.any():
        return []
    named = ", ".join(f"{sample.leads[i]} {seconds[i]:.0f} s" for i in np.flatnonzero(some).tolist())
    told = f"Leads that keep one value for a time count for nothing there, as if off: {named}."
    return [told, *filter(None, [pauses_told(sample.pauses_or_off_s)])]


def _annotation(uploads: Sequence[Upload], rate_hz: float) -> Annotation | None:
    """Return the reference beats of a WFDB record (.atr) at the leads' rate, or None where there are none."""
    if not any(upload.name.endswith(".atr") for upload in uploads):
        return None
    times_s, codes, _ = read_marks(uploads)
    return beats_among(np.rint(times_s * rate_hz).astype(np.int64), codes)
