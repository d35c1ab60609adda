"""What a child does with uploads of a task; each is an ordinary function that can be called here as well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from healthdash import bundles, tasks
from healthdash.task import Sample, Task, Upload

__all__ = ["described", "grouped", "read", "recognised", "sample_of"]


def sample_of(slug: str, bundle: str, uploads: tuple[Upload, ...]) -> Sample:
    """Read and validate the files of one input.

    Parameters
    ----------
    bundle : str
        Folder of the model that poses the task; empty where it is the same for all of them.
    """
    task = tasks.get(slug)
    return read(task.bound(bundles.open_folder(Path(bundle))) if bundle else task, uploads)


def read(task: Task, uploads: tuple[Upload, ...]) -> Sample:
    """Read and validate the files of one input with a task at hand."""
    sample = task.read(uploads)
    task.validate(sample)
    return sample


def described(slug: str, uploads: tuple[Upload, ...]) -> dict[str, Any]:
    """Return the stored properties of the files of one input, as plain data."""
    task = tasks.get(slug)
    return task.describe(task.read(uploads))


def recognised(uploads: tuple[Upload, ...]) -> tuple[str, ...]:
    """Return the task that reads each upload, by its slug; empty where none does."""
    readers = {task.kind: task for task in tasks.all_tasks()}.values()
    found = [[task.slug for task in readers if task.recognises(upload)] for upload in uploads]
    # In the order of the tasks: signals know their own formats better than tables know what a table is.
    return tuple(slugs[0] if slugs else "" for slugs in found)


def grouped(slug: str, uploads: tuple[Upload, ...]) -> tuple[tuple[int | Upload, ...], ...]:
    """Put the files of one input together: the number of each upload, or what an archive held."""
    places = {id(upload): place for place, upload in enumerate(uploads)}
    groups = tasks.get(slug).group(uploads)
    return tuple(tuple(places.get(id(upload), upload) for upload in group) for group in groups)
