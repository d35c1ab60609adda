"""A drawn EEG, so that the first click works without a file: 19 electrodes, two minutes, no person's."""

from __future__ import annotations

import numpy as np

from healthdash.task import Upload

__all__ = ["NAME", "synthetic_eeg"]

NAME = "synthetic-eeg.vhdr"
RATE_HZ = 256.0
SECONDS = 120.0
_ELECTRODES = (
    "Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz", "C4", "T8", "P7", "P3", "Pz", "P4", "P8",
    "O1", "O2",
)  # fmt: skip
#: How much of the alpha rhythm and of a blink each region shows.
_ALPHA = {"O": 1.0, "P": 0.6, "T": 0.25, "C": 0.2, "F": 0.08}
_BLINKS_S = (5.0, 12.5, 24.0, 67.0, 81.0)
_SHUT_S = ((30.0, 60.0), (90.0, 120.0))
_MARK = "Brain Vision Data Exchange Marker File, Version 1.0\n[Marker Infos]\n"


def synthetic_eeg() -> list[Upload]:
    """Return the files of the drawn recording: eyes open and shut, blinks, hum of the mains."""
    rng = np.random.default_rng(7)
    n = int(SECONDS * RATE_HZ)
    time = np.arange(n) / RATE_HZ
    shut = np.zeros(n)
    for start, stop in _SHUT_S:
        shut[(time >= start) & (time < stop)] = 1.0
    shut = np.convolve(shut, np.hanning(65) / np.hanning(65).sum(), "same")
    waxing = 0.7 + 0.3 * np.sin(2 * np.pi * 0.13 * time)
    alpha = 38 * (0.12 + shut) * waxing * np.sin(2 * np.pi * (10.1 * time + 0.4 * np.sin(0.6 * time)))
    blinks = sum(130 * np.exp(-0.5 * ((time - at) / 0.09) ** 2) for at in _BLINKS_S)
    rows = []
    for name in _ELECTRODES:
        near = 1.0 if name.startswith("Fp") else 0.35 if name.startswith("F") else 0.03
        hum = 2.5 * np.sin(2 * np.pi * 50 * time + rng.uniform(0, 6))
        rows.append(_ALPHA[name[0]] * alpha + near * blinks + hum + _background(rng, n))
    table = np.stack(rows, axis=1).astype("<f4")
    channels = "\n".join(f"Ch{number}={name},,1,µV" for number, name in enumerate(_ELECTRODES, 1))
    header = (
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nCodepage=UTF-8\n"
        "DataFile=synthetic-eeg.eeg\nMarkerFile=synthetic-eeg.vmrk\nDataFormat=BINARY\n"
        f"DataOrientation=MULTIPLEXED\nNumberOfChannels={len(_ELECTRODES)}\n"
        f"SamplingInterval={1e6 / RATE_HZ}\n[Binary Infos]\nBinaryFormat=IEEE_FLOAT_32\n"
        f"[Channel Infos]\n{channels}\n"
    )
    return [
        Upload(NAME, header.encode()),
        Upload("synthetic-eeg.eeg", table.tobytes()),
        Upload("synthetic-eeg.vmrk", _markers().encode()),
    ]


def _background(rng: np.random.Generator, n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return noise whose power falls with the frequency, as that of a cortex, 9 microvolt high (RMS)."""
    spectrum = rng.normal(size=n // 2 + 1) + 1j * rng.normal(size=n // 2 + 1)
    frequencies = np.fft.rfftfreq(n, 1 / RATE_HZ)
    spectrum /= np.maximum(frequencies, 1.0) ** 0.9
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, n)
    return np.asarray(9 * noise / noise.std())


def _markers() -> str:
    events = [(start, "Eyes shut") for start, _ in _SHUT_S] + [(stop, "Eyes open") for _, stop in _SHUT_S[:1]]
    events += [(at, "Blink") for at in _BLINKS_S]
    lines = [
        f"Mk{number}=Comment,{text},{round(at * RATE_HZ) + 1},1,0"
        for number, (at, text) in enumerate(sorted(events), 1)
    ]
    return _MARK + "\n".join(lines) + "\n"
