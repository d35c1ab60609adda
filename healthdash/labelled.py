"""Labelled data as a command names them: a path, or "synthetic" for the task's own small set."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from healthdash import archive
from healthdash.task import Task

__all__ = ["add", "opened", "synthetic"]


def add(parser: argparse.ArgumentParser) -> None:
    """Give a command the option that names labelled data."""
    parser.add_argument(
        "--data", required=True, type=Path,
        help='labelled data; "synthetic" is a small synthetic set, to try it without data',
    )  # fmt: skip


@contextmanager
def opened(task: Task, data: Path) -> Iterator[Path]:
    """Give where labelled data lie; a synthetic set is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="healthdash-") as folder:
        yield synthetic(task, data, Path(folder)) or data


def synthetic(task: Task, data: Path, folder: Path) -> Path | None:
    """Put the task's own small set into an empty folder, where "synthetic" asks for it; else return None."""
    examples = task.training_examples()
    if str(data) != "synthetic" or data.exists() or not examples:
        return None
    (upload,) = examples[0].make()
    return archive.placed(upload.name, upload.data, folder)
