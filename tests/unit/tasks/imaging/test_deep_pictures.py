"""Pictures of 16 bits: greys keep all of them, colours say what they lose."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile

from healthdash.task import Upload
from healthdash.tasks.imaging.read import read
from healthdash.tasks.imaging.sample import ImageSample, model_view

from . import written

_RNG = np.random.default_rng(0)
_GREY = _RNG.integers(0, 65536, (40, 30)).astype(np.uint16)
_COLOURS = _RNG.integers(0, 65536, (40, 30, 3)).astype(np.uint16)
_OPAQUE = np.full((40, 30, 1), 65535, np.uint16)


def _png(values: np.ndarray) -> bytes:
    """Write a PNG of 16 bits by the specification (ISO/IEC 15948); Pillow writes none in colour."""
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _tiff(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, photometric="rgb")
    return file.getvalue()


def _read(data: bytes) -> ImageSample:
    sample = read([Upload("upload", data)])
    assert isinstance(sample, ImageSample)
    return sample


@pytest.mark.parametrize("write", [_png, _tiff])
def test_grey_in_three_channels_keeps_its_sixteen_bits(write) -> None:
    sample = _read(write(np.repeat(_GREY[..., None], 3, axis=2)))
    np.testing.assert_array_equal(sample.pixels, _GREY)
    assert sample.colours is None
    assert sample.stored.dtype == "uint16"
    assert sample.full_scale == _read(written.picture(_GREY).data).full_scale
    assert not sample.notices


@pytest.mark.parametrize("write", [_png, _tiff])
def test_colours_of_sixteen_bits_say_that_eight_are_shown(write) -> None:
    sample = _read(write(_COLOURS))
    assert sample.colours is not None
    np.testing.assert_array_equal(sample.colours, _COLOURS >> 8)
    assert sample.stored.maximum == _COLOURS.max()
    assert any("8 bits" in words for words in sample.notices)


def test_what_is_see_through_is_black() -> None:
    grey = np.repeat(_GREY[..., None], 3, axis=2)
    np.testing.assert_array_equal(_read(_png(np.dstack([grey, _OPAQUE]))).pixels, _GREY)
    assert not _read(_png(np.dstack([grey, 0 * _OPAQUE]))).pixels.any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("pages", [1, 2])
def test_a_tiff_whose_white_is_zero_is_shown_as_one_whose_black_is(dtype, pages: int) -> None:
    ramp = np.repeat(np.linspace(0, np.iinfo(dtype).max, 64).astype(dtype)[None], 48, axis=0)
    seen = []
    for values, photometric in ((ramp, "minisblack"), (~ramp, "miniswhite")):
        file = io.BytesIO()
        tifffile.imwrite(file, np.stack([values] * pages).squeeze(), photometric=photometric)
        sample = read([Upload("ramp.tif", file.getvalue())])
        one = sample if isinstance(sample, ImageSample) else sample.slice(0)
        seen.append(model_view(one))
    np.testing.assert_allclose(seen[0], seen[1], atol=1e-4)
    assert seen[0][0, 0] < seen[0][0, -1]
