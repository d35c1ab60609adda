"""Recordings of the Contec ECG90A (.ECG): eight series of 16-bit counts at 800 Hz.

Contec publishes no description. Layout (head of 43 bytes, tail of 37, 2048 as zero, 0x6800 where no electrode
is) and scale (5 microvolt a bit, the amplitude resolution of the device) were found from a recording that is
also there as EDF, whose counts are the same; the EDF states another, physiologically impossible scale.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from healthdash.errors import UnreadableUpload
from healthdash.task import Upload

from .limits import checked_size
from .recording import Recording, channels_of

__all__ = ["is_contec", "read_contec"]

_HEAD, _TAIL = 43, 37
_SERIES = 8
_RATE_HZ = 800.0
_MICROVOLT_A_BIT = 5.0
_ZERO, _MISSING = 2048, 0x6800
_START = re.compile(rb"^[0-9A-Za-z_\-]{1,9}\0+\d{4}-\d\d-\d\d (\d\d:\d\d:\d\d)\0")


def is_contec(data: bytes) -> bool:
    """Say whether bytes begin like a recording of a Contec ECG90A: a number, zeros, a date."""
    return len(data) > _HEAD + _TAIL and _START.match(data[:_HEAD]) is not None


def read_contec(uploads: Sequence[Upload]) -> Recording:
    """Read the recording; limb leads I, aVR, aVL and aVF are computed from II and III, which it stores.

    Raises
    ------
    UnreadableUpload
        It is cut off.
    """
    data = uploads[0].data
    match = _START.match(data[:_HEAD])
    held = (len(data) - _HEAD - _TAIL) // (2 * _SERIES)
    if match is None or held < 1:
        raise UnreadableUpload("the Contec recording is cut off", hint="Export it again.")
    checked_size(held, 12)
    counts = np.frombuffer(data, "<i2", held * _SERIES, _HEAD).reshape(held, _SERIES)
    microvolts = (counts.astype(np.float32) - _ZERO) * np.float32(_MICROVOLT_A_BIT)
    microvolts[counts == _MISSING] = np.nan
    two, three = microvolts[:, 0], microvolts[:, 1]
    one = two - three
    limbs = {"I": one, "II": two, "III": three}
    limbs |= {"aVR": -(one + two) / 2, "aVL": (one - three) / 2, "aVF": (two + three) / 2}
    leads = limbs | {f"V{n + 1}": microvolts[:, 2 + n] for n in range(6)}
    off = [name for name, values in leads.items() if np.isnan(values).all()]
    leads = {name: values for name, values in leads.items() if name not in off}
    if not leads:
        raise UnreadableUpload(
            "no electrode was connected in the Contec recording",
            hint="Choose a recording with connected electrodes.",
        )
    notices = ["I, aVR, aVL and aVF are computed from II and III; the file stores the others."]
    notices += [f"No electrode was connected at {', '.join(off)}."] if off else []
    return Recording(
        format="Contec ECG90A",
        channels=channels_of(list(leads), ["uV"] * len(leads), _RATE_HZ, list(leads.values())),
        stored_dtype="int16",
        calibration="5 microvolt a bit, as the device has it; the file does not say",
        gaps=("an electrode was off",) if any(np.isnan(v).any() for v in leads.values()) else (),
        notices=tuple(notices),
        time_of_day=match.group(1).decode(),
    )
