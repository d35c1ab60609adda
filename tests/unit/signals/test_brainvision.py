"""BrainVision recordings: their markers, the files that they name, and files that are cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.signals import formats
from healthdash.task import Upload
from tests.unit.signals.test_formats import N, brainvision_files


def test_markers_of_brainvision_count_from_one(tmp_path: Path) -> None:
    (mark,) = formats.read(brainvision_files("MULTIPLEXED", "INT_16")(tmp_path)).marks
    assert mark.onset_s == 1.5


def test_a_brainvision_header_that_names_a_path_is_refused(tmp_path: Path) -> None:
    header, *others = brainvision_files("MULTIPLEXED", "INT_16")(tmp_path)
    for name in (b"../r.eeg", b"/etc/passwd", b"C:\\r.eeg", b".hidden"):
        with pytest.raises(InvalidInput, match="names a path"):
            formats.read([Upload("r.vhdr", header.data.replace(b"r.eeg", name)), *others])


def test_a_renamed_brainvision_recording_is_found_by_its_name(tmp_path: Path) -> None:
    header, signal, _ = brainvision_files("MULTIPLEXED", "INT_16")(tmp_path)
    files = [Upload("new.vhdr", header.data), Upload("new.eeg", signal.data)]
    assert len(formats.group(files)) == 1
    assert formats.read(formats.group(files)[0]).format == "BrainVision"


@pytest.mark.parametrize("orientation", ["MULTIPLEXED", "VECTORIZED"])
def test_a_brainvision_recording_that_is_cut_off_is_refused(orientation: str, tmp_path: Path) -> None:
    header, signal, marks = brainvision_files(orientation, "INT_16")(tmp_path)
    stated = header.data.replace(b"NumberOf", f"DataPoints={N}\nNumberOf".encode())
    whole = formats.read([Upload(header.name, stated), signal, marks])
    assert len(whole.channels[0].values) == N
    half = Upload(signal.name, signal.data[: len(signal.data) // 2])
    with pytest.raises(UnreadableUpload, match=r"expected 2,000 samples of each channel.* holds 1,000"):
        formats.read([Upload(header.name, stated), half, marks])
    if orientation == "VECTORIZED":
        with pytest.raises(UnreadableUpload, match="cut off"):
            formats.read([header, Upload(signal.name, signal.data[:-2]), marks])
