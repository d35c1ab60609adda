"""Labelled files that were looked at once: all that reports, remedies and the command line ask of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .listing import Listing
from .report import ItemReport, Question, report, settled
from .steps import ItemCleaning, ItemStep
from .survey import Survey
from .told import told

__all__ = ["Looked"]


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """Items, what their files hold, and what the kind of data asks beside; no file is opened again."""

    listing: Listing
    survey: Survey
    questions: Sequence[Question] = ()

    def report(self, steps: Sequence[ItemStep]) -> ItemReport:
        """Report on the items after steps."""
        return report(self.listing, self.survey, steps, self.questions)

    def settled(self, steps: Sequence[ItemStep]) -> tuple[list[ItemStep], ItemReport]:
        """Take the remedies that need no decision; return all steps and the last report."""
        return settled(self.listing, self.survey, steps, self.questions)

    def told(self, cleaning: ItemCleaning) -> dict[str, Any]:
        """Return the report as plain data."""
        return told(self.listing, self.survey, cleaning, self.questions)
