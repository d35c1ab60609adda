"""A look at a set of pictures, without training."""

from __future__ import annotations

from pathlib import Path

from healthdash.datasets.looked import Looked
from healthdash.datasets.survey import OnProgress

from .own_survey import SIZE, list_pictures, survey_pictures

__all__ = ["look_at_pictures"]


def look_at_pictures(folder: Path, target: str | None, on_progress: OnProgress | None = None) -> Looked:
    """Look at every picture of a folder once.

    Raises
    ------
    InvalidInput
        It holds no labelled pictures.
    """
    listing, survey, _ = survey_pictures(list_pictures(folder, target), SIZE, on_progress)
    return Looked(listing, survey)
