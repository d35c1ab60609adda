"""The server's side of a template: the running process, and children of it that wait for a job."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from . import wire
from .bounds import environment
from .buffers import Broken, Buffers
from .limits import Limits

__all__ = ["Child", "Gone", "Template"]

_log = logging.getLogger(__name__)
_TEMPLATE = "healthdash.apart.template"
#: To import every reader takes two seconds, on a busy machine many times that.
_START_S = 120.0
#: Children that wait: one for a file, one for the next that comes before another is ready.
_SPARE = 2
#: What follows an upload, the network above all, is to have the processors first.
_LATER_S = 0.1
_MOST_HELLO = 1 << 10
_LACKS = {
    "network": "the network is not closed to them, as the kernel lets this user make no network namespace",
    "files": "the files of this user are not closed to them, as the kernel has no Landlock",
}


class Gone(Exception):
    """The template ended, or a child before it had a job."""


class Child:
    """One child and what can be asked about it."""

    def __init__(self, template: Template, link: socket.socket) -> None:
        self._template, self.link = template, link
        self._number: int | None = None
        self._status: int | None = None
        self.has_answered = False

    def wait(self, deadline: float) -> tuple[str, ...]:
        """Wait until it is ready; return what this machine does not close to it.

        Raises
        ------
        Gone
            It ended.
        """
        try:
            (number, lacks), _ = wire.receive(self.link, _MOST_HELLO, deadline)
            self._number = int(number)
            self.link.setblocking(False)
            with suppress(BlockingIOError):
                self.link.recv(1, socket.MSG_PEEK)
                raise Gone  # nothing can be there yet but its end
        except (OSError, ValueError, TypeError, wire.Closed, wire.Late, Broken) as error:
            raise Gone from error
        return tuple(lacks)

    def give(self, node: Any, buffers: Buffers, limits: Limits, deadline: float) -> None:
        """Send it its job; raise Closed or Late of `wire` as sending does."""
        wire.send(self.link, limits.told(), Buffers(), deadline)
        wire.send(self.link, node, buffers, deadline)

    def leave(self) -> None:
        """End it; if it has answered, without waiting for that."""
        self.link.close()
        if self._number is None:
            return  # it finds its socket closed
        if self.has_answered and self._status is None:
            self._template.leave(self._number)
        else:
            with suppress(Gone):  # then it is ended as well
                self.status()

    def status(self) -> int:
        """End it and return how it ended; raise Gone where it ended with the template."""
        if self._status is None and self._number is not None:
            self._status = self._template.end(self._number)
        return self._status or 0


class Template:
    """A running template; asked by one thread at a time, for the microseconds that a line takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _TEMPLATE, str(theirs.fileno())],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/", env=_surroundings(),
                pass_fds=[theirs.fileno()], start_new_session=True,
            )  # fmt: skip
        self._control.settimeout(_START_S)
        self._spare: deque[Child] = deque()
        self._done: list[int] = []
        self._wanted: SimpleQueue[str | None] = SimpleQueue()
        threading.Thread(target=self._refill_later, name="healthdash-refill", daemon=True).start()
        self.lacks: tuple[str, ...] | None = None

    def child(self, like: str) -> Child:
        """Return a child that is ready for a job.

        Parameters
        ----------
        like : str
            Task whose sample it rehearses, if it must be forked now.

        Raises
        ------
        Gone
            The template ended.
        """
        while True:
            with self._lock:
                is_spare = bool(self._spare)
                child = self._spare.popleft() if is_spare else self._forked(like)
            try:
                self._note(child.wait(time.monotonic() + _START_S))
                return child
            except Gone:
                child.leave()
                if not is_spare:
                    raise

    def refill_soon(self, like: str) -> None:
        """Have children forked once the present work is hardly disturbed; at once where none is left."""
        if not self._spare:
            self.refill(like)
        else:
            self._wanted.put(like)  # to start a thread takes milliseconds, and the upload waits

    def _refill_later(self) -> None:
        while (like := self._wanted.get()) is not None:
            time.sleep(_LATER_S)
            self.refill(like)

    def refill(self, like: str) -> None:
        """Have children forked for the next jobs, likely to be as this one; waits for none of them."""
        with self._lock, suppress(Gone):  # the next job finds out and starts another template
            while len(self._spare) < _SPARE:
                self._spare.append(self._forked(like))

    def _forked(self, like: str) -> Child:
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:  # no more files may be opened
            raise Gone from error
        with theirs:
            try:
                line = json.dumps({"fork": like, "done": self._done}).encode() + b"\n"
                socket.send_fds(self._control, [line], [theirs.fileno()])
            except OSError as error:
                ours.close()
                raise Gone from error
        self._done = []
        return Child(self, ours)

    def _note(self, lacks: tuple[str, ...]) -> None:
        """Tell once what this machine does not close to readers."""
        if self.lacks is None:
            self.lacks = lacks
            for one in lacks:
                _log.warning("processes that read uploads are less apart here: %s", _LACKS.get(one, one))

    def leave(self, child: int) -> None:
        """Note that a child has answered: it is on its way out, and nobody waits for it."""
        with self._lock:
            self._done.append(child)

    def end(self, child: int) -> int:
        """End a child, if it has not ended; return its exit status, negative for a signal."""
        with self._lock:
            try:
                self._control.sendall(json.dumps({"end": child}).encode() + b"\n")
                while (told := self._answer())["ended"] != child:
                    pass  # an answer that came too late for its question
                return int(told["status"])
            except (OSError, ValueError, KeyError) as error:
                raise Gone from error

    def _answer(self) -> dict[str, Any]:
        line = bytearray()
        while not line.endswith(b"\n"):
            data = self._control.recv(1)
            if not data:
                raise ConnectionError("the template ended")
            line += data
        told: dict[str, Any] = json.loads(line)
        return told

    def close(self) -> None:
        """End it and all its children; one that does not hear is killed."""
        self._wanted.put(None)
        self._control.close()
        for child in self._spare:
            child.link.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _surroundings() -> dict[str, str]:
    """Return the environment of the template: one thread a library, as a process with threads forks badly."""
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return environment() | one
