"""Readers that misbehave are ended, told about and replaced; nothing of them reaches this process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from healthdash import apart, settings, tasks
from healthdash.apart import calls, lockdown, pool, warm, wire, worker
from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload
from tests.toy import ToyTask, toy_bundle
from tests.unit.apart import misdeeds

ROOT = Path(__file__).resolve().parents[3]
_NO_NETWORK = ("OSError", "ConnectionRefusedError", "PermissionError")
LIMITS = pool.Limits(seconds=20, memory_mib=256, answer_mib=1, sees=(ROOT,))


def do(what: str, argument: str = "", limits: pool.Limits = LIMITS) -> str:
    return pool.run(misdeeds.do, (what, argument), {}, limits)


def test_a_reader_that_hangs_is_ended_in_time_and_the_next_one_works():
    assert do("nothing") == "done"  # the template is there
    started = time.monotonic()
    with pytest.raises(InvalidInput, match="within 1 seconds"):
        do("hang", "", replace(LIMITS, seconds=1))
    assert time.monotonic() - started < 5
    assert do("nothing") == "done"


@pytest.mark.parametrize("what", ["memory", "native memory"])
def test_a_reader_that_takes_too_much_memory_is_told_about(what):
    with pytest.raises((InvalidInput, UnreadableUpload)) as caught:
        do(what)
    assert "256 MB of memory" in str(caught.value) or "broke the reader" in str(caught.value)


def test_an_answer_that_is_too_large_is_refused():
    with pytest.raises(InvalidInput, match="unfolds to at most 1 MB"):
        do("answer")


@pytest.mark.parametrize("what", ["crash", "exit", "answer garbage"])
def test_a_reader_that_breaks_ends_only_its_own_process(what):
    with pytest.raises(UnreadableUpload, match="broke the reader"):
        do(what)


def test_an_unforeseen_error_tells_its_class_and_place_and_no_value():
    with pytest.raises(calls.Unforeseen) as caught:
        do("unforeseen", "Jane Doe")
    assert caught.value.name == "KeyError"
    assert "misdeeds:" in caught.value.places[-1]
    assert "Jane" not in str(caught.value)


def test_our_errors_cross_with_all_problems_and_the_hint():
    with pytest.raises(InvalidInput) as caught:
        do("ours")
    assert caught.value.problems == ("first", "second")
    assert caught.value.hint == "Do this."


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock and namespaces are Linux's")
def test_a_reader_sees_no_secret_no_file_and_no_network(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s")
    assert do("environment") == ""
    assert do("temporary") == "done"
    if do("landlock") == "True":
        assert do("read", str(secret)) == "PermissionError"
        assert do("read", "/etc/passwd") == "PermissionError"
        assert do("write", str(tmp_path / "new")) == "PermissionError"
        assert do("read", str(secret), replace(LIMITS, sees=(ROOT, tmp_path))) == "s"
    if int(do("landlock version")) >= 6:
        assert do("signal", str(os.getpid())) == "PermissionError"
    if do("networks") != os.readlink("/proc/self/ns/net"):
        with socket.create_server(("127.0.0.1", 0)) as server:
            assert do("connect", str(server.getsockname()[1])) in _NO_NETWORK


def test_several_users_at_once_wait_for_nobody_that_hangs():
    with ThreadPoolExecutor(6) as users:
        hanging = users.submit(do, "hang", "", replace(LIMITS, seconds=3))
        assert set(users.map(lambda _: do("nothing"), range(12))) == {"done"}
        assert isinstance(hanging.exception(), InvalidInput)


def test_a_file_that_comes_alone_is_not_looked_at_in_this_process(monkeypatch):
    def never(*_):
        raise AssertionError("parsed in the server")

    monkeypatch.setattr("healthdash.tasks.imaging.read.grouped", never)
    alone = [Upload("x.dcm", bytes(128) + b"DICM")]
    assert apart.groups(tasks.get("chest-xray"), alone) == [alone]


def test_a_file_that_breaks_its_reader_hides_no_other_one(monkeypatch):
    good, bad = Upload("good", b"a,b\n1,2\n"), Upload("bad", b"?")

    def run(_, given, *others, **more):
        if bad in given[0]:
            raise UnreadableUpload("reading the file broke the reader", hint="")
        return ("heart-disease",) * len(given[0])

    monkeypatch.setattr(apart, "run", run)
    assert apart.recognised([good, bad, good]) == [
        tasks.get("heart-disease"),
        None,
        tasks.get("heart-disease"),
    ]


def test_a_template_that_was_killed_is_started_again():
    assert do("nothing") == "done"
    os.kill(pool._pool().template()._process.pid, signal.SIGKILL)
    assert do("nothing") == "done"


def test_children_that_end_while_they_wait_are_passed_over():
    assert do("nothing") == "done"
    template = pool._pool().template()
    assert template._spare  # those are killed, as a machine without memory does
    waiting = [one for one in _children(template._process.pid) if one != str(template._process.pid)]
    for process in waiting:
        os.kill(int(process), signal.SIGKILL)
    deadline = time.monotonic() + 20
    while any(_is_alive(process) for process in waiting) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert do("nothing") == "done"
    assert pool._pool().template() is template


def test_an_answer_that_comes_too_late_is_not_taken_for_another(monkeypatch):
    template = pool._pool().template()
    answers = iter([{"ended": 1, "status": 0}, {"ended": 2, "status": -9}])
    monkeypatch.setattr(template, "_answer", lambda: next(answers))
    assert template.end(2) == -9
    monkeypatch.undo()
    template._answer()  # that which it gave meanwhile


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux")
def test_what_a_reader_starts_ends_with_it():
    started = Path("/proc") / do("start")
    deadline = time.monotonic() + 20
    while started.exists() and time.monotonic() < deadline:
        do("nothing")  # ended with one of the next children
    assert not started.exists()


@pytest.mark.parametrize("missing", ["network", "files"])
def test_what_a_machine_does_not_close_to_readers_is_told_once(missing, caplog):
    template = warm.Template.__new__(warm.Template)
    template.lacks = None
    template._note((missing,))
    template._note((missing,))
    assert len(caplog.records) == 1
    assert "less apart here" in caplog.text
    assert missing in caplog.text
    assert template.lacks == (missing,)


def test_a_kernel_without_landlock_and_namespaces_is_noticed(monkeypatch, tmp_path):
    monkeypatch.setattr(lockdown, "_libc", None)
    rules = lockdown.FileRules(tmp_path)
    assert not rules.are_possible
    rules.enforce([tmp_path])
    assert not lockdown.without_network()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        monkeypatch.setattr(worker, "_quiet", lambda: None)
        monkeypatch.setattr(worker, "_settled", lambda folder: rules)
        ours.shutdown(socket.SHUT_WR)  # no job comes
        worker.serve(theirs, tmp_path, lambda: None, ("network",))
        assert wire.receive(ours, 1 << 10)[0] == [os.getpid(), ["network", "files"]]


def test_children_end_with_the_server():
    code = (
        "import os, threading, time\n"
        "from pathlib import Path\n"
        "from healthdash.apart import pool\n"
        "from tests.unit.apart import misdeeds\n"
        "limits = pool.Limits(seconds=60, memory_mib=256, answer_mib=1, sees=(Path.cwd(),))\n"
        "pool.run(misdeeds.do, ('nothing', ''), {}, limits)\n"
        "hang = lambda: pool.run(misdeeds.do, ('hang', ''), {}, limits)\n"
        "threading.Thread(target=hang, daemon=True).start()\n"
        "time.sleep(1)\n"
        "print(pool._pool().template()._process.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    template = int(done.stdout)
    deadline = time.monotonic() + 10
    while _children(template) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _children(template)


def _is_alive(process: str) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    return False


def _children(template: int) -> list[str]:
    """Return the running processes of a template, itself included: it leads a session of its own."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            session = stat.read_text().rsplit(")", 1)[1].split()[3]
        except OSError:
            continue
        found += [stat.parent.name] if session == str(template) else []
    return found


def test_tasks_from_elsewhere_are_read_here(monkeypatch):
    def never(*_):
        raise AssertionError

    monkeypatch.setattr(pool, "run", never)
    upload = Upload("toy", b"1,2")
    assert apart.sample_of(ToyTask(), [upload], toy_bundle()).values.tolist() == [[1, 2]]
    with pytest.raises(UnreadableUpload, match=r"could not be read \(RuntimeError\)"):
        apart.sample_of(ToyTask(), [Upload("toy", b"7,7")], toy_bundle())


def test_reading_apart_can_be_turned_off(monkeypatch):
    monkeypatch.setenv("HEALTHDASH_APART", "0")
    settings.current.cache_clear()
    assert not pool.is_possible()
    assert apart.call(lockdown._library_folders) == lockdown._library_folders()
