"""The command `map`: which column of a table was taken for which field; and the options that take it back.

The object that it prints is a mapping: corrected in an editor, it is given to `predict --mapping FILE`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from healthdash import apart, bundles, tasks
from healthdash.errors import InputError, InvalidInput
from healthdash.task import Upload

__all__ = ["COMMANDS", "add_parsers", "hints"]


def add_parsers(commands: Any, predict: argparse.ArgumentParser) -> None:
    """Add the command, and to `predict` the options of tables and records."""
    matching = commands.add_parser("map", help="which column of a table was taken for which field")
    matching.add_argument("task")
    matching.add_argument("path", type=Path)
    matching.add_argument("--model")
    predict.add_argument("--mapping", type=Path, help="JSON file: which column holds which field")
    predict.add_argument("--before", help="of a record: only values before this date count")


def hints(options: argparse.Namespace) -> dict[str, Any]:
    """Return what was said about the columns of tables and the moment of records; None for nothing."""
    mapping = getattr(options, "mapping", None)
    told = _upload(mapping, {}).data.decode("utf-8", errors="replace") if mapping else None
    return {"before": getattr(options, "before", None), "mapping": told}


def _map(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    task = tasks.get(options.task)
    bundle = bundles.get(task.slug, options.model)
    upload = _upload(options.path, {"draft": 1.0})
    sample = apart.sample_of(task.bound(bundle), [upload], bundle)
    found = getattr(sample, "matching", None)
    if found is None:
        raise InvalidInput("expected a task of tables", hint="Columns are matched of tables only.")
    yield json.loads(found.mapping.to_json())


def _upload(path: Path, given: Mapping[str, str | float]) -> Upload:
    try:
        return Upload.from_path(path, given)
    except OSError as error:
        raise InputError(f"the file cannot be opened: {error.strerror}", hint="Check its name.") from error


COMMANDS = {"map": _map}
