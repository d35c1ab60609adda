"""The data report of a set of pictures on disk, as plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from healthdash.datasets.steps import ItemCleaning
from healthdash.datasets.told import told
from healthdash.training import TrainSettings, archive

from .own_survey import SIZE, list_pictures, survey_pictures

__all__ = ["check_pictures"]


def check_pictures(path: Path, settings: TrainSettings) -> dict[str, Any]:
    """Return what labelled pictures are like, and what training would do about it by itself.

    Raises
    ------
    InputError
        There is no such folder or archive, or it holds no labelled pictures.
    """
    cleaning = ItemCleaning.from_file(settings.cleaning) if settings.cleaning else ItemCleaning()
    with archive.opened(path) as folder:
        listing = list_pictures(folder, settings.target or cleaning.target)
        listing, survey, _ = survey_pictures(listing, SIZE)
    return told(listing, survey, cleaning.grouped(settings.group))
