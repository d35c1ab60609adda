"""Decoding the frames of a DICOM file, after everything that could blow up was checked.

Decoders: pydicom's own (uncompressed, RLE), GDCM, OpenJPEG, CharLS and Pillow. JPEG with 12 bits
goes to GDCM directly, because pydicom hands it 8-bit JPEG only.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, uid
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import as_pixel_options, get_decoder, iter_pixels, pixel_array

from healthdash.errors import InvalidInput, UnreadableUpload

from .pictures import LARGEST_PICTURE

__all__ = ["ALLOWED", "PIXELS", "check_frames", "decoded_frames"]

#: Elements that hold pixels (PS3.3 C.7.6.3.1.4 and C.7.6.24).
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_SPECTRAL = uid.UID("1.2.840.10008.1.2.4.53")
_PROGRESSIVE = uid.UID("1.2.840.10008.1.2.4.55")
_TWELVE_BIT = (uid.JPEGExtended12Bit, _SPECTRAL, _PROGRESSIVE)
_JPEG = (uid.JPEGBaseline8Bit, uid.JPEGLossless, uid.JPEGLosslessSV1, *_TWELVE_BIT)
_JPEG_2000 = (uid.JPEG2000Lossless, uid.JPEG2000, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K)
# Codecs of which pydicom corrects the sign.
_SIGNED = (uid.JPEGLSLossless, uid.JPEGLSNearLossless, *_JPEG_2000)
_NATIVE = (uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian)
#: Transfer syntaxes that are read; all others (video, JPIP, ...) are refused before anything is decoded.
ALLOWED = frozenset(
    (
        *_NATIVE,
        uid.DeflatedExplicitVRLittleEndian,
        uid.RLELossless,
        uid.JPEGLSLossless,
        uid.JPEGLSNearLossless,
        *_JPEG,
        *_JPEG_2000,
    )
)

_MOST_FRAMES = 10_000
# All frames are decoded once for their range; this bounds the time, one frame the memory.
_MOST_VALUES = 2_000_000_000
# PackBits writes at most 128 bytes for two (PS3.5 annex G.3.1).
_MOST_RLE_GROWTH = 64
_START_OF_FRAME = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB})
_START_OF_SCAN = 0xDA
_SEQUENTIAL_DCT = frozenset({0xC0, 0xC1})


def check_frames(dataset: Dataset) -> int:
    """Return the number of frames, after their size was found sound.

    Raises
    ------
    UnreadableUpload
        Rows or columns are missing, or the compressed picture has another size than the header.
    InvalidInput
        The picture is too large.
    """
    rows, columns = _number(dataset, "Rows"), _number(dataset, "Columns")
    frames, samples = _number(dataset, "NumberOfFrames", 1) or 1, _number(dataset, "SamplesPerPixel", 1)
    if min(rows, columns, frames) < 1 or samples not in (1, 3, 4):
        raise UnreadableUpload(
            "expected rows, columns and samples of the picture in the header, got none or wrong ones",
            hint="The file is damaged or no picture; export it again.",
        )
    too_large = rows * columns > LARGEST_PICTURE or rows * columns * frames * samples > _MOST_VALUES
    if too_large or frames > _MOST_FRAMES:
        raise InvalidInput(
            f"expected at most {LARGEST_PICTURE // 1_000_000} million pixels a frame "
            f"and {_MOST_FRAMES} frames, got {columns} x {rows} x {frames}",
            hint="Export a smaller picture or fewer frames.",
        )
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        _check_streams(dataset, rows, columns, frames)
    return frames


def decoded_frames(dataset: Dataset, frames: int) -> Iterator[NDArray[Any]]:
    """Yield every frame as stored, (rows, columns) or (rows, columns, 3); YBR becomes RGB.

    Values may lie above the lowest bits of their cells (PS3.5 8.1.1): what lies below is cut away.
    """
    below = _bits_below(dataset)
    if below:
        dataset.BitsStored = int(dataset.BitsStored) + below
        yield from (frame >> below for frame in _decoded(dataset, frames))
    else:
        yield from _decoded(dataset, frames)


def _bits_below(dataset: Dataset) -> int:
    """Return how many bits of a cell lie below its value; overlays of old files were kept there."""
    stored, allocated = _number(dataset, "BitsStored"), _number(dataset, "BitsAllocated")
    below = _number(dataset, "HighBit", stored - 1) + 1 - stored
    is_native = dataset.file_meta.TransferSyntaxUID in _NATIVE and "PixelData" in dataset
    return below if is_native and 0 < below <= allocated - stored else 0


def _decoded(dataset: Dataset, frames: int) -> Iterator[NDArray[Any]]:
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax in _TWELVE_BIT and (syntax != uid.JPEGExtended12Bit or dataset.BitsStored > 8):
        for stream in generate_frames(dataset.PixelData, number_of_frames=frames):
            yield _gdcm_frame(stream, dataset)
    elif frames == 1:
        array = dataset.pixel_array
        more_than_one = array.ndim > 2 + (_number(dataset, "SamplesPerPixel", 1) > 1)
        yield array[0] if more_than_one else array  # more bytes than the header says: the first picture
    elif syntax in _SIGNED:
        yield from _frames_of_streams(dataset, frames)
    elif syntax in _NATIVE and dataset.PhotometricInterpretation == "YBR_FULL_422":
        # iter_pixels of pydicom 3.0.2 takes the frames after the first for RGB, which it has made of that.
        yield from (pixel_array(dataset, index=frame) for frame in range(frames))
    else:
        yield from iter_pixels(dataset)


def _frames_of_streams(dataset: Dataset, frames: int) -> Iterator[NDArray[Any]]:
    """Decode each stream alone: iter_pixels of pydicom 3.0.2 cannot correct the sign of its own array.

    It could by numbers of frames, but then looks for each from the beginning.
    """
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    options = as_pixel_options(dataset) | {"number_of_frames": 1}
    for stream in generate_frames(dataset.PixelData, number_of_frames=frames):
        yield decoder.as_array(encapsulate([stream]), index=0, **options)[0]


def _number(dataset: Dataset, keyword: str, default: int = 0) -> int:
    value = dataset.get(keyword, default)
    return default if value in (None, "") else int(value)


def _check_streams(dataset: Dataset, rows: int, columns: int, frames: int) -> None:
    """Compare the size that each compressed frame claims with the header's."""
    syntax = dataset.file_meta.TransferSyntaxUID
    depth = max(1, _number(dataset, "BitsAllocated", 8) // 8) * _number(dataset, "SamplesPerPixel", 1)
    for stream in generate_frames(dataset.PixelData, number_of_frames=frames):
        if syntax == uid.RLELossless:
            sound = rows * columns * depth <= len(stream) * _MOST_RLE_GROWTH
        elif syntax in _JPEG_2000:
            sound = _jpeg_2000_size(stream) == (rows, columns)
        else:
            sound = _jpeg_size(stream) == (rows, columns)
        if not sound:
            raise UnreadableUpload(
                "expected a compressed picture of the size in the header, got another one",
                hint="The file is damaged; export it again.",
            )


def _jpeg_2000_size(stream: bytes) -> tuple[int, int] | None:
    """Return rows and columns from the SIZ segment (ISO/IEC 15444-1 A.5.1)."""
    start = stream.find(b"\xff\x4f\xff\x51")
    if start < 0 or len(stream) < start + 24:
        return None
    right, bottom, left, top = struct.unpack_from(">4I", stream, start + 8)
    return bottom - top, right - left


def _jpeg_size(stream: bytes) -> tuple[int, int] | None:
    """Return rows and columns of a JPEG or JPEG-LS stream, None where its segments are unsound."""
    position, size, is_sequential = 2, None, False
    while position + 10 <= len(stream) and stream[position] == 0xFF:
        marker = stream[position + 1]
        length = int.from_bytes(stream[position + 2 : position + 4], "big")
        if marker in _START_OF_FRAME or marker == 0xF7:
            size = struct.unpack_from(">2H", stream, position + 5)
            is_sequential = marker in _SEQUENTIAL_DCT
        elif marker == _START_OF_SCAN:
            # A sequential scan holds all 64 coefficients (ISO/IEC 10918-1 table B.3).
            last = position + 2 + length
            sound = not is_sequential or tuple(stream[last - 3 : last - 1]) == (0, 63)
            return size if sound else None
        position += 1 if marker == 0xFF else 2 + length
    return None


def _gdcm_frame(stream: bytes, dataset: Dataset) -> NDArray[np.uint16]:
    import gdcm  # only few files need it

    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(stream)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((dataset.Columns, dataset.Rows, 1))
    image.SetDataElement(element)
    grey = gdcm.PhotometricInterpretation.GetPIType("MONOCHROME2")
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(grey))
    syntax = gdcm.TransferSyntax.GetTSType(str.__str__(dataset.file_meta.TransferSyntaxUID))
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    bits = dataset.BitsStored
    image.SetPixelFormat(gdcm.PixelFormat(1, dataset.BitsAllocated, bits, bits - 1, 0))
    # GDCM's wrapper returns bytes as text.
    buffer = image.GetBuffer().encode("utf-8", "surrogateescape")
    return np.frombuffer(buffer, "<u2").reshape(dataset.Rows, dataset.Columns)
