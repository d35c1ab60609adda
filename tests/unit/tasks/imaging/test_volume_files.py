"""NIfTI, Analyze, MGH and MINC: right values, in the right place of the patient."""

import gzip
import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest

from healthdash.errors import InputError, UnreadableUpload
from healthdash.task import Upload
from healthdash.tasks.imaging.read import companions, grouped, read, recognises
from healthdash.tasks.imaging.volume import VolumeSample

_CORPUS = Path(os.environ.get("HEALTHDASH_DATA", "none")) / "imaging" / "other_formats"
_FILES = sorted(p for p in _CORPUS.rglob("*") if p.name.endswith((".nii", ".gz", ".mgz", ".mnc")))
_VOXELS = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)
_AFFINES = {
    "as canonical": np.diag([2.0, 3, 4, 1]),
    "as radiology": np.diag([-2.0, 3, 4, 1]),
    "sagittal": np.array([[0, 0, 5.0, -9], [-2, 0, 0, 7], [0, -2, 0, 3], [0, 0, 0, 1]]),
    "coronal": np.array([[2.0, 0, 0, 1], [0, 0, 6, 2], [0, 2, 0, 3], [0, 0, 0, 1]]),
    "tilted": np.array([[1.9, 0.3, 0, 0], [-0.3, 1.9, 0.1, 5], [0, -0.1, 2, 8], [0, 0, 0, 1]]),
}


def _read(data: bytes) -> VolumeSample:
    sample = read([Upload("upload", data)])
    assert isinstance(sample, VolumeSample)
    return sample


def _is_in_place(volume: VolumeSample, picture: nibabel.spatialimages.SpatialImage) -> None:
    """Compare values at the same points of the patient: nibabel's x and y run the other way."""
    values = np.asarray(picture.dataobj)
    values = values.reshape(*values.shape[:3], -1)[..., 0]
    rng = np.random.default_rng(0)
    assert volume.affine is not None
    for _ in range(40):
        k, row, column = (int(rng.integers(n)) for n in volume.voxels.shape[:3])
        x, y, z, _one = volume.affine @ [column, row, k, 1]
        place = np.rint(np.linalg.inv(picture.affine) @ [-x, -y, z, 1])[:3].astype(int)
        assert volume.values(k)[row, column] == pytest.approx(values[tuple(place)], rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("name", _AFFINES)
def test_voxels_lie_where_nibabel_says(name: str) -> None:
    picture = nibabel.Nifti1Image(_VOXELS, _AFFINES[name])
    volume = _read(picture.to_bytes())
    _is_in_place(volume, picture)
    assert volume.stored.shape == (3, 4, 5)
    assert volume.plane == (name if name in ("sagittal", "coronal") else "axial")
    assert volume.directions[2] in "LP"
    # Positions are those of the affine along the axis that slices follow, whichever way its normal points.
    if name != "tilted":
        axis = {"axial": 2, "coronal": 1, "sagittal": 0}[volume.plane]
        assert volume.affine is not None
        places = volume.affine[axis, 3] + volume.affine[axis, 2] * np.arange(len(volume))
        np.testing.assert_allclose(volume.positions_mm, places)


def test_each_of_several_volumes_can_be_asked_for() -> None:
    values = np.arange(3 * 4 * 5 * 2 * 3, dtype=np.int16).reshape(3, 4, 5, 2, 3)
    data = nibabel.Nifti1Image(values, np.diag([2.0, 3, 4, 1])).to_bytes()
    for asked, (time, measure) in {1: (0, 0), 5: (1, 1), 99: (1, 2)}.items():
        volume = read([Upload("upload", data, {"part": asked})])
        assert isinstance(volume, VolumeSample)
        assert (volume.parts, volume.part) == (6, min(asked, 6) - 1)
        assert sorted(volume.voxels.ravel()) == sorted(values[..., time, measure].ravel())
        assert f"6 volumes (times, echoes or measures); number {volume.part + 1} is used" in volume.notices[0]


@pytest.mark.data("imaging/other_formats")
@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_files_of_the_corpus_agree_with_nibabel(path: Path) -> None:
    picture = nibabel.load(path)
    volume = _read(path.read_bytes())
    _is_in_place(volume, picture)
    assert volume.stored.shape == picture.shape
    assert np.dtype(volume.stored.dtype) == picture.get_data_dtype().newbyteorder("=")
    zooms = [float(zoom) for zoom in picture.header.get_zooms()[:3]]
    np.testing.assert_allclose(volume.stored_spacing_mm, zooms, atol=1e-5)


@pytest.mark.data("imaging/other_formats")
@pytest.mark.parametrize("name", ["analyze.hdr", "nifti1.hdr"])
def test_header_without_voxels_says_what_is_missing(name: str) -> None:
    upload = Upload.from_path(_CORPUS / "nibabel" / name)
    assert recognises(upload)
    with pytest.raises(UnreadableUpload, match=r"header .* only"):
        read([upload])


def _pair(kind: Callable[..., nibabel.spatialimages.SpatialImage]) -> list[Upload]:
    made = kind(_VOXELS, np.diag([2.0, 2, 2, 1]))
    files = made.make_file_map({"header": io.BytesIO(), "image": io.BytesIO()})
    made.to_file_map(files)
    return [
        Upload("brain.img", files["image"].fileobj.getvalue()),
        Upload("other.txt", b"text"),
        Upload("brain.hdr", files["header"].fileobj.getvalue()),
    ]


@pytest.mark.parametrize("kind", [nibabel.Nifti1Pair, nibabel.Nifti2Pair, nibabel.AnalyzeImage])
def test_halves_of_a_pair_are_one_input(kind: Callable[..., nibabel.spatialimages.SpatialImage]) -> None:
    image, other, header = _pair(kind)
    groups = grouped([image, other, header])
    assert groups == [[other], [header, image]]
    volume = read(groups[1])
    assert isinstance(volume, VolumeSample)
    assert sorted(volume.voxels.ravel().tolist()) == list(range(60))
    if kind is nibabel.AnalyzeImage:
        assert volume.plane == ""
        assert "does not say how it lies" in volume.notices[0]


@pytest.mark.parametrize(
    "names",
    [
        ["brain.hdr", "brain.img", "brain.v2.hdr", "brain.v2.img"],
        ["BRAIN.HDR", "BRAIN.IMG"],
        ["sub-01.pre.hdr", "sub-01.pre.img.gz"],
    ],
)
def test_halves_are_paired_by_their_whole_names(names: list[str]) -> None:
    image, _, header = _pair(nibabel.Nifti1Pair)
    uploads = [Upload(name, (header if ".h" in name.lower() else image).data) for name in names]
    groups = [[upload.name for upload in group] for group in grouped(uploads)]
    assert groups == [names[k : k + 2] for k in range(0, len(names), 2)]


def test_a_pair_in_an_archive_is_one_volume() -> None:
    image, _, header = _pair(nibabel.Nifti1Pair)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for one in (image, header):
            archive.writestr(one.name, one.data)
    upload = Upload("brain.zip", out.getvalue())
    (group,) = grouped([upload])
    for volume in (read(group), read([upload])):
        assert isinstance(volume, VolumeSample)
        assert volume.voxels.size == 60


def test_companions_of_a_pair(tmp_path: Path) -> None:
    for name in ("a.hdr", "a.img", "b.hdr", "C.HDR", "C.IMG"):
        (tmp_path / name).touch()
    assert companions(tmp_path / "a.hdr") == [tmp_path / "a.img"]
    assert companions(tmp_path / "a.img") == [tmp_path / "a.hdr"]
    assert companions(tmp_path / "b.hdr") == []
    assert companions(tmp_path / "C.HDR") == [tmp_path / "C.IMG"]


def test_scales_and_several_volumes_in_time() -> None:
    picture = nibabel.Nifti1Image(np.stack([_VOXELS, _VOXELS + 100], axis=-1), np.eye(4))
    picture.header.set_slope_inter(0.5, -10)
    volume = _read(gzip.compress(picture.to_bytes()))
    assert volume.stored.shape == (3, 4, 5, 2)
    assert any("2 volumes" in words for words in volume.notices)
    assert volume.format == "NIfTI-1, gzip"
    _is_in_place(volume, nibabel.Nifti1Image.from_bytes(picture.to_bytes()))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([0, 1, 1, 0], "tilted by 18 degrees"),
        ([0.5, 1, 0, 0], "27 degrees off a right angle"),
        ([0, 1, 0, 0], ""),
    ],
)
def test_a_sheared_volume_says_so_and_its_slices_lie_apart_along_their_normal(
    row: list[float], expected: str
) -> None:
    affine = np.array([[1, 0, 0, 0], row, [0, 0, 3, 0], [0, 0, 0, 1]])
    volume = _read(nibabel.Nifti1Image(_VOXELS, affine).to_bytes())
    assert volume.spacing_mm is not None
    assert volume.steps_mm is not None
    assert volume.spacing_mm[0] == 3
    np.testing.assert_allclose(np.linalg.norm(volume.steps_mm[0]), np.hypot(3, row[2]))
    assert (expected in " ".join(volume.notices)) if expected else not volume.notices


@pytest.mark.parametrize(("unit", "millimetres"), [("micron", 0.001), ("mm", 1), ("meter", 1000)])
def test_lengths_of_any_unit_are_in_mm(unit: str, millimetres: float) -> None:
    picture = nibabel.Nifti1Image(_VOXELS, np.diag([25.0, 25, 50, 1]))
    picture.header.set_xyzt_units(unit)
    volume = _read(picture.to_bytes())
    assert volume.spacing_mm == pytest.approx((50 * millimetres, 25 * millimetres, 25 * millimetres))
    assert volume.stored_spacing_mm == pytest.approx((25 * millimetres, 25 * millimetres, 50 * millimetres))
    assert any(unit in words for words in volume.notices) == (unit != "mm")


def test_values_like_those_of_ct_are_hounsfield_units() -> None:
    body = np.concatenate(
        [np.linspace(-120, 120, 20), np.linspace(-880, -700, 12), np.linspace(200, 1500, 8)]
    )
    hu = np.concatenate([np.full(20, -1000), body]).reshape(3, 4, 5).astype(np.int16)
    volume = _read(nibabel.Nifti1Image(hu, np.eye(4)).to_bytes())
    assert volume.unit == "HU"
    assert any("Hounsfield" in words for words in volume.notices)


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(-1024, 1023, 60),  # phases of an MR
        np.random.default_rng(0).normal(0, 400, 6000).clip(-1500, 1500),  # speeds of blood
        np.concatenate([np.zeros(40), np.linspace(-1000, 1000, 20)]),  # a field map
        np.linspace(0, 1500, 60),  # an MR
    ],
)
def test_other_values_that_reach_as_far_are_not(values: np.ndarray) -> None:
    voxels = values.reshape(3, 4, -1).astype(np.int16)
    assert _read(nibabel.Nifti1Image(voxels, np.eye(4)).to_bytes()).unit == "grey value"


@pytest.mark.parametrize("dtype", ["uint8", "int32", "uint16", "float32", "float64", "int64"])
def test_types_keep_their_values(dtype: str) -> None:
    voxels = _VOXELS.astype(dtype)
    volume = _read(nibabel.Nifti1Image(voxels, np.eye(4), dtype=dtype).to_bytes())
    assert volume.stored.dtype == dtype
    assert volume.voxels.dtype.itemsize <= 4
    assert sorted(volume.voxels.ravel().tolist()) == list(range(60))


def test_colours_of_nifti() -> None:
    rgb = np.zeros((3, 4, 5), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    rgb["R"] = _VOXELS
    volume = _read(nibabel.Nifti1Image(rgb, np.eye(4)).to_bytes())
    assert volume.colours
    assert volume.voxels.shape == (5, 4, 3, 3)


@pytest.mark.parametrize("kept", [352, 300, 400])
def test_cut_off_volumes_are_refused(kept: int) -> None:
    whole = nibabel.Nifti1Image(_VOXELS, np.eye(4)).to_bytes()
    with pytest.raises(InputError):
        read([Upload("", whole[:kept])])


def test_claimed_size_is_checked_before_memory_is_taken() -> None:
    whole = bytearray(nibabel.Nifti1Image(_VOXELS, np.eye(4)).to_bytes())
    whole[42:48] = np.array([30000, 30000, 30000], "<i2").tobytes()
    with pytest.raises(InputError, match="at most"):
        read([Upload("", bytes(whole))])


def test_links_to_other_files_are_never_followed() -> None:
    file = io.BytesIO()
    with h5py.File(file, "w") as made:
        made.create_group("minc-2.0")["image"] = h5py.ExternalLink("/etc/hostname", "/x")
    with pytest.raises(InputError, match="another file"):
        read([Upload("", file.getvalue())])


@pytest.mark.parametrize("length", [np.nan, np.inf])
def test_a_spacing_that_is_none_is_not_told(length: float) -> None:
    data = bytearray(nibabel.Nifti1Image(_VOXELS, np.eye(4)).to_bytes())
    struct.pack_into("<3f", data, 80, *[length] * 3)  # pixdim 1 to 3
    assert _read(bytes(data)).stored_spacing_mm is None
