"""Starts the trainings that wait, as many at once as the settings say, and records how they end."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from healthdash.apart import leftovers
from healthdash.errors import NoDatabase
from healthdash.runs import command
from healthdash.runs.ending import ending
from healthdash.runs.folder import RunFolder, locked
from healthdash.runs.record import Run, Told
from healthdash.runs.store import RunStore

__all__ = ["Dispatcher", "lock_file"]

_log = logging.getLogger("healthdash.runs")
_LOOK_S = 0.3
#: So long the dispatcher waits for another run before it ends.
_LINGER_S = 5.0
#: Time that a run has to end its epoch when it is stopped.
_GRACE_S = 20.0
_AGAIN_S = 2.0


class Training(Protocol):
    """A training that was started: a process here, or a task elsewhere."""

    def poll(self) -> int | None:
        """Return its exit status; None while it goes on."""

    def send_signal(self, number: int) -> None:
        """Ask it to end (SIGTERM), or end it (SIGKILL)."""

    def wait(self) -> int:
        """Wait for its end."""


class _Process:
    """A training process of this machine, with all that it started."""

    def __init__(self, words: list[str], folder: RunFolder) -> None:
        self._popen, self._folder = command.spawn(words, folder), folder

    def poll(self) -> int | None:
        return self._popen.poll()

    def send_signal(self, number: int) -> None:
        self._folder.signal(signal.Signals(number))
        if number == signal.SIGKILL:
            # Its lock may be gone with the folder.
            self._popen.kill()

    def wait(self) -> int:
        return self._popen.wait()


@dataclass
class _Child:
    """A training; `process` is None when an earlier dispatcher started it."""

    folder: RunFolder
    process: Training | None = None
    asked_to_stop: float | None = field(default=None)

    @property
    def is_alive(self) -> bool:
        if self.process is not None:
            return self.process.poll() is None
        return self.folder.is_alive

    @property
    def code(self) -> int | None:
        return None if self.process is None else self.process.poll()

    def stop(self) -> None:
        """Ask the process to end after its epoch; end it when it does not."""
        if self.asked_to_stop is None:
            self.asked_to_stop = time.monotonic()
            self.tell(signal.SIGTERM)
        elif time.monotonic() - self.asked_to_stop > _GRACE_S:
            self.tell(signal.SIGKILL)

    def tell(self, number: signal.Signals) -> None:
        """Send a signal."""
        if self.process is None:
            self.folder.signal(number)
        else:
            self.process.send_signal(number)


class Dispatcher:
    """Looks after the runs of one place. One a place: it holds a lock while it looks.

    Parameters
    ----------
    root : Path
        Folder of the runs.
    at_once : int
        Runs that may train beside each other.
    words : function
        Returns the command of a run.
    start : function
        Starts a command in a run's folder, by default as a process of this machine.
    tell : function of a run's name
        Called whenever a run has begun or ended.
    """

    def __init__(
        self,
        store: RunStore,
        root: Path,
        place: str,
        at_once: int,
        words: Callable[[Run, RunFolder], list[str]] = command.words,
        start: Callable[[list[str], RunFolder], Training] = _Process,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store, self._root, self._place = store, root, place
        self._at_once, self._words, self._begin, self._tell = at_once, words, start, tell
        self._children: dict[str, _Child] = {}

    def serve(self) -> None:
        """Look until nothing is left to do; return at once where another dispatcher looks."""
        # Whoever adds a run looks for a dispatcher after that. So one that has given its lock back
        # looks once more: either it sees the run, or the other one saw the lock free.
        while True:
            with locked(lock_file(self._root)) as is_ours:
                if not is_ours:
                    return
                self._until_idle()
            if not self._store.active(self._place):
                return

    def look(self) -> bool:
        """Do what is due, and say whether something is left to do."""
        runs = self._store.active(self._place)
        for run_id in set(self._children) - {run.id for run in runs}:
            self._deleted(self._children.pop(run_id))
        for run in runs:
            if run.state != "queued":
                self._watch(run)
        waiting = [run for run in runs if run.state == "queued"]
        for run in waiting[: max(0, self._at_once - len(self._children))]:
            self._start(run)
        return bool(self._children) or bool(waiting)

    def _until_idle(self) -> None:
        last_busy = time.monotonic()
        while time.monotonic() - last_busy < _LINGER_S:
            try:
                if self.look():
                    last_busy = time.monotonic()
            except (NoDatabase, OSError) as error:
                # A database that restarts or a full disk must not leave the runs alone.
                _log.warning("look again after %s", type(error.__cause__ or error).__name__)
                last_busy = time.monotonic()
                time.sleep(_AGAIN_S)
            time.sleep(_LOOK_S)

    def _start(self, run: Run) -> None:
        folder = RunFolder(self._root / run.id)
        folder.lock_file.unlink(missing_ok=True)
        now = {"started": time.time(), "ended": None, "attempt": run.attempt + 1}
        if not self._store.change(run.id, ["queued"], state="running", **now):
            return
        try:
            self._children[run.id] = _Child(folder, self._begin(self._words(run, folder), folder))
        except OSError as error:
            reason = Told("TrainingError", "the training cannot be started", type(error).__name__)
            self._store.change(run.id, ["running"], state="failed", ended=time.time(), error=reason)
        self._tell(run.id)

    def _watch(self, run: Run) -> None:
        child = self._children.get(run.id) or _Child(RunFolder(self._root / run.id))
        if child.is_alive:
            self._children[run.id] = child
            if run.state == "stopping":
                child.stop()
        elif child.process is None and not child.folder.was_started:
            # The dispatcher that claimed it ended before it started it.
            self._store.change(run.id, ["running", "stopping"], state="queued")
        else:
            self._over(run, child)

    def _over(self, run: Run, child: _Child) -> None:
        """Record how a run ended; what it was told to do counts as of now."""
        end = ending(run, child.folder, child.code)
        if not self._store.change(run.id, ["running", "stopping"], ended=time.time(), **end):
            return
        self._children.pop(run.id, None)
        child.folder.lock_file.unlink(missing_ok=True)
        leftovers.sweep()  # an archive that it had unpacked when it was killed
        if end["state"] == "done":
            child.folder.forget_inputs()
        self._tell(run.id)

    def _deleted(self, child: _Child) -> None:
        """End a run that its owner has deleted, and remove what it wrote since."""
        child.tell(signal.SIGKILL)
        if child.process is not None:
            child.process.wait()
        child.folder.remove()
        leftovers.sweep()


def lock_file(root: Path) -> Path:
    """Return the file that a dispatcher locks while it looks."""
    return root / "dispatcher.lock"
