"""Every task learns by its command, from the synthetic set that it offers, to a bundle that opens."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from healthdash import bundles, cli, tasks
from healthdash.task import Task

pytestmark = pytest.mark.tf

_TWO_FOLDS = ["--folds", "2"]
#: Tracing a network takes ten times as long as fitting it on so little: a task with folds needs two here.
_FEWER = {
    "ecg-beats": [*_TWO_FOLDS, "--members", "1"],
    "lung-ct": _TWO_FOLDS,
    "heart-disease": _TWO_FOLDS,
    "table": _TWO_FOLDS,
    "signals": _TWO_FOLDS,
}


@pytest.mark.parametrize("task", tasks.all_tasks(), ids=lambda task: task.slug)
def test_the_train_command_makes_a_bundle(
    task: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from healthdash.tasks.imaging import network

    # How good the explanations are takes minutes, and has tests of its own.
    monkeypatch.setattr(cli.judging, "after_training", lambda task, trained, progress: trained)
    monkeypatch.setattr(network, "_STAGES", network._STAGES[:2])  # tracing a whole one takes a minute
    history = tmp_path / "run" / "history.csv"
    history.parent.mkdir()
    words = ["train", task.slug, "--data", "synthetic", "--out", str(tmp_path / "made"), "--epochs", "1"]
    words += _FEWER.get(task.slug, [])
    monkeypatch.setattr(sys, "argv", ["healthdash", *words, "--history", str(history)])
    assert cli.main(sys.argv[1:]) == 0
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    bundle = bundles.open_folder(Path(line["path"]))
    assert (bundle.info.task, line["sha256"]) == (task.slug, bundle.info.sha256)
    assert bundle.evaluation.metrics
    assert "worth nothing" in bundle.info.data.name
    assert history.is_file()
    told = " ".join(words).replace(str(tmp_path / "made"), "made")
    assert bundle.evaluation.command == f"python -m healthdash {told}"
