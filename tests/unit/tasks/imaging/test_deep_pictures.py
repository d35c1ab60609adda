"""Pictures of 16 bits: greys keep all of them, colours say what they lose."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from healthdash.task import Upload
from healthdash.tasks.imaging.read import read
from healthdash.tasks.imaging.sample import ImageSample, model_view

from . import written

_RNG = np.random.default_rng(0)
_GREY = _RNG.integers(0, 65536, (40, 30)).astype(np.uint16)
_COLOURS = _RNG.integers(0, 65536, (40, 30, 3)).astype(np.uint16)
_OPAQUE = np.full((40, 30, 1), 65535, np.uint16)


def _png(values: np.ndarray, exif: bytes = b"") -> bytes:
    """Write a PNG of 16 bits by the specification (ISO/IEC 15948); Pillow writes none in colour."""
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = [(b"IHDR", head), (b"eXIf", exif), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
        if data or kind != b"eXIf"
    )


def _tiff(values: np.ndarray, photometric: str = "rgb", orientation: int = 1, **how: Any) -> bytes:
    file = io.BytesIO()
    tags = [(274, 3, 1, orientation, True)]
    tifffile.imwrite(file, values, photometric=photometric, extratags=tags, **how)
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


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.uint32])
def test_exact_pages_are_turned_as_those_that_pillow_reads(orientation: int, dtype) -> None:
    bytes_ = (_GREY >> 9).astype(np.uint8)
    turned = _read(_tiff(bytes_, "minisblack", orientation)).pixels
    assert turned.shape == ((40, 30) if orientation < 5 else (30, 40))
    exact = _read(_tiff(bytes_.astype(dtype), "minisblack", orientation))
    np.testing.assert_array_equal(exact.pixels, turned)
    colours = np.repeat(bytes_.astype(np.uint16)[..., None], 3, axis=2) * 256
    deep = _read(_tiff(colours, orientation=orientation))
    np.testing.assert_array_equal(deep.pixels, turned * 256)
    assert deep.stored.dtype == "uint16"


def test_colours_of_a_deep_png_are_turned_upright() -> None:
    exif = Image.Exif()
    exif[274] = 6
    turned = _read(_png(_COLOURS, exif.tobytes().removeprefix(b"Exif\0\0")))
    np.testing.assert_array_equal(turned.colours, np.rot90(_COLOURS >> 8, -1))


def test_inks_are_no_colours_of_light() -> None:
    cyan = np.zeros((40, 30, 4), np.uint16)
    cyan[..., 0] = 65535
    deep, plain = (_read(_tiff(values, "separated")) for values in (cyan, (cyan >> 8).astype(np.uint8)))
    assert deep.colours is not None
    np.testing.assert_array_equal(deep.colours, plain.colours)
    assert deep.colours[0, 0].tolist() == [0, 255, 255]


def test_grey_with_opacity_keeps_its_sixteen_bits() -> None:
    half = (_OPAQUE * (np.arange(30) < 15)[None, :, None]).astype(np.uint16)
    sample = _read(_png(np.dstack([_GREY, half])))
    np.testing.assert_array_equal(sample.pixels[:, :15], _GREY[:, :15])
    assert not sample.pixels[:, 15:].any()
    assert sample.stored.dtype == "uint16"


@pytest.mark.parametrize(("kind", "is_black"), [("unassalpha", True), ("assocalpha", False)])
def test_opacity_of_a_deep_tiff_is_applied_where_it_is_not_yet(kind: str, is_black: bool) -> None:
    clear = _tiff(np.dstack([_COLOURS, 0 * _OPAQUE]), extrasamples=[kind])
    assert (not _read(clear).pixels.any()) == is_black
