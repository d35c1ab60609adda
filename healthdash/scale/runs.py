"""Trainings of the queue on the cluster: what the dispatcher starts here, it starts there."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from pathlib import Path
from typing import Any

from healthdash.runs.folder import RunFolder
from healthdash.scale.cluster import connected, resources

__all__ = ["RemoteTraining", "start"]

#: `-m healthdash` and the interpreter before the words of the command line.
_BEFORE = 3


class RemoteTraining:
    """A training on the cluster, as the dispatcher knows processes: ask for its end, signal, wait."""

    def __init__(self, task: Any) -> None:
        self._task = task
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return the exit status; None while it runs or waits for a node."""
        ray = connected()
        if self._code is None and ray.wait([self._task], timeout=0)[0]:
            try:
                self._code = int(ray.get(self._task))
            except ray.exceptions.RayError:
                # Cancelled, or lost more often than it is tried again.
                self._code = -signal.SIGKILL
        return self._code

    def send_signal(self, number: int) -> None:
        """Ask the training to end, or end it."""
        connected().cancel(self._task, force=number == signal.SIGKILL)

    def wait(self) -> int:
        """Wait until it has ended and return its exit status."""
        connected().wait([self._task])
        return self.poll() or 0


def start(words: list[str], folder: RunFolder) -> RemoteTraining:
    """Start the command line of a run on some node of the cluster.

    Parameters
    ----------
    words : list of str
        As `runs.command.words` gives them.
    folder : RunFolder
        On storage that all nodes share.
    """
    ray = connected()
    # Nobody holds it as a lock: whoever looks when this dispatcher is gone, finds the training lost.
    folder.lock_file.write_text("0")
    train = ray.remote(**resources())(_train)
    return RemoteTraining(train.remote(words[_BEFORE:], str(folder.path.absolute())))


def _train(words: list[str], place: str) -> int:
    """Run a command line in a worker, with its output in the run's folder."""
    from healthdash import cli

    folder = RunFolder(Path(place))
    os.chdir(folder.path)
    with (
        folder.answer_file.open("w") as answer,
        folder.log_file.open("a") as log,
        contextlib.redirect_stdout(answer),
        contextlib.redirect_stderr(log),
    ):
        handler = logging.StreamHandler(log)
        logging.getLogger().addHandler(handler)
        try:
            return cli.main(words)
        finally:
            logging.getLogger().removeHandler(handler)
            _tidy()


def _tidy() -> None:
    """Give back what the networks of one training hold: the next one runs in the same process."""
    import keras

    keras.backend.clear_session()
