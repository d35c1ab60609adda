"""The data report of a set of signals on disk, as plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from healthdash.datasets.steps import ItemCleaning
from healthdash.datasets.told import told
from healthdash.training import TrainSettings, archive

from .own_leads import QUESTIONS
from .own_listing import list_signals
from .own_survey import survey_signals

__all__ = ["check_signals"]


def check_signals(path: Path, settings: TrainSettings) -> dict[str, Any]:
    """Return what labelled signals are like, and what training would do about it by itself.

    Raises
    ------
    InputError
        There is no such folder or archive, or it holds no labelled signals.
    """
    cleaning = ItemCleaning.from_file(settings.cleaning) if settings.cleaning else ItemCleaning()
    with archive.opened(path) as folder:
        own = list_signals(folder, settings.target or cleaning.target)
        survey = survey_signals(own)
    return told(own.listing, survey, cleaning.grouped(settings.group), QUESTIONS)
