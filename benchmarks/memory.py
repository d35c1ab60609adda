"""How much memory a process holds, and at most held while something ran."""

from __future__ import annotations

import threading
from pathlib import Path

__all__ = ["PeakMemory", "resident_mb"]

_LOOK_EVERY_S = 0.02


def resident_mb(process: int | str = "self") -> float | None:
    """Return the resident memory of a process in mebibytes; None where the system does not tell it."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return None
    lines = (line.split() for line in status.read_text().splitlines())
    return next((int(words[1]) / 1024 for words in lines if words[0] == "VmRSS:"), None)


class PeakMemory:
    """Resident memory of a process while something runs, looked at every 20 ms; in mebibytes.

    Attributes
    ----------
    before, peak : float
        When it began, and the most since; not a number where the system does not tell it.
    """

    def __init__(self, process: int | str = "self") -> None:
        self._process, self._over = process, threading.Event()

    def __enter__(self) -> PeakMemory:
        self.before = self.peak = self._now()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()

    @property
    def more(self) -> float:
        """How much more than before."""
        return self.peak - self.before

    def _look(self) -> None:
        while not self._over.wait(_LOOK_EVERY_S):
            self.peak = max(self.peak, self._now())

    def _now(self) -> float:
        found = resident_mb(self._process)
        return float("nan") if found is None else found
