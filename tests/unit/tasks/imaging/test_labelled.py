"""Labelled sets of pictures: manifests, folders, archives."""

import logging
import zipfile
from pathlib import Path

import numpy as np
import pytest

from healthdash.errors import InputError, InvalidInput
from healthdash.tasks.imaging.task import ChestXray
from healthdash.training import TrainSettings

from . import written

pytestmark = pytest.mark.tf
SETTINGS = TrainSettings()


def _pictures(folder: Path, count: int = 12) -> list[tuple[str, str]]:
    """Write pictures of two labels and return path and label of each."""
    rows = []
    for number in range(count):
        label = ("normal", "viral")[number % 2]
        path = folder / label / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((70, 90), 100 + number, np.uint8)
        path.write_bytes(written.picture(pixels).data)
        rows.append((f"{label}/{number}.png", label))
    return rows


def _manifest(folder: Path, rows: list[str], header: str = "path,label,group") -> None:
    (folder / "manifest.csv").write_text("\n".join([header, *rows]) + "\n")


def test_manifest_gives_labels_and_groups(tmp_path):
    rows = _pictures(tmp_path)
    _manifest(tmp_path, [f"{path},{label},p{i // 2}" for i, (path, label) in enumerate(rows)])
    dataset = ChestXray().load_dataset(tmp_path, SETTINGS)
    assert dataset.names == ("normal", "viral")
    assert len(np.unique(dataset.groups)) == 6
    assert dataset.pictures[3].max() == 103


def test_folders_are_labels_and_missing_groups_are_said(tmp_path, caplog):
    _pictures(tmp_path)
    with caplog.at_level(logging.WARNING):
        dataset = ChestXray().load_dataset(tmp_path, SETTINGS)
    assert sorted(dataset.labels.tolist()) == [0] * 6 + [1] * 6
    assert len(np.unique(dataset.groups)) == 12
    assert "patient of its own" in caplog.text


def test_zip_with_a_wrapping_folder_is_opened(tmp_path):
    rows = _pictures(tmp_path / "data")
    _manifest(tmp_path / "data", [f"{path},{label},{path}" for path, label in rows])
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in (tmp_path / "data").rglob("*"):
            packed.write(path, f"wrapped/{path.relative_to(tmp_path / 'data')}")
    assert len(ChestXray().load_dataset(archive, SETTINGS)) == 12


def test_an_archive_that_leads_out_of_its_folder_is_refused(tmp_path):
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("../out.png", b"x")
    with pytest.raises(InvalidInput, match="leads out"):
        ChestXray().load_dataset(archive, SETTINGS)
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        (["a.png,normal"], "file,label", "path missing"),
        (["../../etc/passwd,normal,1", "x.png,viral,2"], "path,label,group", "leads out"),
        (["nowhere.png,normal,1", "nowhere.png,viral,1"] * 6, "path,label,group", "not there"),
        (["a.png,,1"], "path,label,group", "empty"),
    ],
)
def test_unsound_manifests_are_refused(tmp_path, rows, header, message):
    _manifest(tmp_path, rows * 12, header)
    with pytest.raises(InputError, match=message):
        ChestXray().load_dataset(tmp_path, SETTINGS)


def test_a_damaged_picture_is_named_by_its_number(tmp_path):
    rows = _pictures(tmp_path)
    (tmp_path / rows[4][0]).write_bytes(b"no picture")
    _manifest(tmp_path, [f"{path},{label},{path}" for path, label in rows])
    with pytest.raises(InvalidInput, match="picture 5: expected a picture"):
        ChestXray().load_dataset(tmp_path, SETTINGS)
