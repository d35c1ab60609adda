"""From bytes to a picture or volume: what the bytes are decides, never the name."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from healthdash.archive import is_zip
from healthdash.errors import HealthdashError, InvalidInput, UnreadableUpload
from healthdash.task import Upload

from . import dicom, pictures, series, volume_files, zipped
from .sample import Document, ImageSample
from .volume import VolumeSample

__all__ = ["companions", "grouped", "read", "recognises"]

_GZIP = b"\x1f\x8b"
# A compressed file may unfold to this many bytes; a CT series of one file stays below.
_MOST_UNPACKED = 256 << 20
_ENOUGH_TO_SNIFF = 1024
_GZ, _ENDING = ".gz", len(".hdr")
#: The endings of a pair, each with those of its other half.
_HALVES = {".hdr": (".img", ".img.gz"), ".img": (".hdr", ".hdr.gz")}

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
_EXPECTED = "expected a picture (DICOM, PNG, JPEG, TIFF, WebP, BMP or GIF) or a volume (NIfTI, MGH, MINC)"


def recognises(upload: Upload) -> bool:
    """Say from the first bytes whether these may be a picture, a volume, or an archive of them."""
    if is_zip(upload.data):
        return zipped.holds(upload.data, _is_known)
    return _is_known(_unpacked_head(upload.data))


def grouped(uploads: Sequence[Upload]) -> list[list[Upload]]:
    """Put the files of each input together: slices of a series, halves of a pair; archives are opened.

    An archive that cannot be opened stays as it is: `read` says why.
    """
    files: list[Upload] = []
    for upload in uploads:
        try:
            files += _members(upload) if is_zip(upload.data) else [upload]
        except HealthdashError:
            files.append(upload)
    pairs = _pairs(files)
    second = {id(image) for image in pairs.values()}
    groups = series.grouped([file for file in files if id(file) not in second])
    return [[*group, pairs[id(group[0])]] if id(group[0]) in pairs else group for group in groups]


def companions(path: Path) -> list[Path]:
    """Return the other half of a pair (.hdr and .img), where it lies beside the one named."""
    endings = _HALVES.get(path.suffix.lower(), ())
    others = [ending.upper() if path.suffix.isupper() else ending for ending in endings]
    return [other for ending in others if (other := path.with_suffix(ending)).is_file()]


def read(uploads: Sequence[Upload]) -> ImageSample | VolumeSample | Document:
    """Read one picture, one volume from the files of a series or pair, or a document.

    Raises
    ------
    UnreadableUpload
        The bytes are no picture, are damaged, or unfold to too much.
    InvalidInput
        It is a picture or volume of a form that is not read here.
    """
    if len(uploads) == 1 and is_zip(uploads[0].data):
        return _archived(uploads[0])
    if len(uploads) == 2 and (pairs := _pairs(uploads)):
        header = next(upload for upload in uploads if id(upload) in pairs)
        return volume_files.read(
            _plain(header.data), header.name, _plain(pairs[id(header)].data), _part(uploads)
        )
    if len(uploads) != 1:
        return series.read([replace(upload, data=_plain(upload.data)) for upload in uploads], _part(uploads))
    upload = uploads[0]
    if not upload.data:
        raise UnreadableUpload("the file is empty", hint="Export it again; the upload may have been cut off.")
    sample = _dispatch(_plain(upload.data), upload.name, _part(uploads))
    is_packed = upload.data.startswith(_GZIP)
    return replace(sample, format=f"{sample.format}, gzip") if is_packed else sample


def _part(uploads: Sequence[Upload]) -> int:
    """Return which of several volumes was asked for, from 0; people count from 1."""
    return max(0, int(uploads[0].hints.get("part", 1)) - 1)


def _dispatch(data: bytes, source: str, part: int) -> ImageSample | VolumeSample | Document:
    if pictures.is_picture(data):
        return pictures.read(data, source)
    if dicom.is_dicom(data):
        return dicom.read(data, source)
    if volume_files.is_volume(data):
        return volume_files.read(data, source, part=part)
    raise UnreadableUpload(
        f"{_EXPECTED}, got {_stranger(data)}", hint="Choose the picture's own file, or export it again."
    )


def _is_known(data: bytes) -> bool:
    return dicom.is_dicom(data) or pictures.is_picture(data) or volume_files.is_volume(data)


def _members(upload: Upload) -> list[Upload]:
    """Return the pictures of an archive; one input is named after the archive alone, unless it is a pair."""
    inside = [file for file in zipped.unpacked(upload) if _is_wanted(file.data)]
    halves = {id(image) for image in _pairs(inside).values()}
    found = [file for file in inside if id(file) in halves or recognises(file)]
    if not found:
        raise UnreadableUpload(f"{_EXPECTED}, got a zip archive without one", hint="Look into the archive.")
    # The halves of a pair belong together by their names.
    if len(grouped(found)) == 1 and not halves:
        return [replace(file, name=upload.name) for file in found]
    return found


def _is_wanted(data: bytes) -> bool:
    """A DICOMDIR lists the other files of its archive; these are read by themselves."""
    return not dicom.is_directory(data)


def _archived(upload: Upload) -> ImageSample | VolumeSample | Document:
    """Read the biggest input of an archive; what else there is, is said."""
    groups = sorted(grouped(_members(upload)), key=len, reverse=True)
    sample = replace(read(groups[0]), source=upload.name)
    if len(groups) == 1:
        return sample
    words = f"The archive holds {len(groups)} pictures or volumes; that of most files is used."
    return replace(sample, notices=(words, *sample.notices))


def _pairs(uploads: Sequence[Upload]) -> dict[int, Upload]:
    """Return the voxels (.img) that belong to each header (.hdr), by the header's `id`; names are paired."""
    named = [(upload, *_half(upload.name)) for upload in uploads]
    images = {stem: upload for upload, stem, ending in named if ending == ".img"}
    return {
        id(upload): images[stem]
        for upload, stem, _ in named
        if stem in images
        and images[stem] is not upload
        and volume_files.is_header_of_pair(_unpacked_head(upload.data))
    }


def _half(name: str) -> tuple[str, str]:
    """Return what the halves of a pair share in their names, and the ending: a.b and .img of a.b.IMG.gz."""
    plain = name[: -len(_GZ)] if name.lower().endswith(_GZ) else name
    stem, ending = plain[:-_ENDING], plain[-_ENDING:].lower()
    return (stem, ending) if ending in _HALVES else (plain, "")


def _stranger(data: bytes) -> str:
    for start, name in _STRANGERS:
        if data.startswith(start):
            return name
    is_text = data[:_ENOUGH_TO_SNIFF].isascii() and b"\x00" not in data[:_ENOUGH_TO_SNIFF]
    return "text" if is_text else "bytes of no known form; the file may be cut off or damaged"


def _unpacked_head(data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data
    try:
        return zlib.decompressobj(wbits=31).decompress(data, _ENOUGH_TO_SNIFF)
    except zlib.error:
        return b""


def _plain(data: bytes) -> bytes:
    """Return the bytes, unpacked where they are gzipped."""
    return _unpacked(data) if data.startswith(_GZIP) else data


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
