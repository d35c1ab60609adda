"""A bundle takes the place of a bundle, and of nothing else."""

from __future__ import annotations

import pytest

from healthdash import bundle_folder, bundles, settings
from healthdash.bundle_folder import FILES
from healthdash.errors import InputError


@pytest.fixture
def made(tmp_path):
    """A function that writes files of a bundle's names, with a text in them, as a whole bundle."""

    def make(text: str):
        partial = tmp_path / f".partial-{text}"
        partial.mkdir()
        for name in FILES:
            (partial / name).write_text(text)
        return partial

    return make


def test_what_is_no_bundle_is_neither_replaced_nor_touched(tmp_path, made):
    study = tmp_path / "study"
    study.mkdir()
    (study / "thesis.docx").write_text("mine")
    with pytest.raises(InputError, match=r"holds other files \(thesis.docx\)"):
        bundle_folder.check(study)
    bundle_folder.put(study, made("new"))
    assert (study / "thesis.docx").read_text() == "mine"
    assert (study / "bundle.json").read_text() == "new"


def test_a_bundle_is_replaced_and_a_link_stays_a_link(tmp_path, made):
    disk, link = tmp_path / "disk", tmp_path / "mine"
    made("old").rename(disk)
    link.symlink_to(disk)
    bundle_folder.check(link)
    bundle_folder.put(link, made("new"))
    assert link.is_symlink()
    assert (disk / "bundle.json").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disk", "mine"]


def test_a_bundle_is_replaced_beside_other_files_that_stay(tmp_path, made):
    folder = tmp_path / "mine"
    made("old").rename(folder)
    for name in ("log.csv", ".DS_Store"):
        (folder / name).write_text("mine")
    bundle_folder.check(folder)
    bundle_folder.put(folder, made("new"))
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        **dict.fromkeys(FILES, "new"), "log.csv": "mine", ".DS_Store": "mine"
    }  # fmt: skip


def test_a_training_that_was_stopped_is_tried_again_beside_its_own_log(tmp_path):
    log = tmp_path / "mine" / "log.csv"
    log.parent.mkdir()
    log.write_text("epoch\n1\n")
    with pytest.raises(InputError, match=r"log\.csv"):
        bundle_folder.check(log.parent)
    bundle_folder.check(log.parent, own=(log, None))
    with pytest.raises(InputError, match=r"log\.csv"):
        bundle_folder.check(log.parent, own=(tmp_path / "log.csv",))


def test_a_training_that_was_stopped_is_tried_again_beside_the_folder_of_its_log(tmp_path):
    log = tmp_path / "mine" / "logs" / "epochs" / "log.csv"
    log.parent.mkdir(parents=True)
    bundle_folder.check(tmp_path / "mine", own=(log,))
    with pytest.raises(InputError, match="logs"):
        bundle_folder.check(tmp_path / "mine", own=(tmp_path / "logs" / "log.csv",))


def test_a_file_is_no_place_for_a_model_and_a_new_folder_is(tmp_path):
    bundle_folder.check(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="got a file"):
        bundle_folder.check(tmp_path / "file")


def test_half_written_and_replaced_folders_are_no_models(tmp_path, monkeypatch):
    monkeypatch.setattr(
        settings, "current", lambda: settings.Settings.from_environment({"HEALTHDASH_MODELS": str(tmp_path)})
    )
    for name in (".old-mine-1", ".partial-x"):
        (tmp_path / "toy" / name).mkdir(parents=True)
        (tmp_path / "toy" / name / "bundle.json").write_text("{}")
    assert list(bundles.broken()) == []


def test_relative_paths_of_the_environment_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEALTHDASH_HOME", "study 10:30")  # one folder, for all its colon
    monkeypatch.setenv("HEALTHDASH_DATA_FOLDERS", "a:/b")
    settings.current.cache_clear()
    try:
        assert settings.current().home == tmp_path / "study 10:30"
        assert [str(path) for path in settings.current().data_folders] == [str(tmp_path / "a"), "/b"]
    finally:
        monkeypatch.undo()
        settings.current.cache_clear()
