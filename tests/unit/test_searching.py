"""The command `search`: from labelled data to a model whose card says how its settings were found."""

from __future__ import annotations

import json

import pytest

from healthdash import bundles, cli
from healthdash.runs.folder import RunFolder

COMMAND = ["search", "table", "--data", "synthetic", "--target", "outcome", "--network", "mlp"]


def _lines(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.tf
@pytest.mark.slow
def test_a_search_ends_with_a_model_and_is_not_done_twice(tmp_path, capsys):
    space = tmp_path / "space.json"
    space.write_text(json.dumps({"learning_rate": {"low": 1e-3, "high": 1e-1, "log": True}}))
    out = tmp_path / "own"
    command = [*COMMAND, "--out", str(out), "--trials", "2", "--trial-epochs", "2", "--epochs", "3"]
    command += ["--space", str(space)]
    assert cli.main([*command, "--at-once", "2"]) == 0
    *trials, model = _lines(capsys)
    assert sorted(one["trial"] for one in trials) == [1, 2]
    assert trials[0]["validation loss"] <= trials[1]["validation loss"]
    assert (model["path"], model["trials"], model["trial"]) == (str(out), 2, trials[0]["trial"])
    bundle = bundles.open_folder(out)
    assert "best of 2 trials of a random search over learning rate" in bundle.card
    assert "test part was not looked at" in bundle.card
    assert bundle.info.recipe["epochs"] == 3

    folders = [RunFolder(path) for path in (tmp_path / "own-trials").iterdir() if path.is_dir()]
    before = {folder.path: folder.history_file.stat().st_mtime_ns for folder in folders}
    assert cli.main(command) == 0
    assert _lines(capsys)[:-1] == trials
    assert {f.path: f.history_file.stat().st_mtime_ns for f in folders} == before
    assert cli.main([*command, "--dropout", "0.5"]) == 1
    (line,) = _lines(capsys)
    assert "got others" in line["error"]["message"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--trials", "0"], "1 to 500 trials"),
        (["--network", "ensemble"], "not for the network"),
        (["--target", "no such"], "column"),
    ],
)
def test_what_is_wrong_is_said_before_any_trial(tmp_path, capsys, more, words):
    assert cli.main([*COMMAND, "--out", str(tmp_path / "own"), *more]) == 1
    (line,) = _lines(capsys)
    assert words in line["error"]["message"]
    assert not [path for path in (tmp_path / "own-trials").iterdir() if path.is_dir()]


def test_a_task_with_a_recipe_of_its_own_is_not_searched(tmp_path, capsys):
    command = ["search", "heart-disease", "--data", "synthetic", "--out", str(tmp_path / "own")]
    assert cli.main(command) == 1
    assert "recipe of its own" in _lines(capsys)[0]["error"]["message"]
