"""A look at a set of signals, without training."""

from __future__ import annotations

from pathlib import Path

from healthdash.datasets.looked import Looked
from healthdash.datasets.survey import OnProgress

from .own_leads import QUESTIONS
from .own_listing import list_signals
from .own_survey import survey_signals

__all__ = ["look_at_signals"]


def look_at_signals(folder: Path, target: str | None, on_progress: OnProgress | None = None) -> Looked:
    """Look at every recording of a folder once.

    Raises
    ------
    InvalidInput
        It holds no labelled recordings.
    """
    own = list_signals(folder, target)
    return Looked(own.listing, survey_signals(own, on_progress), QUESTIONS)
