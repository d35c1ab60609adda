"""The command that a bundle was made by, as its card says it."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

__all__ = ["command_line"]

#: Files of one run, which change nothing in what it makes.
_OWN_FILES = ("--history", "--checkpoints", "--searched")


def command_line() -> str:
    """Return the command that made a bundle, without the folders of this machine; empty if none did."""
    given = sys.argv[1:]
    for place in [i for i, word in enumerate(given) if word in _OWN_FILES][::-1]:
        del given[place : place + 2]
    words = [_portable(word) for word in given]
    return f"python -m healthdash {' '.join(words)}" if words[:1] == ["train"] else ""


def _portable(word: str) -> str:
    """Write a path below the data sets as such; of other whole paths only the name is kept."""
    data, path = os.environ.get("HEALTHDASH_DATA"), Path(word)
    if data and path.is_relative_to(data):
        return f"$HEALTHDASH_DATA/{shlex.quote(path.relative_to(data).as_posix())}"
    return shlex.quote(path.name if path.is_absolute() else word)
