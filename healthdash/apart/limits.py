"""What one job may take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from healthdash import settings

__all__ = ["Limits"]

_MIB = 1 << 20
#: One user's many files do not keep the others waiting for longer than this.
_FURTHER_FILE_S, _LONGEST_S = 0.1, 90.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may take.

    Attributes
    ----------
    seconds : float
        From its start to its answer.
    memory_mib : int, mebibyte
        Beyond the readers themselves.
    answer_mib : int, mebibyte
        Of what comes back, and so of what the server keeps.
    sees : tuple of Path
        Files and folders of this machine that it may read.
    """

    seconds: float
    memory_mib: int
    answer_mib: int
    sees: tuple[Path, ...] = ()

    @classmethod
    def usual(cls, sees: Sequence[Path] = (), files: int = 1) -> Limits:
        """Return those of the settings; the slices of a series take their time, each of them."""
        now = settings.current()
        seconds = now.read_seconds + min(_FURTHER_FILE_S * max(0, files - 1), _LONGEST_S)
        return cls(seconds, now.read_memory_mb, now.read_answer_mb, tuple(sees))

    @property
    def answer_bytes(self) -> int:
        """Most bytes of an answer."""
        return self.answer_mib * _MIB

    def told(self, uploaded: int) -> dict[str, Any]:
        """Return them as a child is told, for an upload of so many bytes, which it must hold as well."""
        return {
            "memory_mib": self.memory_mib + 2 * math.ceil(uploaded / _MIB),
            "seconds": math.ceil(self.seconds),
            "sees": [str(path) for path in self.sees],
            "answer_bytes": self.answer_bytes,
        }
