"""Drawn recordings: a labelled set to try the training of own signals with, and two to try a model with."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from healthdash import archive
from healthdash.task import Example, Upload
from healthdash.training import TrainSettings

__all__ = ["drawn_recordings", "own_training_set"]

_FOLDER = "synthetic_recordings"
_PATIENTS, _RECORDINGS, _RATE_HZ, _SECONDS = 30, 2, 100, 8
#: Label to the width of its complexes, seconds from the middle to where a bell has fallen to 61 %.
_WIDTHS = {"narrow": 0.012, "wide": 0.04}


def drawn_recordings(leads: Sequence[str]) -> tuple[Example, ...]:
    """Return two drawn recordings with the leads of a model."""
    return tuple(
        Example(
            slug=f"drawn-{label}",
            title=f"A drawn recording, {label}",
            description=f"Synthetic: a drawn recording with {label} complexes, of nobody.",
            make=partial(_drawn, label, tuple(leads)),
        )
        for label in _WIDTHS
    )


def _drawn(label: str, leads: Sequence[str]) -> list[Upload]:
    return [Upload(f"synthetic-{label}.csv", _recording(label, 5, leads))]


def own_training_set() -> Example:
    """Return a zip archive of drawn recordings with a table of labels, two recordings a made-up patient."""
    return Example(
        slug="synthetic-complexes",
        title=f"Synthetic set of {len(_WIDTHS) * _PATIENTS * _RECORDINGS} recordings",
        description="Synthetic: two leads with narrow or wide complexes, and the labels in manifest.csv.",
        make=lambda: [Upload(f"{_FOLDER}.zip", archive.pack(_files()))],
        settings=TrainSettings(epochs=10, folds=0, seconds=4.0),
    )


def _files() -> dict[str, bytes]:
    files, lines = {}, ["path,label,group"]
    for label in _WIDTHS:
        for patient in range(_PATIENTS):
            for number in range(_RECORDINGS):
                name = f"synthetic-{label}-{patient:02d}-{number}.csv"
                lines.append(f"{name},{label},synthetic-{label}-{patient:02d}")
                files[f"{_FOLDER}/{name}"] = _recording(label, 100 * patient + number)
    return {**files, f"{_FOLDER}/manifest.csv": "\n".join([*lines, ""]).encode()}


def _recording(label: str, seed: int, leads: Sequence[str] = ("II", "V1")) -> bytes:
    """Draw leads of complexes at a steady rate, with T waves, drift and noise."""
    rng = np.random.default_rng([seed, len(label)])
    time_s = np.arange(_SECONDS * _RATE_HZ) / _RATE_HZ
    beats_s = np.arange(rng.uniform(0.1, 0.6), _SECONDS, rng.uniform(0.7, 1.1))
    # The area, and with it the energy of a complex, is much alike for both widths.
    width = _WIDTHS[label] * rng.uniform(0.9, 1.1)
    height = rng.uniform(0.7, 1.2) * np.sqrt(_WIDTHS["narrow"] / _WIDTHS[label]) * 1.6
    wave = sum(height * _bell(time_s - at, width) + 0.2 * _bell(time_s - at - 0.28, 0.06) for at in beats_s)
    drift = 0.1 * np.sin(2 * np.pi * rng.uniform(0.1, 0.3) * time_s + rng.uniform(0, 6))
    gains = np.concatenate([[1.0], rng.uniform(0.4, 0.8, len(leads) - 1)])
    drawn = np.stack([gain * wave + drift for gain in gains], axis=1)
    drawn = drawn + rng.normal(0, 0.03, drawn.shape)
    text = io.StringIO()
    text.write(",".join(["time_s", *(f"{lead} (mV)" for lead in leads)]) + "\n")
    numbers = np.column_stack([time_s, drawn])
    np.savetxt(text, numbers, fmt=["%.2f", *["%.3f"] * len(leads)], delimiter=",")
    return text.getvalue().encode()


def _bell(time_s: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    return np.asarray(np.exp(-0.5 * (time_s / width) ** 2))
