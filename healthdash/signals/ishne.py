"""ISHNE Holter ECG, version 1 (Badilini 1998, Ann Noninvasive Electrocardiol 3:263; its tables 1 and 2)."""

from __future__ import annotations

import binascii
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from healthdash.errors import UnreadableUpload
from healthdash.task import Upload

from .limits import checked_rate, checked_scale, checked_size
from .recording import Recording, channels_of

__all__ = ["is_ishne", "read_ishne"]

_MAGIC = b"ISHNE1.0"
_HEAD = 522
_MOST_LEADS = 12
_GAP = -32768  # a sample that was not taken
#: Table 2, lead specification.
_NAMES = (
    "unknown", "bipolar", "X", "Y", "Z", "I", "II", "III", "aVR", "aVL", "aVF",
    "V1", "V2", "V3", "V4", "V5", "V6", "ES", "AS", "AI",
)  # fmt: skip
#: Where fields of the fixed block begin, counted from the start of the file.
_SAMPLES, _ECG_AT, _START, _LEADS, _SPECS, _RESOLUTIONS, _RATE = 14, 22, 150, 156, 158, 206, 272


@dataclass(frozen=True, slots=True)
class _Header:
    samples: int
    start: int
    leads: int
    names: tuple[str, ...]
    nanovolts: tuple[int, ...]
    rate_hz: float
    time_of_day: str


def is_ishne(data: bytes) -> bool:
    """Say whether bytes begin like an ISHNE Holter recording."""
    return data[:8] == _MAGIC


def read_ishne(uploads: Sequence[Upload]) -> Recording:
    """Read a Holter recording.

    Raises
    ------
    UnreadableUpload
        It is cut off, or its header is damaged.
    """
    data = uploads[0].data
    header = _header(data)
    held = (len(data) - header.start) // (2 * header.leads)
    checked_size(held, header.leads)
    notices = []
    # Some recorders count the samples of one lead there, others those of all.
    if header.samples not in (held, held * header.leads):
        notices.append(
            f"The header announces {header.samples:,} samples, the file holds {held:,} of each lead."
        )
    if binascii.crc_hqx(data[10 : header.start], 0xFFFF) != struct.unpack_from("<H", data, 8)[0]:
        notices.append("The checksum of the header is not that of its bytes: it was changed, or is damaged.")
    counts = np.frombuffer(data, "<i2", held * header.leads, header.start).reshape(held, header.leads)
    rows = []
    for number in range(header.leads):
        values = counts[:, number].astype(np.float32)
        values[counts[:, number] == _GAP] = np.nan
        values *= np.float32(checked_scale(header.nanovolts[number], "resolution") / 1e6)
        rows.append(values)
    return Recording(
        format="ISHNE Holter",
        channels=channels_of(header.names, ["mV"] * header.leads, header.rate_hz, rows),
        stored_dtype="int16",
        calibration="by the nanovolts a bit of each lead",
        gaps=("samples that the file marks as not taken",) if any(np.isnan(r).any() for r in rows) else (),
        notices=tuple(notices),
        time_of_day=header.time_of_day,
    )


def _header(data: bytes) -> _Header:
    if len(data) < _HEAD:
        raise UnreadableUpload("the ISHNE file is cut off within its header", hint="Export it again.")
    samples = struct.unpack_from("<i", data, _SAMPLES)[0]
    start = struct.unpack_from("<i", data, _ECG_AT)[0]
    leads = struct.unpack_from("<h", data, _LEADS)[0]
    rate = struct.unpack_from("<h", data, _RATE)[0]
    if not 1 <= leads <= _MOST_LEADS or not _HEAD <= start < len(data):
        raise UnreadableUpload(
            "the ISHNE header names no usable number of leads, or a place outside of the file",
            hint="Export it again.",
        )
    codes = struct.unpack_from(f"<{leads}h", data, _SPECS)
    hour, minute, second = struct.unpack_from("<3h", data, _START)
    is_clock = 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60
    return _Header(
        samples=samples,
        start=start,
        leads=leads,
        names=tuple(_NAMES[code] if 0 < code < len(_NAMES) else "" for code in codes),
        nanovolts=struct.unpack_from(f"<{leads}h", data, _RESOLUTIONS),
        rate_hz=checked_rate(rate),
        time_of_day=f"{hour:02d}:{minute:02d}:{second:02d}" if is_clock else "",
    )
