"""Bounds on what a process that works on files from outside may take, and the little that it sees of ours."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path

from healthdash.errors import HealthdashError
from healthdash.settings import REPOSITORY

__all__ = ["Bounds", "OverBounds", "bounded", "environment"]

_MIB = 1 << 20
#: What a child may see of our environment: no keys or passwords of the user's.
_KEPT = ("HEALTHDASH_", "PATH", "HOME", "LANG", "LC_", "TMPDIR", "LD_LIBRARY_PATH", "TF_", "KERAS_BACKEND")
_HIDDEN = ("HEALTHDASH_DATABASE_URL",)


class OverBounds(HealthdashError):
    """The work took more memory or time than it may, or broke while it was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a child may take beyond what Python and its libraries take themselves.

    Attributes
    ----------
    memory_mib : int, mebibyte
        Memory that may be written.
    cpu_s : int, seconds
        Computing time of all its threads together.
    files : int
        Files open at a time; 0: as many as this process may.
    written_mib : int, mebibyte
        Largest file that it may write; 0: as this process.
    """

    memory_mib: int
    cpu_s: int
    files: int = 0
    written_mib: int = 0


def bounded(bounds: Bounds) -> None:
    """Bound this process from now on; called in the child when its libraries are loaded.

    Memory that may be written (`RLIMIT_DATA`) is bounded and not the address space: TensorFlow reserves
    many times of what it uses.
    """
    used = _data_bytes()
    _lower(resource.RLIMIT_DATA, used + bounds.memory_mib * _MIB)
    spent = resource.getrusage(resource.RUSAGE_SELF)
    # The hard limit lies a little above: at the soft one the signal still says what it was for.
    _lower(resource.RLIMIT_CPU, int(spent.ru_utime + spent.ru_stime) + bounds.cpu_s, grace=5)
    _lower(resource.RLIMIT_CORE, 0)
    if bounds.files:
        _lower(resource.RLIMIT_NOFILE, bounds.files)
    if bounds.written_mib:
        _lower(resource.RLIMIT_FSIZE, bounds.written_mib * _MIB)


def environment() -> dict[str, str]:
    """Return the environment of a child: where things are, no graphics card, and no children of its own."""
    kept = {k: v for k, v in os.environ.items() if k.startswith(_KEPT) and k not in _HIDDEN}
    return kept | {
        "PYTHONPATH": str(REPOSITORY),
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "HEALTHDASH_APART": "0",
    }


def _data_bytes() -> int:
    """Return the bytes of writable memory of this process, as `RLIMIT_DATA` counts them (proc(5), VmData)."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:  # not Linux: there the limit is not kept either
        return 0
    for line in status.splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


def _lower(which: int, most: int, *, grace: int = 0) -> None:
    """Lower a limit; one that is lower already stays."""
    _, hard = resource.getrlimit(which)
    least = most + grace if hard == resource.RLIM_INFINITY else min(most + grace, hard)
    resource.setrlimit(which, (min(most, least), least))
