"""Files of a series become volumes: sorted by position, with what is odd about them in words."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydicom.uid import generate_uid

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload
from healthdash.tasks.imaging.read import grouped, read, recognises
from healthdash.tasks.imaging.sample import ImageSample
from healthdash.tasks.imaging.volume import VolumeSample

from . import written

_AXIAL = [1, 0, 0, 0, 1, 0]
_CORONAL = [1, 0, 0, 0, 0, -1]
_OBLIQUE = [1, 0, 0, 0, 0.8, 0.6]


def _slice(position: Sequence[float], series: str, value: int = 0, **elements: Any) -> bytes:
    pixels = np.full((16, 24), value, np.int16)
    return written.dicom_bytes(
        pixels,
        **{
            "Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1000, "SeriesInstanceUID": series,
            "ImagePositionPatient": list(position), "ImageOrientationPatient": _AXIAL,
            "PixelSpacing": [0.5, 0.75], **elements,
        },
    )  # fmt: skip


def _series(places: Sequence[float], **elements: Any) -> list[Upload]:
    """Return axial slices in the order given, named and numbered in it; the value tells the place."""
    uid = generate_uid()
    return [
        Upload(f"{n}.dcm", _slice([0, 0, z], uid, int(z), InstanceNumber=n, **elements))
        for n, z in enumerate(places)
    ]


def _read(uploads: Sequence[Upload]) -> VolumeSample:
    sample = read(uploads)
    assert isinstance(sample, VolumeSample)
    return sample


def test_slices_are_sorted_by_position_not_by_number() -> None:
    (group,) = grouped(_series([30, 10, 20, 0]))
    volume = _read(group)
    assert volume.voxels[:, 0, 0].tolist() == [0, 10, 20, 30]
    assert volume.spacing_mm == (10.0, 0.5, 0.75)
    np.testing.assert_array_equal(volume.positions_mm, [0, 10, 20, 30])
    assert volume.directions == ("S", "P", "L")
    assert volume.plane == "axial"
    assert volume.unit == "HU"
    assert volume.values(1)[0, 0] == -990
    assert not volume.notices


def test_affine_leads_from_voxels_to_the_patient() -> None:
    volume = _read(_series([0, 2, 4]))
    assert volume.affine is not None
    np.testing.assert_allclose(volume.affine @ [4, 6, 2, 1], [4 * 0.75, 6 * 0.5, 4, 1])


def test_slices_of_a_tilted_gantry_are_shifted_against_each_other_and_say_so() -> None:
    tilt, uid = np.radians(20), generate_uid()
    turned = [1, 0, 0, 0, np.cos(tilt), -np.sin(tilt)]
    files = [Upload("", _slice([0, 0, 5 * k], uid, ImageOrientationPatient=turned)) for k in range(4)]
    volume = _read(files)
    assert volume.spacing_mm == pytest.approx((5 * np.cos(tilt), 0.5, 0.75))
    assert volume.steps_mm is not None
    # Slices follow every 5 mm of the table; 20 rows (10 mm) down lead back along it as well.
    assert np.linalg.norm(volume.steps_mm[0]) == pytest.approx(5)
    way = np.array([3, 20, 0]) @ volume.steps_mm
    assert np.linalg.norm(way) == pytest.approx(np.hypot(10 * np.cos(tilt), 15 - 10 * np.sin(tilt)))
    assert [words for words in volume.notices if "tilted by 20 degrees" in words]


def test_the_stated_distance_of_neighbours_grows_with_what_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("healthdash.tasks.imaging.series.MOST_KEPT_BYTES", 10 * 16 * 24 * 2)
    told = {"Modality": "CT", "SeriesInstanceUID": generate_uid(), "SpacingBetweenSlices": 3}
    pixels = np.zeros((16, 24), np.int16)
    files = [written.dicom(pixels, InstanceNumber=n, PixelSpacing=[0.5, 0.75], **told) for n in range(40)]
    volume = _read(files)
    assert (len(volume), volume.spacing_mm) == (10, (12.0, 0.5, 0.75))


def test_oblique_slices_follow_their_normal() -> None:
    uid = generate_uid()
    normal = np.cross(_OBLIQUE[:3], _OBLIQUE[3:])
    places = [k * 3 * normal + [k * 0.5, 0, 0] for k in (2, 0, 1)]  # sheared within the plane
    files = [
        Upload("", _slice(place.tolist(), uid, k, ImageOrientationPatient=_OBLIQUE))
        for k, place in zip((2, 0, 1), places, strict=True)
    ]
    volume = _read(files)
    assert volume.voxels[:, 0, 0].tolist() == [0, 1, 2]
    np.testing.assert_allclose(np.diff(volume.positions_mm), 3, atol=1e-6)


def test_missing_doubled_and_uneven_slices_are_said() -> None:
    assert "2 slices are missing, after 10.0 mm." in _read(_series([0, 5, 10, 25, 30])).notices
    doubled = _read(_series([0, 5, 5, 10]))
    assert len(doubled) == 3
    assert any("1 slice is there twice" in words for words in doubled.notices)
    uneven = _read(_series([0, 5, 11, 15]))
    assert any("unevenly: 4 to 6 mm" in words for words in uneven.notices)
    assert uneven.affine is None


def test_localizer_and_other_planes_are_inputs_of_their_own_biggest_volume_first() -> None:
    uid = generate_uid()
    scout = [Upload("scout", _slice([0, 0, 0], uid, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]))]
    crown = [Upload(f"c{y}", _slice([0, y, 0], uid, y, ImageOrientationPatient=_CORONAL)) for y in (0, 4)]
    axial = [Upload(f"a{z}", _slice([0, 0, z], uid, z)) for z in (0, 5, 10)]
    groups = grouped([*scout, *crown, *axial])
    assert [[u.name for u in group] for group in groups] == [["scout"], ["a0", "a5", "a10"], ["c0", "c4"]]
    coronal = read(groups[2])
    assert isinstance(coronal, VolumeSample)
    assert coronal.plane == "coronal"
    whole = _read([*scout, *crown, *axial])  # given as one input: the biggest, the rest in words
    assert len(whole) == 3
    assert any("localizer" in words for words in whole.notices)
    assert any("another series, acquisition, plane, size or spacing" in words for words in whole.notices)


def test_series_apart_and_copies_of_one_slice_alone() -> None:
    one, other = _series([0, 5]), _series([0, 5])
    mixed = [one[0], other[0], one[1], other[1]]
    assert [len(group) for group in grouped(mixed)] == [2, 2]
    copies = _series([7, 7, 7])
    assert grouped(copies) == [[copy] for copy in copies]


def test_of_several_pictures_at_each_place_one_volume_is_read_and_the_others_can_be_asked_for() -> None:
    uid = generate_uid()
    files = [
        Upload("", _slice([0, 0, z], uid, 100 * time + z, TemporalPositionIdentifier=1 + time), {"part": 2})
        for time in (1, 2, 0)
        for z in (0, 5, 10)
    ]
    second = _read(files)
    assert (second.parts, second.part) == (3, 1)
    assert second.voxels[:, 0, 0].tolist() == [100, 105, 110]
    assert second.notices == ("There are 3 volumes (times, echoes or measures); number 2 is used.",)
    first = _read([replace(file, hints={}) for file in files])
    assert first.voxels[:, 0, 0].tolist() == [0, 5, 10]
    last = _read([replace(file, hints={"part": 99.0}) for file in files])
    assert last.part == 2


@pytest.mark.parametrize("keyword", ["TriggerTime", "TemporalPositionIdentifier", "AcquisitionTime"])
def test_pictures_of_one_place_in_time_are_a_cine(keyword: str) -> None:
    uid = generate_uid()
    moments = {"AcquisitionTime": ["101500.9", "101500.1", "101500.5"]}.get(keyword, [80, 0, 40])
    files = [
        Upload(f"{n}", _slice([0, 0, 7], uid, n, Modality="MR", InstanceNumber=9 - n, **{keyword: moment}))
        for n, moment in enumerate(moments)
    ]
    (group,) = grouped(files)
    cine = _read(group)
    assert cine.voxels[:, 0, 0].tolist() == [1, 2, 0]
    assert cine.is_time
    assert cine.frame_time_ms == (40 if keyword == "TriggerTime" else None)
    assert cine.spacing_mm == (0, 0.5, 0.75)
    assert not cine.notices


def test_projections_are_never_a_volume() -> None:
    uid = generate_uid()
    files = [
        written.dicom(written.ramp(), Modality="CR", SeriesInstanceUID=uid, InstanceNumber=n) for n in (1, 2)
    ]
    assert grouped(files) == [[file] for file in files]


def test_without_positions_slices_follow_location_then_number() -> None:
    missing = {"ImagePositionPatient": None, "ImageOrientationPatient": None}
    uid = generate_uid()

    def bare(n: int, **elements: Any) -> Upload:
        base = {"SeriesInstanceUID": uid, "Modality": "CT", "InstanceNumber": n, **elements}
        return written.dicom(np.full((16, 16), n, np.int16), **base)

    assert missing
    located = _read([bare(1, SliceLocation=20), bare(2, SliceLocation=10), bare(3, SliceLocation=0)])
    assert located.voxels[:, 0, 0].tolist() == [3, 2, 1]
    assert located.plane == ""
    numbered = _read([bare(3), bare(1), bare(2)])
    assert numbered.voxels[:, 0, 0].tolist() == [1, 2, 3]
    assert any("by number" in words for words in numbered.notices)
    assert len(numbered.positions_mm) == 0


def test_damaged_slice_is_left_out_and_said() -> None:
    files = _series([0, 5, 10, 15])
    files[2] = Upload("cut", files[2].data[:-300])
    volume = _read(files)
    assert volume.voxels[:, 0, 0].tolist() == [0, 5, 15]
    assert any("1 of 4 files are damaged" in words for words in volume.notices)


def test_each_slice_has_its_own_slope() -> None:
    uid = generate_uid()
    files = [
        Upload("", _slice([0, 0, k], uid, 10, RescaleSlope=slope, RescaleIntercept=0, Modality="PT"))
        for k, slope in enumerate((0.5, 2.0))
    ]
    volume = _read(files)
    assert [float(volume.values(k)[0, 0]) for k in range(2)] == [5.0, 20.0]
    assert volume.voxels.dtype == np.int16


def test_unrelated_files_are_no_input() -> None:
    with pytest.raises(InvalidInput, match="neither"):
        read([written.picture(written.ramp()), written.picture(written.ramp())])


# -- archives ------------------------------------------------------------------------------


def _zip(files: dict[str, bytes], name: str = "upload.zip") -> Upload:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return Upload(name, packed.getvalue())


def test_archive_of_a_series_is_one_volume_under_its_own_name() -> None:
    files = {f"study/{u.name}": u.data for u in _series([0, 5, 10])} | {
        "__MACOSX/._x": b"x",
        "read.me": b"hi",
    }
    archive = _zip(files)
    assert recognises(archive)
    (group,) = grouped([archive])
    assert {upload.name for upload in group} == {"upload.zip"}
    assert len(_read(group)) == 3
    assert len(_read([archive])) == 3


def test_archive_of_several_pictures_is_several_inputs() -> None:
    picture = written.picture(written.ramp()).data
    archive = _zip({"a.png": picture, "b.png": picture})
    assert [group[0].name for group in grouped([archive])] == ["upload.zip/a.png", "upload.zip/b.png"]
    assert isinstance(read([archive]), ImageSample)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"../../etc/x.dcm": b"x"}, "leads out"),
        ({"C:/x.dcm": b"x"}, "leads out"),
        ({"inner.zip": _zip({"a.png": b"x"}).data}, "another archive"),
        ({"a.txt": b"no picture"}, "without one"),
        ({"bomb.dcm": b"\0" * (200 << 20)}, "far more than pictures"),
    ],
)
def test_hostile_archives_are_refused_with_the_reason(files: dict[str, bytes], message: str) -> None:
    archive = _zip(files)
    assert grouped([archive]) == [[archive]]
    with pytest.raises((InvalidInput, UnreadableUpload), match=message):
        read([archive])


def test_damaged_archive_is_refused() -> None:
    archive = _zip({"a.png": written.picture(written.ramp()).data})
    with pytest.raises(UnreadableUpload, match="damaged"):
        read([Upload("x", archive.data[:-40])])


@pytest.mark.parametrize("mark", ["[Content_Types].xml", "mimetype"])
def test_office_documents_are_no_archives_of_pictures(mark: str) -> None:
    picture = written.picture(written.ramp()).data
    office = _zip(
        {"a": b"x", **{f"{n}.xml": b"<x/>" for n in range(20)}, "t/thumbnail.png": picture, mark: b"x"}
    )
    assert not recognises(office)
    assert grouped([office]) == [[office]]
    with pytest.raises(UnreadableUpload, match="spreadsheet or another Office document"):
        read([office])


def test_a_slice_whose_header_breaks_the_library_stands_alone():
    uploads = _series([0, 1, 2], ImageType=["ORIGINAL", "PRIMARY"])
    told = b"\x08\x00\x08\x00CS"  # ImageType (0008,0008), in explicit VR, little endian
    assert told in uploads[0].data
    broken = replace(uploads[0], data=uploads[0].data.replace(told, told[:-2] + b"QQ"))
    assert [len(group) for group in grouped([broken, *uploads[1:]])] == [1, 2]
