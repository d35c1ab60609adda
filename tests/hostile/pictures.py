"""Hostile pictures, volumes and archives of them."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import zipfile
import zlib

import h5py
import numpy as np

from .case import Case, zipped
from .dicom import jpeg_head

_GIF = b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0x80, 0, 0) + bytes(6)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *chunks: bytes, depth: int = 8) -> bytes:
    """Return a PNG whose header may lie (PNG 11.2.2)."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")


def png_bomb() -> bytes:
    side = 30_000
    return png(side, side, chunk(b"IDAT", zlib.compress(bytes(side * (side // 8 + 1)), 1)), depth=1)


def png_text_bomb() -> bytes:
    text = b"Comment\0\0" + zlib.compress(b"A" * (300 << 20), 1)
    return png(8, 8, chunk(b"zTXt", text), chunk(b"IDAT", zlib.compress(bytes(72))))


def tiff(
    width: int, height: int, *, next_at: int = 0, compression: int = 1, data: bytes = b"\0" * 8
) -> bytes:
    """Return a TIFF of one strip whose header may lie (TIFF 6.0, section 2)."""
    at = 8 + 2 + 9 * 12 + 4
    tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, compression), (262, 3, 1), (273, 4, at),
            (277, 3, 1), (278, 4, height), (279, 4, len(data))]  # fmt: skip
    held = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + held + struct.pack("<I", next_at) + data


def gif(width: int, height: int, frames: int) -> bytes:
    one = b"\x2c" + struct.pack("<HHHHB", 0, 0, 8, 8, 0) + b"\x02\x02\x4c\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6) + one * frames + b";"


def webp(side: int) -> bytes:
    bits = (side - 1) | (side - 1) << 14
    data = b"\x2f" + struct.pack("<I", bits) + bytes(20)
    body = b"WEBPVP8L" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body + b"\0"


def bmp(side: int) -> bytes:
    return (
        b"BM"
        + struct.pack("<IHHI", 200, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, *[0] * 6)
    )


def nifti(*dims: int, offset: float = 352.0) -> bytes:
    """Return a NIfTI-1 volume of int16 whose header may lie."""
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, *dims, *[1] * (8 - len(dims)))
    struct.pack_into("<hh", head, 70, 4, 16)
    struct.pack_into("<8f", head, 76, *[1.0] * 8)
    struct.pack_into("<f", head, 108, offset)
    head[344:348] = b"n+1\0"
    return bytes(head) + bytes(64)


def mgh() -> bytes:
    return struct.pack(">7ih", 1, 2_000_000_000, 2_000_000_000, 1, 1, 0, 0, 0) + bytes(300)


def hdf5_elsewhere() -> bytes:
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        file["minc-2.0"] = h5py.ExternalLink("/etc/passwd", "/")
    return data.getvalue()


def flat_bomb() -> bytes:
    return zipped({f"{number}.dcm": bytes(100 << 20) for number in range(6)})


def nested_bomb() -> bytes:
    inner = zipped({"a.png": bytes(30 << 20)})
    for _ in range(6):
        inner = zipped({f"{number}.zip": inner for number in range(10)})
    return inner


def overlapping() -> bytes:
    """Return an archive whose thousand entries all are the same bytes (Fifield 2019, a better zip bomb)."""
    whole = zipped({"a.png": bytes(10 << 20)})
    directory = whole.index(b"PK\1\2")
    end = whole.index(b"PK\5\6")
    entry = whole[directory:end]
    held = b"".join(entry.replace(b"a.png", b"%05d" % n) for n in range(1_000))
    tail = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1_000, 1_000, len(held), directory, 0)
    return whole[:directory] + held + tail


def linked() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo("a.dcm")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return packed.getvalue()


def encrypted() -> bytes:
    whole = bytearray(zipped({"a.png": png(8, 8)}))
    whole[6] |= 1
    whole[whole.index(b"PK\1\2") + 8] |= 1
    return bytes(whole)


class _Evil:
    def __reduce__(self):
        return (open, ("/etc/passwd",))


def object_arrays() -> bytes:
    data = io.BytesIO()
    np.savez(data, np.array([{"a": 1}], dtype=object))
    return data.getvalue()


_LARGE = "at most|too large|larger|pixels|megapixel|more than|than it may|size"
_BROKEN = "cut off|damaged|cannot be|not complete|could not|expected"

CASES = [
    Case("png-size", "images", lambda: png(100_000, 100_000), _LARGE),
    Case("png-bomb", "images", png_bomb, _LARGE),
    Case("png-text-bomb", "images", png_text_bomb, f"{_LARGE}|{_BROKEN}"),
    Case("png-cut", "images", lambda: png(64, 64, chunk(b"IDAT", zlib.compress(bytes(4_160))[:10])), _BROKEN),
    Case(
        "png-profile-bomb",
        "images",
        lambda: png(8, 8, chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(200 << 20)))),
        _BROKEN,
    ),
    Case("tiff-size", "images", lambda: tiff(4_000_000_000, 4_000_000_000), _LARGE),
    Case(
        "tiff-deflate-bomb",
        "images",
        lambda: tiff(40_000, 40_000, compression=8, data=zlib.compress(bytes(100 << 20))),
        _LARGE,
    ),
    Case("tiff-loop", "images", lambda: tiff(8, 8, next_at=8, data=bytes(4)), f"{_BROKEN}|{_LARGE}"),
    Case("gif-screen", "images", lambda: gif(65_535, 65_535, 1), _LARGE),
    Case("gif-frames", "images", lambda: gif(4_000, 4_000, 200_000), f"{_LARGE}|frames"),
    Case("webp-size", "images", lambda: webp(16_383), f"{_LARGE}|{_BROKEN}"),
    Case("bmp-size", "images", lambda: bmp(2_000_000_000), f"{_LARGE}|{_BROKEN}"),
    Case("jpeg-size", "images", lambda: jpeg_head(65_500, 65_500), f"{_LARGE}|{_BROKEN}"),
    Case("gzip-bomb", "images", lambda: gzip.compress(bytes(300 << 20), 1), _LARGE),
    Case("nifti-dims", "images", lambda: nifti(3, 32_767, 32_767, 32_767), f"{_LARGE}|{_BROKEN}"),
    Case("nifti-negative", "images", lambda: nifti(3, -5, 7, 7), f"{_LARGE}|{_BROKEN}|dimension"),
    Case("nifti-offset", "images", lambda: nifti(3, 4, 4, 2, offset=1e18), f"{_LARGE}|{_BROKEN}"),
    Case("mgh-dims", "images", mgh, f"{_LARGE}|{_BROKEN}"),
    Case("minc-elsewhere", "images", hdf5_elsewhere, "HDF5|link|another file|MINC|expected"),
    Case("zip-flat-bomb", "images", flat_bomb, _LARGE),
    Case("zip-nested-bomb", "images", nested_bomb, f"{_LARGE}|archive|zip"),
    Case("zip-overlapping", "images", overlapping, f"{_LARGE}|overlap|archive"),
    Case(
        "zip-traversal",
        "images",
        lambda: zipped({"../../../tmp/evil.dcm": png(8, 8)}),
        "leads out|outside|name",
    ),
    Case("zip-absolute", "images", lambda: zipped({"/tmp/evil.dcm": png(8, 8)}), "leads out|outside|name"),
    Case("zip-link", "images", linked, "link"),
    Case("zip-encrypted", "images", encrypted, "password|locked"),
    Case("zip-many", "images", lambda: zipped({f"{n}.dcm": b"" for n in range(60_000)}), "files|at most"),
    Case("pickle", "images", lambda: pickle.dumps(_Evil()), "pickle"),
    Case("npz-objects", "images", object_arrays, "expected|archive|picture"),
    Case("program", "images", lambda: b"\x7fELF" + bytes(200), "program"),
    Case("page", "images", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "HTML|XML"),
]
