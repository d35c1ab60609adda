"""The command that a bundle was made by, as its card says it."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["command_line", "portable"]

#: Files of one run, which change nothing in what it makes.
_OWN_FILES = ("--history", "--checkpoints", "--searched")


def command_line() -> str:
    """Return the command that made a bundle, without the folders of this machine; empty if none did."""
    words = [_word(word) for word in _kept(sys.argv[1:])]
    return f"python -m healthdash {' '.join(words)}" if words[:1] == ["train"] else ""


def portable(word: str) -> str:
    """Write a path below the data sets as such; of other whole paths only the name is kept."""
    data, path = os.environ.get("HEALTHDASH_DATA"), Path(word)
    if data and path.is_relative_to(data):
        return f"$HEALTHDASH_DATA/{shlex.quote(path.relative_to(data).as_posix())}"
    return shlex.quote(path.name if path.is_absolute() else word)


def _kept(given: Sequence[str]) -> Iterator[str]:
    """Yield the words but those of a run's own files, in two words or in one with "="."""
    words = iter(given)
    for word in words:
        if word in _OWN_FILES:
            next(words, None)
        elif word.partition("=")[0] not in _OWN_FILES:
            yield word


def _word(word: str) -> str:
    """Write a word for the card; of one such as ``--cleaning=PATH`` the value is a word of its own."""
    name, equals, value = word.partition("=")
    if equals and name.startswith("--"):
        return f"{name}={portable(value)}"
    return portable(word)
