"""The command `map`: which column of a table was taken for which field; and the options that take it back.

The object that it prints is a mapping: corrected in an editor, it is given to `predict --mapping FILE`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthdash import apart, bundles, pipeline, tasks
from healthdash import options as shared
from healthdash.errors import InvalidInput

if TYPE_CHECKING:
    from healthdash.tables.coding import Coding, CodingQuestion

__all__ = ["COMMANDS", "add_parsers", "hints"]


def add_parsers(commands: Any, predict: argparse.ArgumentParser) -> None:
    """Add the command, and to `predict` the options of tables and records."""
    matching = commands.add_parser("map", help="which column of a table was taken for which field")
    matching.add_argument("task", help=shared.TASK)
    matching.add_argument("path", type=Path, help="a table")
    matching.add_argument("--model", help=shared.MODEL)
    matching.add_argument("--coding", help="how codes are written, where the error of a table names several")
    predict.add_argument("--mapping", type=Path, help="JSON file: which column holds which field")
    predict.add_argument("--before", help="of a record: only values before this date count")


def hints(options: argparse.Namespace) -> dict[str, Any]:
    """Return what was said about the columns of tables and the moment of records; None for nothing."""
    mapping = getattr(options, "mapping", None)
    told = pipeline.upload_of(mapping).data.decode("utf-8", errors="replace") if mapping else None
    return {"before": getattr(options, "before", None), "mapping": told}


def _map(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    task = tasks.get(options.task)
    bundle = bundles.get(task.slug, options.model)
    upload = pipeline.upload_of(options.path, {"draft": 1.0})
    sample = apart.sample_of(task.bound(bundle), [upload], bundle)
    found = getattr(sample, "matching", None)
    if found is None:
        raise InvalidInput("expected a task of tables", hint="Columns are matched of tables only.")
    mapping = found.mapping
    if options.coding:
        from healthdash.tables.coding import coded

        mapping = coded(mapping, _coding(options.coding, found.coding))
    # What is still to be decided, and what columns could be, stands beside the fields; nobody reads it back.
    asked = [] if options.coding else list(found.problems)
    could_be = {one.column: {"holds": one.looks, "could_be": list(one.fields)} for one in found.suggestions}
    more = {"to_decide": asked, "suggestions": could_be}
    yield json.loads(mapping.to_json()) | {name: told for name, told in more.items() if told}


def _coding(name: str, asked: CodingQuestion | None) -> Coding:
    """Return the coding of a name among those that fit the table."""
    choices = asked.choices if asked else ()
    found = next((one for one in choices if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in choices) or "none"
        raise InvalidInput(f"expected a coding that fits the table: {known}", hint="Leave --coding out.")
    return found


COMMANDS = {"map": _map}
