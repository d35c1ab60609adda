"""SCP-ECG (EN 1064:2005+A1, ANSI/AAMI EC71:2001; ISO 11073-91064).

Sections: 0 pointers (5.3), 2 Huffman tables (5.5), 3 leads (5.6), 4 places of the beats (5.7), 5 reference
beat (5.8), 6 rhythm (5.9). Residuals of a subtracted reference beat are made whole; bimodal compression,
which leaves out samples between beats, is refused. Section 1, the patient, is never read.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload

from .huffman import Table, decoded, tables_of
from .leads import CODED, completed
from .limits import checked_rate, checked_scale, checked_size
from .recording import Recording, channels_of

__all__ = ["is_scp", "read_scp"]

_HEAD = 6  # CRC and length of the whole record
_SECTION_HEAD = 16
_POINTER = struct.Struct("<HII")
_LEAD = struct.Struct("<IIB")
_QRS = struct.Struct("<HIII")
_MOST_LEADS = 64


@dataclass(frozen=True, slots=True)
class _Lead:
    name: str
    first: int
    last: int

    @property
    def samples(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class _Rhythm:
    """Section 5 or 6: nanovolt a bit, microseconds a sample, and the values of each lead."""

    nanovolts: int
    interval_us: int
    leads: list[NDArray[np.int64]]


def is_scp(data: bytes) -> bool:
    """Say whether bytes begin like SCP-ECG: the mark of section 0, or its number and the record's length."""
    if data[16:22] == b"SCPECG":
        return True
    if data.startswith(b"BM"):  # a Windows bitmap says its length at the same place
        return False
    return len(data) >= 32 and data[8:10] == b"\0\0" and struct.unpack_from("<I", data, 2)[0] == len(data)


def read_scp(uploads: Sequence[Upload]) -> Recording:
    """Read the rhythm of an SCP-ECG record.

    Raises
    ------
    UnreadableUpload
        A section is damaged, or its compression is not read.
    InvalidInput
        It holds no rhythm.
    """
    data = uploads[0].data
    sections = _sections(data)
    if 3 not in sections or 6 not in sections:
        raise InvalidInput(
            "expected leads and a rhythm in the SCP-ECG file (sections 3 and 6), got none",
            hint="Export it with its waveforms.",
        )
    leads, is_subtracted = _leads(sections[3])
    tables = tables_of(sections[2]) if 2 in sections else None
    rhythm = _rhythm(sections[6], tables, [lead.samples for lead in leads], "rhythm", protocol=data[15])
    if is_subtracted:
        rhythm = _made_whole(rhythm, leads, sections, tables)
    scale = checked_scale(rhythm.nanovolts / 1000, "amplitude a bit")
    rate_hz = checked_rate(1e6 / rhythm.interval_us)
    stored = dict(zip(_unique(leads), _placed(leads, rhythm.leads, scale), strict=True))
    whole, computed = completed(stored)
    return Recording(
        format=_format(tables is not None, sections[6][4], is_subtracted),
        channels=channels_of(list(whole), ["uV"] * len(whole), rate_hz, list(whole.values())),
        stored_dtype="int16",
        calibration="by the nanovolts a bit of the rhythm",
        gaps=("leads recorded one after another",) if any(np.isnan(v).any() for v in stored.values()) else (),
        notices=tuple(_notices(data, computed)),
    )


def _unpacked(what: struct.Struct, data: bytes, at: int) -> tuple[int, ...]:
    if at < 0 or at + what.size > len(data):
        raise UnreadableUpload("the SCP-ECG file is cut off", hint="Export it again.")
    return what.unpack_from(data, at)


def _sections(data: bytes) -> dict[int, bytes]:
    """Return the body of every section that section 0 points to."""
    length = _unpacked(struct.Struct("<I"), data, _HEAD + 4)[0]
    if length < _SECTION_HEAD + _POINTER.size or _HEAD + length > len(data):
        raise UnreadableUpload("the SCP-ECG file is cut off within its pointers", hint="Export it again.")
    found: dict[int, bytes] = {}
    for at in range(_HEAD + _SECTION_HEAD, _HEAD + length - _POINTER.size + 1, _POINTER.size):
        number, size, place = _unpacked(_POINTER, data, at)
        if number == 0 or size <= _SECTION_HEAD:
            continue
        if place < 1 or place - 1 + size > len(data):
            raise UnreadableUpload(
                f"section {number} of the SCP-ECG file lies outside of it",
                hint="It is cut off: export it again.",
            )
        found[number] = data[place - 1 + _SECTION_HEAD : place - 1 + size]
    return found


def _leads(section: bytes) -> tuple[list[_Lead], bool]:
    count, flags = _unpacked(struct.Struct("<BB"), section, 0)
    if not 1 <= count <= _MOST_LEADS:
        raise UnreadableUpload(
            f"expected 1 to {_MOST_LEADS} leads in the SCP-ECG file, got {count}",
            hint="Export the leads of one ECG only.",
        )
    leads = []
    for number in range(count):
        first, last, code = _unpacked(_LEAD, section, 2 + number * _LEAD.size)
        first = max(first, 1)  # counted from 1; some writers begin at 0 and mean the same
        if last < first:
            raise UnreadableUpload(
                "a lead of the SCP-ECG file ends before it begins",
                hint="Its list of leads is damaged: export it again.",
            )
        leads.append(_Lead(CODED.get(code, f"lead {code}"), first, last))
    checked_size(max(lead.last for lead in leads), count)
    return leads, bool(flags & 1)


def _rhythm(
    section: bytes, tables: tuple[Table, ...] | None, samples: list[int], what: str, *, protocol: int = 30
) -> _Rhythm:
    nanovolts, interval_us, order, bimodal = _unpacked(struct.Struct("<HHBB"), section, 0)
    if bimodal and what == "rhythm" and protocol < 30:  # reserved from protocol 3 on
        raise UnreadableUpload(
            "the SCP-ECG file uses bimodal compression, which leaves samples out; it is not read",
            hint="Export it without bimodal compression, or in another format.",
        )
    if interval_us == 0 or order > 2:
        raise UnreadableUpload(
            f"the {what} of the SCP-ECG file states no rate, or unknown differences",
            hint="Export it again, with its sampling interval.",
        )
    at = 6 + 2 * len(samples)
    sizes = _unpacked(struct.Struct(f"<{len(samples)}H"), section, 6)
    if at + sum(sizes) > len(section):
        raise UnreadableUpload(f"the {what} of the SCP-ECG file is cut off", hint="Export it again.")
    leads = []
    for size, most in zip(sizes, samples, strict=True):
        part = section[at : at + size]
        values = decoded(part, tables, most) if tables else np.frombuffer(part, "<i2", size // 2)[:most]
        if len(values) < most:
            raise UnreadableUpload(
                f"the {what} of the SCP-ECG file announces {most:,} samples a lead, it holds {len(values):,}",
                hint="It is cut off: export it again.",
            )
        leads.append(_integrated(values.astype(np.int64), order))
        at += size
    return _Rhythm(nanovolts, interval_us, leads)


def _integrated(values: NDArray[np.int64], order: int) -> NDArray[np.int64]:
    """Return values from their first or second differences (5.9.4); the first ones are stored whole."""
    if order == 0 or len(values) < 2:
        return values
    if order == 1:
        return np.cumsum(values)
    slope = np.cumsum(np.concatenate([[values[1] - values[0]], values[2:]]))
    whole: NDArray[np.int64] = values[0] + np.concatenate([[0], np.cumsum(slope)])
    return whole


def _made_whole(
    rhythm: _Rhythm, leads: Sequence[_Lead], sections: Mapping[int, bytes], tables: tuple[Table, ...] | None
) -> _Rhythm:
    """Add the reference beat back wherever section 4 says that it was subtracted (5.7.3)."""
    if 4 not in sections or 5 not in sections:
        raise UnreadableUpload(
            "the SCP-ECG file subtracts a reference beat that it does not hold",
            hint="Export it with its reference beat, or without compression.",
        )
    length_ms, middle, count = _unpacked(struct.Struct("<HHH"), sections[4], 0)
    interval_us = _unpacked(struct.Struct("<H"), sections[5], 2)[0] or 1
    samples = round(length_ms * 1000 / interval_us)
    checked_size(samples, len(leads))
    beat = _rhythm(sections[5], tables, [samples] * len(leads), "reference beat")
    if beat.interval_us != rhythm.interval_us:
        raise UnreadableUpload(
            "the reference beat of the SCP-ECG file has another rate than its rhythm",
            hint="Export it without reference beat compression.",
        )
    unit = np.gcd(rhythm.nanovolts, beat.nanovolts)
    whole = [values * (rhythm.nanovolts // unit) for values in rhythm.leads]
    for number in range(count):
        kind, start, place, end = _unpacked(_QRS, sections[4], 6 + number * _QRS.size)
        if kind != 0:
            continue
        for lead, values, shape in zip(leads, whole, beat.leads, strict=True):
            origin = place - middle + 1  # of the beat's first sample, counted from 1 as all places here
            first = max(start, lead.first, origin)
            last = min(end, lead.last, origin + samples - 1)
            if last >= first:
                part = shape[first - origin : last - origin + 1] * (beat.nanovolts // unit)
                values[first - lead.first : last - lead.first + 1] += part
    return _Rhythm(int(unit), rhythm.interval_us, whole)


def _placed(
    leads: Sequence[_Lead], rows: Sequence[NDArray[np.int64]], scale: float
) -> list[NDArray[np.float32]]:
    """Return each lead in microvolt at its place in time, NaN before and after."""
    first, last = min(lead.first for lead in leads), max(lead.last for lead in leads)
    placed = []
    for lead, row in zip(leads, rows, strict=True):
        whole = np.full(last - first + 1, np.nan, np.float32)
        whole[lead.first - first : lead.last - first + 1] = row * scale
        placed.append(whole)
    return placed


def _unique(leads: Sequence[_Lead]) -> list[str]:
    seen: dict[str, int] = {}
    names = []
    for lead in leads:
        seen[lead.name] = seen.get(lead.name, 0) + 1
        names.append(lead.name if seen[lead.name] == 1 else f"{lead.name} ({seen[lead.name]})")
    return names


def _format(is_packed: bool, order: int, is_subtracted: bool) -> str:
    steps = [
        *(["Huffman"] if is_packed else []),
        *([("first differences", "second differences")[order - 1]] if order else []),
        *(["reference beat subtracted"] if is_subtracted else []),
    ]
    return ", ".join(["SCP-ECG", *steps])


def _notices(data: bytes, computed: tuple[str, ...]) -> list[str]:
    notices = []
    # EN 1064 5.2.5: CRC-CCITT, all ones at first, over everything after the CRC.
    if binascii.crc_hqx(data[2:], 0xFFFF) != struct.unpack_from("<H", data)[0]:
        notices.append("The checksum of the file is not that of its bytes: it was changed, or is damaged.")
    if computed:
        notices.append(f"{', '.join(computed)} are computed from I and II; the file stores the others.")
    return notices
