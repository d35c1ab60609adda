"""The data report as plain data: what `python -m healthdash check` prints."""

from __future__ import annotations

from typing import Any

from .findings import Finding
from .read import TextTable
from .report import DataReport
from .steps import Step, dumped

__all__ = ["as_data", "finding_as_data"]


def as_data(table: TextTable, found: DataReport, default: list[Step]) -> dict[str, Any]:
    """Return everything that a report says.

    Parameters
    ----------
    default : list of Step
        What training does by itself, where nothing else is asked of it: the content of a cleaning.
    """
    return {
        "format": table.format,
        "layout": table.found.stored(),
        "rows": found.rows,
        "target": found.target,
        "group": found.group,
        "labels": dict(found.labels),
        "columns": [
            {"name": one.name, "kind": one.kind, "missing": one.missing, "distinct": one.distinct}
            for one in found.profiles
        ],
        "findings": [finding_as_data(one) for one in found.findings],
        "cleaning": {"layout": {}, "steps": dumped(default)},
    }


def finding_as_data(one: Finding[Any]) -> dict[str, Any]:
    """Return what a report says of one thing that it found, in a table or among labelled files."""
    remedies = [
        {"words": remedy.words, "steps": dumped(remedy.steps), "is_default": remedy.is_default}
        for remedy in one.remedies
    ]
    return {
        "code": one.code,
        "severity": one.severity,
        "words": one.words,
        "columns": list(one.columns),
        "remedies": remedies,
    }
