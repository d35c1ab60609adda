"""The queue and its dispatcher, with small programs in the place of the trainings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from healthdash import settings
from healthdash.errors import InvalidInput
from healthdash.runs import Run, dispatcher
from healthdash.runs.command import environment, words
from healthdash.runs.dispatcher import Dispatcher
from healthdash.runs.folder import RunFolder
from healthdash.runs.queue import Queue, opened, place_of
from healthdash.training import TrainSettings

HISTORY = "open('history.csv', 'w').write('epoch,loss\\n1,0.5\\n');"
DONE = 'print(\'{"metrics": {"AUC": {"value": 0.9}}}\')'
FOR_EVER = "import time; time.sleep(60)"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(dispatcher, "_LOOK_S", 0.02)
    monkeypatch.setattr(dispatcher, "_LINGER_S", 0.1)


class _Place:
    """A home folder with its queue; dispatchers are threads of the test."""

    def __init__(self, at_once: int = 1) -> None:
        self.root = settings.current().runs
        self.store = opened(settings.current())
        self.queue = Queue(self.store, self.root, wake=lambda _: None)
        self.at_once = at_once

    def submit(self, program: str = DONE, owner: str = "ann", **chosen) -> Run:
        def fill(folder: Path) -> Path:
            (folder / "program.py").write_text(program)
            return folder / "program.py"

        return self.queue.submit(
            owner, "toy", Path("/models/toy/own"), TrainSettings(**chosen), fill, beside={"notes": b"x"}
        )

    def dispatcher(self) -> Dispatcher:
        def command(run: Run, folder: RunFolder) -> list[str]:
            return [sys.executable, str(folder.path / run.data)]

        return Dispatcher(self.store, self.root, place_of(self.root), self.at_once, command)

    def serve(self) -> threading.Thread:
        thread = threading.Thread(target=self.dispatcher().serve, daemon=True)
        thread.start()
        return thread

    def until(self, run: Run, *states: str) -> Run:
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            now = self.store.get(run.id)
            if now.state in states:
                return now
            time.sleep(0.02)
        raise TimeoutError(f"{now.state}, {self.queue.folder(run.id).log}")


@pytest.fixture
def place() -> _Place:
    return _Place()


def test_a_name_of_a_model_that_ships_is_taken(place):
    out = settings.current().own_models / "heart-disease" / "cleveland-mlp"
    assert place.queue.free_name(out).name == "cleveland-mlp-2"


def test_two_owners_who_ask_for_one_name_make_two_models(place):
    out = settings.current().own_models / "toy" / "own"
    runs = [
        place.queue.submit(owner, "toy", out, TrainSettings(), lambda folder: folder, numbered=True)
        for owner in ("ann", "bob")
    ]
    assert [(run.name, Path(run.out).name) for run in runs] == [("own", "own"), ("own-2", "own-2")]


def test_a_run_that_ends_well_has_metrics_and_history_and_its_data_are_gone(place):
    run = place.submit(HISTORY + DONE)
    place.serve()
    done = place.until(run, "done")
    assert done.metrics["AUC"]["value"] == 0.9
    assert done.ended >= done.started
    folder = place.queue.folder(run.id)
    assert folder.history["loss"].tolist() == [0.5]
    _is_gone(folder.data)


def _is_gone(path: Path) -> None:
    """The data go after the state is stored: a kill between the two must not lose the run."""
    deadline = time.monotonic() + 40
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not path.exists()


def test_a_failed_run_says_why_and_shows_its_log(place):
    answer = '{"error": {"type": "TooLittleData", "message": "too few", "hint": "add some"}}'
    run = place.submit(f"import sys; print('{answer}'); sys.stderr.write('epoch=1'); sys.exit(1)")
    place.serve()
    failed = place.until(run, "failed")
    assert (failed.error.message, failed.error.hint) == ("too few", "add some")
    assert place.queue.folder(run.id).log == "epoch=1"
    assert place.queue.folder(run.id).data.exists()


@pytest.mark.parametrize(
    ("program", "state", "words"),
    [
        ("import os; os.kill(os.getpid(), 9)", "lost", "SIGKILL"),
        ("import sys; sys.exit(143)", "lost", "SIGTERM"),
        ("raise OSError(28, 'No space left on device')", "failed", "disk is full"),
        ("raise MemoryError", "failed", "memory is full"),
        ("raise ValueError", "failed", "exit code 1"),
    ],
)
def test_a_run_that_breaks_off_says_so_in_words_and_can_be_resumed(place, program, state, words):
    run = place.submit(program)
    place.serve()
    over = place.until(run, "done", "failed", "lost")
    assert over.state == state
    assert words in over.error.message
    assert over.can_resume


def test_a_resumed_run_begins_anew_in_the_same_folder(place):
    run = place.submit(f"import os, sys\nif not os.path.exists('on'): open('on', 'w'); sys.exit(1)\n{DONE}")
    place.serve()
    place.queue.resume(place.until(run, "failed"))
    place.serve()
    done = place.until(run, "done")
    assert (done.attempt, done.error) == (2, None)


def test_stopping_ends_the_process(place):
    run = place.submit(FOR_EVER)
    place.serve()
    place.queue.stop(place.until(run, "running"))
    stopped = place.until(run, "stopped")
    assert "stopped" in stopped.error.message


def test_a_run_that_does_not_listen_is_killed_after_its_grace(place, monkeypatch):
    monkeypatch.setattr(dispatcher, "_GRACE_S", 0.3)
    run = place.submit(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "open('deaf', 'w').close(); time.sleep(60)"
    )
    place.serve()
    while not (place.queue.folder(run.id).path / "deaf").exists():
        time.sleep(0.02)
    place.queue.stop(place.until(run, "running"))
    assert place.until(run, "stopped")


def test_a_run_that_waits_can_be_stopped(place):
    run = place.submit()
    place.queue.stop(run)
    assert place.store.get(run.id).state == "stopped"


def test_no_more_runs_at_once_than_the_settings_say_and_the_oldest_first(place):
    first, second = place.submit(FOR_EVER), place.submit()
    place.serve()
    place.until(first, "running")
    time.sleep(0.2)
    assert place.store.get(second.id).state == "queued"
    place.queue.remove(place.store.get(first.id))
    place.until(second, "done")


def test_two_run_beside_each_other_where_the_settings_allow_it():
    place = _Place(at_once=2)
    runs = [place.submit(FOR_EVER), place.submit(FOR_EVER)]
    place.serve()
    for run in runs:
        place.until(run, "running")
    place.queue.remove_all("ann")
    assert place.queue.of("ann") == []


def test_deleting_ends_the_process_and_removes_the_folder(place):
    run = place.submit(FOR_EVER)
    place.serve()
    place.until(run, "running")
    folder = place.queue.folder(run.id)
    while not folder.was_started:
        time.sleep(0.02)
    pid = int(folder.lock_file.read_text())
    place.queue.remove(run)
    assert not folder.path.exists()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and Path(f"/proc/{pid}").exists():
        time.sleep(0.02)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_what_a_deleted_run_had_unpacked_goes_with_it(place, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    unpacked = "from healthdash.apart import leftovers\nwith leftovers.made() as folder:\n"
    unpacked += "    (folder / 'scan').touch()\n    import time; time.sleep(60)"
    run = place.submit(unpacked)
    place.serve()
    deadline = time.monotonic() + 40
    while not list(tmp_path.glob("*/*/scan")) and time.monotonic() < deadline:
        time.sleep(0.02)
    (scan,) = tmp_path.glob("*/*/scan")
    place.queue.remove(run)
    _is_gone(scan)


def test_removing_all_leaves_the_runs_of_others(place):
    own, other = place.submit(), place.submit(owner="bob")
    place.queue.remove_all("ann")
    assert not place.queue.folder(own.id).path.exists()
    assert [run.id for run in place.queue.of("bob")] == [other.id]


def test_data_that_cannot_be_placed_leave_nothing_behind(place):
    def refuse(_: Path) -> Path:
        raise InvalidInput("no")

    with pytest.raises(InvalidInput):
        place.queue.submit("ann", "toy", Path("/m"), TrainSettings(), refuse)
    assert place.queue.of("ann") == []
    assert not [path for path in place.root.iterdir() if path.is_dir()]


def test_the_folder_of_a_run_is_for_its_user_only(place):
    run = place.submit()
    assert place.queue.folder(run.id).path.stat().st_mode & 0o077 == 0


def test_a_run_whose_dispatcher_was_killed_goes_on_and_its_end_is_recorded(place):
    """The dispatcher is a process here, killed with -9 while a program trains."""
    code = (
        "import sys; from healthdash.runs import dispatcher; from healthdash import settings;"
        "from healthdash.runs.queue import opened, place_of; s = settings.current();"
        "dispatcher.Dispatcher(opened(s), s.runs, place_of(s.runs), 1,"
        "lambda run, folder: [sys.executable, str(folder.path / run.data)]).serve()"
    )
    run = place.submit(
        "import os, time\nwhile not os.path.exists('go'): time.sleep(0.02)\n" + HISTORY + "\n" + DONE
    )
    served = subprocess.Popen([sys.executable, "-c", code], env=environment())
    place.until(run, "running")
    folder = place.queue.folder(run.id)
    while not folder.was_started:
        time.sleep(0.02)
    served.send_signal(signal.SIGKILL)
    served.wait()
    assert folder.is_alive
    place.serve()
    time.sleep(0.2)
    assert place.store.get(run.id).state == "running"
    (folder.path / "go").touch()
    assert place.until(run, "done").metrics["AUC"]["value"] == 0.9


def test_a_run_that_ended_while_nobody_looked_is_lost(place):
    run = place.submit()
    place.store.change(run.id, ["queued"], state="running", started=1.0, attempt=1)
    place.queue.folder(run.id).lock_file.write_text("1")
    place.serve()
    assert "nobody looked" in place.until(run, "lost").error.message


@pytest.mark.parametrize("is_locked", [False, True])
def test_a_run_that_was_claimed_but_never_started_is_started(place, is_locked):
    run = place.submit()
    place.store.change(run.id, ["queued"], state="running", started=1.0, attempt=1)
    if is_locked:
        place.queue.folder(run.id).lock_file.touch()
    place.serve()
    place.until(run, "done")


def test_only_one_dispatcher_looks(place):
    run = place.submit("open('times', 'a').write('x')\n" + DONE)
    threads = [place.serve() for _ in range(4)]
    place.until(run, "done")
    assert (place.queue.folder(run.id).path / "times").read_text() == "x"
    for thread in threads:
        thread.join(20)


def test_a_run_is_looked_after_by_a_process_that_the_queue_starts(place):
    """From the click to the end, with the real dispatcher and the real command line."""
    queue = Queue(place.store, place.root)
    run = queue.submit(
        "ann", "no-such-task", place.root / "out", TrainSettings(), lambda folder: folder / "none"
    )
    over = place.until(run, "failed")
    assert "no such task" in over.error.message


def test_the_folder_of_runs_keeps_its_name(tmp_path):
    assert place_of(tmp_path / "runs") == place_of(tmp_path / "runs")
    assert place_of(tmp_path / "runs") != place_of(tmp_path / "others")


def test_the_settings_become_words_of_the_command_line(place):
    run = place.submit(epochs=3, learning_rate=0.01, augment=False, target="-2LL")
    said = " ".join(words(run, place.queue.folder(run.id)))
    assert said.endswith("--epochs=3 --seed=0 --learning-rate=0.01 --no-augment --target=-2LL")
