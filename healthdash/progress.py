"""What a run of the command line tells on stderr, and how it is stopped."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from healthdash.errors import TrainingStopped
from healthdash.training.history import EpochRow, HistoryFile

__all__ = ["Progress", "Shares"]


class Shares:
    """Logs the share done, now and then."""

    def __init__(self, what: str) -> None:
        self._what, self._told = what, -1

    def __call__(self, share: float) -> None:
        """Log another twentieth."""
        twentieth = int(20 * share)
        if twentieth > self._told:
            self._told = twentieth
            sys.stderr.write(f"{self._what} {twentieth / 20:.0%}\n")


class Progress:
    """Logs epochs, keeps them in a file, and ends the run on SIGTERM or Ctrl-C, on a second one at once."""

    def __init__(self, history: Path | None) -> None:
        self._file = HistoryFile(history) if history else None
        self._shares, self._stopped = Shares("explanations"), False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def __call__(self, row: EpochRow) -> None:
        """Log an epoch."""
        sys.stderr.write(" ".join(f"{k}={_brief(v)}" for k, v in row.items()) + "\n")
        if self._file:
            self._file(row)
        self._heed()

    def explained(self, share: float) -> None:
        """Log how far the new model's explanations are judged."""
        self._shares(share)
        self._heed()

    def _heed(self) -> None:
        if self._stopped:
            can_go_on = "With --checkpoints FOLDER a training can go on where it was."
            hint = "Its history so far is kept." if self._file else can_go_on
            raise TrainingStopped("the run was stopped", hint=hint)

    def _stop(self, *_: object) -> None:
        self._stopped = True
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _brief(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
