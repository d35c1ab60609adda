"""How a training process ended, in a state and in words."""

from __future__ import annotations

import signal
from typing import Any

from healthdash.runs.folder import RunFolder
from healthdash.runs.record import Run, Told

__all__ = ["ending"]

_STOPPED = Told(
    "TrainingStopped", "the run was stopped", "Its history so far is kept here. It can be resumed."
)
#: How the command line ends on SIGTERM, after it has removed what it unpacked.
_BY_SIGTERM = 128 + signal.SIGTERM
_ON = "Resume it: it goes on from its last checkpoint."


def ending(run: Run, folder: RunFolder, code: int | None) -> dict[str, Any]:
    """Return the state, metrics and error of a run whose process has ended.

    Parameters
    ----------
    code : int or None
        Exit status, negative for a signal; None when an earlier dispatcher started the process.
    """
    code = -signal.SIGTERM if code == _BY_SIGTERM else code
    answer = folder.answer
    told = answer.get("error", {})
    if "metrics" in answer:
        return {"state": "done", "metrics": answer["metrics"], "error": None}
    if run.state == "stopping" or told.get("type") == "TrainingStopped":
        return {"state": "stopped", "error": _STOPPED}
    if told:
        reason = Told(told["type"], told["message"], told.get("hint") or "Look at the log below.")
        return {"state": "failed", "error": reason}
    known = _known_reason(folder.log)
    if known is None and (code is None or code < 0):
        return {"state": "lost", "error": _lost(code)}
    reason = Told("TrainingError", f"the run broke off with exit code {code}", "Look at the log below.")
    return {"state": "failed", "error": known or reason}


def _lost(code: int | None) -> Told:
    if code is None:
        return Told("TrainingLost", "the run ended while nobody looked, perhaps with the computer", _ON)
    name = signal.Signals(-code).name
    perhaps = ", perhaps for want of memory" if -code == signal.SIGKILL else ""
    return Told("TrainingLost", f"the run was ended from outside by {name}{perhaps}", _ON)


def _known_reason(log: str) -> Told | None:
    """Return what a traceback says in words, where it is one that people can do something about."""
    if "No space left on device" in log or "Disk quota exceeded" in log:
        return Told("TrainingError", "the disk is full", f"Free some space. {_ON}")
    if "MemoryError" in log or "ResourceExhausted" in log:
        return Told("TrainingError", "the memory is full", "Lower the batch size, or give fewer rows.")
    return None
