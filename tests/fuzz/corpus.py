"""What is damaged: every format of the real data sets, where they are, and our own samples."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from healthdash import tasks
from healthdash.task import Upload

__all__ = ["Seed", "seeds"]

#: Larger files are cut to the smaller ones of their kind: mutations of their headers say no more.
_MOST_BYTES = 200_000
_FOLDERS = {
    "lung-ct": ("imaging/dicom", "imaging/other_formats"),
    "ecg-beats": ("signals/ecg_formats", "signals/wfdb_formats", "signals/eeg_formats"),
    "heart-disease": ("tabular/messy_tables", "fhir/hl7_r4_examples"),
    "table": ("tabular/messy_tables",),
}


@dataclass(frozen=True)
class Seed:
    """The files of one input, the task that reads them, and the set that they come from."""

    source: str
    task: str
    uploads: tuple[Upload, ...]


def seeds(*, is_small: bool = False) -> list[Seed]:
    """Return our samples, and the corpora below ``HEALTHDASH_DATA``; `is_small` takes our samples only."""
    found = [
        Seed(task.slug, task.slug, tuple(group))
        for task in tasks.all_tasks()
        for example in task.examples()
        for group in task.group(example.make())
        if sum(len(upload.data) for upload in group) <= _MOST_BYTES
    ]
    root = os.environ.get("HEALTHDASH_DATA")
    if root and not is_small:
        for slug, names in _FOLDERS.items():
            found += [seed for name in names for seed in _below(slug, Path(root) / name)]
    return found


def _below(slug: str, folder: Path) -> Iterator[Seed]:
    """Yield each small input of a folder; files that belong together stay together."""
    task = tasks.get(slug)
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    small = [path for path in files if path.stat().st_size <= _MOST_BYTES]
    for path in small:
        beside = [one for one in task.companions(path) if one in small]
        yield Seed(folder.name, slug, tuple(Upload(one.name, one.read_bytes()) for one in [path, *beside]))
