"""Which file has which label: tables, folders, and names that must not lead elsewhere."""

from __future__ import annotations

import pytest

from healthdash.datasets.listing import FOLDER, LABEL, NAME, PATH, UnnamedLabel, below, listed
from healthdash.errors import InvalidInput


def _files(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def _listed(folder, target=None):
    files = below(folder)
    items = [path for path in files if path.endswith(".png")]
    return listed(folder, items, [path for path in files if path not in items], target, unit="picture")


def test_folders_are_labels_and_numbers_are_sorted_by_size(tmp_path):
    _files(tmp_path, "sick/10.png", "sick/2.png", "well/1.png", ".hidden/3.png")
    found = _listed(tmp_path)
    assert found.files == ["sick/2.png", "sick/10.png", "well/1.png"]
    assert list(found.frame[LABEL]) == ["sick", "sick", "well"]
    assert found.source == "one folder a label"


def test_a_published_split_stands_above_the_labels(tmp_path):
    _files(tmp_path, "train/sick/1.png", "train/well/2.png", "test/sick/3.png", "test/well/4.png")
    assert set(_listed(tmp_path).frame[LABEL]) == {"sick", "well"}


def test_a_table_is_found_by_what_it_names_with_any_separator(tmp_path):
    _files(tmp_path, "images/a1.png", "images/a2.png", "images/b1.png")
    (tmp_path / "labels.csv").write_text(
        "Bild;Diagnosis;patient\nA1.png;sick;p1\na2;well;p2\n./images/b1.png;sick;p3\n"
    )
    found = _listed(tmp_path)
    assert list(found.frame[PATH]) == ["images/a1.png", "images/a2.png", "images/b1.png"]
    assert found.label_column == "Diagnosis"
    assert found.columns == ("Diagnosis", "patient")


def test_a_picture_that_is_not_there_is_not_another_patients_of_the_same_name(tmp_path):
    rows = [f"set/p{n}/study1/view.png,{'sick' if n % 2 else 'well'}" for n in range(5)]
    rows += [f"set/p{n}/only{n}.png,well" for n in range(5)]
    _files(tmp_path, "p2/study1/view.png", *(f"p{n}/only{n}.png" for n in range(5)))
    (tmp_path / "labels.csv").write_text("\n".join(["path,label", *rows]))
    found = list(_listed(tmp_path).frame[PATH])
    assert "p2/study1/view.png" not in found[:2] + found[3:5]
    assert found[5:] == [f"p{n}/only{n}.png" for n in range(5)]


def test_another_column_is_the_label_on_demand_and_an_unnamed_one_is_asked_for(tmp_path):
    _files(tmp_path, "1.png", "2.png", "3.png")
    (tmp_path / "manifest.csv").write_text("file,finding,site\n1,mass,A\n2,none,A\n3,mass,B\n")
    assert list(_listed(tmp_path, "finding").frame[LABEL]) == ["mass", "none", "mass"]
    with pytest.raises(UnnamedLabel) as asked:
        _listed(tmp_path)
    assert asked.value.columns == ("finding", "site")


def test_a_row_that_leads_out_of_the_folder_names_nothing(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"x")
    inside = tmp_path / "set"
    _files(inside, "1.png", "2.png", "3.png")
    (inside / "link.png").symlink_to(tmp_path / "secret.png")
    lines = ["path,label", "1.png,a", "2.png,b", "3.png,a", "../secret.png,b", "link.png,b"]
    (inside / "manifest.csv").write_text("\n".join(lines))
    found = _listed(inside)
    assert list(found.frame[PATH]) == ["1.png", "2.png", "3.png", "", ""]
    assert list(found.file_of) == [0, 1, 2, -1, -1]


def test_names_of_files_and_folders_are_offered_as_patients_only_where_they_repeat(tmp_path):
    _files(tmp_path, *(f"{label}/p{n}_{k}.png" for label in ("a", "b") for n in range(12) for k in (1, 2)))
    frame = _listed(tmp_path).frame
    assert NAME in frame
    assert FOLDER not in frame
    assert frame[NAME].nunique() == 12


def test_nothing_labelled_is_refused_with_what_to_do(tmp_path):
    _files(tmp_path, "1.png", "2.png")
    with pytest.raises(InvalidInput) as refused:
        _listed(tmp_path)
    assert "folder" in refused.value.hint
