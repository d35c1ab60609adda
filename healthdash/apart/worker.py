"""What a child does: bound itself, receive one job, do it, answer, end."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import calls, lockdown, wire
from .bounds import Bounds, bounded

__all__ = ["serve"]

#: What a message from the server may be; it bounds uploads itself.
_MOST_ASKED = 1 << 40
#: The kernel ends a child that the server forgot.
_GRACE_S = 5
_WRITTEN_MIB = 512
_FILES = 256


def serve(job: socket.socket, given: Mapping[str, Any], folder: Path) -> None:
    """Do the job that comes over a socket.

    Parameters
    ----------
    given : dict
        ``memory_mib``, ``seconds`` and ``answer_bytes``, and ``sees``: paths that may be read.
    folder : Path
        For what libraries write while they read; made when it is asked for.
    """
    _quiet()
    _at_most(given, folder)
    node, buffers = wire.receive(job, _MOST_ASKED)
    answer, arrays = calls.called(node, buffers, given["memory_mib"])
    del node, buffers
    try:
        wire.send(job, answer, arrays, most=given["answer_bytes"])
    except wire.TooLong:
        wire.send(job, *calls.too_much(given["answer_bytes"]))


def _at_most(given: Mapping[str, Any], folder: Path) -> None:
    """Bound memory, time, files and what can be seen of this machine."""
    seconds = given["seconds"]
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_S)
    folder.mkdir()
    tempfile.tempdir = str(folder)
    os.chdir(folder)
    lockdown.ends_with_parent()
    lockdown.without_files(folder, [Path(one) for one in given["sees"]])
    cpu_s = seconds * max(1, os.cpu_count() or 1) + _GRACE_S
    bounded(Bounds(
        memory_mib=given["memory_mib"], cpu_s=cpu_s, files=_FILES, written_mib=_WRITTEN_MIB,
    ))  # fmt: skip


def _quiet() -> None:
    """Say nothing: what libraries tell of a file holds its values."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    sys.stdout, sys.stderr = open(os.devnull, "w"), open(os.devnull, "w")
