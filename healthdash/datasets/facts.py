"""What the card of a model of own files says of their data, use and limits."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import numpy as np

from healthdash.bundles import DataSource

from .report import ItemReport
from .steps import ItemStep

__all__ = ["facts_of", "notes_of"]

#: Findings that stay in the card when they were not remedied.
_KEPT = {
    "shortcut", "shortcut-together", "groups-torn", "copies", "contradictions", "near-copies", "few-rows",
    "imbalance", "no-group", "flat", "clipped",
}  # fmt: skip


def facts_of(found: ItemReport, title: str) -> dict[str, Any]:
    """Return title, data, intended use and limits, as `BundleInfo` names them."""
    items = found.items
    names = [PurePosixPath(path).name for path in items.listing.files]
    is_synthetic = all(name.startswith("synthetic-") for name in names)
    left = tuple(one.words for one in found.findings if one.code in _KEPT)
    return {
        "title": title,
        "data": DataSource(
            name=f"synthetic {items.unit}s; a model trained on them is worth nothing"
            if is_synthetic
            else f"{items.unit}s of the user's",
            source="given for training",
            licence="not stated",
            rows=len(items),
            groups=len(np.unique(items.groups)),
        ),
        "intended_use": "Research and teaching by the person who brought the data.",
        "limits": (
            "Measured on parts of the same data only: other places, machines and times may differ.",
            "Nobody but the person who brought the data knows how they were collected.",
            *left,
        ),
    }


def notes_of(found: ItemReport, steps: list[ItemStep]) -> dict[str, str]:
    """Return where the labels are from and what was done to the data, for the card."""
    listing = found.items.listing
    column = f", column {listing.label_column}" if listing.label_column in listing.columns else ""
    return {
        "labels from": f"{listing.source}{column}",
        "cleaning": "; ".join(step.words for step in steps) or "none",
    }
