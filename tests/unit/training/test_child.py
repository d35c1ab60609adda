"""The child process, with small programs in the place of the command line."""

import sys
import time

import pytest

from healthdash.training import TrainSettings, child

HISTORY = "import sys; open(sys.argv[1] + '/history.csv', 'w').write('epoch,loss\\n1,0.5\\n');"


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Return a function that starts a run of the given program instead of a training."""

    def started(program: str) -> child.Run:
        folder = tmp_path / "run"
        folder.mkdir()
        real = child.subprocess.Popen
        monkeypatch.setattr(
            child.subprocess,
            "Popen",
            lambda _, **more: real([sys.executable, "-c", program, str(folder)], **more),
        )
        return child.start("toy", tmp_path, tmp_path / "out", TrainSettings(), folder)

    return started


def _until_over(run: child.Run) -> child.Run:
    deadline = time.monotonic() + 20
    while not run.is_over and time.monotonic() < deadline:
        time.sleep(0.02)
    return run


def test_a_run_that_ends_well_has_metrics_and_history(start):
    run = _until_over(start(HISTORY + 'print(\'{"metrics": {"AUC": {"value": 0.9}}}\')'))
    assert run.state == "done"
    assert run.error is None
    assert run.metrics["AUC"]["value"] == 0.9
    assert run.history["loss"].tolist() == [0.5]


def test_a_failed_run_says_why_and_shows_its_log(start):
    answer = '{"error": {"type": "TooLittleData", "message": "too few", "hint": "add some"}}'
    run = _until_over(start(f"import sys; print('{answer}'); sys.stderr.write('epoch=1'); sys.exit(1)"))
    assert run.state == "failed"
    assert (run.error.message, run.error.hint) == ("too few", "add some")
    assert run.log == "epoch=1"


def test_a_run_that_dies_without_a_word_is_told_all_the_same(start):
    run = _until_over(start("import os; os.abort()"))
    assert run.state == "failed"
    assert run.error.hint


def test_stopping_ends_the_process(start):
    run = start("import time; time.sleep(60)")
    assert run.state == "running"
    run.stop()
    assert _until_over(run).state == "stopped"
    assert "stopped" in run.error.message


def test_a_run_that_does_not_listen_is_killed_after_its_grace(start, monkeypatch):
    monkeypatch.setattr(child, "_GRACE_S", 0.3)
    run = start(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('{}', flush=True); time.sleep(60)"
    )
    while not (run.folder / "answer.jsonl").stat().st_size:
        time.sleep(0.02)
    run.stop()
    assert run.state == "stopping"
    assert _until_over(run).state == "stopped"


def test_closing_removes_the_folder_and_the_process(start):
    run = start("import time; time.sleep(60)")
    run.close()
    assert run.is_over
    assert not run.folder.exists()


def test_the_settings_become_words_of_the_command_line():
    words = list(child._options(TrainSettings(epochs=3, learning_rate=0.01, augment=False, target="y")))
    assert words == [
        "--epochs",
        "3",
        "--seed",
        "0",
        "--learning-rate",
        "0.01",
        "--no-augment",
        "--target",
        "y",
    ]
