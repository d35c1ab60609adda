"""`python -m healthdash.apart.template FD`: a process with every reader loaded, that forks a child a job.

A child reads one upload and ends, so that nothing of a stranger's file stays for the next one; to fork
takes milliseconds where to start Python takes seconds. Asked over a socket, one line of JSON at a time:

    {"fork": {...bounds...}, "done": [122]}, a socket  ->  {"pid": 123}     the job comes over that socket
    {"end": 123}                                       ->  {"status": -9}   it is killed if it still runs

A child that has answered is not waited for; it is "done", and ended with the next fork.

When the socket closes, because the server ended in whatever way, all children are killed and it ends.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from . import lockdown

__all__ = ["main"]

#: Loaded before the first job beside our own readers, as they load their libraries when they need them.
_WARM = (
    "pyarrow.parquet", "xlrd", "pyedflib", "wfdb", "nibabel", "pyreadstat",
    "defusedxml.ElementTree", "pydicom.pixels.decoders", "tifffile", "scipy.io", "scipy.signal",
)  # fmt: skip
_LINE = 65_536


def main() -> None:
    """Load the readers, then fork until the server closes the socket."""
    control = socket.socket(fileno=int(sys.argv[1]))
    lockdown.without_network()
    _load()
    folder = Path(tempfile.mkdtemp(prefix="healthdash-"))
    children: set[int] = set()
    try:
        with suppress(ConnectionError):  # the server ended without a word
            _say(control, {"ready": os.getpid()})
            while (line := _heard(control, children, folder)) is not None:
                _say(control, line)
    finally:
        for child in list(children):
            _end(child, children, folder)
        shutil.rmtree(folder, ignore_errors=True)


def _load() -> None:
    """Import what readers import, and read every sample once: what is loaded on first use is then shared."""
    from PIL import Image

    from healthdash import tasks

    from . import calls, jobs, worker  # noqa: F401

    Image.init()
    for name in _WARM:
        with suppress(ImportError):
            import_module(name)
    for task in tasks.all_tasks():
        for example in task.examples():
            with suppress(Exception):  # a child will say what is wrong with a reader
                calls.called(*calls.asked(jobs.sample_of, (task.slug, "", tuple(example.make())), {}), 0)
    gc.collect()
    gc.freeze()


def _heard(control: socket.socket, children: set[int], folder: Path) -> dict[str, Any] | None:
    """Do what the next line asks for and return the answer; None: the server ended."""
    line, given, _, _ = socket.recv_fds(control, _LINE, 1)
    if not line:
        return None
    order = json.loads(line)
    if "end" in order:
        return {"status": _end(order["end"], children, folder)}
    with socket.socket(fileno=given[0]) as job:
        child = os.fork()
        if child == 0:
            _serve(control, job, order["fork"], folder)
    for done in order["done"]:
        _end(done, children, folder)
    children.add(child)
    return {"pid": child}


def _serve(control: socket.socket, job: socket.socket, bounds: dict[str, Any], folder: Path) -> NoReturn:
    """Be the child: do one job, and end whatever happens."""
    code = 1
    try:
        from . import worker

        control.close()
        worker.serve(job, bounds, folder / str(os.getpid()))
        code = 0
    finally:
        os._exit(code)


def _end(child: int, children: set[int], folder: Path) -> int:
    """Kill a child that was not waited for yet; return how it ended, negative for a signal."""
    if child not in children:
        return 0
    ended, status = os.waitpid(child, os.WNOHANG)
    if not ended:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    children.discard(child)
    shutil.rmtree(folder / str(child), ignore_errors=True)
    return os.waitstatus_to_exitcode(status)


def _say(control: socket.socket, line: dict[str, Any]) -> None:
    control.sendall(json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    main()
