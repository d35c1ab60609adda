"""A long computation tells how far it is, and ends with what there is when the reader stops it."""

from __future__ import annotations

import threading
import time

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import RerunException, StopException

from healthdash.explain import Progress
from healthdash.ui import progress
from healthdash.ui.progress import Listener


class Bar:
    """A progress bar of a page whose reader chooses something after a while."""

    def __init__(self, patience: int = 1000) -> None:
        self.patience, self.told = patience, []

    def progress(self, share: float, words: str) -> None:
        self.patience -= 1
        if self.patience < 0:
            raise RerunException(None)
        self.told.append((share, words))


class Stopped:
    """A progress bar of a page whose next run has begun."""

    def progress(self, share: float, words: str) -> None:
        raise StopException


def test_it_says_how_far_it_is_and_how_exact():
    bar = Bar()
    listener = Listener(bar, "Explaining…")
    assert not listener(Progress(0.25, 0.004))
    assert not listener(1.2)
    assert bar.told[0] == (0.25, "Explaining… 25%, largest standard error 0.4 points. "
                           "Choosing something else stops it.")  # fmt: skip
    assert bar.told[1][0] == 1.0


def test_rows_are_counted_and_the_rest_is_foretold():
    listener = Listener(Bar(), "Explaining…", items=2000)
    assert "500 of 2,000" in listener.words(0.25)
    listener._started -= 10
    assert "500 of 2,000, about 30 s left" in listener.words(0.25)


def test_what_cannot_be_kept_ends_at_once():
    with pytest.raises(RerunException):
        Listener(Bar(0), "Explaining…")(0.5)


def test_what_can_be_kept_is_asked_to_end_and_is_not_told_again():
    bar = Bar(1)
    listener = Listener(bar, "Explaining…", keeps=True)
    assert not listener(0.2)
    assert listener(0.4)
    assert listener(0.6)
    assert isinstance(listener.interruption, RerunException)
    assert len(bar.told) == 1


def test_before_any_error_is_known_there_is_nothing_to_keep():
    with pytest.raises(RerunException):
        Listener(Bar(0), "Explaining…", keeps=True, needs_error=True)(Progress(0.1))
    listener = Listener(Bar(0), "Explaining…", keeps=True, needs_error=True)
    assert listener(Progress(0.5, 0.01))


def test_an_error_that_was_known_once_is_enough():
    listener = Listener(Bar(1), "Explaining…", keeps=True, needs_error=True)
    assert not listener(Progress(0.5, 0.01))
    assert listener(Progress(0.6))


def test_the_run_that_follows_a_stop_waits_for_what_there_is(monkeypatch: pytest.MonkeyPatch):
    """The server begins the next run while the stopped one still ends, and ends that by StopException."""
    session: dict[str, object] = {}
    monkeypatch.setattr(st, "session_state", session)
    begun, chosen = threading.Event(), threading.Event()
    computed = []

    def compute(listener: Listener) -> str:
        computed.append(True)
        begun.set()
        chosen.wait(10)
        listener._bar = Stopped()
        assert listener(Progress(0.5, 0.01))
        time.sleep(0.2)
        return "half"

    def first() -> None:
        with pytest.raises(StopException):
            progress.run("Explaining…", compute, "key", keeps=True, needs_error=True)

    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(10)
    progress._want("key")
    chosen.set()
    assert progress.run("Explaining…", compute, "key", keeps=True, needs_error=True) == "half"
    thread.join()
    assert len(computed) == 1
    assert not progress.is_wanted("key")
