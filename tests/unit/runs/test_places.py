"""Two servers at one database: each shows and removes the runs whose files it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from healthdash.runs.queue import Queue
from healthdash.runs.store import RunStore, sqlite_url
from healthdash.training import TrainSettings


@pytest.fixture
def servers(tmp_path) -> list[Queue]:
    url = sqlite_url(tmp_path / "shared" / "runs.db")
    return [Queue(RunStore(url), tmp_path / name / "runs", wake=lambda _: None) for name in ("a", "b")]


def _fill(folder: Path) -> Path:
    (folder / "data.csv").write_text("age\n1\n")
    return folder


def test_a_run_is_shown_and_removed_where_its_files_are(servers):
    here, beside = servers
    run = here.submit("ann", "toy", Path("/models/toy/own"), TrainSettings(), _fill)
    assert beside.of("ann") == []
    assert beside.get(run.id, "ann") is None
    beside.remove_all("ann")
    beside.remove(run)
    assert here.get(run.id, "ann") == run
    here.remove_all("ann")
    assert not here.folder(run.id).path.exists()
