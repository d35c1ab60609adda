"""One parsed recording."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from healthdash.task import Sample

from .detect import WORKING_HZ, clarity, find_beats, resampled

__all__ = ["Annotation", "EcgSample", "Stored", "lead_kind", "to_millivolt"]

LeadKind = Literal["ecg", "unknown", "other"]

_ECG = re.compile(
    r"^(ecg|ekg|holter)|^(lead\s*)?(m?l?(i|ii|iii)|av[rlf]|m?c?[vc]\d[rl]?|mcl\d|d[123]|cm\d|cc\d|v[xyz])\b",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"eeg|emg|eog|resp|pleth|ppg|spo2|abp|art|pap|cvp|icp|co2|temp|flow|chest|abdo|nasal|snore|pulse|stim|"
    r"trigger|status|annotation|accel|gsr|(^|\s)(fp[12z]|af[z\d]+|f[z\d]+|fc[z\d]+|c[z34]|cp[z\d]+|"
    r"p[z\d]+|po[z\d]+|o[12z]|t[3-8]|a[12]|m[12])([-\s]|$)",
    re.IGNORECASE,
)
_IN_MILLIVOLT = {"v": 1000.0, "mv": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "nv": 1e-6}


def to_millivolt(unit: str) -> float | None:
    """Return the factor from a unit to millivolt, or None if it is no voltage."""
    return _IN_MILLIVOLT.get(unit.strip().lower())


def lead_kind(name: str) -> LeadKind:
    """Say from its name whether a channel is an ECG lead, surely something else, or unknown."""
    name = name.strip()
    if _ECG.match(name):
        return "ecg"
    return "other" if _OTHER.search(name) else "unknown"


@dataclass(frozen=True, slots=True)
class Stored:
    """A signal as its file holds it; `low` and `high` in `unit`."""

    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    unit: str
    leads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Annotation:
    """Labelled beats of a recording: sample numbers, and one AAMI letter each.

    `excluded` holds (start, stop) of ventricular flutter, where EC57 counts no beats.
    """

    samples: NDArray[np.int64]
    labels: NDArray[np.str_]
    excluded: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class EcgSample(Sample):
    """A recording in millivolt.

    Attributes
    ----------
    signal_mv : float32 (n_samples, n_leads), millivolt
        The leads that may be ECG; finite (gaps are bridged by straight lines).
    rate_hz : float, hertz
    leads : tuple of str
    stored : Stored
        What the file holds, other channels included.
    unit_stated : bool
        False where the unit was guessed.
    gap_share : float
        Share of values that the file marks as missing.
    annotation : Annotation or None
        Reference beats, where they came with the recording.
    """

    signal_mv: NDArray[np.float32] = field(repr=False)
    rate_hz: float
    leads: tuple[str, ...]
    stored: Stored
    unit_stated: bool = True
    gap_share: float = 0.0
    annotation: Annotation | None = None

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.signal_mv) / self.rate_hz

    @cached_property
    def beats(self) -> NDArray[np.int64]:
        """Sample numbers of the beats that the detector finds on all leads."""
        found = find_beats(self.working_mv, WORKING_HZ)
        at = np.rint(found * (self.rate_hz / WORKING_HZ)).astype(np.int64)
        return np.asarray(np.minimum(at, len(self.signal_mv) - 1))

    @cached_property
    def working_mv(self) -> NDArray[np.float32]:
        """The leads at `WORKING_HZ`, float32 (n, n_leads), millivolt; not to be changed."""
        return resampled(self.signal_mv, self.rate_hz)

    @cached_property
    def clarities(self) -> list[float]:
        """How far the complexes of each lead stand out; see `detect.clarity`."""
        return [clarity(lead, WORKING_HZ) for lead in self.working_mv.T]

    @cached_property
    def conditioned(self) -> dict[tuple[float, ...], NDArray[np.float32]]:
        """The leads that the model sees by the constants of their filter; `prepare` fills it."""
        return {}

    @cached_property
    def model_leads(self) -> list[int]:
        """Numbers of the one or two leads that the model sees; II first where it is."""
        from .prepare import ordered_leads

        return ordered_leads(self)
