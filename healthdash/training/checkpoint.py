"""Where a training keeps how far it is, so that one that was ended goes on; nowhere by default."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from healthdash.disk import is_full
from healthdash.errors import TrainingError

__all__ = ["folder", "kept_in", "written"]

_folder: ContextVar[Path | None] = ContextVar("checkpoints", default=None)


@contextmanager
def kept_in(path: Path | None) -> Iterator[None]:
    """Let every fit inside keep its checkpoints in a folder, and go on from those that lie there."""
    if path is not None:
        path.mkdir(parents=True, exist_ok=True)
    entered = _folder.set(path)
    try:
        yield
    finally:
        _folder.reset(entered)


def folder() -> Path | None:
    """Return where checkpoints are kept; None keeps none."""
    return _folder.get()


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """Give the name of a partial file that takes the place of another in one step.

    A reader never sees half of it, and what was there stays when it cannot be written.

    Raises
    ------
    TrainingError
        The disk is full.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        # First of all room for the words that say so.
        partial.unlink(missing_ok=True)
        if not is_full(error):
            raise
        raise TrainingError(
            "the disk is full",
            hint="Free some space and resume the run: it goes on from its last checkpoint.",
        ) from error
