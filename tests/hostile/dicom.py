"""Hostile DICOM."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from .case import Case

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
_LONG = (b"OB", b"OW", b"SQ", b"UN", b"UT", b"OF")
_CT = "1.2.840.10008.5.1.4.1.1.2"
_SIZED = 0xFFFFFFFF


def element(group: int, number: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    """Return an element in explicit little endian (PS3.5 7.1.2); `length` may lie."""
    value += b"\0" * (len(value) % 2)
    size = len(value) if length is None else length
    code = vr.encode()
    head = struct.pack("<HH", group, number) + code
    return head + (struct.pack("<HI", 0, size) if code in _LONG else struct.pack("<H", size & 0xFFFF)) + value


def file(syntax: str, body: bytes, preamble: bytes = bytes(128), sop_class: str = _CT) -> bytes:
    """Return a file of a transfer syntax: preamble, meta group (PS3.10 7.1), and a body."""
    meta = element(2, 1, "OB", b"\0\1") + element(2, 2, "UI", sop_class.encode())
    meta += element(2, 3, "UI", b"1.2.3") + element(2, 0x10, "UI", syntax.encode())
    meta += element(2, 0x12, "UI", b"1.2.4")
    return (
        preamble.ljust(128, b"\0")[:128] + b"DICM" + element(2, 0, "UL", struct.pack("<I", len(meta))) + meta
    )


def image(
    rows: int = 8, columns: int = 8, *, frames: str = "", bits: int = 16, samples: int = 1,
    photometric: str = "MONOCHROME2", extra: bytes = b"", pixels: bytes | None = None,
) -> bytes:  # fmt: skip
    """Return the body of a picture whose header may lie."""
    short = lambda number: struct.pack("<H", number & 0xFFFF)  # noqa: E731
    body = element(8, 0x16, "UI", _CT.encode()) + element(8, 0x60, "CS", b"CT")
    body += element(0x28, 2, "US", short(samples)) + element(0x28, 4, "CS", photometric.encode())
    if frames:
        body += element(0x28, 8, "IS", frames.encode())
    body += element(0x28, 0x10, "US", short(rows)) + element(0x28, 0x11, "US", short(columns))
    body += element(0x28, 0x100, "US", short(bits)) + element(0x28, 0x101, "US", short(bits))
    body += element(0x28, 0x102, "US", short(bits - 1)) + element(0x28, 0x103, "US", short(0)) + extra
    data = bytes(128) if pixels is None else pixels
    return body + (
        data if data.startswith(struct.pack("<HH", 0x7FE0, 0x10)) else element(0x7FE0, 0x10, "OW", data)
    )


def whole(syntax: str = EXPLICIT, preamble: bytes = bytes(128), **given: Any) -> bytes:
    return file(syntax, b"", preamble) + image(**given)


def encapsulated(*fragments: bytes) -> bytes:
    """Return encapsulated pixel data (PS3.5 A.4)."""
    item = lambda data: struct.pack("<HHI", 0xFFFE, 0xE000, len(data)) + data  # noqa: E731
    inside = item(b"") + b"".join(item(one + b"\0" * (len(one) % 2)) for one in fragments)
    return element(0x7FE0, 0x10, "OB", b"", _SIZED) + inside + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def deflated_bomb() -> bytes:
    body = image(pixels=bytes(300 << 20))
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    return file("1.2.840.10008.1.2.1.99", b"") + packer.compress(body) + packer.flush()


def rle_bomb(side: int = 20_000) -> bytes:
    run = b"\x81\0" * (side * side // 128)
    segments = struct.pack("<16I", 1, 64, *[0] * 14) + run
    return whole("1.2.840.10008.1.2.5", rows=side, columns=side, bits=8, pixels=encapsulated(segments))


def nested(depth: int) -> bytes:
    start = struct.pack("<HH", 8, 0x1140) + b"SQ\0\0" + struct.pack("<I", _SIZED)
    start += struct.pack("<HHI", 0xFFFE, 0xE000, _SIZED)
    return file(EXPLICIT, b"") + start * depth


def directory() -> bytes:
    """Return a DICOMDIR whose record names a file outside (PS3.3 F.5; CVE-2026-32711)."""
    named = element(4, 0x1430, "CS", b"IMAGE") + element(4, 0x1500, "CS", b"..\\..\\ETC\\PASSWD")
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(named)) + named
    return file(EXPLICIT, b"", sop_class="1.2.840.10008.1.3.10") + element(4, 0x1220, "SQ", item)


def jpeg_head(rows: int, columns: int) -> bytes:
    """Return a JPEG that begins with a frame of any size and has no data (ISO 10918-1 B.2.2)."""
    frame = struct.pack(">BHHB", 8, rows, columns, 1) + b"\1\x11\0"
    return b"\xff\xd8\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame + b"\xff\xd9"


def j2k_head(side: int) -> bytes:
    """Return the start of a JPEG 2000 codestream of any size (ISO 15444-1 A.5.1)."""
    size = struct.pack(">H8IH", 0, side, side, 0, 0, side, side, 0, 0, 1) + b"\7\1\1"
    return b"\xff\x4f\xff\x51" + struct.pack(">H", len(size) + 2) + size + b"\xff\xd9"


_TOO_LARGE = "at most|too large|too many|larger than|not complete|cut off|than the file|fewer|too short"
_J2K, _JPEG, _RLE = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.5"

CASES = [
    Case("dicom-rows", "images", lambda: whole(rows=65_535, columns=65_535), _TOO_LARGE),
    Case("dicom-frames", "images", lambda: whole(frames="2147483647"), _TOO_LARGE),
    Case("dicom-frames-digits", "images", lambda: whole(frames="99999999999999"), _TOO_LARGE),
    Case("dicom-no-rows", "images", lambda: whole(rows=0), "rows|size|height|picture"),
    Case("dicom-unknown-syntax", "images", lambda: whole("1.2.3.4.5"), "encoding"),
    Case("dicom-deflated-bomb", "images", deflated_bomb, "deflated|at most|unfold"),
    Case("dicom-rle-bomb", "images", rle_bomb, _TOO_LARGE),
    Case("dicom-nested", "images", lambda: nested(50_000), "nested|damaged|cannot be read|picture"),
    Case("dicomdir", "images", lambda: directory(), "DICOMDIR|directory|no picture|without one"),
    Case(
        "dicom-truncated",
        "images",
        lambda: whole(rows=64, columns=64)[:-40],
        "cut off|not complete|damaged|fewer|bytes",
    ),
    Case("dicom-bits", "images", lambda: whole(bits=7), "bits|damaged"),
    Case("dicom-bits-huge", "images", lambda: whole(bits=60_000), "bits|damaged"),
    Case("dicom-samples", "images", lambda: whole(samples=60_000), "sample|colour|channels|at most"),
    Case(
        "dicom-length-lie",
        "images",
        lambda: file(EXPLICIT, b"") + element(8, 0x60, "UT", b"CT", 0xFFFFFFF0),
        "cut off|damaged|picture|complete",
    ),
    Case(
        "dicom-never-ends",
        "images",
        lambda: file(EXPLICIT, b"") + element(8, 0x1140, "SQ", b"", _SIZED),
        "cut off|damaged|picture|complete",
    ),
    Case(
        "dicom-jpeg-size-lie",
        "images",
        lambda: whole(_JPEG, bits=8, pixels=encapsulated(jpeg_head(65_000, 65_000))),
        "JPEG|decode|damaged|size|pixel",
    ),
    Case(
        "dicom-j2k-size-lie",
        "images",
        lambda: whole(_J2K, pixels=encapsulated(j2k_head(4_000_000_000))),
        "JPEG|decode|damaged|size|pixel",
    ),
    Case(
        "dicom-rle-garbage",
        "images",
        lambda: whole(_RLE, pixels=encapsulated(b"\xff" * 200)),
        "RLE|decode|damaged|pixel",
    ),
    Case(
        "dicom-no-fragments",
        "images",
        lambda: whole(_J2K, pixels=encapsulated()),
        "pixel|decode|damaged|size",
    ),
    Case(
        "dicom-palette",
        "images",
        lambda: whole(photometric="PALETTE COLOR", bits=8, pixels=bytes(64)),
        "palette|colour|damaged",
    ),
]
