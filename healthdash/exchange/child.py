"""Work on files from outside in a process of its own, with bounds on its memory and its time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from healthdash.apart.bounds import Bounds, OverBounds, bounded, environment

__all__ = ["Bounds", "OverBounds", "answer", "bounded", "run"]

_TAIL = 4_000


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
        env=environment(), start_new_session=True,
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
