"""The synthetic pictures that ship; how they were made is in samples/card.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from healthdash.task import Example, Upload

__all__ = ["examples_of", "pictures_of"]

_FOLDER = Path(__file__).parent / "samples"


def examples_of(task: str) -> tuple[Example, ...]:
    """Return the examples of a task, in the order of samples/index.json."""
    return tuple(_example(entry) for entry in _entries(task))


def pictures_of(task: str) -> dict[str, Image.Image]:
    """Return the grey picture of each label of a task, 224 x 224."""
    return {
        entry["slug"]: Image.open(_FOLDER / entry["file"]).convert("L")
        for entry in _entries(task)
        if entry["file"].endswith(".png")
    }


def _entries(task: str) -> list[dict[str, Any]]:
    index = _FOLDER / "index.json"
    if not index.is_file():
        return []
    entries = json.loads(index.read_text(encoding="utf-8"))
    return [entry for entry in entries if entry["task"] == task]


def _example(entry: Mapping[str, str]) -> Example:
    def make() -> list[Upload]:
        return [Upload(name=entry["file"], data=(_FOLDER / entry["file"]).read_bytes())]

    return Example(slug=entry["slug"], title=entry["title"], description=entry["description"], make=make)
