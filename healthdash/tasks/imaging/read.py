"""From bytes to a picture: what the bytes are decides, never the name."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload

from . import dicom, pictures
from .sample import Document, ImageSample

__all__ = ["read", "recognises"]

_GZIP = b"\x1f\x8b"
# A compressed file may unfold to this many bytes; a CT series of one file stays below.
_MOST_UNPACKED = 256 << 20
_ENOUGH_TO_SNIFF = 1024

# What people upload by mistake, by its first bytes.
_STRANGERS = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive or an Office document"),
    (b"\x80\x02", "a Python pickle, which is never opened"),
    (b"\x80\x03", "a Python pickle, which is never opened"),
    (b"\x80\x04", "a Python pickle, which is never opened"),
    (b"\x80\x05", "a Python pickle, which is never opened"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"<", "a page of HTML or XML"),
    (b"{", "JSON"),
)
_EXPECTED = "expected a picture (DICOM, PNG, JPEG, TIFF, WebP, BMP or GIF)"


def recognises(upload: Upload) -> bool:
    """Say from the first bytes whether these may be a picture or a volume."""
    head = _unpacked_head(upload.data)
    return dicom.is_dicom(head) or pictures.is_picture(head) or _is_volume(head)


def read(uploads: Sequence[Upload]) -> ImageSample | Document:
    """Read one picture.

    Raises
    ------
    UnreadableUpload
        The bytes are no picture, are damaged, or unfold to too much.
    InvalidInput
        It is a picture or volume of a form that is not read here.
    """
    if len(uploads) != 1:
        raise InvalidInput("expected one file a picture", hint="Upload each picture as a file of its own.")
    upload = uploads[0]
    if not upload.data:
        raise UnreadableUpload("the file is empty", hint="Export it again; the upload may have been cut off.")
    is_packed = upload.data.startswith(_GZIP)
    data = _unpacked(upload.data) if is_packed else upload.data
    sample = _dispatch(data, upload.name)
    return replace(sample, format=f"{sample.format}, gzip") if is_packed else sample


def _dispatch(data: bytes, source: str) -> ImageSample | Document:
    if pictures.is_picture(data):
        return pictures.read(data, source)
    if dicom.is_dicom(data):
        return dicom.read(data, source)
    if _is_volume(data):
        raise InvalidInput(
            "expected one picture, got a NIfTI or MGH volume; volumes are not read here",
            hint="Export one slice as DICOM or PNG.",
        )
    raise UnreadableUpload(
        f"{_EXPECTED}, got {_stranger(data)}", hint="Choose the picture's own file, or export it again."
    )


def _stranger(data: bytes) -> str:
    for start, name in _STRANGERS:
        if data.startswith(start):
            return name
    is_text = data[:_ENOUGH_TO_SNIFF].isascii() and b"\x00" not in data[:_ENOUGH_TO_SNIFF]
    return "text" if is_text else "bytes of no known form; the file may be cut off or damaged"


def _is_volume(data: bytes) -> bool:
    """Say whether these bytes begin like NIfTI-1, NIfTI-2 or MGH."""
    nifti_1 = data[:4] in (b"\x5c\x01\x00\x00", b"\x00\x00\x01\x5c") and len(data) >= 348
    nifti_2 = data[:4] in (b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c") and data[4:7] in (b"n+2", b"ni2")
    return nifti_1 or nifti_2 or data.startswith(b"\x00\x00\x00\x01\x00\x00")


def _unpacked_head(data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data
    try:
        return zlib.decompressobj(wbits=31).decompress(data, _ENOUGH_TO_SNIFF)
    except zlib.error:
        return b""


def _unpacked(data: bytes) -> bytes:
    try:
        unpacker = zlib.decompressobj(wbits=31)
        unpacked = unpacker.decompress(data, _MOST_UNPACKED)
    except zlib.error as error:
        raise UnreadableUpload("the gzip file is damaged", hint="Compress or export it again.") from error
    if unpacker.unconsumed_tail:
        raise InvalidInput(
            f"expected at most {_MOST_UNPACKED >> 20} MB after unpacking, got more",
            hint="Unpack the file first, and upload one picture of it.",
        )
    if not unpacker.eof:
        raise UnreadableUpload("the gzip file is cut off", hint="Compress or export it again.")
    return unpacked
