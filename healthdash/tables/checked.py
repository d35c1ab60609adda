"""Check a labelled table on disk: read it, report on it, and say what training would do by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .cleaning import Cleaning
from .find_events import with_events
from .read import read_path
from .report import column_named, report, settled
from .steps import GroupBy
from .told import as_data

__all__ = ["file"]


def file(path: Path, target: str, group: str | None, cleaning: str | None) -> dict[str, Any]:
    """Return the data report of a file as plain data.

    Raises
    ------
    InputError
        The file cannot be opened, is no table, or has no such column.
    """
    chosen = Cleaning.from_file(cleaning) if cleaning else Cleaning()
    table = read_path(path, chosen.layout)
    table, steps = with_events(table, chosen.steps, is_found=not cleaning)
    target = column_named(table.frame, target)
    steps += [GroupBy(column=column_named(table.frame, group))] if group else []
    found = report(table.frame, target, declared=table.declared, steps=steps)
    default, _ = settled(table.frame, target, declared=table.declared, steps=steps)
    return as_data(table, found, default)
