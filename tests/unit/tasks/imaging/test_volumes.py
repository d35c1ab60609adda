"""Files of several frames: volumes, cines, stacks; enhanced multi-frame and odd headers."""

import io
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import JPEGLSLossless, RLELossless

from healthdash.errors import UnreadableUpload
from healthdash.task import Upload
from healthdash.tasks.imaging import dicom_volume
from healthdash.tasks.imaging.read import read
from healthdash.tasks.imaging.sample import Document, ImageSample, model_view
from healthdash.tasks.imaging.volume import VolumeSample, middle_picture

from . import written

_FRAMES = np.arange(4 * 8 * 10, dtype=np.int16).reshape(4, 8, 10)


def _group(**elements: Any) -> Dataset:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def _frame(position: list[float], slope: float, center: float) -> Dataset:
    return _group(
        PlanePositionSequence=Sequence([_group(ImagePositionPatient=position)]),
        PixelValueTransformationSequence=Sequence(
            [_group(RescaleSlope=slope, RescaleIntercept=-1000, RescaleType="HU")]
        ),
        FrameVOILUTSequence=Sequence([_group(WindowCenter=center, WindowWidth=100)]),
    )


def _enhanced(places: list[float]) -> VolumeSample:
    shared = _group(
        PlaneOrientationSequence=Sequence([_group(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]),
        PixelMeasuresSequence=Sequence([_group(PixelSpacing=[0.5, 0.5], SliceThickness=3)]),
    )
    frames = [_frame([0, 0, z], 1 + k, 40 + k) for k, z in enumerate(places)]
    upload = written.dicom(
        _FRAMES, NumberOfFrames=4, Modality="CT", SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=Sequence(frames),
    )  # fmt: skip
    sample = read([upload])
    assert isinstance(sample, VolumeSample)
    return sample


def test_enhanced_frames_are_sorted_with_their_own_slopes_and_windows() -> None:
    volume = _enhanced([9, 0, 3, 6])
    assert volume.voxels[:, 0, 0].tolist() == [80, 160, 240, 0]
    assert volume.slopes.tolist() == [2, 3, 4, 1]
    assert [windows[0].center for windows in volume.slice_windows] == [40.5, 41.5, 42.5, 39.5]
    assert volume.spacing_mm == (3.0, 0.5, 0.5)
    assert volume.unit == "HU"
    assert volume.stored.shape == (4, 8, 10)


def test_enhanced_frames_in_one_place_are_a_cine() -> None:
    volume = _enhanced([5, 5, 5, 5])
    assert volume.is_time
    assert volume.spacing_mm is not None
    assert volume.spacing_mm[0] == 0 or volume.spacing_mm[0] == 3
    assert len(volume.positions_mm) == 0


def test_frames_twice_in_each_place_stay_in_the_order_of_the_file() -> None:
    volume = _enhanced([0, 3, 0, 3])
    np.testing.assert_array_equal(volume.voxels, _FRAMES)
    assert any("Several frames lie in one place" in words for words in volume.notices)


def test_cine_knows_its_frame_time() -> None:
    pixels = np.zeros((5, 8, 10), np.uint8)
    cine = read([written.dicom(pixels, NumberOfFrames=5, Modality="US", FrameTime="40")])
    assert isinstance(cine, VolumeSample)
    assert (cine.is_time, cine.frame_time_ms) == (True, 40.0)
    rate = read([written.dicom(pixels, NumberOfFrames=5, Modality="XA", CineRate="25")])
    assert isinstance(rate, VolumeSample)
    assert rate.frame_time_ms == 40.0


def test_a_thinned_cine_plays_as_fast_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_volume, "MOST_KEPT_BYTES", 40 * 8 * 10 * 2 // 4)
    pixels = np.zeros((40, 8, 10), np.uint8)
    cine = read([written.dicom(pixels, NumberOfFrames=40, Modality="XA", FrameTime="66.7")])
    assert isinstance(cine, VolumeSample)
    assert len(cine) * cine.frame_time_ms == pytest.approx(40 * 66.7)
    assert len(cine) < 40


def test_doses_are_in_gray_at_their_offsets() -> None:
    dose = read(
        [
            written.dicom(
                _FRAMES.astype(np.uint16), NumberOfFrames=4, Modality="RTDOSE", DoseGridScaling=0.01,
                DoseUnits="GY", GridFrameOffsetVector=[0, 2, 4, 6], ImagePositionPatient=[0, 0, -50],
                ImageOrientationPatient=[1, 0, 0, 0, 1, 0], PixelSpacing=[2, 2],
            )
        ]
    )  # fmt: skip
    assert isinstance(dose, VolumeSample)
    assert dose.unit == "Gy"
    assert dose.positions_mm.tolist() == [-50, -48, -46, -44]
    assert dose.values(1)[0, 0] == pytest.approx(0.8)


def test_colours_are_kept_and_grey_in_colour_is_grey() -> None:
    colours = np.random.default_rng(0).integers(0, 255, (3, 8, 10, 3), dtype=np.uint8)
    rgb = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    shape = {"Rows": 8, "Columns": 10, "NumberOfFrames": 3}
    cine = read([written.dicom(colours, **rgb, **shape)])
    assert isinstance(cine, VolumeSample)
    assert cine.colours
    np.testing.assert_array_equal(cine.voxels, colours)
    grey = read([written.dicom(np.repeat(colours[..., :1], 3, axis=3), **rgb, **shape)])
    assert isinstance(grey, VolumeSample)
    assert not grey.colours
    assert grey.voxels.shape == (3, 8, 10)


def test_missing_frames_are_refused() -> None:
    with pytest.raises(UnreadableUpload):
        read([written.dicom(_FRAMES, NumberOfFrames=9)])


def test_slice_of_a_volume_is_seen_as_the_same_picture_alone() -> None:
    elements = {"Modality": "CT", "RescaleSlope": 2, "RescaleIntercept": -100, "WindowCenter": 40}
    volume = read([written.dicom(_FRAMES, NumberOfFrames=4, **elements, WindowWidth=400)])
    alone = read([written.dicom(_FRAMES[2], **elements, WindowWidth=400)])
    assert isinstance(volume, VolumeSample)
    assert isinstance(alone, ImageSample)
    np.testing.assert_array_equal(model_view(volume.slice(2)), model_view(alone))
    assert middle_picture(volume).frame == 2


def test_animation_is_a_cine() -> None:
    pages = [Image.fromarray(np.full((8, 8), k * 60, np.uint8)) for k in range(4)]
    file = io.BytesIO()
    pages[0].save(file, "GIF", save_all=True, append_images=pages[1:], duration=50)
    cine = read([Upload("", file.getvalue())])
    assert isinstance(cine, VolumeSample)
    assert (cine.is_time, cine.frame_time_ms, len(cine)) == (True, 50.0, 4)


# -- odd headers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "elements",
    [
        {"WindowCenter": 40, "WindowWidth": 0},
        {"WindowCenter": 40, "WindowWidth": -10},
        {"WindowCenter": 40},
        {"WindowCenter": [40, 50], "WindowWidth": 100},
        {"PixelSpacing": [0, 0]},
        {"SOPClassUID": "1.2.3.4.5"},
        {"RescaleSlope": 1, "RescaleIntercept": 0, "RescaleType": "Z_EFF"},
        {"ImagePositionPatient": [0, 0], "ImageOrientationPatient": [0, 0, 0, 0, 0, 0]},
        {"PatientAge": "old"},
        {"BitsStored": None},
        {"BitsStored": 0},
        {"BitsStored": 20},
        {"PixelRepresentation": None},
        {"SamplesPerPixel": None},
        {"NumberOfFrames": 0},
        {"Rows": 48},  # twice the pixels that the header says
        {"RescaleSlope": 0, "RescaleIntercept": 0},
        {"RescaleSlope": "1e300", "RescaleIntercept": 0},
    ],
)
def test_odd_header_entries_do_not_stop_the_reader(elements: dict[str, Any]) -> None:
    sample = read([written.dicom(written.ramp(), **elements)])
    assert isinstance(sample, ImageSample)
    assert (sample.pixels.min(), sample.pixels.max()) == (0, 1016)
    assert 0 <= model_view(sample).min() <= model_view(sample).max() <= 1


@pytest.mark.parametrize(("bits", "largest"), [(8, 255), (16, 65535)])
def test_palettes_of_both_depths(bits: int, largest: int) -> None:
    ramp = np.linspace(0, largest, 256).round().astype("<u2").tobytes()
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in ("Red", "Green", "Blue"):
        table = ramp if colour != "Blue" else bytes(512)
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, bits]
        elements[f"{colour}PaletteColorLookupTableData"] = table
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    sample = read([written.dicom(pixels, **elements)])
    assert isinstance(sample, ImageSample)
    assert sample.colours is not None
    np.testing.assert_array_equal(sample.colours[..., 0], pixels)
    assert not sample.colours[..., 2].any()


def test_gaps_in_float_pixels_are_nothing() -> None:
    made = written.dataset(np.zeros((8, 12), np.uint32))
    values = np.full((8, 12), 3, np.float32)
    values[0, :2] = np.nan, np.inf
    made.FloatPixelData = values.tobytes()
    for keyword in ("PixelData", "PixelRepresentation", "BitsStored", "HighBit"):
        delattr(made, keyword)
    file = io.BytesIO()
    made.save_as(file)
    sample = read([Upload("", file.getvalue())])
    assert isinstance(sample, ImageSample)
    assert (sample.stored.minimum, sample.stored.maximum) == (3, 3)
    assert sample.pixels[0, :3].tolist() == [0, 0, 3]


@pytest.mark.parametrize("dtype", ["int16", "uint32"])
def test_tiff_keeps_types_that_pillow_changes(dtype: str) -> None:
    values = (written.ramp().astype(np.int64) - (500 if dtype == "int16" else 0)).astype(dtype)
    file = io.BytesIO()
    tifffile.imwrite(file, values)
    sample = read([Upload("", file.getvalue())])
    assert isinstance(sample, ImageSample)
    assert sample.stored.dtype == dtype
    np.testing.assert_array_equal(sample.pixels, values)


def test_tiff_colours_of_sixteen_bits() -> None:
    colours = np.random.default_rng(0).integers(0, 65535, (8, 10, 3), dtype=np.uint16)
    file = io.BytesIO()
    tifffile.imwrite(file, colours, photometric="rgb")
    sample = read([Upload("", file.getvalue())])
    assert isinstance(sample, ImageSample)
    assert sample.stored.dtype == "uint16"
    assert sample.stored.maximum == colours.max()
    np.testing.assert_array_equal(sample.colours, colours >> 8)


def test_malformed_numbers_count_as_missing() -> None:
    data = written.dicom_bytes(written.ramp(), WindowCenter="1234", WindowWidth="4321")
    sample = read([Upload("", data.replace(b"1234", b"abcd"))])
    assert isinstance(sample, ImageSample)
    assert sample.windows == ()


def test_run_length_volume() -> None:
    packed = written.dataset(_FRAMES, NumberOfFrames=4)
    packed.compress(RLELossless)
    file = io.BytesIO()
    packed.save_as(file)
    volume = read([Upload("", file.getvalue())])
    assert isinstance(volume, VolumeSample)
    np.testing.assert_array_equal(volume.voxels, _FRAMES)


def test_signed_frames_of_jpeg_ls_that_fill_twelve_bits() -> None:
    values = (_FRAMES * 12 - 2000).astype(np.int16)
    packed = written.dataset(values, NumberOfFrames=4, BitsStored=12, HighBit=11)
    packed.compress(JPEGLSLossless)
    file = io.BytesIO()
    packed.save_as(file)
    volume = read([Upload("", file.getvalue())])
    assert isinstance(volume, VolumeSample)
    np.testing.assert_array_equal(volume.voxels, values)


def test_uncompressed_frames_that_share_colours_of_neighbours() -> None:
    # Two lightnesses, then the blue and red differences of both (PS3.3 C.7.6.3.1.2, YBR_FULL_422).
    pairs = np.full((3, 8, 5, 4), 128, np.uint8)
    pairs[..., :2] = np.arange(3)[:, None, None, None] * 50
    colours = {"PhotometricInterpretation": "YBR_FULL_422", "SamplesPerPixel": 3, "PlanarConfiguration": 0}
    shape = {"Rows": 8, "Columns": 10, "NumberOfFrames": 3}
    cine = read([written.dicom(pairs, **colours, **shape)])
    assert isinstance(cine, VolumeSample)
    assert cine.voxels.shape == (3, 8, 10)
    assert cine.voxels[:, 0, 0].tolist() == [0, 50, 100]


def test_float_pixels_are_their_own_values() -> None:
    pixels = np.linspace(-1, 1, 96, dtype=np.float32).reshape(8, 12)
    made = written.dataset(pixels.view(np.uint32))
    made.FloatPixelData = pixels.tobytes()
    for keyword in ("PixelData", "PixelRepresentation", "BitsStored", "HighBit"):
        delattr(made, keyword)
    file = io.BytesIO()
    made.save_as(file)
    sample = read([Upload("", file.getvalue())])
    assert isinstance(sample, ImageSample)
    np.testing.assert_array_equal(sample.pixels, pixels)


def test_wrapped_document_is_named() -> None:
    upload = written.dicom(
        None, SOPClassUID="1.2.840.10008.5.1.4.1.1.104.1", EncapsulatedDocument=b"%PDF-1.4 ",
        MIMETypeOfEncapsulatedDocument="application/pdf", Modality="DOC",
    )  # fmt: skip
    sample = read([upload])
    assert isinstance(sample, Document)
    assert sample.content == "Encapsulated PDF Storage (application/pdf)"


def test_overlays_that_are_not_shown_are_said() -> None:
    from pydicom.tag import Tag

    plain, drawn = written.dataset(written.ramp()), written.dataset(written.ramp())
    drawn.add_new(Tag(0x6000, 0x0010), "US", 96)
    drawn.add_new(Tag(0x6002, 0x0010), "US", 96)
    for made, expected in ((plain, False), (drawn, True)):
        file = io.BytesIO()
        made.save_as(file, enforce_file_format=True)
        words = read([Upload("", file.getvalue())]).notices
        assert any("2 overlays" in notice and "not shown" in notice for notice in words) == expected
