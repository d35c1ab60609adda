"""One parsed recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.signals.leads import LeadKind, lead_kind, to_millivolt
from healthdash.signals.recording import Mark, Stored
from healthdash.task import Sample

from .detect import Steepness, accepted, slope_energy, steepness
from .gaps import common, heard, held_still, hiding, inside, shown, without_beat
from .resample import WORKING_HZ, resampled, resampled_length

__all__ = ["Annotation", "EcgSample", "LeadKind", "Stored", "lead_kind", "to_millivolt"]


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
        False where the unit was assumed, as a default or from the size of the values.
    gap_share : float
        Share of values that the file marks as missing.
    gaps : tuple of (int, int)
        Samples from and to which all leads are missing, for a tenth of a second or longer: a beat may
        be hidden there, and none is sought.
    lead_gaps : tuple of (int, int, int)
        Lead number, and from and to which samples it is missing, for a tenth of a second or longer: no
        line is drawn there.
    annotation : Annotation or None
        Reference beats, where they came with the recording.
    marks : tuple of Mark
        Every annotation of the file, in seconds.
    facts : tuple of (str, str)
        What else the file says that identifies nobody: filters, device.
    """

    signal_mv: NDArray[np.float32] = field(repr=False)
    rate_hz: float
    leads: tuple[str, ...]
    stored: Stored
    unit_stated: bool = True
    gap_share: float = 0.0
    gaps: tuple[tuple[int, int], ...] = ()
    lead_gaps: tuple[tuple[int, int, int], ...] = ()
    annotation: Annotation | None = None
    marks: tuple[Mark, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.signal_mv) / self.rate_hz

    @cached_property
    def beats(self) -> NDArray[np.int64]:
        """Sample numbers of the beats that the detector finds on all leads."""
        found = accepted(slope_energy(self.working_mv, self._changing, self._steepness))
        at = np.rint(found * (self.rate_hz / WORKING_HZ)).astype(np.int64)
        at = np.minimum(at, len(self.signal_mv) - 1)
        return np.asarray(at[~inside(at, self.gaps)])

    @property
    def gaps_s(self) -> tuple[tuple[float, float], ...]:
        """From and to when no lead has a signal, seconds."""
        return self.silent_s(range(len(self.leads)))

    def silent_s(self, leads: Sequence[int]) -> tuple[tuple[float, float], ...]:
        """Return from and to when none of some leads has a signal, seconds: a beat may be hidden there."""
        silent = common(self.lead_losses, leads, len(self.signal_mv), self.rate_hz)
        return tuple((start / self.rate_hz, stop / self.rate_hz) for start, stop in silent)

    @cached_property
    def pauses_or_off_s(self) -> tuple[tuple[float, float], ...]:
        """From beat to beat, seconds, where all leads keep one value: a pause, or the leads were off."""
        silent = common(self.lead_losses, range(len(self.leads)), len(self.signal_mv), self.rate_hz)
        # What is missing in all leads was not recorded: that is no pause.
        missing = [start for start, _ in self.gaps]
        still = [one for one in silent if np.ptp(np.searchsorted(missing, one)) == 0]
        found = without_beat(still, self.beats)
        return tuple((start / self.rate_hz, stop / self.rate_hz) for start, stop in found)

    @property
    def lead_losses(self) -> tuple[tuple[int, int, int], ...]:
        """Lead number, and from and to which samples it says nothing: it is missing, or off."""
        return (*self.lead_gaps, *self.off)

    @cached_property
    def off(self) -> tuple[tuple[int, int, int], ...]:
        """Lead number, and from and to which samples it is held still, for longer than between two beats."""
        return hiding(self._still, self.beats, len(self.signal_mv)) if self._still else ()

    @cached_property
    def _still(self) -> tuple[tuple[int, int, int], ...]:
        return held_still(self.signal_mv, self.rate_hz)

    @property
    def _changing(self) -> NDArray[np.bool_]:
        """Where each lead is neither missing nor held still, bool (n, n_leads) at `WORKING_HZ`."""
        return heard(self.working_mv.shape, (*self.lead_gaps, *self._still), WORKING_HZ / self.rate_hz)

    def heard(self, rate_hz: float) -> NDArray[np.bool_]:
        """Say where each lead has a signal, bool (n_samples at this rate, n_leads)."""
        length = resampled_length(len(self.signal_mv), self.rate_hz, rate_hz)
        return heard((length, len(self.leads)), self.lead_losses, rate_hz / self.rate_hz)

    @property
    def known_s(self) -> float:
        """Length without the gaps, seconds."""
        return self.duration_s - sum(stop - start for start, stop in self.gaps_s)

    @cached_property
    def drawn_mv(self) -> NDArray[np.float32]:
        """The leads as a reader sees them: NaN in gaps; not to be changed."""
        return shown(self.signal_mv, self.lead_gaps)

    @cached_property
    def working_mv(self) -> NDArray[np.float32]:
        """The leads at `WORKING_HZ`, float32 (n, n_leads), millivolt; not to be changed."""
        return resampled(self.signal_mv, self.rate_hz)

    @cached_property
    def _steepness(self) -> tuple[Steepness, ...]:
        """How steep each lead is in the middle of the recording."""
        pairs = zip(self.working_mv.T, self._changing.T, strict=True)
        return tuple(steepness(lead, is_heard) for lead, is_heard in pairs)

    @cached_property
    def clarities(self) -> list[float]:
        """How far the complexes of each lead stand out; see `detect.clarity`."""
        return [lead.clarity for lead in self._steepness]

    @cached_property
    def conditioned(self) -> dict[tuple[float, ...], NDArray[np.float32]]:
        """The leads that the model sees by the constants of their filter; `prepare` fills it."""
        return {}

    @cached_property
    def delineations(self) -> dict[str, Any]:
        """The waves of the recording by the hash of the model that found them; `waves` fills it."""
        return {}

    @cached_property
    def flags(self) -> tuple[str, ...]:
        """What is wrong with each lead, in words; see `quality.flags`."""
        from .quality import flags

        return flags(self.drawn_mv, self.rate_hz)

    @cached_property
    def model_leads(self) -> list[int]:
        """Numbers of the one or two leads that the model sees; II first where it is clear."""
        from .prepare import ordered_leads

        return ordered_leads(self)
