"""Folders of readers go with them, and those of killed servers with the next start."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from healthdash.apart import leftovers

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_folder_in_use_is_not_swept_and_goes_in_the_end():
    with leftovers.made() as folder:
        leftovers.sweep()
        assert folder.is_dir()
    assert not folder.exists()


def test_the_folder_of_a_killed_process_is_swept(tmp_path):
    code = (
        "import os, tempfile\n"
        "from healthdash.apart import leftovers\n"
        f"tempfile.tempdir = {str(tmp_path)!r}\n"
        "with leftovers.made() as folder:\n"
        "    (folder / '7').mkdir()\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert len(list(tmp_path.iterdir())) == 1
    leftovers.sweep()
    assert not list(tmp_path.iterdir())


def test_what_is_not_known_to_be_left_stays(tmp_path):
    (tmp_path / "healthdash-read-new").mkdir()  # its lock is being made
    (tmp_path / "healthdash-other").mkdir()
    (tmp_path / "healthdash-read-file").write_text("")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lock").write_text("")
    os.symlink(elsewhere, tmp_path / "healthdash-read-link")
    leftovers.sweep()
    assert len(list(tmp_path.iterdir())) == 5
    assert (elsewhere / "lock").exists()
