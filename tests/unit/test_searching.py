"""The command `search`: from labelled data to a model whose card says how its settings were found."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from healthdash import archive, bundles, cli, searching, tasks
from healthdash.runs import Run, dispatcher
from healthdash.runs.dispatcher import Dispatcher
from healthdash.runs.folder import RunFolder, locked
from healthdash.runs.queue import Queue, place_of
from healthdash.runs.store import RunStore, sqlite_url

COMMAND = ["search", "table", "--data", "synthetic", "--target", "outcome", "--network", "mlp"]


LOST = "import os; os.kill(os.getpid(), 9)"
FULL = "import sys; sys.exit('OSError: No space left on device')"


class _Stubs:
    """A search whose trainings are small programs: the loss of a trial is the less the higher its number.

    Attributes
    ----------
    programs : dict of lists of str
        What is run at first in the place of trial 1, 2, ...; 0 is the training of the model.
    trained : list of int
        What was begun, in order.
    """

    def __init__(self, out: Path) -> None:
        self.out, self.root = out, out.with_name(f"{out.name}-trials")
        self.programs: dict[int, list[str]] = {}
        self.trained: list[int] = []

    def dispatched(self, store: RunStore, root: Path, at_once: int, tell) -> Dispatcher:
        return Dispatcher(store, root, place_of(root), at_once, words=self._words, tell=tell)

    def _words(self, run: Run, folder: RunFolder) -> list[str]:
        number = folder.search.get("number", 0)
        self.trained.append(number)
        metrics = {"validation loss": {"value": 1 / (number + 1), "part": "validation"}}
        done = f"print({json.dumps(json.dumps({'metrics': metrics}))})"
        return [
            sys.executable,
            "-S",
            "-c",
            self.programs[number].pop(0) if self.programs.get(number) else done,
        ]

    def search(self, capsys, *more: str, command: list[str] = COMMAND) -> dict:
        """Give the command and return what it prints last."""
        cli.main([*command, "--out", str(self.out), "--trials", "3", *more])
        return _lines(capsys)[-1]

    @property
    def queue(self) -> Queue:
        return Queue(RunStore(sqlite_url(self.root / "runs.db")), self.root, wake=lambda _: None)

    def runs(self) -> dict[int, Run]:
        """Return the trials by their numbers."""
        queue = self.queue
        return {queue.folder(run.id).search.get("number", 0): run for run in queue.of("command line")}


@pytest.fixture
def stubs(tmp_path, monkeypatch) -> _Stubs:
    stubs = _Stubs(tmp_path / "own")
    monkeypatch.setattr(dispatcher, "_LOOK_S", 0.02)
    monkeypatch.setattr(dispatcher, "_LINGER_S", 0.1)
    monkeypatch.setattr(searching, "dispatched", stubs.dispatched)
    return stubs


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
        (["--trial-epochs", "-4"], "--trial-epochs: expected 1 to 1000, got -4"),
        (["--trial-epochs", "0"], "--trial-epochs: expected 1 to 1000, got 0"),
        (["--network", "ensemble"], "not for the network"),
        (["--mixup", "0.2"], "(--mixup) means nothing for a model of table"),
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


def test_a_trial_that_was_lost_with_the_search_goes_on_before_the_best_is_chosen(stubs, capsys, monkeypatch):
    def killed(*_) -> Dispatcher:
        raise SystemExit

    monkeypatch.setattr(searching, "dispatched", killed)
    with pytest.raises(SystemExit):
        stubs.search(capsys)
    monkeypatch.setattr(searching, "dispatched", stubs.dispatched)
    last = stubs.runs()[3]
    stubs.queue.store.change(last.id, ["queued"], state="running", started=1.0, attempt=1)
    stubs.queue.folder(last.id).lock_file.write_text("1")  # as of a process that has ended
    model = stubs.search(capsys)
    assert (model["trial"], model["trials"], stubs.trained) == (3, 3, [1, 2, 3, 0])


def test_what_failed_is_tried_once_more_by_the_same_command(stubs, capsys):
    stubs.programs = {2: [FULL, FULL], 0: [FULL]}
    assert stubs.search(capsys)["error"]["message"] == "the disk is full"
    assert stubs.trained == [1, 2, 3, 0]
    assert stubs.search(capsys)["trial"] == 3
    assert stubs.trained == [1, 2, 3, 0, 2, 0]


def test_the_model_is_of_the_trial_that_is_the_best_by_now(stubs, capsys):
    stubs.programs = {3: [LOST]}
    model = stubs.search(capsys)
    assert (model["trial"], model["trials"]) == (2, 2)
    model = stubs.search(capsys)
    assert (model["trial"], model["trials"], stubs.trained) == (3, 3, [1, 2, 3, 0, 3, 0])
    assert stubs.search(capsys) == model
    assert stubs.trained == [1, 2, 3, 0, 3, 0]


def test_a_search_that_sigterm_ends_says_so_by_its_exit_code(stubs, capsys):
    before = signal.getsignal(signal.SIGTERM)
    stubs.programs[0] = ["import os, time; os.kill(os.getppid(), 15); time.sleep(60)"]
    try:
        with pytest.raises(SystemExit) as stopped:
            stubs.search(capsys)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert stopped.value.code == 143


def test_one_command_at_a_time_looks_after_a_search(stubs, capsys):
    stubs.root.mkdir()
    with locked(stubs.root / "search.lock"):
        assert "no other search in own-trials" in stubs.search(capsys)["error"]["message"]
    assert stubs.trained == []
    assert stubs.search(capsys)["trial"] == 3


def test_a_search_that_was_killed_while_it_was_submitted_has_all_its_trials_in_the_end(
    stubs, capsys, monkeypatch
):
    submit = Queue.submit

    def killed(queue: Queue, *given, **more) -> Run:
        if len(queue.of("command line")) == 2:
            raise SystemExit
        return submit(queue, *given, **more)

    monkeypatch.setattr(Queue, "submit", killed)
    with pytest.raises(SystemExit):
        stubs.search(capsys)
    begun = stubs.runs()
    assert sorted(begun) == [1, 2]
    monkeypatch.setattr(Queue, "submit", submit)
    assert "got others" in stubs.search(capsys, "--seed", "7")["error"]["message"]
    model = stubs.search(capsys)
    assert (model["trial"], model["trials"], stubs.trained) == (3, 3, [1, 2, 3, 0])
    all_of_them = stubs.runs()
    assert all_of_them[1].settings == begun[1].settings
    rates = {run.settings["learning_rate"] for number, run in all_of_them.items() if number}
    assert len(rates) == 3


def test_a_longer_search_adds_the_trials_that_are_missing(stubs, capsys):
    assert stubs.search(capsys, "--trials", "2")["trial"] == 2
    short = stubs.runs()
    model = stubs.search(capsys)
    assert (model["trial"], model["trials"], stubs.trained) == (3, 3, [1, 2, 0, 3, 0])
    assert stubs.runs()[2].settings == short[2].settings


def test_the_model_tells_of_all_trials_also_when_those_added_are_no_better(stubs, capsys):
    worse = {"metrics": {"validation loss": {"value": 9.0, "part": "validation"}}}
    stubs.programs = {3: [f"print({json.dumps(json.dumps(worse))})"]}
    stubs.search(capsys, "--trials", "2")
    model = stubs.search(capsys)
    assert (model["trial"], model["trials"], stubs.trained) == (2, 3, [1, 2, 0, 3, 0])


def test_other_labels_in_a_folder_are_another_search(stubs, capsys, tmp_path):
    example, *_ = tasks.get("images").training_examples()
    (upload,) = example.make()
    (tmp_path / "data").mkdir()
    data = archive.placed(upload.name, upload.data, tmp_path / "data")
    table = data / "manifest.csv"
    pictures = [path.relative_to(data) for path in sorted(data.rglob("*.png"))]
    rows = [f"{path},{path.parent.name}" for path in pictures]
    table.write_text("\n".join(["path,label", *rows]))
    written = table.stat()
    command = ["search", "images", "--data", str(data), "--network", "resnet-2d"]
    assert stubs.search(capsys, command=command)["trial"] == 3
    others = [f"{path},{row.split(',')[1]}" for path, row in zip(pictures, rows[::-1], strict=True)]
    table.write_text("\n".join(["path,label", *others]))
    assert table.stat().st_size == written.st_size
    os.utime(table, ns=(written.st_atime_ns, written.st_mtime_ns))
    assert "got others" in stubs.search(capsys, command=command)["error"]["message"]


def test_other_unlabelled_items_are_another_search(stubs, capsys, tmp_path):
    items = tmp_path / "items.csv"
    for content, expected in (("age\n1\n", "model"), ("age\n2\n", "error")):
        items.write_text(content)
        assert expected in stubs.search(capsys, "--pretrain", "2", "--unlabelled", str(items))


def test_a_line_tells_of_each_trial_that_begins_and_ends(stubs, capsys):
    stubs.programs = {2: [FULL]}
    assert cli.main([*COMMAND, "--out", str(stubs.out), "--trials", "3"]) == 1
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        "trial 1 of 3: begins",
        "trial 1 of 3: done, validation loss 0.5, 2 left",
        "trial 2 of 3: begins",
        "trial 2 of 3: failed, the disk is full, 1 left",
        "trial 3 of 3: begins",
        "trial 3 of 3: done, validation loss 0.25, 0 left",
        "the model: begins",
        "the model: done",
    ]
    failed = next(row for row in map(json.loads, printed.out.splitlines()) if row.get("state") == "failed")
    assert failed["error"]["message"] == "the disk is full"
    assert "Free some space" in failed["error"]["hint"]


def test_when_no_trial_was_trained_each_says_why(stubs, capsys):
    stubs.programs = {1: [FULL, FULL], 2: [FULL, FULL], 3: [FULL, FULL]}
    assert "lines of the trials say why" in stubs.search(capsys)["error"]["hint"]
