"""Items without labels are read as the labelled ones are, by the task that these belong to."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from healthdash import tasks
from healthdash.datasets.unlabelled import inputs_of
from healthdash.errors import InvalidInput

CONFIG = {"size": 32, "channels": 1, "steps": []}


def _png(seed):
    grey = np.random.default_rng(seed).integers(0, 255, (40, 40)).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(grey).save(out, format="PNG")
    return out.getvalue()


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "unlabelled"
    (place / "more").mkdir(parents=True)
    (place / "a.png").write_bytes(_png(0))
    (place / "more" / "b.png").write_bytes(_png(1))
    (place / "readme.txt").write_text("no picture")
    return place


def test_every_readable_picture_of_a_folder_is_taken_and_others_are_left_out(folder, caplog):
    found = inputs_of(tasks.get("images"), folder, CONFIG, "image")
    assert found.shape == (2, 32, 32, 1)
    assert 0 <= found.min() < found.max() <= 1
    assert "1 of the unlabelled inputs" in caplog.text
    assert "readme" not in caplog.text


def test_a_zip_archive_gives_the_same(folder, tmp_path):
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in folder.rglob("*.png"):
            archive.write(file, file.relative_to(folder))
    found = inputs_of(tasks.get("images"), packed, CONFIG, "image")
    np.testing.assert_array_equal(found, inputs_of(tasks.get("images"), folder, CONFIG, "image"))


def test_one_file_is_enough_and_none_is_not(folder, tmp_path):
    assert len(inputs_of(tasks.get("images"), folder / "a.png", CONFIG, "image")) == 1
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match="no file among"):
        inputs_of(tasks.get("images"), tmp_path / "empty", CONFIG, "image")


def test_unlabelled_items_are_read_by_a_process_of_their_own(folder, monkeypatch):
    task = tasks.get("images")

    def here(self, uploads):
        raise AssertionError("an unlabelled file is read by the training itself")

    monkeypatch.setattr(type(task), "read", here)
    assert len(inputs_of(task, folder, CONFIG, "image")) == 2
