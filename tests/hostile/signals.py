"""Hostile recordings."""

from __future__ import annotations

import base64
import io
import math
import struct
import zlib
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from scipy.io import savemat

from healthdash.task import Upload

from .case import Case, Made


def wfdb(header: str, **others: bytes) -> Callable[[], Made]:
    """Return the files of a record whose header may name anything."""
    files = {"r.hea": header.encode(), **{name.replace("_", "."): data for name, data in others.items()}}
    return lambda: [Upload(name, data) for name, data in files.items()]


def edf(
    records: int = 1, channels: int = 1, per_record: int = 256, body: bytes = bytes(512), ends: str = "-32768"
) -> bytes:
    """Return an EDF file whose header may lie (Kemp 1992, table 1)."""
    pad = lambda text, size: str(text).ljust(size)[:size].encode()  # noqa: E731
    head = pad("0", 8) + pad("x", 80) + pad("x", 80) + b"01.01.2000.00.00" + pad(256 * (channels + 1), 8)
    head += pad("", 44) + pad(records, 8) + pad(1, 8) + pad(channels, 4)
    fields = [("ECG", 16), ("", 80), ("mV", 8), ("-5", 8), ("5", 8), (ends, 8), ("32767", 8), ("", 80)]
    fields += [(per_record, 8), ("", 32)]
    return head + b"".join(pad(text, size) * channels for text, size in fields) + body


def xml(root: str, before: str = "", inside: str = "") -> bytes:
    return f'<?xml version="1.0"?>{before}<{root}>{inside}</{root}>'.encode()


def laughs() -> str:
    names = [f"e{number}" for number in range(12)]
    told = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise(names))
    return f'<!DOCTYPE r [<!ENTITY e0 "lol">{told}]>'


def muse(data: bytes) -> bytes:
    wave = base64.b64encode(data).decode()
    counts = "<LeadSampleCountTotal>999999999</LeadSampleCountTotal>"
    lead = f"<LeadData><LeadID>I</LeadID>{counts}<WaveFormData>{wave}</WaveFormData></LeadData>"
    return xml(
        "RestingECG",
        inside=f"<Waveform><WaveformType>Rhythm</WaveformType><SampleBase>500</SampleBase>{lead}</Waveform>",
    )


def matlab_bomb() -> bytes:
    """Return a MATLAB 5 file whose one element is compressed and unfolds to 450 MB."""
    data = io.BytesIO()
    savemat(data, {"val": np.zeros((12, 10), np.int16)})
    head = data.getvalue()[:128]
    size = 450 << 20
    flags = (
        struct.pack("<IIII", 6, 8, 10, 0)
        + struct.pack("<IIii", 5, 8, 12, size // 24)
        + struct.pack("<II", 1, 3)
    )
    matrix = flags + b"val\0\0\0\0\0" + struct.pack("<II", 3, size) + bytes(size)
    packed = zlib.compress(struct.pack("<II", 14, len(matrix)) + matrix, 1)
    return head + struct.pack("<II", 15, len(packed)) + packed


def matlab_objects() -> bytes:
    data = io.BytesIO()
    savemat(data, {"val": np.array([{"a": 1}, "x"], dtype=object)})
    return data.getvalue()


def scp(length: int = 1 << 31) -> bytes:
    """Return an SCP-ECG record whose section 0 points far outside (EN 1064, 5.2)."""
    pointer = b"".join(struct.pack("<HII", number, 0xFFFFFFF0, 0x7FFFFFFF) for number in range(12))
    section = struct.pack("<HHIBB6s", 0, 0, 16 + len(pointer), 13, 13, b"SCPECG") + pointer
    return struct.pack("<HI", 0, length) + section


def ishne() -> bytes:
    head = bytearray(522)
    struct.pack_into("<ii", head, 0, 0, 2_000_000_000)
    struct.pack_into("<h", head, 146, 30_000)
    return b"ISHNE1.0" + b"\0\0" + bytes(head) + bytes(100)


def brainvision(name: str, channels: float = 1) -> Callable[[], Made]:
    text = f"""Brain Vision Data Exchange Header File Version 1.0
[Common Infos]
DataFile={name}
DataFormat=BINARY
DataOrientation=MULTIPLEXED
NumberOfChannels={channels}
SamplingInterval=1000
[Binary Infos]
BinaryFormat=INT_16
[Channel Infos]
Ch1=ECG,,0.5,µV
"""
    return lambda: [Upload("r.vhdr", text.encode())]


_ELSEWHERE = "path|name|missing|outside|folder|upload|belong"
_LARGE = "at most|announces|more than|larger|too many|fewer|shorter|cut off|expected"
_ENTITIES = "entit|well-formed|DTD|damaged"

CASES = [
    Case("wfdb-passwd", "ecg", wfdb("r 1 250 1000\n/etc/passwd 16 200 16 0 0 0 0 I\n"), _ELSEWHERE),
    Case("wfdb-above", "ecg", wfdb("r 1 250 1000\n../../etc/passwd 16 200 16 0 0 0 0 I\n"), _ELSEWHERE),
    Case(
        "wfdb-address", "ecg", wfdb("r 1 250 1000\nhttp://127.0.0.1/x.dat 16 200 16 0 0 0 0 I\n"), _ELSEWHERE
    ),
    Case(
        "wfdb-windows", "ecg", wfdb("r 1 250 1000\n\\\\host\\share\\x.dat 16 200 16 0 0 0 0 I\n"), _ELSEWHERE
    ),
    Case(
        "wfdb-samples",
        "ecg",
        wfdb("r 1 250 99999999999\nr.dat 16 200 16 0 0 0 0 I\n", r_dat=bytes(200)),
        _LARGE,
    ),
    Case(
        "wfdb-channels", "ecg", wfdb("r 999999 250 10\nr.dat 16 200 16 0 0 0 0 I\n", r_dat=bytes(200)), _LARGE
    ),
    Case(
        "wfdb-loop",
        "ecg",
        wfdb("r/3 1 250 3000\nr 1000\nr 1000\nr 1000\n"),
        "segment|itself|damaged|could not be read",
    ),
    Case("wfdb-gap", "ecg", wfdb("r/2 1 250 9999999999\n~ 9999999998\nr 1\n"), f"{_LARGE}|segment|header"),
    Case(
        "wfdb-format",
        "ecg",
        wfdb("r 1 250 10\nr.dat 99999 200 16 0 0 0 0 I\n", r_dat=bytes(200)),
        "format|could not be read",
    ),
    Case("wfdb-rate", "ecg", wfdb("r 1 1e300 10\nr.dat 16 200 16 0 0 0 0 I\n", r_dat=bytes(200)), "rate"),
    Case("edf-records", "ecg", lambda: edf(records=99_999_999, body=b""), f"{_LARGE}|ends before"),
    Case("edf-channels", "ecg", lambda: edf(channels=9_999, body=b""), _LARGE),
    Case("edf-per-record", "ecg", lambda: edf(per_record=99_999_999), f"{_LARGE}|ends before"),
    Case("xml-laughs", "ecg", lambda: xml("AnnotatedECG", laughs(), "&e11;"), _ENTITIES),
    Case(
        "xml-outside",
        "ecg",
        lambda: xml("AnnotatedECG", '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"),
        _ENTITIES,
    ),
    Case(
        "xml-quadratic",
        "ecg",
        lambda: xml("RestingECG", f'<!DOCTYPE r [<!ENTITY x "{"A" * 100_000}">]>', "&x;" * 10_000),
        f"{_ENTITIES}|expected",
    ),
    Case(
        "xml-deep",
        "ecg",
        lambda: xml("AnnotatedECG", "", "<a>" * 200_000 + "</a>" * 200_000),
        "deep|depth|nested|tags|levels|well-formed",
    ),
    Case("xml-many", "ecg", lambda: xml("AnnotatedECG", "", "<a/>" * 5_000_000), "tags|at most"),
    Case("muse-counts", "ecg", lambda: muse(bytes(64)), "sample|expected|values"),
    Case("matlab-bomb", "ecg", matlab_bomb, f"{_LARGE}|memory|unfold"),
    Case("matlab-objects", "ecg", matlab_objects, "array|number|expected"),
    Case("scp-pointers", "ecg", scp, "section|length|cut off|damaged|bytes"),
    Case("ishne-counts", "ecg", ishne, f"{_LARGE}|outside"),
    Case("brainvision-above", "ecg", brainvision("../../../etc/passwd"), _ELSEWHERE),
    Case("brainvision-infinite", "ecg", brainvision("r.eeg", math.inf), "number of channels"),
    Case("brainvision-channels", "ecg", brainvision("r.eeg", 99_999_999), f"{_LARGE}|{_ELSEWHERE}"),
    Case(
        "signal-exponent",  # ends pandas 2.3.3 by a signal
        "ecg",
        lambda: b"time_s,I\n" + b"".join(b"%.3f,1e2147483648\n" % (n / 250) for n in range(500)),
        "exponent",
    ),
    Case(
        "signal-columns",
        "ecg",
        lambda: b"time," + b"a," * 1_000_000 + b"\n" + b"1," * 1_000_000 + b"1\n",
        "columns|channels|at most|expected",
    ),
]
