"""The server's side: one warm template a process, and a child of it for each job."""

from __future__ import annotations

import atexit
import json
import logging
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from healthdash import settings
from healthdash.errors import HealthdashError, InvalidInput, UnreadableUpload

from . import calls, wire
from .bounds import environment
from .buffers import Broken, Buffers

__all__ = ["Limits", "is_possible", "run", "start"]

_log = logging.getLogger(__name__)
_TEMPLATE = "healthdash.apart.template"
#: To import every reader takes two seconds, on a busy machine many times that.
_START_S = 120.0
_MIB = 1 << 20
#: One user's many files do not keep the others waiting for longer than this.
_FURTHER_FILE_S, _LONGEST_S = 0.1, 90.0
_AT_ONCE = max(2, os.cpu_count() or 1)
_SIGNALS_OF_TIME = (-signal.SIGALRM, -signal.SIGXCPU)
_SMALLER = "It may be damaged, or made to do harm: export it again, or cut it into smaller parts."


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may take.

    Attributes
    ----------
    seconds : float
        From its start to its answer.
    memory_mib : int, mebibyte
        Beyond the readers themselves.
    answer_mib : int, mebibyte
        Of what comes back, and so of what the server keeps.
    sees : tuple of Path
        Files and folders of this machine that it may read.
    """

    seconds: float
    memory_mib: int
    answer_mib: int
    sees: tuple[Path, ...] = ()

    @classmethod
    def usual(cls, sees: Sequence[Path] = (), files: int = 1) -> Limits:
        """Return those of the settings; the slices of a series take their time, each of them."""
        now = settings.current()
        seconds = now.read_seconds + min(_FURTHER_FILE_S * max(0, files - 1), _LONGEST_S)
        return cls(seconds, now.read_memory_mb, now.read_answer_mb, tuple(sees))


class _Gone(Exception):
    """The template ended."""


class _Template:
    """A running template; asked by one thread at a time, for the milliseconds that a fork takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _TEMPLATE, str(theirs.fileno())],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/", env=_surroundings(),
                pass_fds=[theirs.fileno()], start_new_session=True,
            )  # fmt: skip
        self._is_ready = False
        self._done: list[int] = []
        self._control.settimeout(_START_S)

    def fork(self, limits: Limits, uploaded: int) -> tuple[int, socket.socket]:
        """Return the number of a new child and the socket to it."""
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:  # no more files may be opened
            raise _Gone from error
        memory = limits.memory_mib + 2 * math.ceil(uploaded / _MIB)
        bounds = {
            "memory_mib": memory, "seconds": math.ceil(limits.seconds), "sees": [str(p) for p in limits.sees],
            "answer_bytes": limits.answer_mib * _MIB,
        }  # fmt: skip
        with theirs, self._lock:
            try:
                if not self._is_ready:
                    self._answer()
                    self._is_ready = True
                done, self._done = self._done, []
                line = json.dumps({"fork": bounds, "done": done}).encode()
                socket.send_fds(self._control, [line], [theirs.fileno()])
                return int(self._answer()["pid"]), ours
            except (OSError, ValueError, KeyError) as error:
                ours.close()
                raise _Gone from error

    def leave(self, child: int) -> None:
        """Note that a child has answered: it is on its way out, and nobody waits for it."""
        with self._lock:
            self._done.append(child)

    def end(self, child: int) -> int:
        """End a child, if it has not ended; return its exit status, negative for a signal."""
        with self._lock:
            try:
                self._control.sendall(json.dumps({"end": child}).encode())
                return int(self._answer()["status"])
            except (OSError, ValueError, KeyError) as error:
                raise _Gone from error

    def _answer(self) -> dict[str, Any]:
        line = self._control.recv(4096)
        if not line:
            raise ConnectionError("the template ended")
        told: dict[str, Any] = json.loads(line)
        return told

    def close(self) -> None:
        """End it and all its children; one that does not hear is killed."""
        self._control.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class _Pool:
    """The template of this process, started once and again if it ended."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._template: _Template | None = None

    @property
    def is_own(self) -> bool:
        """Whether this process started it; one that was forked from it needs another."""
        return self._owner == os.getpid()

    def template(self, gone: _Template | None = None) -> _Template:
        """Return the running template; a new one in the place of one that is gone."""
        with self._lock:
            if self._template is None or self._template is gone:
                if gone is not None:
                    gone.close()
                try:
                    self._template = _Template()
                except OSError as error:
                    raise _impossible() from error
            return self._template

    @contextmanager
    def child(self, limits: Limits, uploaded: int) -> Iterator[_Child]:
        """Give a new child; it is ended afterwards whatever happened."""
        with self._places:
            template = self.template()
            try:
                number, link = template.fork(limits, uploaded)
            except _Gone:
                template = self.template(gone=template)
                number, link = self._second(template, limits, uploaded)
            child = _Child(template, number, link)
            try:
                yield child
            finally:
                link.close()
                child.leave()

    def _second(self, template: _Template, limits: Limits, uploaded: int) -> tuple[int, socket.socket]:
        """Try once more with a new template."""
        try:
            return template.fork(limits, uploaded)
        except _Gone as error:
            raise _impossible() from error

    def close(self) -> None:
        """End the template with its children."""
        if self.is_own and self._template is not None:
            self._template.close()


class _Child:
    """One child and what can be asked about it."""

    def __init__(self, template: _Template, number: int, link: socket.socket) -> None:
        self._template, self._number, self.link = template, number, link
        self._status: int | None = None
        self.has_answered = False

    def leave(self) -> None:
        """End it, if it did not answer."""
        if self._status is None and self.has_answered:
            self._template.leave(self._number)
        else:
            self.status()

    def status(self) -> int:
        """End it and return how it ended."""
        if self._status is None:
            try:
                self._status = self._template.end(self._number)
            except _Gone:
                self._status = -signal.SIGKILL
        return self._status


def _impossible() -> HealthdashError:
    return HealthdashError(
        "the process that reads files cannot be started here",
        hint="Ask whoever runs the server: its log says why.",
    )


def is_possible() -> bool:
    """Say whether uploads are read apart: not on Windows, not in a child, and not where it is turned off."""
    return hasattr(os, "fork") and hasattr(socket, "send_fds") and settings.current().read_apart


def start() -> None:
    """Start the template in the background, so that the first upload finds it warm."""
    if is_possible():
        _pool().template()


def run(function: Callable[..., Any], given: tuple[Any, ...], named: dict[str, Any], limits: Limits) -> Any:
    """Call a function of ours in a child and return what it returns, or raise its error.

    Raises
    ------
    InvalidInput
        It took more time or memory than it may, or its answer is larger than it may be.
    UnreadableUpload
        The child broke.
    calls.Unforeseen
        The function raised what is no error of ours.
    """
    node, buffers = calls.asked(function, given, named)
    with _pool().child(limits, buffers.nbytes) as child:
        return _talk(child, function, node, buffers, limits)


def _talk(child: _Child, function: Callable[..., Any], node: Any, buffers: Buffers, limits: Limits) -> Any:
    deadline = time.monotonic() + limits.seconds
    try:
        wire.send(child.link, node, buffers, deadline)
        answer, arrays = wire.receive(child.link, limits.answer_mib * _MIB, deadline)
        child.has_answered = True
        return calls.answered(function, answer, arrays)
    except (wire.Late, wire.Closed) as error:
        is_late = isinstance(error, wire.Late)
        raise _why(child.status(), limits, is_late=is_late) from None
    except Broken as error:
        _log.warning("a reader answered what it never should: %s", error)
        raise UnreadableUpload("reading the file broke the reader", hint=_SMALLER) from None


def _why(status: int, limits: Limits, *, is_late: bool) -> Exception:
    """Return what to tell about a child that ended without an answer."""
    if is_late or status in _SIGNALS_OF_TIME:
        return InvalidInput(
            f"expected a file that is read within {limits.seconds:g} seconds, this one takes longer",
            hint=_SMALLER,
        )
    if status == -signal.SIGKILL:
        return calls.over_memory(limits.memory_mib)
    _log.warning("a reader ended with status %d", status)
    return UnreadableUpload("reading the file broke the reader", hint=_SMALLER)


def _surroundings() -> dict[str, str]:
    """Return the environment of the template: one thread a library, as a process with threads forks badly."""
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return environment() | one


@lru_cache(maxsize=1)
def _made(process: int) -> _Pool:
    pool = _Pool()
    atexit.register(pool.close)
    return pool


_making = threading.Lock()


def _pool() -> _Pool:
    with _making:
        return _made(os.getpid())
