"""The synthetic pictures that ship; how they were made is in samples/card.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from healthdash.task import Example, Upload

__all__ = ["examples_of"]

_FOLDER = Path(__file__).parent / "samples"


def examples_of(task: str) -> tuple[Example, ...]:
    """Return the examples of a task, in the order of samples/index.json."""
    index = _FOLDER / "index.json"
    if not index.is_file():
        return ()
    entries = json.loads(index.read_text(encoding="utf-8"))
    return tuple(_example(entry) for entry in entries if entry["task"] == task)


def _example(entry: Mapping[str, str]) -> Example:
    def make() -> list[Upload]:
        return [Upload(name=entry["file"], data=(_FOLDER / entry["file"]).read_bytes())]

    return Example(slug=entry["slug"], title=entry["title"], description=entry["description"], make=make)
