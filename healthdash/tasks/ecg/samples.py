"""Synthetic ECGs for a first click: waves of a dynamical model on a drawn rhythm, no patient in them.

Each beat runs once around a circle, on which five Gaussian bumps make P, Q, R, S and T (McSharry et al.
2003, IEEE TBME 50:289, ECGSYN); the trace is the solution for a beat that keeps to its circle. Intervals
carry the breathing and slow waves of that paper; ventricular and supraventricular beats are put in.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from healthdash import archive
from healthdash.task import Example, Upload
from healthdash.training import TrainSettings

__all__ = [
    "RATE_HZ",
    "SyntheticEcg",
    "as_csv",
    "as_edf",
    "as_wfdb",
    "examples",
    "synthesise",
    "training_set",
]

RATE_HZ = 250.0
_SECONDS = 120.0
_TRAINING_KINDS = ("ventricular", "supraventricular") * 3 + ("normal", "fibrillation")
_LEADS = ("II", "V1")
# Place on the circle (radians, R at 0), height (mV) in II and V1, width (radians): after McSharry's table I,
# with the heights of a lead II and a lead V1.
_NORMAL = (
    (-1.22, 0.14, 0.06, 0.20),
    (-0.20, -0.10, 0.0, 0.07),
    (0.00, 1.10, 0.22, 0.08),
    (0.22, -0.22, -0.90, 0.08),
    (1.75, 0.28, 0.12, 0.38),
)
# A ventricular beat: no P wave, a wide complex, T against it.
_VENTRICULAR = ((-0.15, 1.25, -0.5, 0.26), (0.30, -0.45, 1.15, 0.26), (1.55, -0.50, -0.35, 0.42))
# An atrial beat: its P wave comes from elsewhere and is turned over.
_ATRIAL = ((-1.05, -0.10, 0.09, 0.13), *_NORMAL[1:])
_FIBRILLATION = _NORMAL[1:]


@dataclass(frozen=True, slots=True)
class SyntheticEcg:
    """A drawn recording: float32 (n_samples, 2) millivolt, its beats and their AAMI letters."""

    signal_mv: NDArray[np.float32]
    beats: NDArray[np.int64]
    labels: NDArray[np.str_]


def synthesise(
    kind: str, *, seconds: float = _SECONDS, rate_hz: float = RATE_HZ, seed: int = 0
) -> SyntheticEcg:
    """Draw an ECG.

    Parameters
    ----------
    kind : str
        "normal", "ventricular", "supraventricular" or "fibrillation".
    """
    rng = np.random.default_rng([seed, len(kind), ord(kind[0])])
    intervals, labels = _rhythm(kind, int(seconds * 2.2), rng)
    times = 0.6 + np.cumsum(intervals) - intervals[0]
    inside = times < seconds - 0.5
    times, intervals, labels = times[inside], intervals[inside], labels[inside]
    time = np.arange(int(seconds * rate_hz)) / rate_hz
    signal = np.zeros((len(time), 2))
    for at, interval, label in zip(times, intervals, labels, strict=True):
        _add_beat(signal, time, at, interval, _waves(kind, str(label)))
    signal += _disturbance(time, kind, rng)
    return SyntheticEcg(signal.astype(np.float32), np.rint(times * rate_hz).astype(np.int64), labels)


def _rhythm(kind: str, n: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Return the interval before each beat, and the beats' letters."""
    labels = np.full(n, "N")
    if kind == "fibrillation":
        return np.clip(0.72 * np.exp(0.22 * rng.standard_normal(n)), 0.36, 1.6), labels
    beat = np.arange(n)
    breathing = 0.035 * np.sin(2 * np.pi * 0.25 * 0.85 * beat) + 0.02 * np.sin(2 * np.pi * 0.1 * 0.85 * beat)
    intervals = 0.85 * (1 + breathing + 0.01 * rng.standard_normal(n))
    if kind == "normal":
        return intervals, labels
    letter = "V" if kind == "ventricular" else "S"
    for at in range(6, n - 2, int(rng.integers(7, 10))):
        labels[at] = letter
        intervals[at] *= rng.uniform(0.58, 0.66)
        # A pause that compensates follows a ventricular beat; an atrial one resets the sinus node.
        intervals[at + 1] *= rng.uniform(1.35, 1.42) if letter == "V" else rng.uniform(1.0, 1.1)
    return intervals, labels


def _waves(kind: str, label: str) -> tuple[tuple[float, float, float, float], ...]:
    if label == "V":
        return _VENTRICULAR
    if label == "S":
        return _ATRIAL
    return _FIBRILLATION if kind == "fibrillation" else _NORMAL


def _add_beat(
    signal: NDArray[np.float64],
    time: NDArray[np.float64],
    at: float,
    interval: float,
    waves: tuple[tuple[float, float, float, float], ...],
) -> None:
    """Add the bumps of one beat; angles become seconds as the interval's square root (Bazett 1920)."""
    scale = np.sqrt(max(interval, 0.4) / 1.0) / (2 * np.pi)
    first, last = np.searchsorted(time, [at - 0.5, at + 0.7])
    for angle, in_ii, in_v1, width in waves:
        # The QRS complex keeps its width at any rate.
        stretch = scale if abs(angle) > 0.5 else 0.9 / (2 * np.pi)
        bump = np.exp(-0.5 * ((time[first:last] - at - angle * stretch) / (width * stretch)) ** 2)
        signal[first:last] += bump[:, None] * (in_ii, in_v1)


def _disturbance(time: NDArray[np.float64], kind: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return drift by breathing, muscle noise and, in fibrillation, its waves; mV."""
    drift = 0.06 * np.sin(2 * np.pi * 0.25 * time + rng.uniform(0, 6))
    noise = 0.012 * rng.standard_normal((len(time), 2))
    if kind != "fibrillation":
        return drift[:, None] + noise
    phase = 2 * np.pi * np.cumsum(6 + 0.8 * np.sin(2 * np.pi * 0.3 * time)) * (time[1] - time[0])
    waves = 0.05 * np.sin(phase) + 0.02 * np.sin(2 * phase + 1)
    return np.asarray(drift[:, None] + noise + waves[:, None] * (0.7, 1.3))


def as_wfdb(
    ecg: SyntheticEcg, name: str, *, rate_hz: float = RATE_HZ, annotated: bool = False
) -> list[Upload]:
    """Write a record as WFDB: a header and 16-bit samples, 200 steps a millivolt."""
    steps = np.rint(ecg.signal_mv * 200).astype("<i2")
    lines = [f"{name} 2 {rate_hz:g} {len(steps)}"]
    # The first value and the 16-bit sum of a signal stand in its line: header(5) of WFDB.
    sums = steps.sum(axis=0, dtype=np.int64).astype("<i2")
    lines += [f"{name}.dat 16 200/mV 16 0 {steps[0, i]} {sums[i]} 0 {lead}" for i, lead in enumerate(_LEADS)]
    header = "\n".join([*lines, "# synthetic: drawn by a dynamical model, no patient", ""])
    files = [Upload(f"{name}.hea", header.encode()), Upload(f"{name}.dat", steps.tobytes())]
    return [*files, _annotation(ecg, name, rate_hz)] if annotated else files


def _annotation(ecg: SyntheticEcg, name: str, rate_hz: float) -> Upload:
    import wfdb

    codes = [{"N": "N", "V": "V", "S": "A"}[label] for label in ecg.labels.tolist()]
    with tempfile.TemporaryDirectory(prefix="healthdash-") as folder:
        wfdb.wrann(name, "atr", ecg.beats, symbol=codes, fs=rate_hz, write_dir=folder)
        return Upload(f"{name}.atr", (Path(folder) / f"{name}.atr").read_bytes())


def as_csv(ecg: SyntheticEcg, name: str, *, rate_hz: float = RATE_HZ) -> list[Upload]:
    """Write a record as CSV with a time column and the unit in each lead's name."""
    time = np.arange(len(ecg.signal_mv)) / rate_hz
    rows = [f"{t:.3f},{a:.4f},{b:.4f}" for t, (a, b) in zip(time, ecg.signal_mv.tolist(), strict=True)]
    text = "\n".join(["# synthetic: drawn by a dynamical model, no patient", "time_s,II_mV,V1_mV", *rows, ""])
    return [Upload(f"{name}.csv", text.encode())]


def as_edf(ecg: SyntheticEcg, name: str, *, rate_hz: float = RATE_HZ) -> list[Upload]:
    """Write a record as EDF+, in microvolt as is usual there."""
    import pyedflib

    with tempfile.TemporaryDirectory(prefix="healthdash-") as folder:
        path = Path(folder) / "recording.edf"
        writer = pyedflib.EdfWriter(str(path), 2)
        try:
            writer.setRecordingAdditional("synthetic")
            for i, lead in enumerate(_LEADS):
                writer.setSignalHeader(
                    i,
                    {
                        "label": f"ECG {lead}",
                        "dimension": "uV",
                        "sample_frequency": rate_hz,
                        "physical_min": -5000.0,
                        "physical_max": 5000.0,
                        "digital_min": -32768,
                        "digital_max": 32767,
                        "transducer": "",
                        "prefilter": "",
                    },
                )
            writer.writeSamples([np.asarray(1000 * lead, np.float64) for lead in ecg.signal_mv.T])
        finally:
            writer.close()
        return [Upload(f"{name}.edf", path.read_bytes())]


def examples() -> tuple[Example, ...]:
    """Return two minutes each of four rhythms, in the three file formats."""
    return (
        Example(
            "ecg-normal",
            "Normal rhythm",
            "Two minutes of sinus rhythm, WFDB. Synthetic.",
            lambda: as_wfdb(synthesise("normal"), "synthetic-normal"),
        ),
        Example(
            "ecg-ventricular",
            "Ventricular extra beats",
            "Sinus rhythm with wide early beats, CSV. Synthetic.",
            lambda: as_csv(synthesise("ventricular"), "synthetic-ventricular"),
        ),
        Example(
            "ecg-supraventricular",
            "Supraventricular extra beats",
            "Sinus rhythm with narrow early beats, EDF. Synthetic.",
            lambda: as_edf(synthesise("supraventricular"), "synthetic-supraventricular"),
        ),
        Example(
            "ecg-fibrillation",
            "Atrial fibrillation",
            "Irregular rhythm without P waves, WFDB: not to be called supraventricular beats. Synthetic.",
            lambda: as_wfdb(synthesise("fibrillation"), "synthetic-fibrillation"),
        ),
    )


def training_set() -> Example:
    """Return recordings with the place and the label of every beat, zipped."""
    return Example(
        slug="synthetic",
        title="Synthetic recordings",
        description=f"Synthetic: {len(_TRAINING_KINDS)} recordings of two minutes, drawn by a dynamical "
        "model, WFDB with beat annotations.",
        make=_annotated_recordings,
        settings=TrainSettings(epochs=2, folds=2),
    )


def _annotated_recordings() -> list[Upload]:
    files: dict[str, bytes] = {}
    for number, kind in enumerate(_TRAINING_KINDS, 1):
        record = as_wfdb(synthesise(kind, seed=100 + number), f"synthetic-{number}-{kind}", annotated=True)
        files |= {f"synthetic_training_set/{upload.name}": upload.data for upload in record}
    return [Upload("synthetic_training_set.zip", archive.pack(files))]
