"""One recording of any format, in physical units: plain data that crosses processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .leads import tidy_unit

__all__ = ["Channel", "Mark", "Recording", "Stored", "channels_of", "commonest_rate"]


@dataclass(frozen=True, slots=True)
class Channel:
    """One signal.

    Attributes
    ----------
    name : str
        As the file names it.
    unit : str
        Of `values`: "mV", "uV", "mmHg"...; empty where the file states none.
    rate_hz : float, hertz
    values : float32 (n_samples,)
        In `unit`; NaN where there is a gap.
    """

    name: str
    unit: str
    rate_hz: float
    values: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mark:
    """An annotation that came with the recording: from its start, in seconds."""

    onset_s: float
    text: str
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Stored:
    """A signal as its file holds it; `low` and `high` in `unit`."""

    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    unit: str
    leads: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What one file, or the files of one recording, hold.

    Attributes
    ----------
    format : str
        "WFDB format 212", "EDF+", "SCP-ECG"...
    channels : tuple of Channel
        Each at its own rate: nothing is resampled.
    marks : tuple of Mark
    stored_dtype : str
        Of the values on disk: "int16", "int24", "float32".
    calibration : str
        How stored values became physical ones, in a sentence.
    gaps : tuple of str
        Why values are missing, where some are.
    notices : tuple of str
        Odd but usable things, one sentence each.
    facts : tuple of (str, str)
        What else the file says that identifies nobody: filters, device, classification.
    time_of_day : str
        When it began, "hh:mm:ss"; the date is left out. Empty where it is not stated.
    unit_stated : bool
        False where the unit was said by the user or assumed.
    """

    format: str
    channels: tuple[Channel, ...]
    marks: tuple[Mark, ...] = ()
    stored_dtype: str = ""
    calibration: str = ""
    gaps: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    time_of_day: str = ""
    unit_stated: bool = True

    @property
    def rate_hz(self) -> float:
        """The rate of most channels, hertz; the faster one where two are as common."""
        return commonest_rate(self.channels)

    @property
    def duration_s(self) -> float:
        """Length of the longest channel, seconds."""
        return max(len(channel.values) / channel.rate_hz for channel in self.channels)

    def stored(self, rate_hz: float | None = None) -> Stored:
        """Return what the file holds, for people and programs.

        Parameters
        ----------
        rate_hz : float or None
            Of the channels that the shape is of; None: of most.

        Returns
        -------
        Stored
            `shape` is (samples, channels) at that rate, `leads` names all channels; `low` and `high` are
            those of the channels in the commonest unit, which is `unit`.
        """
        rate_hz = rate_hz or self.rate_hz
        units = Counter(channel.unit for channel in self.channels if channel.rate_hz == rate_hz)
        unit = max(units, key=lambda name: (units[name], name in ("mV", "uV"))) if units else ""
        alike = [c.values for c in self.channels if c.rate_hz == rate_hz]
        measured = [c.values for c in self.channels if c.unit == unit]
        return Stored(
            shape=(max((len(values) for values in alike), default=0), len(alike)),
            dtype=self.stored_dtype,
            low=_extreme(measured, np.fmin),
            high=_extreme(measured, np.fmax),
            unit=unit,
            leads=tuple(channel.name for channel in self.channels),
        )


def _extreme(arrays: Sequence[NDArray[np.float32]], keep: Any) -> float:
    """Return the extreme of all values that are known; 0 where none is."""
    found = [float(keep.reduce(values)) for values in arrays if len(values)]
    known = [value for value in found if np.isfinite(value)]
    return float(keep.reduce(known)) if known else 0.0


def commonest_rate(channels: Sequence[Channel]) -> float:
    """Return the rate of most of the channels, hertz; the faster one where two are as common."""
    counted = Counter(channel.rate_hz for channel in channels)
    return max(counted, key=lambda rate: (counted[rate], rate))


def channels_of(
    names: Sequence[str], units: Sequence[str], rate_hz: float, rows: Sequence[NDArray[np.float32]]
) -> tuple[Channel, ...]:
    """Return channels of one rate; doubled names get a number, empty ones are counted."""
    seen: Counter[str] = Counter()
    channels = []
    for number, (name, unit, values) in enumerate(zip(names, units, rows, strict=True), 1):
        plain = name.strip() or f"channel {number}"
        seen[plain] += 1
        unique = plain if seen[plain] == 1 else f"{plain} ({seen[plain]})"
        channels.append(Channel(unique, tidy_unit(unit), rate_hz, np.asarray(values, np.float32)))
    return tuple(channels)
