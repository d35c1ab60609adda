"""The training process of a run: the same command line that people use."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from healthdash.runs.folder import RunFolder
from healthdash.runs.record import Run
from healthdash.settings import REPOSITORY

__all__ = ["environment", "option_words", "spawn", "words"]


def words(run: Run, folder: RunFolder) -> list[str]:
    """Return the command that trains a run, and goes on where it was ended before."""
    is_trial = (folder.path / RunFolder.SEARCH).exists()
    command = [sys.executable, "-m", "healthdash", "trial" if is_trial else "train", run.task]
    command += ["--data", str(folder.path / run.data), "--out", run.out]
    command += ["--history", str(folder.history_file), "--checkpoints", str(folder.checkpoints)]
    if (folder.path / RunFolder.SEARCHED).exists():
        command += ["--searched", str(folder.path / RunFolder.SEARCHED)]
    return [*command, *option_words(run.settings)]


def environment() -> dict[str, str]:
    """Return the environment of a process of ours, whatever folder it runs in."""
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    # A run has a process of its own already: it reads its data there.
    return {**os.environ, "PYTHONPATH": path, "HEALTHDASH_APART": "0"}


def spawn(command: list[str], folder: RunFolder) -> subprocess.Popen[bytes]:
    """Start a process in a run's folder; it holds the folder's lock until its end.

    The process inherits the lock: it is free when the process has ended, however that was, and
    whoever looks. It has a session of its own, so that it does not end with the one who started it.
    """
    lock = os.open(folder.lock_file, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        # Waits for those who only look whether the process lives: the moment of a system call.
        fcntl.flock(lock, fcntl.LOCK_EX)
        with folder.answer_file.open("wb") as answer, folder.log_file.open("wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=answer, stderr=log, cwd=folder.path,
                env=environment(), start_new_session=True, pass_fds=(lock,),
            )  # fmt: skip
        os.write(lock, str(process.pid).encode())
        return process
    finally:
        os.close(lock)


def option_words(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield the words of the command line for the settings that were chosen."""
    for name, value in settings.items():
        if name == "augment":
            if not value:
                yield "--no-augment"
        elif value is not None:
            # One word: a column may be named "-2LL".
            yield f"--{name.replace('_', '-')}={value}"
