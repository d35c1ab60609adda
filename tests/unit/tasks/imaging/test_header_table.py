"""The header as text: what it tells, and what it marks as identifying."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset

from healthdash.tasks.imaging.header_table import entries


def _dataset(**elements) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def _by_name(dataset: Dataset):
    return {entry.name: entry for entry in entries(dataset)}


def test_numbers_about_the_machine_and_the_pixels_are_told_and_identify_nobody():
    found = _by_name(_dataset(Rows=512, PixelSpacing=[0.5, 0.7], KVP=120, Modality="CT"))
    assert (found["Rows"].value, found["Rows"].tag, found["Rows"].vr) == ("512", "(0028,0010)", "US")
    assert found["Pixel Spacing"].value == "0.5\\0.7"
    assert not any(entry.identifying for entry in found.values())


def test_names_dates_numbers_and_free_texts_are_marked():
    dataset = _dataset(
        PatientName="Secret^Name", PatientID="4711", StudyDate="20200102", InstitutionName="Hospital",
        ProtocolName="Mr Secret", StudyInstanceUID="1.2.3", PatientAge="034Y", StudyID="9",
    )  # fmt: skip
    found = entries(dataset)
    assert len(found) == 8
    assert all(entry.identifying for entry in found)
    assert found[2].value == "Secret^Name"


def test_private_elements_and_sequences_are_marked_and_not_spelt_out():
    dataset = _dataset(ReferencedStudySequence=[_dataset(PatientName="Secret")])
    dataset.add_new(0x00291001, "LO", "Secret")
    private, sequence = (_by_name(dataset)[name] for name in ("Private", "Referenced Study Sequence"))
    assert private.identifying
    assert sequence.identifying
    assert sequence.value == "1 item"


def test_pixels_are_left_out_and_long_or_broken_text_is_cut():
    dataset = _dataset(ImageComments="x\x00\x1b[2J" + "y" * 9_000, PixelData=b"\0" * 64)
    (comment,) = entries(dataset)
    assert len(comment.value) == 200
    assert comment.value.isprintable()
