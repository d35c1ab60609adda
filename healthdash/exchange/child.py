"""Work on files from outside in a process of its own, with bounds on its memory and its time."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from healthdash.errors import HealthdashError

__all__ = ["Bounds", "OverBounds", "answer", "bounded", "run"]

_REPOSITORY = Path(__file__).resolve().parents[2]
_MIB = 1 << 20
_TAIL = 4_000
#: What a child may see of our environment: no keys or passwords of the user's.
_KEPT = ("HEALTHDASH_", "PATH", "HOME", "LANG", "LC_", "TMPDIR", "LD_LIBRARY_PATH", "TF_", "KERAS_BACKEND")
_HIDDEN = ("HEALTHDASH_DATABASE_URL",)


class OverBounds(HealthdashError):
    """The work took more memory or time than it may, or broke while it was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a child may take beyond what Python and its libraries take themselves."""

    memory_mib: int
    cpu_s: int


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


def run(module: str, words: Sequence[str], *, wall_s: float) -> Mapping[str, Any]:
    """Run a module of ours in a child process and return the JSON object that it answers.

    Parameters
    ----------
    module : str
        Run as ``python -m``; it calls `bounded` and ends with `answer`.
    wall_s : float, seconds
        It is ended after that, whatever it does.

    Raises
    ------
    OverBounds
        It was ended for its time or memory, or ended itself without an answer.
    """
    # -P: the folder that a process runs in is no place to import from.
    command = [sys.executable, "-P", "-m", module, *words]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/",
        env=_environment(), start_new_session=True,
    )  # fmt: skip
    try:
        out, err = process.communicate(timeout=wall_s)
    except subprocess.TimeoutExpired as error:
        raise OverBounds(f"it did not finish within {wall_s:.0f} seconds") from error
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return _answer_in(out, err[-_TAIL:].decode(errors="replace"), process.returncode)


def answer(told: Mapping[str, Any]) -> None:
    """Print the answer of a child, the last line of its output."""
    sys.stdout.write("\n" + json.dumps(told) + "\n")
    sys.stdout.flush()


def _answer_in(out: bytes, log: str, code: int) -> Mapping[str, Any]:
    lines = out.decode(errors="replace").strip().splitlines()
    # Our command line ends with 1 after an error that it told in its last line.
    if code in (0, 1) and lines:
        with suppress(json.JSONDecodeError):
            told = json.loads(lines[-1])
            if isinstance(told, dict) and (code == 0 or "error" in told):
                return told
    if code == -signal.SIGXCPU:
        raise OverBounds("it took more computing time than it may")
    if code in (-signal.SIGKILL, -signal.SIGABRT) or "Memory" in log or "bad_alloc" in log or "OOM" in log:
        raise OverBounds("it took more memory than it may")
    raise OverBounds("it broke off")


def _environment() -> dict[str, str]:
    """Return the environment of a child: where things are, and no graphics card."""
    kept = {k: v for k, v in os.environ.items() if k.startswith(_KEPT) and k not in _HIDDEN}
    return kept | {"PYTHONPATH": str(_REPOSITORY), "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}


def _data_bytes() -> int:
    """Return the bytes of writable memory of this process, as `RLIMIT_DATA` counts them (proc(5), VmData)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


def _lower(which: int, most: int, *, grace: int = 0) -> None:
    """Lower a limit; one that is lower already stays."""
    _, hard = resource.getrlimit(which)
    least = most + grace if hard == resource.RLIM_INFINITY else min(most + grace, hard)
    resource.setrlimit(which, (min(most, least), least))
