"""What a session holds: files are taken once, whatever the browser tells again."""

from __future__ import annotations

import pytest

from healthdash.ui import state


@pytest.fixture(autouse=True)
def session(monkeypatch):
    held: dict[str, object] = {}
    monkeypatch.setattr(state.st, "session_state", held)
    return held


def test_what_was_given_is_taken_once(session):
    key = state.fresh_key("upload")
    session[key] = ["a file"]
    assert state.taken("upload", key) == ["a file"]
    # The browser names the widget once more, as it was.
    session[key] = ["a file"]
    assert state.taken("upload", key) is None


def test_the_same_file_given_again_is_taken_again(session):
    for _ in range(2):
        key = state.fresh_key("upload")
        session[key] = ["a file"]
        assert state.taken("upload", key) == ["a file"]


@pytest.mark.parametrize("nothing", [None, []])
def test_an_emptied_widget_gives_nothing_and_stays(session, nothing):
    key = state.fresh_key("upload")
    session[key] = nothing
    assert state.taken("upload", key) is None
    assert state.fresh_key("upload") == key
