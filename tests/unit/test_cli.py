"""The command line: JSON Lines on stdout, and the exit codes."""

from __future__ import annotations

import json

import pytest

from healthdash import cli


def _lines(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_tasks_are_listed(capsys):
    assert cli.main(["tasks"]) == 0
    lines = _lines(capsys)
    assert all({"task", "title", "labels", "unit"} <= set(line) for line in lines)


def test_an_unknown_task_is_an_error_with_a_hint(capsys):
    assert cli.main(["predict", "no-such-task", "file"]) == 1
    (line,) = _lines(capsys)
    assert line["error"]["type"] == "UnknownModel"
    assert line["error"]["hint"]


def test_wrong_usage_exits_with_two():
    with pytest.raises(SystemExit) as stopped:
        cli.main(["predict"])
    assert stopped.value.code == 2


def test_a_file_that_is_not_there_has_its_own_line(capsys, tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert cli.main(["inspect", str(tmp_path / "missing"), str(tmp_path)]) == 1
    lines = _lines(capsys)
    assert [line["error"]["type"] for line in lines] == ["InputError", "UnreadableUpload"]
