"""The server's side: one warm template a process, and a child of it for each job."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

from healthdash import settings
from healthdash.errors import HealthdashError, InvalidInput, UnreadableUpload

from . import calls, wire
from .buffers import Broken, Buffers
from .limits import Limits
from .places import Places
from .warm import Child, Gone, Template

__all__ = ["is_possible", "lacks", "run", "start", "wait"]

_log = logging.getLogger(__name__)
_AT_ONCE = max(2, os.cpu_count() or 1)
_SIGNALS_OF_TIME = (-signal.SIGALRM, -signal.SIGXCPU)
_SMALLER = "It may be damaged, or made to do harm: export it again, or cut it into smaller parts."


class _Pool:
    """The template of this process, started once and again if it ended."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._template: Template | None = None
        self._like = ""
        self.places = Places(_AT_ONCE)

    def template(self, gone: Template | None = None) -> Template:
        """Return the running template; a new one in the place of one that is gone."""
        with self._lock:
            if self._template is None or self._template is gone:
                if gone is not None:
                    gone.close()
                try:
                    self._template = Template()
                except OSError as error:
                    raise _impossible() from error
                self._template.refill(self._like)
            return self._template

    @contextmanager
    def child(self, like: str) -> Iterator[Child]:
        """Give a child for one job; it is ended afterwards whatever happened.

        Raises
        ------
        Gone
            The template ended before the job did; there is another one now.
        """
        self._like = like or self._like
        with self.places.one():
            template = self.template()
            try:
                child = template.child(self._like)
                try:
                    yield child
                finally:
                    child.leave()
                    template.refill_soon(self._like)
            except Gone:
                self.template(gone=template)
                raise

    @property
    def lacks(self) -> tuple[str, ...]:
        """What this machine does not close to readers, as far as one of them has told."""
        return (self._template.lacks or ()) if self._template is not None else ()

    def close(self) -> None:
        """End the template with its children, unless this process was forked from its owner."""
        if self._owner == os.getpid() and self._template is not None:
            self._template.close()


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


def wait() -> None:
    """Wait for the first child, which tells what this machine does not close to it."""
    with suppress(Gone), _pool().child(""):
        pass


def lacks() -> tuple[str, ...]:
    """Return what this machine does not close to readers: "network", "files"; known once one was forked."""
    return _pool().lacks if is_possible() else ()


def run(
    function: Callable[..., Any],
    given: tuple[Any, ...],
    named: dict[str, Any],
    limits: Limits,
    like: str = "",
) -> Any:
    """Call a function of ours in a child and return what it returns, or raise its error.

    Parameters
    ----------
    like : str
        The task that reads, if one does: the next children rehearse its sample.

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
    limits = limits.for_upload(buffers.nbytes)
    for _ in range(2):
        with suppress(Gone), _pool().child(like) as child:
            return _talk(child, function, node, buffers, limits)
    raise _impossible()


def _talk(child: Child, function: Callable[..., Any], node: Any, buffers: Buffers, limits: Limits) -> Any:
    deadline = time.monotonic() + limits.seconds
    try:
        child.give(node, buffers, limits, deadline)
        answer, arrays = wire.receive(child.link, limits.answer_bytes, deadline)
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


@lru_cache(maxsize=1)
def _made(process: int) -> _Pool:
    pool = _Pool()
    atexit.register(pool.close)
    return pool


_making = threading.Lock()


def _pool() -> _Pool:
    with _making:
        return _made(os.getpid())
