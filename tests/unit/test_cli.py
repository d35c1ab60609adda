"""The command line: JSON Lines on stdout, and the exit codes."""

from __future__ import annotations

import argparse
import errno
import json
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from healthdash import bundles, cli, settings, tasks
from healthdash.errors import TrainingStopped
from healthdash.progress import Progress
from healthdash.scale import predicting


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


def test_a_model_whose_figures_cannot_be_read_has_its_own_line(capsys):
    own = settings.current().own_models / "heart-disease" / "broken"
    shutil.copytree(bundles.get("heart-disease").path, own)
    (own / "evaluation.json").write_text("{}")
    cli.main(["models"])
    lines = _lines(capsys)
    (told,) = [line for line in lines if "error" in line]
    assert (told["task"], told["model"], told["error"]["type"]) == ("heart-disease", "broken", "CorruptModel")
    assert sum("metrics" in line for line in lines) == len(lines) - 1


def test_wrong_usage_exits_with_two():
    with pytest.raises(SystemExit) as stopped:
        cli.main(["predict"])
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "signals", "--data", "set", "--out", "model", "--rate", "250"],  # is not --rate-hz
        ["check", "--data", "table.csv", "--targ", "x"],
    ],
)
def test_an_option_is_not_guessed_from_its_beginning(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert "unrecognized arguments" in capsys.readouterr().err


def test_every_argument_of_every_command_has_a_help_text():
    (commands,) = (one for one in cli._parser()._actions if isinstance(one, argparse._SubParsersAction))
    silent = [
        f"{name} {argument.dest}"
        for name, command in commands.choices.items()
        for argument in command._actions
        if not argument.help
    ]
    assert silent == []


def test_a_setting_that_is_no_number_is_wrong_usage(monkeypatch, capsys):
    monkeypatch.setenv("HEALTHDASH_MAX_UPLOAD_MB", "1.5")
    with pytest.raises(SystemExit) as stopped:
        cli.main(["tasks"])
    assert stopped.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "HEALTHDASH_MAX_UPLOAD_MB: expected a whole number from 1 on, got '1.5'" in told.err


def test_what_sigterm_ends_removes_its_files(tmp_path, monkeypatch):
    def ended(_):
        with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
            (Path(folder) / "scan").touch()
            os.kill(os.getpid(), signal.SIGTERM)
            yield {}

    monkeypatch.setitem(cli._COMMANDS, "tasks", ended)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as stopped:
            cli.main(["tasks"])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert stopped.value.code == 143
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "stopped"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "the disk is full"),
        (FileNotFoundError(errno.ENOENT, "No such file", "patient.csv"), 1, "cannot be used: No such file"),
    ],
)
def test_what_ends_a_command_has_a_line(error, code, words, capsys, monkeypatch):
    def ended(_):
        yield {}
        raise error

    monkeypatch.setitem(cli._COMMANDS, "tasks", ended)
    assert cli.main(["tasks"]) == code
    _, line = _lines(capsys)
    assert words in line["error"]["message"]
    assert "patient" not in str(line)


@pytest.fixture
def _signals():
    """Give back what answers to signals."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, answer in before.items():
        signal.signal(number, answer)


@pytest.mark.usefixtures("_signals")
def test_a_training_ends_after_its_epoch_and_at_once_on_a_second_ctrl_c():
    progress = Progress(None)
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(TrainingStopped):
        progress({"epoch": 1})
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_what_is_no_file_of_a_search_is_said_before_the_data_are_read(capsys, tmp_path):
    (tmp_path / "searched.json").write_text("{}")
    asked = ["train", "heart-disease", "--data", str(tmp_path / "missing"), "--out", str(tmp_path / "own")]
    assert cli.main([*asked, "--searched", str(tmp_path / "searched.json")]) == 1
    (line,) = _lines(capsys)
    assert line["error"]["hint"] == "Check --searched."


def test_a_training_whose_data_are_missing_leaves_no_folder(capsys, tmp_path):
    asked = ["train", "heart-disease", "--data", str(tmp_path / "missing"), "--out", str(tmp_path / "own")]
    assert cli.main([*asked, "--history", str(tmp_path / "own" / "logs" / "epochs.csv")]) == 1
    assert "cannot be opened" in _lines(capsys)[0]["error"]["message"]
    assert not (tmp_path / "own").exists()


@pytest.mark.parametrize("port", ["0", "99999", "web"])
def test_a_port_that_is_none_is_wrong_usage(port, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["serve", "--port", port])
    assert stopped.value.code == 2
    assert "expected 1 to 65,535" in capsys.readouterr().err


def test_a_file_that_is_not_there_has_its_own_line(capsys, tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert cli.main(["inspect", str(tmp_path / "missing"), str(tmp_path)]) == 1
    lines = _lines(capsys)
    assert [line["error"]["type"] for line in lines] == ["InputError", "UnreadableUpload"]


def test_a_folder_without_files_is_told(capsys, tmp_path):
    (tmp_path / "empty" / "below").mkdir(parents=True)
    assert cli.main(["inspect", str(tmp_path / "empty")]) == 1
    (line,) = _lines(capsys)
    assert "found none" in line["error"]["message"]


def test_a_folder_without_files_is_told_on_a_cluster_too(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(cli.scale, "is_on", lambda: True)
    monkeypatch.setattr(predicting, "predict", lambda *_: [])
    assert cli.main(["predict", "heart-disease", str(tmp_path)]) == 1
    (line,) = _lines(capsys)
    assert "found none" in line["error"]["message"]


def test_a_file_above_the_limit_is_not_read_and_the_others_are(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("HEALTHDASH_MAX_UPLOAD_MB", "1")
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(6 << 30)
    (tmp_path / "small.csv").write_text("age,sex\n50,1\n")
    assert cli.main(["inspect", str(tmp_path)]) == 1
    lines = {line["source"].rpartition("/")[2]: line for line in _lines(capsys)}
    assert "expected at most 1 MB, got 6,144.0" in lines["huge.csv"]["error"]["message"]
    assert "error" not in lines["small.csv"]


def test_a_name_that_is_no_text_ends_nothing(capsys, tmp_path):
    for name in (b"a\xff.csv", b"z.csv"):
        (tmp_path / os.fsdecode(name)).write_text("age,sex\n50,1\n")
    assert cli.main(["inspect", str(tmp_path)]) == 0
    assert [os.fsencode(line["source"])[-6:] for line in _lines(capsys)] == [b"a\xff.csv"[-6:], b"/z.csv"]


@pytest.mark.tf
def test_judge_prints_one_object_and_writes_only_when_asked(capsys, tmp_path):
    shipped = bundles.get("heart-disease").path
    copy = tmp_path / "copy"
    shutil.copytree(shipped, copy)
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    asked = ["judge", "heart-disease", "--model", str(copy), "--items", "2", "--samples", "20"]
    assert cli.main(asked) == 0
    (line,) = _lines(capsys)
    assert line["explanations"]["items"] == 2
    assert line["explanations"]["methods"][0]["method"] == "exact-shapley"
    assert not line["written"]
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before

    assert cli.main([*asked, "--write"]) == 0
    (line,) = _lines(capsys)
    assert line["written"]
    changed = {path.name for path in copy.iterdir() if path.read_bytes() != before[path.name]}
    assert changed == {"card.md", "evaluation.json"}
    assert "Measured on 2 synthetic rows" in (copy / "card.md").read_text()


@pytest.mark.tf
def test_training_ends_with_a_card_that_says_how_good_its_explanations_are(capsys, tmp_path):
    asked = ["train", "heart-disease", "--data", "synthetic", "--out", str(tmp_path / "own")]
    history = str(tmp_path / "own" / "logs" / "epochs.csv")
    assert cli.main([*asked, "--epochs", "1", "--members", "1", "--folds", "2", "--history", history]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["metrics"]
    assert "explanations 100%" in captured.err
    found = bundles.open_folder(tmp_path / "own").evaluation.explanations
    assert found.items == 4
    assert found.kind == "synthetic rows"


def test_tensorflow_takes_its_settings_before_a_training_begins(monkeypatch, tmp_path):
    begun = []

    def trained(*_):
        begun.append("training")
        raise TrainingStopped("enough", hint="None.")

    monkeypatch.setattr(cli.runtime, "ready_to_train", lambda: begun.append("settings"))
    monkeypatch.setattr(type(tasks.get("heart-disease")), "train", trained)
    cli.main(["train", "heart-disease", "--data", "synthetic", "--out", str(tmp_path / "own")])
    assert begun == ["settings", "training"]


@pytest.mark.parametrize("items", ["0", "-1", "many"])
def test_judging_no_items_is_wrong_usage(items, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["judge", "heart-disease", "--items", items])
    assert stopped.value.code == 2
    assert "a whole number from 1 on" in capsys.readouterr().err


def test_a_number_that_is_none_takes_no_other_line_with_it(capsys):
    assert cli._print_lines([{"source": "a", "mm": float("nan")}, {"source": "b"}]) == 1
    broken, whole = _lines(capsys)
    assert broken["error"]["type"] == "InputError"
    assert (broken["source"], whole) == ("a", {"source": "b"})
