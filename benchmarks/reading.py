"""What reading in a child costs: a small file of each kind and a hundred pictures, against reading here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.rows import Row, alternate
from healthdash import apart, tasks
from healthdash.apart import jobs
from healthdash.task import Task, Upload

#: Issue 5: "adds under 30 ms to a small file".
_MOST_ADDED_S = 0.030
_BUDGET_S, _PAUSE_S = 8.0, 0.1
_MANY = 100
_TASKS = ("chest-xray", "lung-ct", "ecg-beats", "heart-disease", "readmission")


def rows() -> Iterator[Row]:
    """Yield a row a kind of file, then one for many files."""
    apart.start()
    for slug in _TASKS:
        task = tasks.get(slug)
        yield _row(task, task.group(task.examples()[0].make())[0])
    yield _many(tasks.get(_TASKS[0]))


def _row(task: Task, uploads: Sequence[Upload]) -> Row:
    read, read_apart = (lambda: jobs.read(task, tuple(uploads))), (lambda: apart.sample_of(task, uploads))
    read_apart()  # from now on children wait that know this task
    # A pause before each: people bring a file now and then, and what a stream of files costs is the last row.
    _, here, _, there = alternate([_pause, read, _pause, read_apart], budget_s=_BUDGET_S)
    return _judged(f"{task.slug}: read a small file apart", here, there, _MOST_ADDED_S)


def _pause() -> None:
    time.sleep(_PAUSE_S)


def _many(task: Task) -> Row:
    group = task.group(task.examples()[0].make())[0]
    groups = [group] * _MANY

    def read_apart() -> None:
        with ThreadPoolExecutor(4) as readers:
            list(readers.map(lambda one: apart.sample_of(task, one), groups))

    here, there = alternate(
        [lambda: [jobs.read(task, tuple(one)) for one in groups], read_apart], budget_s=_BUDGET_S
    )
    return _judged(f"{task.slug}: read {_MANY} files apart", here, there, _MANY * _MOST_ADDED_S)


def _judged(name: str, here: float, there: float, most: float) -> Row:
    return Row(
        name=name,
        ours=f"{1e3 * there:.1f} ms apart",
        reference=f"{1e3 * here:.1f} ms here",
        target=f"at most {1e3 * most:.0f} ms more",
        verdict="met" if there - here <= most else "missed",
    )
