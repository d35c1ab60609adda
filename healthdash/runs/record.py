"""What is known of one training run: plain data."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from healthdash.errors import TrainingError

__all__ = ["ACTIVE", "OVER", "RESUMABLE", "Run", "State", "Told", "new_id"]

State = Literal["queued", "running", "stopping", "done", "stopped", "failed", "lost"]
#: A process has, or will have, to do with the run.
ACTIVE: tuple[State, ...] = ("queued", "running", "stopping")
#: Nothing happens any more unless somebody asks for it.
OVER: tuple[State, ...] = ("done", "stopped", "failed", "lost")
RESUMABLE: tuple[State, ...] = ("stopped", "failed", "lost")


@dataclass(frozen=True, slots=True)
class Told:
    """Why a run gave no model, for people to read."""

    type: str
    message: str
    hint: str = ""

    @property
    def error(self) -> TrainingError:
        """The reason as an error that the pages show."""
        return TrainingError(self.message, hint=self.hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One training run.

    Attributes
    ----------
    id : str
        Names its folder too.
    owner : str
        Hash of the token of the browser that it belongs to.
    place : str
        The computer and home folder where its files lie; only a dispatcher there may start it.
    out : str
        The bundle folder that it makes; its last part is the model's name.
    data : str
        Where the labelled data begin, below the run's folder.
    settings : dict
        The `TrainSettings` that were chosen.
    state : str
        "lost" is a run whose process ended without a word.
    created, started, ended : float, seconds since 1970
        `started` is of the last attempt; None while it has not come to that.
    metrics : dict
        What was measured, by name, as the command line prints it.
    attempt : int
        Grows with every start.
    """

    id: str
    owner: str
    place: str
    task: str
    name: str
    out: str
    data: str
    settings: Mapping[str, Any]
    state: State = "queued"
    created: float = field(default_factory=time.time)
    started: float | None = None
    ended: float | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    error: Told | None = None
    tags: tuple[str, ...] = ()
    attempt: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing happens any more unless somebody asks for it."""
        return self.state in OVER

    @property
    def can_resume(self) -> bool:
        """Whether the run can go on from its last checkpoint."""
        return self.state in RESUMABLE

    @property
    def seconds(self) -> float | None:
        """How long the last attempt took, or has taken so far; None before it began."""
        return None if self.started is None else (self.ended or time.time()) - self.started


def new_id() -> str:
    """Return a name for a run that nobody can guess."""
    return secrets.token_hex(8)
