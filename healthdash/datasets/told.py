"""The data report of labelled files as plain data: what `python -m healthdash check` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from healthdash.tables.steps import dumped
from healthdash.tables.told import finding_as_data

from .listing import Listing
from .report import ItemReport, Question, report, settled
from .steps import ItemCleaning, ItemStep
from .survey import Survey

__all__ = ["told"]


def told(
    listing: Listing, survey: Survey, cleaning: ItemCleaning, questions: Sequence[Question] = ()
) -> dict[str, Any]:
    """Return everything that a report says after the steps of a cleaning.

    Parameters
    ----------
    cleaning : ItemCleaning
        What was chosen so far. The `cleaning` that is told is what training does by itself.
    """
    found = report(listing, survey, cleaning.steps, questions)
    steps, _ = settled(listing, survey, cleaning.steps, questions)
    return _as_data(found, cleaning.target or _column(listing), steps)


def _column(listing: Listing) -> str | None:
    return listing.label_column if listing.label_column in listing.columns else None


def _as_data(found: ItemReport, target: str | None, default: list[ItemStep]) -> dict[str, Any]:
    listing = found.items.listing
    return {
        "labels_from": listing.source,
        "target": target,
        "group": found.items.group,
        "columns": list(listing.columns),
        f"{listing.unit}s": len(found.items),
        "groups": found.groups,
        "labels": dict(found.labels),
        "files": found.ranges,
        "notices": list(listing.notices),
        "findings": [finding_as_data(one) for one in found.findings],
        "cleaning": {"target": target, "steps": dumped(default)},
    }
