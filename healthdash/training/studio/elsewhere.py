"""Where the fits of a training are done, when not in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthdash.training.settings import TrainSettings
    from healthdash.training.studio.fitting import Fitted, OnEpoch, Part
    from healthdash.training.studio.items import Labelled

__all__ = ["Place", "fitted_by", "place"]

FitAll = Callable[[Sequence["Part"]], Sequence["Fitted"]]
#: Returns what fits the parts of a training of labelled items, with settings, and tells its epochs.
Place = Callable[["Labelled", "TrainSettings", "OnEpoch"], FitAll]

_place: ContextVar[Place | None] = ContextVar("fits", default=None)


@contextmanager
def fitted_by(chosen: Place | None) -> Iterator[None]:
    """Let the fits of every training inside be done at a place; None: in this process, one by one."""
    entered = _place.set(chosen)
    try:
        yield
    finally:
        _place.reset(entered)


def place() -> Place | None:
    """Return where fits are done; None: in this process."""
    return _place.get()
