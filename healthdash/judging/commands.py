"""The command `judge`: how good a model's explanations are."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from healthdash import bundles, judging, tasks
from healthdash import options as shared
from healthdash.progress import Shares

__all__ = ["COMMANDS", "add_parsers"]


def add_parsers(commands: Any) -> None:
    """Add the command to the subparsers of the command line."""
    judge = commands.add_parser("judge", help="measure how good a model's explanations are")
    judge.add_argument("task", help=shared.TASK)
    judge.add_argument("--model", help=shared.MODEL)
    judge.add_argument("--items", type=_count, default=judging.ITEMS, help="synthetic items to explain")
    judge.add_argument("--samples", type=int, default=0, help="of each explanation; 0: what the app takes")
    judge.add_argument("--seed", type=int, default=0, help=shared.SEED)
    judge.add_argument("--write", action="store_true", help="put the figures into the model's card")


def _count(text: str) -> int:
    """Return a whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text}")
    return int(text)


def _judge(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    task = tasks.get(options.task)
    bundle = bundles.get(task.slug, options.model)
    found = judging.judge(
        task, bundle, items=options.items, samples=options.samples, seed=options.seed,
        on_progress=Shares("explanations"),
    )  # fmt: skip
    if options.write:
        bundles.with_explanations(bundle, found)
    yield {
        "task": task.slug,
        "model": bundle.name,
        "sha256": bundle.info.sha256,
        "written": options.write,
        "explanations": found.model_dump(),
    }


COMMANDS = {"judge": _judge}
