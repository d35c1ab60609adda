"""The store of runs, by one suite on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from healthdash.errors import MissingDependency, NoDatabase
from healthdash.runs import Run, RunStore, Told, store

_FOLDERS = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([*map(str, _FOLDERS), os.environ.get("PATH", "")]))


class _Server:
    """A PostgreSQL of its own on a free port; it refuses to run as root, so another user is taken."""

    def __init__(self, folder: Path) -> None:
        self._user = "postgres" if os.geteuid() == 0 else None
        folder.chmod(0o755)
        if self._user:
            shutil.chown(folder, self._user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"postgresql://tester@127.0.0.1:{port}/postgres"
        data = folder / "data"
        self._run(["initdb", "-D", str(data), "-U", "tester", "-A", "trust", "--no-sync"])
        options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off"
        self._run(["pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start"])
        self._data = data

    def stop(self) -> None:
        self._run(["pg_ctl", "-D", str(self._data), "-m", "immediate", "stop"])

    def restart(self) -> None:
        self._run(["pg_ctl", "-D", str(self._data), "-m", "fast", "-w", "-l", os.devnull, "restart"])

    def _run(self, command: list[str]) -> None:
        program = _program(command[0])
        subprocess.run(
            [str(program), *command[1:]], check=True, user=self._user, cwd="/", stdout=subprocess.DEVNULL
        )


@pytest.fixture(scope="session")
def postgresql() -> Iterator[_Server]:
    if _program("initdb") is None:
        pytest.skip("no PostgreSQL here: its tests did not run (apt-get install postgresql)")
    pytest.importorskip("pg8000", reason="pip install -r requirements-postgresql.txt")
    # Not below pytest's own folders: another user runs the server, and these are closed to others.
    with tempfile.TemporaryDirectory(prefix="healthdash-postgresql-", ignore_cleanup_errors=True) as folder:
        server = _Server(Path(folder))
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return store.sqlite_url(tmp_path / "runs" / "runs.db")
    server: _Server = request.getfixturevalue("postgresql")
    opened = RunStore(server.url)
    for owner, place in itertools.product(("ann", "bob"), ("here", "elsewhere")):
        for run in opened.of(owner, place):
            opened.remove(run.id, owner, place)
    return server.url


@pytest.fixture
def runs(url: str) -> Iterator[RunStore]:
    opened = RunStore(url)
    yield opened
    opened.close()


def _run(name: str = "a", **more) -> Run:
    values = {
        "id": name, "owner": "ann", "place": "here", "task": "toy", "name": "own", "out": "models/toy/own",
        "data": "data/data.csv", "settings": {"epochs": 3, "target": "Größe", "seed": 0},
    }  # fmt: skip
    return Run(**values | more)


def test_a_run_comes_back_as_it_was_put_in(runs):
    run = _run(
        tags=("first", "best"),
        error=Told("TooLittleData", "too few", "add some"),
        metrics={"AUC": {"value": 0.9, "part": "test"}},
        started=1700000000.123456,
    )
    runs.add(run)
    assert runs.get("a") == run


def test_another_store_finds_the_runs_of_the_first(url, runs):
    runs.add(_run())
    runs.close()
    assert [run.id for run in RunStore(url).of("ann", "here")] == ["a"]


def test_one_owner_does_not_see_tag_or_remove_the_runs_of_another(runs):
    runs.add(_run("a", owner="ann"))
    runs.add(_run("b", owner="bob"))
    assert [run.id for run in runs.of("bob", "here")] == ["b"]
    assert runs.get("a", "bob") is None
    assert not runs.remove("a", "bob", "here")
    runs.tag("a", "bob", ["mine"])
    assert runs.get("a", "ann").tags == ()
    assert runs.remove("a", "ann", "here")
    assert runs.get("a") is None


def test_one_place_does_not_see_or_remove_the_runs_of_another(runs):
    runs.add(_run("a", place="here"))
    assert runs.of("ann", "elsewhere") == []
    assert runs.get("a", "ann", "elsewhere") is None
    assert not runs.remove("a", "ann", "elsewhere")
    assert runs.get("a", "ann", "here") is not None


def test_runs_are_listed_by_their_time(runs):
    for name, created in (("b", 2.0), ("c", 3.0), ("a", 1.0)):
        runs.add(_run(name, created=created))
    assert [run.id for run in runs.of("ann", "here")] == ["c", "b", "a"]
    assert [run.id for run in runs.active("here")] == ["a", "b", "c"]


def test_only_runs_of_a_place_that_are_not_over_are_active(runs):
    runs.add(_run("a", state="running"))
    runs.add(_run("b", state="done"))
    runs.add(_run("c", place="elsewhere"))
    assert [run.id for run in runs.active("here")] == ["a"]


def test_a_state_changes_only_from_those_expected(runs):
    runs.add(_run())
    assert not runs.change("a", ["running"], state="done")
    assert runs.get("a").state == "queued"
    assert runs.change("a", ["queued"], state="running", started=5.0, attempt=7)
    assert runs.get("a") == replace(
        _run(created=runs.get("a").created), state="running", started=5.0, attempt=7
    )


def test_an_error_can_be_set_and_cleared(runs):
    runs.add(_run())
    runs.change("a", ["queued"], state="failed", error=Told("TrainingError", "disk", "free some"))
    assert runs.get("a").error == Told("TrainingError", "disk", "free some")
    runs.change("a", ["failed"], state="queued", error=None)
    assert runs.get("a").error is None


def test_of_many_that_claim_a_run_one_gets_it(url, runs):
    runs.add(_run())

    def claim(number: int) -> bool:
        return RunStore(url).change("a", ["queued"], state="running", attempt=number)

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(claim, range(8)))
    assert sum(got) == 1
    assert runs.get("a").attempt == got.index(True)


def test_the_store_outlives_a_restart_of_its_server(postgresql):
    opened = RunStore(postgresql.url)
    opened.of("ann", "here")
    postgresql.restart()
    time.sleep(0.1)
    assert isinstance(opened.of("ann", "here"), list)


@pytest.mark.parametrize(
    "url",
    ["postgresql://ann:secret@127.0.0.1:1/none", "postgresql://ann:secret@none:port/none", "nonsense", ""],
)
def test_a_database_that_does_not_answer_is_told_without_its_address(url):
    if url.startswith("postgresql"):
        pytest.importorskip("pg8000", reason="pip install -r requirements-postgresql.txt")
    with pytest.raises(NoDatabase, match="does not answer") as told:
        RunStore(url)
    assert "secret" not in told.value.message + told.value.hint


def test_a_database_that_no_longer_answers_is_told(tmp_path):
    opened = RunStore(store.sqlite_url(tmp_path / "runs" / "runs.db"))
    opened.close()
    (tmp_path / "runs" / "runs.db").write_bytes(b"no database" * 100)
    with pytest.raises(NoDatabase):
        opened.of("ann", "here")


def test_the_file_is_for_its_user_only(tmp_path):
    RunStore(store.sqlite_url(tmp_path / "runs" / "runs.db")).add(_run())
    assert (tmp_path / "runs").stat().st_mode & 0o077 == 0


def test_a_driver_that_is_not_installed_is_told(monkeypatch):
    def missing(*_, **__):
        raise ModuleNotFoundError("No module named 'pg8000'", name="pg8000")

    monkeypatch.setattr(store, "create_engine", missing)
    with pytest.raises(MissingDependency, match="pg8000"):
        RunStore("postgresql://nobody@nowhere/none")
