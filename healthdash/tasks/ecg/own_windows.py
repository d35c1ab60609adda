"""Windows of a recording as a network takes them: the same code for training and prediction."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import CorruptModel, InvalidInput
from healthdash.training.settings import abouts

from .own_survey import canonical_lead
from .resample import resampled
from .sample import EcgSample

__all__ = ["INPUT", "SignalStore", "constants", "cut", "starts_of", "taken"]

#: Name of the network's only input: float32 (n, samples, leads), millivolt.
INPUT = "signal"
Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]


def taken(sample: EcgSample, leads: Sequence[str], rate_hz: float) -> Floats:
    """Return the leads of a model at its rate.

    Parameters
    ----------
    leads : sequence of str
        In any spelling; a bundle keeps that of its time.

    Returns
    -------
    float32 (n_samples, len(leads)), millivolt

    Raises
    ------
    InvalidInput
        The recording lacks one.
    """
    names = [canonical_lead(lead) for lead in sample.leads]
    wanted = [canonical_lead(lead) for lead in leads]
    missing = [lead for lead in wanted if lead not in names]
    if missing:
        raise InvalidInput(
            f"expected the leads {', '.join(wanted)}; missing: {', '.join(missing)}",
            hint="Use a recording with the leads that the model was trained with.",
        )
    chosen = sample.signal_mv[:, [names.index(lead) for lead in wanted]]
    return np.ascontiguousarray(resampled(chosen, sample.rate_hz, rate_hz), np.float32)


def starts_of(length: int, samples: int, most: int) -> Numbers:
    """Return where the windows of a recording begin: side by side, and no more than so many, evenly apart.

    A recording that is shorter than a window has one, with its middle in the middle.
    """
    if length <= samples:
        return np.array([(length - samples) // 2], np.int64)
    starts = np.arange(0, length - samples + 1, samples)
    if len(starts) <= most:
        return starts.astype(np.int64)
    return np.rint(np.linspace(0, length - samples, most)).astype(np.int64)


def cut(signal: Floats, starts: Numbers, samples: int) -> Floats:
    """Return windows (m, samples, leads) of a signal (n, leads); beyond its ends the last value stays."""
    places = np.clip(starts[:, None] + np.arange(samples), 0, len(signal) - 1)
    return np.asarray(signal[places], np.float32)


class SignalStore:
    """Signals of many recordings, one after the other in a file that vanishes with the process.

    It lies in the folder for temporary files (``TMPDIR``).
    """

    def __init__(self, leads: int) -> None:
        self.leads = leads
        # The map below keeps the file after this object has closed it.
        self._file = tempfile.TemporaryFile(prefix="healthdash-")
        self._ends = [0]
        self._signal: Floats = np.zeros((1, leads), np.float32)

    def add(self, signal: Floats) -> int:
        """Keep a signal (n, leads) and return its number."""
        self._file.write(np.ascontiguousarray(signal, np.float32).tobytes())
        self._ends.append(self._ends[-1] + len(signal))
        return len(self._ends) - 2

    def close(self) -> None:
        """Let the signals be read; no more can be added."""
        self._file.flush()
        if self._ends[-1]:
            self._signal = np.memmap(self._file, np.float32, "r", shape=(self._ends[-1], self.leads))
        self._file.close()

    def length(self, number: int) -> int:
        """Return how many samples a signal has."""
        return self._ends[number + 1] - self._ends[number]

    def windows(self, numbers: Numbers, starts: Numbers, samples: int) -> Floats:
        """Return a window of each of m signals, float32 (m, samples, leads)."""
        ends = np.asarray(self._ends, np.int64)
        low, high = ends[numbers][:, None], ends[numbers + 1][:, None] - 1
        places = np.clip(low + starts[:, None] + np.arange(samples), low, high)
        return np.asarray(self._signal[places], np.float32)


def constants(config: Mapping[str, Any]) -> tuple[float, int, tuple[str, ...]]:
    """Return rate, samples and leads of a bundle's preprocessing.

    Raises
    ------
    CorruptModel
        The rate is none that a training may choose: at a million hertz an hour fills the memory.
    """
    rate_hz = float(config["rate_hz"])
    about = abouts()["rate_hz"]
    if not about.low <= rate_hz <= about.high:
        raise CorruptModel(
            f"expected a model of signals of {about.low:g} to {about.high:g} Hz, got {rate_hz:g} Hz",
            hint="Ask the maker of the model for a sound file.",
        )
    return rate_hz, int(config["samples"]), tuple(config["leads"])
