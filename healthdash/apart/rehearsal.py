"""What a template loads, and what a child does once before it is given a job.

Memory of a forked process is shared until it is written, and to count references writes: the first use of
each page costs it some microseconds. A child that has read a sample has copied what reading needs, so that
an upload of that kind then takes the time of its parsing only.
"""

from __future__ import annotations

import gc
import socket
from contextlib import suppress
from importlib import import_module
from typing import Any

import numpy as np

from . import calls, jobs, wire
from .buffers import Buffers

__all__ = ["Rehearsals"]

#: Loaded before the first job beside our own readers, as they load their libraries when they need them.
_WARM = (
    "pyarrow.parquet", "xlrd", "pyedflib", "wfdb", "nibabel", "pyreadstat",
    "defusedxml.ElementTree", "pydicom.pixels.decoders", "tifffile", "scipy.io", "scipy.signal",
)  # fmt: skip


class Rehearsals:
    """Every reader loaded, and the first sample of each task as a job to be rehearsed."""

    def __init__(self) -> None:
        from PIL import Image

        from healthdash import tasks

        self._jobs: dict[str, tuple[Any, Buffers]] = {}
        self._kinds: dict[str, str] = {}
        Image.init()
        for name in _WARM:
            with suppress(ImportError):
                import_module(name)
        for task in tasks.all_tasks():
            for example in task.examples():
                job = calls.asked(jobs.sample_of, (task.slug, "", tuple(example.make())), {})
                self._done(job)
                self._jobs.setdefault(task.slug, job)
                self._kinds.setdefault(task.kind, task.slug)
        gc.collect()
        gc.freeze()

    def again(self, like: str) -> None:
        """Read the sample of a task again; of one that has none, a sample of each kind."""
        for slug in [like] if like in self._jobs else self._kinds.values():
            self._done(self._jobs[slug])
        ours, theirs = socket.socketpair()
        with ours, theirs:
            wire.send(ours, None, Buffers([np.zeros(1)]))
            wire.receive(theirs, 1 << 10)

    def _done(self, job: tuple[Any, Buffers]) -> None:
        with suppress(Exception):  # what is wrong with a reader is told when an upload meets it
            calls.called(*job, 0)
