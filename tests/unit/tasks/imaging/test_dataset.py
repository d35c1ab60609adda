"""Labelled folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from healthdash.errors import InvalidInput, TooLittleData
from healthdash.tasks.imaging.dataset import load_manifest


def _grey(path: Path) -> np.ndarray:
    return np.full((20, 30), 0.5, np.float32)


def _folder(tmp_path: Path, header: str, rows: list[str]) -> Path:
    (tmp_path / "manifest.csv").write_text("\n".join([header, *rows]))
    for row in rows:
        if not row.startswith(".."):
            (tmp_path / row.split(",")[0]).touch()
    return tmp_path


def test_labels_come_in_the_order_asked_for(tmp_path: Path) -> None:
    rows = [f"{label}_{i}.png,{label},p{i}" for i in range(6) for label in ("zebra", "ape")]
    found = load_manifest(_folder(tmp_path, "path,label,group", rows), 16, _grey, order=("zebra", "ape"))
    assert found.names == ("zebra", "ape")
    assert found.pictures.shape == (12, 16, 16)
    assert found.pictures.max() == found.pictures.min() == 128
    assert set(found.groups) == {f"p{i}" for i in range(6)}


def test_a_finer_label_is_taken(tmp_path: Path) -> None:
    rows = [f"{i}.png,pneumonia,{'virus' if i % 2 else 'bacteria'},{i}" for i in range(12)]
    found = load_manifest(_folder(tmp_path, "path,label,subtype,group", rows), 16, _grey)
    assert found.names == ("bacterial", "viral")


def test_a_folder_without_manifest_is_explained(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"manifest\.csv"):
        load_manifest(tmp_path, 16, _grey)


def test_a_path_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    rows = [f"../{i}.png,{i % 2},{i}" for i in range(12)]
    with pytest.raises(InvalidInput, match="out of the folder"):
        load_manifest(_folder(tmp_path, "path,label,group", rows), 16, _grey)


def test_too_few_pictures_are_counted(tmp_path: Path) -> None:
    with pytest.raises(TooLittleData, match="got 1 of 1"):
        load_manifest(_folder(tmp_path, "path,label,group", ["a.png,x,1"]), 16, _grey)
