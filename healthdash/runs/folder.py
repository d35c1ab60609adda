"""The folder of one run: its data, what it writes while it trains, and whether its process lives."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd

from healthdash.training.history import read_history
from healthdash.training.live import LIVE

__all__ = ["RunFolder", "locked"]

_LOG_LINES = 12
_TAIL_BYTES = 16_384


class RunFolder:
    """Files of a run.

    Parameters
    ----------
    path : Path
        The folder; it need not be there.
    """

    #: Files that say of which search the run is a trial, and which search found its settings.
    SEARCH, SEARCHED = "search.json", "searched.json"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path / "data"
        #: Items for the pre-training, see `healthdash.ui.unlabelled`.
        self.unlabelled = path / "unlabelled"
        self.history_file = path / "history.csv"
        #: Beside the history, where a training writes how it stands.
        self.live_file = self.history_file.with_name(LIVE)
        self.answer_file = path / "answer.jsonl"
        self.log_file = path / "log.txt"
        self.checkpoints = path / "checkpoints"
        #: Locked by the training process as long as it lives; holds its number.
        self.lock_file = path / "lock"

    @property
    def history(self) -> pd.DataFrame:
        """The epochs so far."""
        return read_history(self.history_file)

    @property
    def log(self) -> str:
        """The last lines that the training wrote."""
        return "\n".join(_tail(self.log_file).splitlines()[-_LOG_LINES:])

    @property
    def answer(self) -> dict[str, Any]:
        """The last JSON object that the training printed; empty without one."""
        for line in reversed(_tail(self.answer_file).splitlines()):
            if line.startswith("{"):
                with suppress(json.JSONDecodeError):
                    answer: dict[str, Any] = json.loads(line)
                    return answer
        return {}

    @property
    def search(self) -> dict[str, Any]:
        """Of which search the run is a trial; empty for others."""
        return _told(self.path / self.SEARCH)

    @property
    def searched(self) -> dict[str, Any]:
        """Which trial of which search gave the settings; empty where no search did."""
        return _told(self.path / self.SEARCHED)

    @property
    def is_alive(self) -> bool:
        """Whether the training process lives, whoever started it."""
        if not self.lock_file.exists():
            return False
        with locked(self.lock_file, shared=True) as is_free:
            return not is_free

    @property
    def was_started(self) -> bool:
        """Whether a training process was started that has not been looked after to its end."""
        return self.lock_file.exists() and bool(self.lock_file.read_text())

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the living process and to what it started."""
        with suppress(ProcessLookupError, ValueError, FileNotFoundError):
            if self.is_alive:
                os.killpg(int(self.lock_file.read_text()), number)

    def forget_inputs(self) -> None:
        """Remove the data and the checkpoints; the data of a trial may be trained on once more."""
        if not self.search:
            shutil.rmtree(self.data, ignore_errors=True)
            shutil.rmtree(self.unlabelled, ignore_errors=True)
        shutil.rmtree(self.checkpoints, ignore_errors=True)

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)


@contextmanager
def locked(file: Path, *, shared: bool = False) -> Iterator[bool]:
    """Try to hold a file's lock, and say whether that went well. The system frees it when its holder ends.

    Parameters
    ----------
    shared : bool
        Only look whether somebody holds it: many may do that at once.
    """
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def _told(file: Path) -> dict[str, Any]:
    """Return the JSON object of a file; empty without one."""
    with suppress(OSError, json.JSONDecodeError):
        told: dict[str, Any] = json.loads(file.read_bytes())
        return told
    return {}


def _tail(file: Path) -> str:
    """Return the end of a text file; an absent file is empty."""
    if not file.exists():
        return ""
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - _TAIL_BYTES))
        return opened.read().decode(errors="replace")
