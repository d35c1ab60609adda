"""What a child does: make itself ready, receive one job, bound itself, do it, answer, end."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import calls, lockdown, wire
from .bounds import Bounds, bounded
from .buffers import Buffers

__all__ = ["serve"]

#: What a message from the server may be; it bounds uploads itself.
_MOST_ASKED = 1 << 40
#: The kernel ends a child that the server forgot.
_GRACE_S = 5
_WRITTEN_MIB = 512
_FILES = 256
#: Steps of niceness, to be served after all others.
_LAST = 19
#: Mebibytes and seconds: what bounds a child before its job says how much it may take.
_LOOSE = 1 << 20


def serve(
    job: socket.socket, folder: Path, rehearse: Callable[[], None], lacks: tuple[str, ...] = ()
) -> None:
    """Do the one job that comes over a socket.

    Parameters
    ----------
    folder : Path
        For what libraries write while they read; made here.
    rehearse : function
        Called before it says that it is ready.
    lacks : tuple of str
        What this machine does not close to it, beside what is found here.
    """
    _quiet()
    rules = _settled(folder)
    rehearse()
    missing = [*lacks, *([] if rules.are_possible else ["files"])]
    wire.send(job, [os.getpid(), missing], Buffers())
    try:
        given, _ = wire.receive(job, _MOST_ASKED)
    except wire.Closed:  # it was not needed
        return
    _timed(given["seconds"])
    _bounded(given["memory_mib"], given["seconds"])
    rules.enforce([Path(one) for one in given["sees"]])
    _answer(job, given)
    os.nice(_LAST)  # to free its memory takes milliseconds of a processor, which the network needs now
    shutil.rmtree(folder, ignore_errors=True)  # what is left of it goes with the template


def _answer(job: socket.socket, given: Mapping[str, Any]) -> None:
    """Receive the upload, which nothing of this process has seen until now, and do what is asked."""
    node, buffers = wire.receive(job, _MOST_ASKED)
    answer, arrays = calls.called(node, buffers, given["memory_mib"])
    del node, buffers
    try:
        wire.send(job, answer, arrays, most=given["answer_bytes"])
    except wire.TooLong:
        wire.send(job, *calls.too_much(given["answer_bytes"]))


def _settled(folder: Path) -> lockdown.FileRules:
    """Do what needs no job; return the rules that are to close the file system."""
    lockdown.ends_with_parent()
    folder.mkdir()
    tempfile.tempdir = str(folder)
    os.chdir(folder)
    _bounded(_LOOSE, _LOOSE)
    return lockdown.FileRules(folder)


def _timed(seconds: int) -> None:
    """Let the kernel end this process a little after the server should have."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_S)


def _bounded(memory_mib: int, seconds: int) -> None:
    """Bound memory, computing time and files from now on; what was bounded before can only become less."""
    cpu_s = seconds * max(1, os.cpu_count() or 1) + _GRACE_S
    bounded(Bounds(memory_mib=memory_mib, cpu_s=cpu_s, files=_FILES, written_mib=_WRITTEN_MIB))


def _quiet() -> None:
    """Say nothing: what libraries tell of a file holds its values."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    sys.stdout, sys.stderr = open(os.devnull, "w"), open(os.devnull, "w")
