"""Check labelled files on disk: look at them, report, and say what training would do by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from healthdash import archive
from healthdash.training import TrainSettings

from .looked import Looked
from .steps import ItemCleaning

__all__ = ["files"]


def files(path: Path, settings: TrainSettings, look: Callable[[Path, str | None], Looked]) -> dict[str, Any]:
    """Return the data report of a folder or zip archive as plain data.

    Raises
    ------
    InputError
        There is no such folder or archive, or it holds nothing labelled.
    """
    cleaning = ItemCleaning.from_file(settings.cleaning) if settings.cleaning else ItemCleaning()
    with archive.opened(path) as folder:
        looked = look(folder, settings.target or cleaning.target)
    return looked.told(cleaning.grouped(settings.group))
