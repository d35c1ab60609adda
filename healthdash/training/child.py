"""A training run in a process of its own: started, watched and stopped from outside.

Memory of an accelerator comes back only when its process ends, and a crash takes nothing with it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from healthdash.errors import TrainingError, TrainingStopped
from healthdash.training.history import read_history
from healthdash.training.settings import TrainSettings

__all__ = ["Run", "start"]

State = Literal["running", "stopping", "done", "stopped", "failed"]
_REPOSITORY = Path(__file__).resolve().parents[2]
#: Time that a run has to end its epoch after SIGTERM.
_GRACE_S = 20.0
_LOG_LINES = 12


class Run:
    """One child process that trains, with its private folder.

    Parameters
    ----------
    task : str
        Slug of the task.
    out : Path
        The bundle folder that the run makes.
    folder : Path
        Private folder of the run (data, history, log); removed by `close`.
    """

    def __init__(self, process: subprocess.Popen[bytes], task: str, out: Path, folder: Path) -> None:
        self.task, self.out, self.folder = task, out, folder
        self._process = process
        self._stopping = False
        self._clean = weakref.finalize(self, _end, process, folder)

    @property
    def state(self) -> State:
        """What the run is doing, or how it ended."""
        code = self._process.poll()
        if code is None:
            return "stopping" if self._stopping else "running"
        if code == 0:
            return "done"
        return "stopped" if self._stopping or self._answer_type() == "TrainingStopped" else "failed"

    @property
    def is_over(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    @property
    def history(self) -> pd.DataFrame:
        """The epochs so far."""
        return read_history(self.folder / "history.csv")

    @property
    def log(self) -> str:
        """The last lines that the run wrote."""
        path = self.folder / "log.txt"
        text = path.read_text(errors="replace") if path.exists() else ""
        return "\n".join(text.splitlines()[-_LOG_LINES:])

    @property
    def metrics(self) -> dict[str, Any]:
        """What the finished run measured, by name."""
        answer: dict[str, Any] = self._answer().get("metrics", {})
        return answer

    @property
    def error(self) -> TrainingError | None:
        """Why the run gave no model; None while it runs or when it is done."""
        if self.state == "stopped":
            return TrainingStopped("the run was stopped", hint="Its history so far is kept here.")
        if self.state != "failed":
            return None
        told = self._answer().get("error", {})
        message = told.get("message", "the run ended without a reason, perhaps for want of memory")
        return TrainingError(message, hint=told.get("hint") or "Look at the log below.")

    def stop(self) -> None:
        """Ask the run to end after its epoch; end it when it does not."""
        if self.is_over or self._stopping:
            return
        self._stopping = True
        self._process.terminate()
        killer = threading.Timer(_GRACE_S, self._process.kill)
        killer.daemon = True
        killer.start()

    def close(self) -> None:
        """End the run at once and remove its folder."""
        self._clean()

    def _answer(self) -> dict[str, Any]:
        """Return the last JSON object that the run printed."""
        path = self.folder / "answer.jsonl"
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        for line in reversed(lines):
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        return {}

    def _answer_type(self) -> str:
        return str(self._answer().get("error", {}).get("type", ""))


def start(task: str, data: Path, out: Path, settings: TrainSettings, folder: Path | None = None) -> Run:
    """Start training in a child process.

    Parameters
    ----------
    data : Path
        A labelled data set as the task reads it.
    out : Path
        Where the bundle goes.
    folder : Path or None
        A private folder that the run takes over; it may hold `data`.
    """
    folder = folder or private_folder()
    command = [sys.executable, "-m", "healthdash", "train", task, "--data", str(data), "--out", str(out)]
    command += ["--history", str(folder / "history.csv"), *_options(settings)]
    path = os.pathsep.join(filter(None, [str(_REPOSITORY), os.environ.get("PYTHONPATH")]))
    with (folder / "answer.jsonl").open("wb") as answer, (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=answer, stderr=log, cwd=folder,
            env={**os.environ, "PYTHONPATH": path}, start_new_session=True,
        )  # fmt: skip
    return Run(process, task, out, folder)


def private_folder() -> Path:
    """Return a new folder that only this user can read."""
    return Path(tempfile.mkdtemp(prefix="healthdash-run-"))


def _options(settings: TrainSettings) -> Iterator[str]:
    """Yield the words of the command line for the settings that were chosen."""
    for name, value in asdict(settings).items():
        if name == "augment":
            if not value:
                yield "--no-augment"
        elif value is not None:
            yield from (f"--{name.replace('_', '-')}", str(value))


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)
