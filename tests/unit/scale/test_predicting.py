"""Which files belong together, before they go to workers, and what a worker makes of an archive."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import generate_uid

from healthdash import bundles, tasks
from healthdash.scale import predicting
from tests.unit.tasks.imaging import written


def _slices(folder: Path) -> list[Path]:
    """Write a series whose files are larger than what is looked at."""
    series, pixels = generate_uid(), np.zeros((256, 256), np.int16)
    places = []
    for number in range(4):
        data = written.dicom_bytes(
            pixels, Modality="CT", SeriesInstanceUID=series, ImagePositionPatient=[0, 0, 3 * number],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0], PixelSpacing=[1, 1], RescaleSlope=1,
            RescaleIntercept=-1000,
        )  # fmt: skip
        assert len(data) > predicting._HEAD_BYTES
        places.append(folder / f"{number}.dcm")
        places[-1].write_bytes(data)
    return places


def test_slices_of_one_series_are_one_input_and_an_archive_is_left_to_its_worker(tmp_path):
    files = _slices(tmp_path)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in files:
            archive.write(file, file.name)
    groups = predicting._together(tasks.get("lung-ct"), [*files, tmp_path / "all.zip", tmp_path / "absent"])
    assert sorted(map(len, groups)) == [1, 1, 4]
    assert [tmp_path / "all.zip"] in groups


def test_a_worker_does_not_read_a_file_above_the_limit_nor_one_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("HEALTHDASH_MAX_UPLOAD_MB", "1")
    huge, missing = tmp_path / "huge.csv", tmp_path / "missing.csv"
    with huge.open("wb") as file:
        file.truncate(6 << 30)
    worker = predicting._Predictor("heart-disease", str(bundles.get("heart-disease").path), {}, None)
    for file, words in ((huge, "expected at most 1 MB, got 6,144.0"), (missing, "cannot be opened")):
        (line,) = worker._lines([str(file)], [file.name])
        assert line["source"] == file.name
        assert words in line["error"]["message"]


@pytest.mark.tf
def test_a_worker_gives_a_line_for_each_picture_of_an_archive(tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for example in tasks.get("lung-ct").examples()[:2]:
            (upload,) = example.make()
            archive.writestr(f"{example.slug}.png", upload.data)
    (tmp_path / "two.zip").write_bytes(out.getvalue())
    (bundle, *_) = bundles.available("lung-ct")
    lines = predicting._Predictor("lung-ct", str(bundle.path), {}, None)._lines(
        [str(tmp_path / "two.zip")], ["two.zip"]
    )
    assert len({line["source"] for line in lines if "probabilities" in line}) == 2
