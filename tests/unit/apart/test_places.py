"""Places are few, and no owner has all of them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from healthdash import apart, pipeline
from healthdash.apart.places import Places, owner
from healthdash.errors import UnreadableUpload
from healthdash.task import Upload
from tests.toy import ToyTask, toy_bundle


class Jobs:
    """Jobs of owners, each of which goes on until it is told to end."""

    def __init__(self, places: Places) -> None:
        self.places, self.begun, self.ends = places, [], {}
        self.changed = threading.Condition()

    def job(self, owner: str, name: str) -> None:
        apart.serves(owner)
        self.ends[name] = threading.Event()
        with self.places.one():
            with self.changed:
                self.begun.append(name)
                self.changed.notify_all()
            self.ends[name].wait(20)

    def wait_for(self, condition) -> bool:
        deadline = time.monotonic() + 20
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.01)
        return condition()

    def wait(self, *names: str) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: set(names) <= set(self.begun), 20)


def test_one_owner_leaves_a_place_to_another_and_then_takes_turns():
    jobs = Jobs(Places(each=2))
    with ThreadPoolExecutor(8) as threads:
        for name in ("a1", "a2"):
            threads.submit(jobs.job, "a", name)
        assert jobs.wait("a1", "a2")
        threads.submit(jobs.job, "a", "a3")
        threads.submit(jobs.job, "b", "b1")
        assert jobs.wait("b1")
        assert "a3" not in jobs.begun
        threads.submit(jobs.job, "c", "c1")
        assert jobs.wait_for(lambda: len(jobs.places._waiting) == 2)
        jobs.ends["a1"].set()
        assert jobs.wait("c1")  # c holds none, a still holds one and waited longer
        assert "a3" not in jobs.begun
        jobs.ends["b1"].set()
        assert jobs.wait("a3")
        for end in jobs.ends.values():
            end.set()
    assert not jobs.places._held
    assert not jobs.places._waiting


def test_a_wait_that_is_broken_off_keeps_nobody_waiting(monkeypatch):
    places = Places(each=1, kept=0)

    def broken(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(places._changed, "wait_for", broken)
        try:
            with places.one():
                pass
        except KeyboardInterrupt:
            pass
    with places.one():
        pass


def test_files_of_a_batch_are_read_on_behalf_of_its_session(monkeypatch):
    seen = []

    def sample_of(task, uploads, bundle):
        seen.append(owner.get())
        raise UnreadableUpload("no", hint="")

    monkeypatch.setattr(apart, "sample_of", sample_of)
    token = owner.set("session")
    list(pipeline.run_many(ToyTask(), [[Upload("a", b"1,2")]] * 6, toy_bundle()))
    owner.reset(token)
    assert seen == ["session"] * 6
