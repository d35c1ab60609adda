import gzip
import io
import pickle
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless, SecondaryCaptureImageStorage

from healthdash.errors import InputError, InvalidInput, UnreadableUpload
from healthdash.task import Upload
from healthdash.tasks.imaging import dicom_header
from healthdash.tasks.imaging.read import read, recognises
from healthdash.tasks.imaging.sample import Document, ImageSample, model_view, windowed
from healthdash.tasks.imaging.volume import VolumeSample
from healthdash.views import Window

from . import written


def _png_of_claimed_size(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def _deflated(size: int) -> bytes:
    data = written.dicom_bytes(None, SpecificCharacterSet="ISO_IR 100")
    deflated = DeflatedExplicitVRLittleEndian.encode()
    start = data.index(b"\x02\x00\x10\x00UI")
    length = int.from_bytes(data[start + 6 : start + 8], "little")
    meta = data[:start] + b"\x02\x00\x10\x00UI" + struct.pack("<H", len(deflated)) + deflated
    rest = data[start + 8 + length :]
    end = rest.index(b"\x08\x00")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return meta + rest[:end] + packer.compress(b"\0" * size) + packer.flush()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"hello, this is text", "got text"),
        (pickle.dumps({"a": 1}), "pickle"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04rest", "zip"),
        (bytes(range(200, 256)) * 4, "no known form"),
        (b"\x1f\x8bnonsense", "gzip file is damaged"),
        (gzip.compress(b"x" * 100, mtime=0)[:-9], "cut off"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "damaged or cut-off"),
        (b"\0" * 128 + b"DICM", "expected a DICOM file"),
        (b"\0" * 128 + b"DICM" + b"\xff" * 300, "DICOM"),
    ],
)
def test_bad_bytes_give_one_clear_message_whatever_the_name(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read([Upload("chest.dcm", data)])
    assert caught.value.hint
    assert "chest.dcm" not in caught.value.message + caught.value.hint


def test_truncated_pictures_are_refused() -> None:
    for form in ("PNG", "JPEG", "TIFF", "BMP", "WEBP"):
        noise = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
        whole = written.picture(noise, form).data
        with pytest.raises(UnreadableUpload, match="damaged or cut-off"):
            read([Upload("upload", whole[: len(whole) // 2])])


def test_truncated_dicom_is_refused() -> None:
    whole = written.dicom_bytes(written.ramp())
    with pytest.raises(UnreadableUpload, match="damaged or cut-off"):
        read([Upload("upload", whole[:-1000])])


def test_dicom_without_pixels_is_a_document() -> None:
    sample = read([written.dicom(None)])
    assert isinstance(sample, Document)
    assert sample.kind == "document"


def test_dicom_with_rows_but_without_pixels_is_refused() -> None:
    with pytest.raises(UnreadableUpload, match="pixels after the header"):
        read([written.dicom(None, Rows=10, Columns=10)])


def test_bombs_are_refused_before_they_unfold() -> None:
    bombs = {
        "png": _png_of_claimed_size(60_000, 60_000),
        "gzip": gzip.compress(b"\0" * (257 << 20), 1),
        "deflated": _deflated(257 << 20),
        "rows": written.dicom_bytes(written.ramp(), Rows=60_000, Columns=60_000),
        "frames": written.dicom_bytes(written.ramp(), NumberOfFrames="99999999"),
    }
    for data in bombs.values():
        with pytest.raises(InvalidInput, match="at most"):
            read([Upload("upload", data)])


def test_run_length_codes_cannot_claim_a_picture_that_they_do_not_hold() -> None:
    packed = written.dataset(written.ramp())
    packed.compress(RLELossless)
    packed.Rows, packed.Columns = 7000, 7000
    file = io.BytesIO()
    packed.save_as(file)
    with pytest.raises(UnreadableUpload, match="another one"):
        read([Upload("upload", file.getvalue())])


def test_video_is_refused_before_it_is_parsed() -> None:
    data = written.dicom_bytes(written.ramp())
    data = data.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0", 1)
    with pytest.raises(InvalidInput, match="common DICOM encodings"):
        read([Upload("upload", data)])


def test_messages_hold_no_header_value() -> None:
    data = written.dicom_bytes(written.ramp(), BitsAllocated=7)
    with pytest.raises(InputError) as caught:
        read([Upload("upload", data)])
    assert "Secret" not in caught.value.message + caught.value.hint


def test_sixteen_bit_png_keeps_its_values() -> None:
    sample = read([written.picture(written.ramp())])
    assert sample.stored.dtype == "uint16"
    assert (sample.stored.minimum, sample.stored.maximum) == (0, 1016)
    np.testing.assert_array_equal(sample.pixels, written.ramp())
    assert 0 <= model_view(sample).min() < 0.01 < 0.99 < model_view(sample).max() <= 1


def test_eight_bit_pictures_are_seen_as_trained() -> None:
    pixels = written.ramp().astype(np.uint8)
    np.testing.assert_allclose(model_view(read([written.picture(pixels)])), pixels / 255, atol=1e-6)


def test_grey_saved_in_colour_is_grey_and_a_photo_is_not() -> None:
    grey = np.repeat(written.ramp().astype(np.uint8)[..., None], 3, axis=2)
    assert read([written.picture(grey, "JPEG")]).colours is None
    photo = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    assert read([written.picture(photo)]).colours is not None


def test_gzipped_dicom_is_read() -> None:
    sample = read([Upload("upload", gzip.compress(written.dicom_bytes(written.ramp())))])
    assert sample.format.endswith("gzip")
    assert recognises(Upload("upload", gzip.compress(written.dicom_bytes(written.ramp()))))


def test_frames_are_slices_of_one_volume() -> None:
    frames = np.stack([written.ramp() + i for i in range(5)])
    sample = read([written.dicom(frames, NumberOfFrames=5)])
    assert isinstance(sample, VolumeSample)
    assert sample.stored.shape == (5, 96, 128)
    np.testing.assert_array_equal(sample.voxels, frames)
    assert sample.slice(2).pixels.min() == 2


def test_pages_of_one_size_are_a_stack_and_of_several_the_largest_is_used() -> None:
    pages = [Image.fromarray(np.full((70, 70), i * 10, np.uint8)) for i in range(3)]
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    sample = read([Upload("upload", file.getvalue())])
    assert isinstance(sample, VolumeSample)
    assert sample.voxels[:, 0, 0].tolist() == [0, 10, 20]
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=[pages[1].resize((90, 90))])
    largest = read([Upload("upload", file.getvalue())])
    assert isinstance(largest, ImageSample)
    assert largest.pixels.shape == (90, 90)
    assert "largest" in largest.notices[0]


def test_rescale_comes_before_the_window_and_inversion_is_last() -> None:
    elements = {
        "Modality": "CT",
        "RescaleSlope": 2,
        "RescaleIntercept": -1000,
        "WindowCenter": 40,
        "WindowWidth": 400,
    }
    plain = read([written.dicom(written.ramp(), **elements)])
    inverted = read([written.dicom(written.ramp(), **elements, PhotometricInterpretation="MONOCHROME1")])
    assert plain.unit == "HU"
    np.testing.assert_array_equal(plain.pixels, written.ramp() * 2.0 - 1000)
    # PS3.3 C.11.2.1.2.1: ((x - (c - 0.5)) / (w - 1) + 0.5)
    expected = np.clip((plain.pixels - 39.5) / 399 + 0.5, 0, 1)
    np.testing.assert_allclose(model_view(plain), expected, atol=1e-6)
    np.testing.assert_allclose(model_view(inverted), 1 - expected, atol=1e-6)


@pytest.mark.parametrize(
    ("written_as", "unit", "first"),
    [(b"-1000,0", "HU", -1000), (b"-1000.0", "HU", -1000), (b"-10x0.0", "", 0)],
)
def test_a_decimal_comma_is_a_point_and_a_damaged_intercept_leaves_no_hounsfield_units(
    written_as: bytes, unit: str, first: float
) -> None:
    file = written.dicom_bytes(written.ramp(), Modality="CT", RescaleSlope=1, RescaleIntercept="-1000.0")
    sample = read([Upload("upload", file.replace(b"-1000.0", written_as))])
    assert (sample.unit == "HU") == bool(unit)
    assert sample.pixels[0, 0] == first
    assert any("RescaleIntercept is no number" in words for words in sample.notices) == (not unit)


@pytest.mark.parametrize(
    ("elements", "unit"),
    [
        ({"RescaleType": "US", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]}, "HU"),
        ({"ImageType": ["DERIVED", "SECONDARY", "AXIAL"]}, "HU"),
        ({"SOPClassUID": None}, "HU"),
        ({"RescaleType": "HU", "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "HU"),
        ({"RescaleType": "US", "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "grey value"),
        ({"RescaleType": "US", "ImageType": ["DERIVED", "SECONDARY", "AXIAL"]}, "grey value"),
        ({"ImageType": ["DERIVED", "SECONDARY", "AXIAL", "CBF"]}, "grey value"),
        ({"SOPClassUID": SecondaryCaptureImageStorage}, "grey value"),
    ],
)
def test_values_of_ct_without_a_unit_are_hounsfield_units_where_they_are_of_a_scanned_slice(
    elements: dict[str, Any], unit: str
) -> None:
    base = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1000}
    sample = read([written.dicom(written.ramp(), **base, **elements)])
    assert sample.unit == unit
    said = any("nothing says that its values are Hounsfield units" in words for words in sample.notices)
    assert said == (unit != "HU")


def test_padding_is_black_through_the_window_of_a_model_too() -> None:
    pixels = written.ramp()
    pixels[:10] = 63536
    elements = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024, "PixelPaddingValue": 63536}
    sample = read([written.dicom(pixels, **elements)])
    grey = model_view(sample, Window(name="lung", center=-600, width=1500))
    assert grey[:10].max() == 0
    assert grey[10:].max() > 0


def test_both_ways_to_say_inverse_mean_one_inversion() -> None:
    once = read([written.dicom(written.ramp(), PhotometricInterpretation="MONOCHROME1")])
    both = {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}
    twice = read([written.dicom(written.ramp(), **both)])
    np.testing.assert_array_equal(model_view(once), model_view(twice))
    assert model_view(once)[0, 0] > model_view(once)[0, -1]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("LINEAR_EXACT", np.clip((written.ramp() - 500.0) / 400 + 0.5, 0, 1)),
        ("SIGMOID", 1 / (1 + np.exp(-4 * (written.ramp() - 500.0) / 400))),
    ],
)
def test_window_functions(function: str, expected: np.ndarray) -> None:
    upload = written.dicom(written.ramp(), WindowCenter=500, WindowWidth=400, VOILUTFunction=function)
    np.testing.assert_allclose(model_view(read([upload])), expected, atol=1e-6)


def test_ct_is_seen_in_the_window_of_the_training_not_in_its_own() -> None:
    window = Window(name="trained", center=-500, width=1500)
    elements = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1000, "WindowCenter": 40}
    sample = read([written.dicom(written.ramp(), **elements, WindowWidth=400)])
    np.testing.assert_array_equal(model_view(sample, window), windowed(sample.pixels, window))


def test_padding_is_black_and_does_not_bend_the_stretch() -> None:
    pixels = written.ramp()
    pixels[:30] = 60_000
    sample = read([written.dicom(pixels, PixelPaddingValue=60_000)])
    grey = model_view(sample)
    assert (grey[:30] == 0).all()
    assert grey[50].max() > 0.99


def test_a_part_of_the_body_that_is_told_by_a_code_counts_as_one_by_name():
    dataset, region = Dataset(), Dataset()
    region.CodeMeaning = "Brain"
    dataset.AnatomicRegionSequence = [region]
    assert dicom_header._body_part(dataset, 0) == "BRAIN"
