"""What the app may ask of training runs: start, stop, resume, delete, and look."""

from __future__ import annotations

import itertools
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from healthdash import bundles
from healthdash.runs import command
from healthdash.runs.dispatcher import lock_file
from healthdash.runs.folder import RunFolder, locked
from healthdash.runs.record import RESUMABLE, Run, Told, new_id
from healthdash.runs.store import RunStore, sqlite_url
from healthdash.settings import Settings
from healthdash.training import TrainSettings

__all__ = ["Queue", "opened", "place_of"]

_STOPPED = Told("TrainingStopped", "the run was stopped before it began", "It can be resumed.")


class Queue:
    """The runs of one home folder, as their owners see them.

    Parameters
    ----------
    root : Path
        Folder of the runs.
    wake : function
        Starts a dispatcher; it may be called when one is there.
    """

    def __init__(self, store: RunStore, root: Path, wake: Callable[[Path], None] | None = None) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.store, self._root = store, root
        self._wake = wake or _wake
        self._naming = threading.Lock()

    def submit(
        self,
        owner: str,
        task: str,
        out: Path,
        settings: TrainSettings,
        fill: Callable[[Path], Path],
        *,
        beside: Mapping[str, bytes] | None = None,
        numbered: bool = False,
    ) -> Run:
        """Put a run in the queue.

        Parameters
        ----------
        out : Path
            The bundle folder that the run makes; its name is the model's.
        fill : function of a folder
            Puts the labelled data into an empty folder and returns where they begin, or returns where
            they lie already on this machine: such data are neither copied nor removed.
        beside : dict of bytes by name
            More files of the run's folder, where the training runs: settings may name them.
        numbered : bool
            Take the next `free_name` in place of a folder that is taken; False: a model there is replaced.
        """
        run_id = new_id()
        folder = self.folder(run_id)
        folder.data.mkdir(mode=0o700, parents=True)
        folder.path.chmod(0o700)
        try:
            data = fill(folder.data)
            data = data.relative_to(folder.path) if data.is_relative_to(folder.path) else data
            for name, content in (beside or {}).items():
                (folder.path / name).parent.mkdir(mode=0o700, exist_ok=True)
                (folder.path / name).write_bytes(content)
            with self._naming:  # two who train at once must not make one folder
                out = self.free_name(out) if numbered else out
                run = Run(
                    id=run_id, owner=owner, place=place_of(self._root), task=task, name=out.name,
                    out=str(out), data=str(data), settings=asdict(settings),
                )  # fmt: skip
                self.store.add(run)
        except Exception:
            folder.remove()
            raise
        self._wake(self._root)
        return run

    def free_name(self, out: Path) -> Path:
        """Return a bundle folder that neither a model nor anybody's run has: own, own-2, own-3.

        Its name is that of no other model of the task either, also of one that ships.
        """
        taken, known = self.store.outs(), {bundle.name for bundle in bundles.available(out.parent.name)}
        names = itertools.chain([out], (out.with_name(f"{out.name}-{n}") for n in itertools.count(2)))
        return next(
            free for free in names
            if str(free) not in taken and free.name not in known and not free.exists()
        )  # fmt: skip

    def of(self, owner: str) -> list[Run]:
        """Return the runs of an owner whose files are here, the newest first."""
        return self.store.of(owner, place_of(self._root))

    def get(self, run_id: str, owner: str) -> Run | None:
        """Return a run; None when there is none, it is not this owner's, or its files are elsewhere."""
        return self.store.get(run_id, owner, place_of(self._root))

    def folder(self, run_id: str) -> RunFolder:
        """Return the folder of a run."""
        return RunFolder(self._root / run_id)

    def stop(self, run: Run) -> None:
        """Ask a run to end after its epoch."""
        if not self.store.change(run.id, ["queued"], state="stopped", ended=time.time(), error=_STOPPED):
            self.store.change(run.id, ["running"], state="stopping")
        self._wake(self._root)

    def resume(self, run: Run) -> None:
        """Let a run go on from its last checkpoint."""
        self.store.change(run.id, RESUMABLE, state="queued", error=None, ended=None, started=None)
        self._wake(self._root)

    def remove(self, run: Run) -> None:
        """End a run if it is not over, and remove it with its data; a model that it made stays."""
        if self.store.remove(run.id, run.owner, place_of(self._root)):
            # At once, also when no dispatcher looks; one that does removes what is written meanwhile.
            self.folder(run.id).signal(signal.SIGKILL)
            self.folder(run.id).remove()

    def remove_all(self, owner: str) -> None:
        """Remove every run of an owner whose files are here."""
        for run in self.of(owner):
            self.remove(run)

    def look_after(self) -> None:
        """See to it that runs which wait or were left alone are looked after."""
        if self.store.active(place_of(self._root)):
            self._wake(self._root)


def opened(settings: Settings) -> RunStore:
    """Open the store that the settings name."""
    return RunStore(settings.database_url or sqlite_url(settings.runs / "runs.db"))


def place_of(root: Path) -> str:
    """Return the name of a folder of runs; it moves with the folder, to another host name too."""
    file = root / "place"
    if not file.exists():
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = file.with_suffix(f".{secrets.token_hex(4)}")
        partial.write_text(secrets.token_hex(16))
        try:
            file.hardlink_to(partial)  # fails where another process was first
        except FileExistsError:
            pass
        finally:
            partial.unlink()
    return file.read_text()


def _wake(root: Path) -> None:
    """Start a dispatcher, a process of its own session, where none looks."""
    with locked(lock_file(root)) as is_free:
        pass
    if is_free:
        with (root / "dispatcher.log").open("ab") as log:
            subprocess.Popen(
                [sys.executable, "-m", "healthdash.runs"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=root, env=command.environment() | {"HEALTHDASH_HOME": str(root.parent)},
                start_new_session=True,
            )  # fmt: skip
