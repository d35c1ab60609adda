"""ECG: recordings of the heart's rhythm, beat by beat."""

from __future__ import annotations

from healthdash.task import Task

from .own import OwnSignals
from .task import EcgBeats
from .waves.task import EcgWaves

__all__ = ["TASKS"]

TASKS: tuple[Task, ...] = (EcgBeats(), EcgWaves(), OwnSignals())
