"""Recordings whose waves somebody marked: begin, peak and end of each P wave, QRS complex and T wave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InputError, TooLittleData
from healthdash.signals.wfdb_notes import annotation_of
from healthdash.task import Upload

from .. import read
from ..sample import EcgSample

__all__ = ["LABELS", "Annotated", "Limits", "load", "targets"]

#: What a moment of a lead can be, in the network's order.
LABELS = ("none", "P", "QRS", "T")
#: Codes of LUDB's annotation files: beside WFDB's own p and t, N is the peak of any QRS complex.
_CODES = {"p": 1, "N": 2, "t": 3}
_SIGNAL_ENDINGS = (".hea", ".dat", ".mat")
#: Weight of a sample outside the stretch that was annotated.
_UNKNOWN = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """Waves of one lead in the order of time.

    Attributes
    ----------
    kind : int64 (m,)
        Numbers of `LABELS`, 1 to 3.
    onset_s, peak_s, offset_s : float64 (m,), second
        NaN where an annotation leaves a limit out.
    """

    kind: NDArray[np.int64]
    onset_s: NDArray[np.float64]
    peak_s: NDArray[np.float64]
    offset_s: NDArray[np.float64]

    @property
    def span_s(self) -> tuple[float, float]:
        """From the first onset to the last end: outside it nothing was annotated."""
        marks = np.concatenate([self.onset_s, self.peak_s, self.offset_s])
        return (float(np.nanmin(marks)), float(np.nanmax(marks))) if len(self.kind) else (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Annotated:
    """A recording with the waves of each of its leads; None where a lead has no annotation."""

    patient: str
    sample: EcgSample = field(repr=False)
    limits: tuple[Limits | None, ...] = field(repr=False)

    @property
    def source(self) -> str:
        """Name of the recording's file."""
        return self.sample.source

    @property
    def has_p_waves(self) -> bool:
        """Whether any lead has a P wave: none has in fibrillation."""
        return any(1 in one.kind for one in self.limits if one is not None)


def load(folder: Path) -> list[Annotated]:
    """Read the WFDB records below a folder that have an annotation file for each lead.

    A record's file with the waves of lead "II" is called ``<record>.ii``, as in LUDB (Kalyakulina et al.
    2020, IEEE Access 8:186181). Every record counts as a patient of its own.

    Raises
    ------
    TooLittleData
        No record has one.
    """
    if not folder.is_dir():
        raise InputError("expected a folder of WFDB records", hint="Name the folder, or upload it as a zip.")
    found = []
    for header in sorted(folder.rglob("*.hea"), key=lambda path: (len(path.stem), path.stem)):
        files = [header, *(p for e in _SIGNAL_ENDINGS[1:] if (p := header.with_suffix(e)).is_file())]
        sample = read.read([Upload.from_path(path) for path in files])
        limits = tuple(_limits_of(header, lead, sample.rate_hz) for lead in sample.leads)
        if any(one is not None and len(one.kind) for one in limits):
            found.append(Annotated(header.stem, sample, limits))
    if not found:
        raise TooLittleData(
            "expected WFDB records with the waves of each lead (such as 1.hea, 1.dat and 1.ii), found none",
            hint="Put the files of each record in one folder; LUDB has this form.",
        )
    return found


def _limits_of(header: Path, lead: str, rate_hz: float) -> Limits | None:
    ending = lead.strip().lower()
    if not ending.isalnum() or not header.with_suffix(f".{ending}").is_file():
        return None
    read_marks = annotation_of(header, ending)
    # Counted in the file's own time resolution, or in frames, of which a lead may have several samples.
    clock_hz = float(read_marks.fs or rate_hz)
    return parsed(list(read_marks.symbol), np.asarray(read_marks.sample, np.int64), clock_hz)


def parsed(symbols: Sequence[str], samples: NDArray[np.int64], rate_hz: float) -> Limits:
    """Return the waves of an annotation: "(", one of p, N and t, ")"; a limit that was left out is NaN."""
    found = [i for i, symbol in enumerate(symbols) if symbol in _CODES]

    def beside(i: int, step: int, bracket: str) -> float:
        at = i + step
        return samples[at] / rate_hz if 0 <= at < len(symbols) and symbols[at] == bracket else np.nan

    return Limits(
        np.asarray([_CODES[symbols[i]] for i in found], np.int64),
        np.asarray([beside(i, -1, "(") for i in found], np.float64),
        np.asarray([samples[i] / rate_hz for i in found], np.float64),
        np.asarray([beside(i, 1, ")") for i in found], np.float64),
    )


def targets(limits: Limits, length: int, rate_hz: float) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return what each sample of a lead is, and whether that is known.

    Returns
    -------
    int64 (length,), float32 (length,)
        Numbers of `LABELS`; 1 from the first annotated onset to the last end, 0 outside, and 0 around a wave
        of which a limit was left out.
    """
    label = np.zeros(length, np.int64)
    known = np.full(length, _UNKNOWN, np.float32)
    start, stop = (round(at * rate_hz) for at in limits.span_s)
    known[start : stop + 1] = 1
    marks = np.sort(np.concatenate([limits.onset_s, limits.offset_s]))
    marks = marks[np.isfinite(marks)]
    columns = (limits.kind, limits.onset_s, limits.peak_s, limits.offset_s)
    for kind, onset, peak, offset in zip(*columns, strict=True):
        if np.isfinite(onset) and np.isfinite(offset):
            label[round(onset * rate_hz) : round(offset * rate_hz) + 1] = kind
        else:
            before, after = marks[marks < peak], marks[marks > peak]
            first = round((before[-1] if len(before) else peak) * rate_hz)
            last = round((after[0] if len(after) else peak) * rate_hz)
            known[first + 1 : last + 1] = 0
    return label, known
