"""EDF and BDF recordings (Kemp et al. 1992, Electroencephalogr Clin Neurophysiol 82:391)."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload

__all__ = ["EdfRecording", "is_edf", "read_edf"]

_EDF, _BDF = b"0       ", b"\xffBIOSEMI"


@dataclass(frozen=True, slots=True)
class EdfRecording:
    """The channels of the commonest rate, in their own units, and the names of those left out."""

    signal: NDArray[np.float32]
    rate_hz: float
    leads: tuple[str, ...]
    units: tuple[str, ...]
    left_out: tuple[str, ...]
    format: str


def is_edf(data: bytes) -> bool:
    """Say whether bytes begin like EDF, EDF+ or BDF."""
    return data[:8] in (_EDF, _BDF) and len(data) >= 256


def read_edf(upload: Upload) -> EdfRecording:
    """Read an EDF or BDF file.

    Raises
    ------
    UnreadableUpload
        It is cut off or breaks the standard.
    InvalidInput
        It holds annotations only.
    """
    import pyedflib

    suffix = ".bdf" if upload.data.startswith(_BDF) else ".edf"
    with tempfile.TemporaryDirectory(prefix="healthdash-") as folder:
        path = Path(folder) / f"recording{suffix}"
        path.write_bytes(upload.data)
        try:
            reader = pyedflib.EdfReader(str(path))
        except OSError as error:
            raise UnreadableUpload(
                "the file begins like EDF, but breaks the standard or is cut off", hint="Export it again."
            ) from error
        try:
            return _channels(reader, "BDF" if suffix == ".bdf" else "EDF")
        finally:
            reader.close()


def _channels(reader: object, form: str) -> EdfRecording:
    labels = [label.strip() for label in reader.getSignalLabels()]  # type: ignore[attr-defined]
    rates = [float(rate) for rate in reader.getSampleFrequencies()]  # type: ignore[attr-defined]
    if not labels or max(rates) <= 0:
        raise InvalidInput(f"expected signals in the {form} file, got none", hint="Choose another file.")
    rate_hz = _rate(labels, rates)
    chosen = [i for i, rate in enumerate(rates) if rate == rate_hz]
    columns = [np.asarray(reader.readSignal(i), np.float32) for i in chosen]  # type: ignore[attr-defined]
    return EdfRecording(
        signal=np.stack(columns, axis=1),
        rate_hz=rate_hz,
        leads=tuple(labels[i] for i in chosen),
        units=tuple(reader.getPhysicalDimension(i).strip() for i in chosen),  # type: ignore[attr-defined]
        left_out=tuple(label for i, label in enumerate(labels) if i not in chosen),
        format=form,
    )


def _rate(labels: list[str], rates: list[float]) -> float:
    """Return the rate of the ECG leads, or of most channels, where a file has several."""
    from .sample import lead_kind

    leads = [rate for label, rate in zip(labels, rates, strict=True) if lead_kind(label) == "ecg"]
    counted = Counter(leads or rates)
    return max(counted, key=lambda rate: (counted[rate], rate))
