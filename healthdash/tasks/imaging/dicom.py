"""DICOM: from bytes to a picture or volume in its own values, or to the name of what else the file is.

What is kept of the header identifies nobody, and no header value goes into a message.
"""

from __future__ import annotations

import io
import logging
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pydicom
from pydicom import Dataset, uid
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag, Tag

from healthdash.errors import HealthdashError, InvalidInput, UnreadableUpload

from .dicom_elements import text
from .dicom_header import picture_sample
from .dicom_pixels import ALLOWED, PIXELS, check_frames, decoded_frames
from .dicom_report import report_text
from .dicom_volume import frames_sample
from .moments import MOMENTS
from .phases import MARKS
from .sample import Document, ImageSample
from .volume import VolumeSample

__all__ = ["encoding", "guarded", "head", "is_dicom", "is_directory", "opened", "read"]

_PREAMBLE = 132
_MOST_INFLATED = 256 << 20
# Enough of a deflated file to see where its slice lies.
_HEAD_BYTES = 1 << 18
_LAST_HEAD_TAG = Tag("PixelSpacing")
#: What a decoder in Rust raises where it breaks off; it is no Exception (pyo3, panic.rs).
_PANIC = "PanicException"
_HEAD_TAGS = [
    Tag(keyword)
    for keyword in (
        "ImageType", "SOPClassUID", "SOPInstanceUID", "Modality", "PatientID", "StudyInstanceUID",
        "SeriesInstanceUID", "FrameOfReferenceUID", "InstanceNumber", *MOMENTS, *MARKS,
        "ImagePositionPatient", "ImageOrientationPatient", "SliceLocation", "SamplesPerPixel",
        "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns", "PixelSpacing",
    )
]  # fmt: skip
_DIRECTORY = uid.MediaStorageDirectoryStorage
_LONG_LENGTH = (b"OB", b"OD", b"OF", b"OL", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT")
# Tags that begin a file without a preamble: group 2, or the identifying group 8.
_HEADLESS_STARTS = (b"\x02\x00", b"\x08\x00", b"\x00\x08")
_HINT = "The file is damaged or cut off; export it again."

# pydicom quotes header values in its warnings, which end up in logs.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", module=r"pydicom\..*")
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE


def is_dicom(data: bytes) -> bool:
    """Say whether these bytes begin like DICOM, with its preamble or without."""
    if data[128:_PREAMBLE] == b"DICM":
        return True
    if len(data) < 12 or not data.startswith(_HEADLESS_STARTS):
        return False
    is_big = data.startswith(b"\x00\x08")
    element = int.from_bytes(data[2:4], "big" if is_big else "little")
    is_explicit = data[4:6].isalpha() and data[4:6].isupper()
    length = int.from_bytes(data[4:8], "big" if is_big else "little")
    # Implicit encoding has no letters to be known by; signals of small numbers begin alike.
    is_implicit = data.startswith(b"\x08\x00") and length < 256 and length % 2 == 0
    return element <= 0x0100 and (is_explicit or is_implicit)


def read(data: bytes, source: str) -> ImageSample | VolumeSample | Document:
    """Read a picture, a file of several frames, or a document.

    Raises
    ------
    UnreadableUpload
        The file is damaged, cut off, or its pixels are missing.
    InvalidInput
        Its transfer syntax is not read here, it is too large, or it is a DICOMDIR.
    """
    with guarded():
        dataset, notices = _dataset(data)
        name = encoding(data, dataset)
        if not any(keyword in dataset for keyword in PIXELS):
            return _document(dataset, source, name)
        frames = ready(dataset, notices)
        decoded = decoded_frames(dataset, frames)
        if frames == 1:
            return picture_sample(dataset, next(iter(decoded)), source, name, tuple(notices))
        return frames_sample(dataset, decoded, frames, source, name, tuple(notices))


def opened(data: bytes) -> tuple[Dataset, list[str]]:
    """Parse a file that holds one frame of a series; its pixels can be decoded then."""
    with guarded():
        dataset, notices = _dataset(data)
        ready(dataset, notices)
        return dataset, notices


def ready(dataset: Dataset, notices: list[str]) -> int:
    """Return the number of frames of a sound picture, whose missing header entries are supplied."""
    frames = check_frames(dataset)
    if "PhotometricInterpretation" not in dataset:  # ACR-NEMA files, the forerunner of DICOM
        dataset.PhotometricInterpretation = "MONOCHROME2"
        notices.append("The file does not say whether low values are dark; it is read as if they were.")
    dataset.setdefault("SamplesPerPixel", 1)
    allocated = int(dataset.BitsAllocated)
    if "PixelData" in dataset:
        dataset.setdefault("PixelRepresentation", 0)
        if not 1 <= int(dataset.get("BitsStored") or 0) <= allocated:
            dataset.BitsStored, dataset.HighBit = allocated, allocated - 1
            notices.append("The file does not say soundly how many bits its values have; all are used.")
    return frames


def encoding(data: bytes, dataset: Dataset) -> str:
    """Return the name of the transfer syntax."""
    return str((_meta(data)[1] or dataset.file_meta.TransferSyntaxUID).name)


def is_directory(data: bytes) -> bool:
    """Say whether these bytes are a DICOMDIR, by the media storage class in group 2."""
    return is_dicom(data) and _DIRECTORY.encode() in data[: _meta(data)[0]]


def head(data: bytes) -> Dataset | None:
    """Parse the header up to where a slice lies, quickly and in bounded memory; None: it is no DICOM."""
    if not is_dicom(data):
        return None
    try:
        end, named = _meta(data)
        if named == uid.DeflatedExplicitVRLittleEndian:
            data = zlib.decompressobj(wbits=-zlib.MAX_WBITS).decompress(data[end:], _HEAD_BYTES)
        found = read_partial(io.BytesIO(data), _is_past_head, force=True, specific_tags=_HEAD_TAGS)
        list(found)  # values are parsed when they are asked for, and a damaged one is to break here
        return found
    except Exception:  # what is wrong with it, `read` says
        return None


def _is_past_head(tag: BaseTag, vr: str | None, length: int) -> bool:
    return bool(tag > _LAST_HEAD_TAG)


@contextmanager
def guarded() -> Iterator[None]:
    """Translate what pydicom and its decoders raise; their messages may quote the header."""
    try:
        yield
    except HealthdashError:
        raise
    except BaseException as error:  # any built-in class may come: damaged headers reach every code path
        if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
            raise
        raise UnreadableUpload(
            "expected a whole DICOM file, got a damaged or cut-off one", hint=_HINT
        ) from error


def _dataset(data: bytes) -> tuple[Dataset, list[str]]:
    """Parse the file with its transfer syntax known to be one that is read here."""
    end, named = _meta(data)
    if named is not None and named not in ALLOWED:
        raise InvalidInput(
            "expected a picture in one of the common DICOM encodings, got one that is not read here",
            hint="Export it uncompressed (Explicit VR Little Endian).",
        )
    if named == uid.DeflatedExplicitVRLittleEndian:
        dataset = pydicom.dcmread(io.BytesIO(_inflated(data[end:])), force=True)
        dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
        return dataset, []
    dataset = pydicom.dcmread(io.BytesIO(data), force=True)
    if not len(dataset):
        raise UnreadableUpload("expected a DICOM file, got no element of one", hint=_HINT)
    _refuse_directory(dataset)
    if named is None and "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = _guessed_syntax(dataset)
        return dataset, ["The file does not name its encoding; it is read as it looks."]
    return dataset, []


def _meta(data: bytes) -> tuple[int, uid.UID | None]:
    """Return where group 2 ends and the transfer syntax in it, before pydicom parses anything."""
    position = _PREAMBLE if data[128:_PREAMBLE] == b"DICM" else 0
    named = None
    while data[position : position + 2] == b"\x02\x00":
        head = data[position : position + 12]
        header, where = (12, slice(8, 12)) if head[4:6] in _LONG_LENGTH else (8, slice(6, 8))
        length = int.from_bytes(head[where], "little")
        if head[2:4] == b"\x10\x00":
            value = data[position + header : position + header + length]
            named = uid.UID(value.decode("ascii", "replace").strip("\x00 "))
        position += header + length
    return position, named


def _inflated(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    body = unpacker.decompress(packed, _MOST_INFLATED)
    if unpacker.unconsumed_tail:
        raise InvalidInput(
            f"expected at most {_MOST_INFLATED >> 20} MB after unpacking, got more",
            hint="Export the picture uncompressed.",
        )
    return body


def _guessed_syntax(dataset: Dataset) -> uid.UID:
    is_implicit, is_little = dataset.original_encoding
    if is_implicit:
        return uid.ImplicitVRLittleEndian
    return uid.ExplicitVRLittleEndian if is_little else uid.ExplicitVRBigEndian


def _refuse_directory(dataset: Dataset) -> None:
    """A DICOMDIR names other files, which are never opened for it (CVE-2026-32711)."""
    is_directory = dataset.file_meta.get("MediaStorageSOPClassUID") == _DIRECTORY
    if is_directory or "DirectoryRecordSequence" in dataset:
        raise InvalidInput(
            "expected a picture, got the directory of a DICOM medium (DICOMDIR)",
            hint="Upload the pictures themselves.",
        )


def _document(dataset: Dataset, source: str, encoding: str) -> Document:
    if "Rows" in dataset or "Columns" in dataset:
        raise UnreadableUpload("expected pixels after the header of the picture, got none", hint=_HINT)
    kind: Any = dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID")
    named = kind.name if kind is not None and kind in uid.UID_dictionary else "DICOM document"
    return Document(
        source=source,
        kind="document",
        format=f"DICOM, {encoding}",
        content=_content(dataset, named),
        text=report_text(dataset),
    )


def _content(dataset: Dataset, named: str) -> str:
    """Name a document; one that wraps a file of another kind says which."""
    inside = text(dataset, "MIMETypeOfEncapsulatedDocument")
    return f"{named} ({inside})" if inside and "EncapsulatedDocument" in dataset else named
