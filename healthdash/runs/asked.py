"""What a search of the command line depends on: only the same lets a search that was begun go on."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from healthdash import settings
from healthdash.training import TrainSettings

__all__ = ["asked", "with_whole_paths"]

#: Settings that name a file.
_FILES = ("cleaning", "unlabelled", "weights_file")
#: The labels of a folder, of so few bytes that two versions may be of one size and time.
_LABELS = "manifest.csv"


def asked(task: str, base: TrainSettings, options: argparse.Namespace, made: Sequence[Path]) -> str:
    """Return what a search depends on, as text. The number of trials is left out: a search may grow.

    Parameters
    ----------
    base : TrainSettings
        As `with_whole_paths` returns them.
    made : sequence of Path
        Folders that the search writes: they may lie among the data.
    """
    data: Path = options.data
    # A file of weights is named by its place in the folder of the weights; other names are whole.
    folder = settings.current().weights
    files = {name: _digest(folder / value, made) for name in _FILES if (value := getattr(base, name))}
    depends = {
        "task": task, "data": [str(data.absolute()), _digest(data, made)], "settings": asdict(base),
        "epochs of a trial": options.trial_epochs, "prune": options.prune, "files": files,
        "space": _digest(options.space, made) if options.space else "",
    }  # fmt: skip
    return json.dumps(depends, sort_keys=True)


def with_whole_paths(chosen: TrainSettings) -> TrainSettings:
    """Return settings whose files are found from the folder of a run, too."""
    named = {name: getattr(chosen, name) for name in _FILES}
    whole: dict[str, Any] = {n: str(Path(v).absolute()) for n, v in named.items() if v and Path(v).exists()}
    return replace(chosen, **whole)


def _digest(path: Path, made: Sequence[Path]) -> str:
    """Return the sha256 of a file, or of what tells two states of a folder apart; empty for neither."""
    if path.is_dir():
        return _digest_of_folder(path.absolute(), made)
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_of_folder(folder: Path, made: Sequence[Path]) -> str:
    """Return the sha256 of the names, sizes and times of a folder's files, and of its labels."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or any(path.is_relative_to(one) for one in made):
            continue
        known = path.stat()
        found.update(os.fsencode(f"{path.relative_to(folder)}\0{known.st_size} {known.st_mtime_ns}\0"))
        if path.name == _LABELS:
            found.update(path.read_bytes())
    return found.hexdigest()
