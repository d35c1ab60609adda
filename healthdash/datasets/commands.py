"""The command `check`: what is odd about labelled data, before any training."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from healthdash import labelled, tasks
from healthdash import options as shared
from healthdash.training import TrainSettings

__all__ = ["COMMANDS", "add_parsers"]


def add_parsers(commands: Any) -> None:
    """Add the command to the subparsers of the command line."""
    check = commands.add_parser("check", help="what is odd about labelled data, before any training")
    check.add_argument(
        "--task", default="table", choices=["table", "images", "signals"], help="kind of data; default: table"
    )
    labelled.add(check)
    check.add_argument("--target", help="column of the outcome, or of the label")
    check.add_argument("--group", help=shared.GROUP)
    check.add_argument("--cleaning", help="JSON file with the steps that were chosen so far")


def _check(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    task = tasks.get(options.task)
    chosen = TrainSettings(target=options.target, group=options.group, cleaning=options.cleaning)
    with labelled.opened(task, options.data) as path:
        yield task.check(path, chosen)


COMMANDS = {"check": _check}
