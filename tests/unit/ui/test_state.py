"""What a session holds: files are taken once, whatever the browser tells again."""

from __future__ import annotations

import pytest

from healthdash.task import Upload
from healthdash.ui import address, state
from tests import fakes


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


def test_a_workspace_that_follows_another_has_what_was_said_of_its_inputs():
    task = fakes.FakeRows()
    left, right = state.Workspace(), state.Workspace()
    left.take(task, [Upload("a.csv", b"1")], origin="upload", title="a.csv")
    right.follow(left)
    turn = right.turn
    right.follow(left)
    assert (right.groups, right.turn) == (left.groups, turn)
    left.retold(0, part=3)
    right.follow(left)
    assert right.groups[0][0].hints == {"part": 3}
    assert right.turn == turn + 1


@pytest.mark.parametrize("nothing", [None, []])
def test_an_emptied_widget_gives_nothing_and_stays(session, nothing):
    key = state.fresh_key("upload")
    session[key] = nothing
    assert state.taken("upload", key) is None
    assert state.fresh_key("upload") == key


def test_a_link_to_a_view_of_an_upload_waits_for_it(session, monkeypatch):
    class Params(dict):
        def to_dict(self):
            return dict(self)

        def from_dict(self, told):
            self.clear()
            self.update(told)

    params = Params(task="rows", item="3")
    monkeypatch.setattr(address.st, "session_state", session)
    monkeypatch.setattr(address.st, "query_params", params)
    address.wait(address.opened())
    assert address.opened() == {}
    assert address.awaited("rows", is_there=False)["item"] == "3"
    assert address.awaited("pictures", is_there=True) == {}
    assert address.awaited("rows", is_there=True)["item"] == "3"
    assert address.awaited("rows", is_there=True) == {}
    # The same words after another page are a reader's.
    address.forget()
    assert address.opened() == {"task": "rows", "item": "3"}
