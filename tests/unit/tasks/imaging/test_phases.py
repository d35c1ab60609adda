"""Slices of one series that are of several volumes: acquisitions, phases, echoes, patients."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import generate_uid

from healthdash.task import Upload
from healthdash.tasks.imaging.read import grouped, read
from healthdash.tasks.imaging.volume import VolumeSample

from . import written

_UID = generate_uid()


def _slices(places: Sequence[float], value: int = 0, **elements: Any) -> list[Upload]:
    """Return axial slices of one value and series."""
    return [
        written.dicom(
            np.full((16, 24), value, np.int16),
            **{
                "Modality": "CT", "SeriesInstanceUID": _UID, "ImagePositionPatient": [0, 0, z],
                "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [0.5, 0.5], **elements,
            },
        )
        for z in places
    ]  # fmt: skip


def _read(uploads: Sequence[Upload]) -> VolumeSample:
    sample = read(uploads)
    assert isinstance(sample, VolumeSample)
    return sample


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"PixelSpacing": [0.5, 0.5]}, {"PixelSpacing": [0.9, 0.9]}),
        ({"PatientID": "secret-1"}, {"PatientID": "secret-2"}),
        ({"StudyInstanceUID": "1.2.3"}, {"StudyInstanceUID": "1.2.4"}),
        ({"FrameOfReferenceUID": "1.2.3"}, {"FrameOfReferenceUID": "1.2.4"}),
        ({"AcquisitionNumber": 1}, {"AcquisitionNumber": 2}),
    ],
)
def test_slices_of_two_kinds_between_each_other_are_two_volumes(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    files = [*_slices([0, 5, 10], 1, **one), *_slices([2.5, 7.5, 12.5], 2, **other)]
    volumes = [_read(group) for group in grouped(files)]
    assert [volume.voxels[:, 0, 0].tolist() for volume in volumes] == [[1, 1, 1], [2, 2, 2]]
    assert [volume.spacing_mm for volume in volumes] == [
        (5.0, *kind.get("PixelSpacing", [0.5, 0.5])) for kind in (one, other)
    ]
    (words,) = _read(files).notices
    assert "3 of the 6 files are of another series, acquisition" in words
    assert "secret" not in words


@pytest.mark.parametrize(
    ("numbers", "modality"),
    [
        ([1, 2, 3, 4], "CT"),  # one for each slice
        ([1, 1, 2, 2], "CT"),  # one after the other
        ([1, 2, 1, 2], "MR"),  # in turns
    ],
)
def test_acquisitions_of_one_volume_stay_together(numbers: list[int], modality: str) -> None:
    files = [
        _slices([5 * k], AcquisitionNumber=number, Modality=modality)[0] for k, number in enumerate(numbers)
    ]
    assert [len(group) for group in grouped(files)] == [4]


@pytest.mark.parametrize(
    "parts",
    [
        [range(0, 50), range(45, 100)],
        [range(45, 100), range(0, 50)],
        [range(2 * k, 2 * k + 4) for k in range(10)],  # half of each slab
    ],
)
def test_acquisitions_that_overlap_a_little_are_one_volume(parts: list[range]) -> None:
    files = [file for number, part in enumerate(parts) for file in _slices(part, AcquisitionNumber=number)]
    (group,) = grouped(files)
    volume, places = _read(group), set().union(*parts)
    assert (len(volume), volume.parts) == (len(places), 1)
    twice = len(files) - len(places)
    assert volume.notices == (f"{twice} slices are there twice; the first of each is used.",)


def test_phases_that_each_lack_an_end_are_two_volumes() -> None:
    files = [
        *_slices([0, 5, 10, 15], 1, AcquisitionNumber=1),
        *_slices([5, 10, 15, 20], 2, AcquisitionNumber=2),
    ]
    volume = _read(files)
    assert (volume.voxels[:, 0, 0].tolist(), volume.parts) == ([1, 1, 1, 1], 2)


def test_spacings_that_differ_by_their_rounding_are_one() -> None:
    files = [*_slices([0, 5], PixelSpacing=[0.703125] * 2), *_slices([10, 15], PixelSpacing=[0.70313] * 2)]
    assert [len(group) for group in grouped(files)] == [4]


def test_frames_of_several_spacings_are_said() -> None:
    def frame(z: float, spacing: float) -> Dataset:
        place, measures, frame = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient, measures.PixelSpacing = [0, 0, z], [spacing] * 2
        frame.PlanePositionSequence, frame.PixelMeasuresSequence = [place], [measures]
        return frame

    def notices(spacings: Sequence[float]) -> tuple[str, ...]:
        frames = [frame(5 * k, spacing) for k, spacing in enumerate(spacings)]
        pixels = np.zeros((4, 16, 24), np.int16)
        upload = written.dicom(pixels, NumberOfFrames=4, PerFrameFunctionalGroupsSequence=frames)
        return _read([upload]).notices

    assert any("several pixel spacings" in words for words in notices([1, 1, 2, 2]))
    assert not notices([1, 1, 1, 1])


@pytest.mark.parametrize(
    "keyword", ["TemporalPositionIdentifier", "EchoTime", "AcquisitionNumber", "AcquisitionTime"]
)
def test_an_incomplete_phase_takes_no_slice_of_another(keyword: str) -> None:
    first, second = ({keyword: value} for value in ("100000", "100100"))
    files = [*_slices([0, 5, 15, 20], 1, **first), *_slices([0, 5, 10, 15, 20], 2, **second)]
    (group,) = grouped(files)
    volume = _read(group)
    assert volume.voxels[:, 0, 0].tolist() == [1, 1, 1, 1]
    assert (volume.parts, volume.part) == (2, 0)
    assert any("no slice for sure at 1 of 5 places (at 10.0 mm)" in words for words in volume.notices)
    other = _read([Upload(file.name, file.data, {"part": 2}) for file in group])
    assert other.voxels[:, 0, 0].tolist() == [2, 2, 2, 2, 2]
    assert other.notices == ("There are 2 volumes (times, echoes or measures); number 2 is used.",)


def test_a_phase_of_one_part_of_the_body_is_a_volume_beside_that_of_the_whole() -> None:
    part, whole = _slices([10, 15], 1, TriggerTime=1), _slices([0, 5, 10, 15, 20, 25, 30], 2, TriggerTime=2)
    parts = [_read([Upload(f.name, f.data, {"part": n}) for f in (*part, *whole)]) for n in (1, 2)]
    assert [set(volume.voxels[:, 0, 0].tolist()) for volume in parts] == [{1}, {2}]
    assert [len(volume) for volume in parts] == [2, 7]


def test_times_of_each_slice_number_the_phases_of_whole_places_only() -> None:
    def moment(k: int, phase: int) -> dict[str, float]:
        return {"TriggerTime": 100 * phase + k, "InstanceNumber": 2 * k + phase}

    files = [
        _slices([5 * k], phase, **moment(k, phase))[0]
        for k in range(5)
        for phase in (1, 0)
        if (k, phase) != (2, 0)
    ]
    volume = _read(files)
    assert volume.voxels[:, 0, 0].tolist() == [0, 0, 0, 0]
    assert any("at 1 of 5 places (at 10.0 mm)" in words for words in volume.notices)


def test_a_file_that_is_there_twice_is_used_once() -> None:
    files = _slices([0, 5, 10], 1, TemporalPositionIdentifier=1)
    volume = _read([*files, *files[:2]])
    assert (len(volume), volume.parts) == (3, 1)
    assert volume.notices == ("2 slices are there twice; the first of each is used.",)
