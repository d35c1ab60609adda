"""Patient records: tables with one patient or stay a row."""

from __future__ import annotations

from healthdash.task import Task

from .heart import HeartDisease
from .own import OwnTable
from .readmission import Readmission

__all__ = ["TASKS"]

TASKS: tuple[Task, ...] = (HeartDisease(), Readmission(), OwnTable())
