"""`python -m healthdash.apart.template FD`: a process with every reader loaded, that forks children.

A child reads one upload and ends, so that nothing of a stranger's file stays for the next one; to fork
takes milliseconds where to start Python takes seconds. Children are forked ahead: each makes itself ready,
says so over a socket of its own, and waits there for its job. Asked over a socket, a line of JSON each:

    {"fork": "chest-xray", "done": [122]}, a socket    a child that rehearses a task; it answers itself
    {"end": 123}  ->  {"ended": 123, "status": -9}     it is killed if it still runs

A child that has answered is not waited for; it is "done", and ended with the next fork.

When the socket closes, because the server ended in whatever way, all children are killed and it ends.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from . import leftovers, lockdown, worker
from .rehearsal import Rehearsals

__all__ = ["main"]

_LINE = 65_536


def main() -> None:
    """Load the readers, then fork until the server closes the socket."""
    control = socket.socket(fileno=int(sys.argv[1]))
    lacks = () if lockdown.without_network() else ("network",)
    lockdown.adopts_orphans()
    leftovers.sweep()
    with leftovers.made() as folder:
        family = _Family(control, Rehearsals(), folder, lacks)
        with suppress(ConnectionError):  # the server ended without a word
            for order, job in _orders(control):
                family.obey(order, job)
        family.end_all()


def _orders(control: socket.socket) -> Iterator[tuple[dict[str, Any], socket.socket | None]]:
    """Yield the lines that come, each with the socket that came with it, until the server ends.

    One socket at a time is received: a child that is forked meanwhile must not hold that of another.
    """
    kept, sockets = b"", deque[int]()
    while True:
        data, came, _, _ = socket.recv_fds(control, _LINE, 1)
        if not data:
            return
        sockets.extend(came)
        *lines, kept = (kept + data).split(b"\n")
        for line in lines:
            order = json.loads(line)
            yield order, socket.socket(fileno=sockets.popleft()) if "fork" in order else None


class _Family:
    """The children of this process."""

    def __init__(
        self, control: socket.socket, rehearsals: Rehearsals, folder: Path, lacks: tuple[str, ...]
    ) -> None:
        self._control, self._rehearsals, self._folder, self._lacks = control, rehearsals, folder, lacks
        self._children: set[int] = set()
        self._ending: set[int] = set()

    def obey(self, order: dict[str, Any], job: socket.socket | None) -> None:
        """Do what a line asks for."""
        if job is None:
            answer = {"ended": order["end"], "status": self._end(order["end"])}
            self._control.sendall(json.dumps(answer).encode() + b"\n")
            return
        with job:
            child = os.fork()
            if child == 0:
                self._serve(job, order["fork"])
        self._children.add(child)
        for done in self._children.intersection(order["done"]):
            self._kill(done)
            self._ending.add(done)
        self._reap()

    def _serve(self, job: socket.socket, like: str) -> NoReturn:
        """Be the child: do one job, and end whatever happens."""
        code = 1
        try:
            self._control.close()
            os.setpgid(0, 0)
            own = self._folder / str(os.getpid())
            worker.serve(job, own, lambda: self._rehearsals.again(like), self._lacks)
            code = 0
        finally:
            os._exit(code)

    def end_all(self) -> None:
        """Kill all of them."""
        for child in list(self._children):
            self._end(child)

    def _end(self, child: int) -> int:
        """Kill a child and what it started; return how it ended by itself, negative for a signal."""
        if child not in self._children:
            return 0
        self._kill(child)
        _, status = os.waitpid(child, 0)
        self._forget(child)
        return os.waitstatus_to_exitcode(status)

    def _reap(self) -> None:
        """Let go of those that are done; to end takes a child milliseconds, and others wait to be forked."""
        for child in list(self._ending):
            if os.waitpid(child, os.WNOHANG)[0]:
                self._forget(child)

    def _kill(self, child: int) -> None:
        for kill in (os.killpg, os.kill):
            with suppress(ProcessLookupError, PermissionError):
                kill(child, signal.SIGKILL)

    def _forget(self, child: int) -> None:
        self._children.discard(child)
        self._ending.discard(child)
        self._end_orphans()
        shutil.rmtree(self._folder / str(child), ignore_errors=True)

    def _end_orphans(self) -> None:
        """Kill what ended children left running: it came to this process, and is none of those it forked."""
        while orphans := _children_of_this_process() - self._children:
            for orphan in orphans:
                with suppress(ProcessLookupError, ChildProcessError):
                    os.kill(orphan, signal.SIGKILL)
                    os.waitpid(orphan, 0)


def _children_of_this_process() -> set[int]:
    found: set[int] = set()
    with suppress(OSError):  # not Linux
        for thread in Path("/proc/self/task").iterdir():
            found.update(map(int, (thread / "children").read_text().split()))
    return found


if __name__ == "__main__":
    main()
