"""Drawn recordings whose waves begin and end where they were drawn: to try a training, and to test by."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from healthdash import archive
from healthdash.task import Example, Upload
from healthdash.training import TrainSettings

from .limits import Limits

__all__ = ["Drawn", "drawn", "training_set"]

#: A wave ends where a Gaussian bump has fallen to a twentieth of its height.
_SIGMAS = 2.45
_LETTERS = {1: "p", 2: "N", 3: "t"}
_RECORDS, _SECONDS, _RATE_HZ = 12, 20.0, 250.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """One lead in millivolt, float32 (n,), its rate, and the limits of its waves."""

    signal_mv: NDArray[np.float32]
    rate_hz: float
    limits: Limits


def drawn(
    *,
    rr_s: NDArray[np.float64],
    pr_s: float | None = 0.16,
    qrs_s: float = 0.09,
    qt_s: float = 0.38,
    rate_hz: float = _RATE_HZ,
    noise_mv: float = 0.01,
    seed: int = 0,
) -> Drawn:
    """Draw a lead as a sum of Gaussian bumps.

    Parameters
    ----------
    rr_s : float64 (m,), second
        Intervals between the onsets of complexes; the first begins half a second in.
    pr_s : float or None
        From the onset of P to that of QRS; None draws no P waves.
    """
    rng = np.random.default_rng(seed)
    onset = 0.5 + np.concatenate([[0.0], np.cumsum(rr_s)])
    time = np.arange(round((onset[-1] + 1.0) * rate_hz)) / rate_hz
    signal = noise_mv * rng.standard_normal(len(time)) + 0.05 * np.sin(2 * np.pi * 0.25 * time)
    waves = [
        *((1, -pr_s, -pr_s + 0.1, 0.15) for _ in range(1) if pr_s is not None),
        (2, 0.0, qrs_s, 1.1),
        (3, qt_s - 0.17, qt_s, 0.3),
    ]
    rows = []
    for at in onset:
        for kind, start, stop, height in waves:
            middle, width = at + (start + stop) / 2, (stop - start) / (2 * _SIGMAS)
            bump = np.exp(-0.5 * ((time - middle) / width) ** 2)
            if kind == 2:  # a small Q and S beside R, all of it inside the limits
                steep = (stop - start) / (4 * _SIGMAS)
                bump = np.exp(-0.5 * ((time - middle) / steep) ** 2) - 0.25 * bump
            signal += height * bump
            rows.append((kind, at + start, middle, at + stop))
    table = np.asarray(sorted(rows, key=lambda row: row[1]), np.float64)
    limits = Limits(table[:, 0].astype(np.int64), table[:, 1], table[:, 2], table[:, 3])
    return Drawn(signal.astype(np.float32), rate_hz, limits)


def training_set() -> Example:
    """Return drawn recordings with the limits of every wave, zipped."""
    return Example(
        slug="synthetic",
        title="Synthetic recordings",
        description=f"Synthetic: {_RECORDS} recordings of {_SECONDS:.0f} seconds, one lead, WFDB with the "
        "limits of every wave.",
        make=_annotated,
        settings=TrainSettings(epochs=2),
    )


def _annotated() -> list[Upload]:
    files: dict[str, bytes] = {}
    for number in range(1, _RECORDS + 1):
        rng = np.random.default_rng(number)
        rr = rng.uniform(0.75, 1.1) * (1 + 0.02 * rng.standard_normal(int(_SECONDS)))
        pr = None if number % 4 == 0 else rng.uniform(0.13, 0.2)
        one = drawn(rr_s=rr, pr_s=pr, qrs_s=rng.uniform(0.08, 0.12), qt_s=0.37, noise_mv=0.02, seed=number)
        files |= _record(f"synthetic-{number}", one)
    return [
        Upload("synthetic_waves.zip", archive.pack({f"synthetic_waves/{n}": d for n, d in files.items()}))
    ]


def _record(name: str, one: Drawn) -> dict[str, bytes]:
    """Return a WFDB record with an annotation file for its lead II."""
    import wfdb

    steps = np.rint(one.signal_mv * 200).astype("<i2")
    total = steps.sum(dtype=np.int64).astype("<i2")  # the checksum of header(5) of WFDB
    header = (
        f"{name} 1 {one.rate_hz:g} {len(steps)}\n{name}.dat 16 200/mV 16 0 {steps[0]} {total} 0 ii\n"
        "# synthetic: drawn waves, no patient\n"
    )
    found = one.limits
    times = np.stack([found.onset_s, found.peak_s, found.offset_s], axis=1).ravel()
    marks = [mark for kind in found.kind.tolist() for mark in ("(", _LETTERS[kind], ")")]
    at = np.rint(times * one.rate_hz).astype(np.int64)
    inside = at >= 0
    with tempfile.TemporaryDirectory(prefix="healthdash-") as folder:
        wfdb.wrann(
            name, "ii", at[inside], symbol=list(np.asarray(marks)[inside]), fs=one.rate_hz, write_dir=folder
        )
        marked = (Path(folder) / f"{name}.ii").read_bytes()
    return {f"{name}.hea": header.encode(), f"{name}.dat": steps.tobytes(), f"{name}.ii": marked}
