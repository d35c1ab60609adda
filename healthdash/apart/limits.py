"""What one job may take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from healthdash import settings

__all__ = ["Limits"]

_MIB = 1 << 20
#: What further files and large ones may take: a busy machine unpacks five megabytes a second.
_FURTHER_FILE_S, _FURTHER_MIB_S, _SMALL_MIB = 0.1, 0.2, 8
#: One user's many files do not keep the others waiting for longer than this.
_LONGEST_S = 90.0


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

    def for_upload(self, uploaded: int) -> Limits:
        """Return those for an upload of so many bytes: it must be held as well, and takes its time."""
        mib = math.ceil(uploaded / _MIB)
        further = min(_FURTHER_MIB_S * max(0, mib - _SMALL_MIB), _LONGEST_S)
        return replace(self, seconds=self.seconds + further, memory_mib=self.memory_mib + 2 * mib)

    @property
    def answer_bytes(self) -> int:
        """Most bytes of an answer."""
        return self.answer_mib * _MIB

    def told(self) -> dict[str, Any]:
        """Return them as a child is told."""
        return {
            "memory_mib": self.memory_mib,
            "seconds": math.ceil(self.seconds),
            "sees": [str(path) for path in self.sees],
            "answer_bytes": self.answer_bytes,
        }
