"""Read what strangers made in a process of its own: bounded, cut off from the machine, ended after each file.

>>> from healthdash import apart
>>> apart.call(read_text_table, data)  # doctest: +SKIP

A child is forked from a warm template that has every reader loaded, reads one upload, answers with plain
values (never pickles) and ends. Where this is not possible, such as on Windows, the call happens here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from healthdash.errors import HealthdashError, UnreadableUpload

if TYPE_CHECKING:
    from healthdash.bundles import Bundle
    from healthdash.task import Sample, Task, Upload

__all__ = [
    "call", "described", "groups", "lacks", "recognised", "run", "sample_of", "serves", "start", "unforeseen",
    "wait",
]  # fmt: skip

P = ParamSpec("P")
T = TypeVar("T")
_log = logging.getLogger(__name__)
_TASKS = "healthdash.tasks."
_NOTHING: tuple[Path, ...] = ()
#: What zip archives and gzip files begin with; what else comes alone is an input of its own.
_ARCHIVES = (b"PK", b"\x1f\x8b")


def start() -> None:
    """Start the warm process in the background; without it the first upload waits for it."""
    from . import pool

    pool.start()


def wait() -> None:
    """Wait until the warm process has a child ready."""
    from . import pool

    if pool.is_possible():
        pool.wait()


def lacks() -> tuple[str, ...]:
    """Return what this machine does not close to the processes that read: "network", "files", "everything".

    Known once the first of them is there; "everything" where uploads are read in this process.
    """
    from . import pool

    return pool.lacks() if pool.is_possible() else ("everything",)


def serves(session: str) -> None:
    """Let this thread read on behalf of a session: one with many files leaves places to the others."""
    from . import places

    places.owner.set(session)


def call(function: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """Call a function of ours apart: it takes and returns plain values of the types that it declares.

    Raises
    ------
    HealthdashError
        Whatever the function raises of ours.
    InvalidInput
        It took more time or memory than it may, or returned too much.
    UnreadableUpload
        It raised something else, or broke; the log says where.
    """
    found: T = run(function, given, named)
    return found


def sample_of(task: Task, uploads: Sequence[Upload], bundle: Bundle | None = None) -> Sample:
    """Read and validate the files of one input, apart where a child knows the task; raises as `call` does.

    A task from elsewhere than ``healthdash/tasks`` is read here, for no child can find it.
    """
    from . import jobs

    posed = bundle.path if bundle is not None and task.is_generic else None
    if not _is_known(task, bundle):
        return _here(jobs.read, (task, tuple(uploads)), {})
    folder = "" if posed is None else str(posed)
    seen = (posed,) if posed else _NOTHING
    given = (task.slug, folder, tuple(uploads))
    found: Sample = run(jobs.sample_of, given, {}, seen, len(uploads), task.slug)
    return found


def described(task: Task, uploads: Sequence[Upload]) -> dict[str, Any]:
    """Return the stored properties of the files of one input, read apart; raises as `call` does."""
    from . import jobs

    if not _is_known(task, None):
        return _here(lambda: task.describe(task.read(uploads)), (), {})
    found: dict[str, Any] = run(
        jobs.described, (task.slug, tuple(uploads)), {}, files=len(uploads), like=task.slug
    )
    return found


def groups(task: Task, uploads: Sequence[Upload]) -> list[list[Upload]]:
    """Put the files of one input together as `task.group` does, apart, as it looks into their headers.

    A file that comes alone and is no archive is an input, whatever it holds. Where grouping fails each file
    stands alone: what is wrong with it is told when it is read.
    """
    from . import jobs

    if not uploads or not type(task).__module__.startswith(_TASKS):
        return task.group(uploads)
    if len(uploads) == 1 and not uploads[0].data.startswith(_ARCHIVES):
        return [list(uploads)]
    try:
        found = run(jobs.grouped, (task.slug, tuple(uploads)), {}, files=len(uploads), like=task.slug)
    except HealthdashError:
        return [[upload] for upload in uploads]
    return [[uploads[one] if isinstance(one, int) else one for one in group] for group in found]


def recognised(uploads: Sequence[Upload]) -> list[Task | None]:
    """Return the task of a kind that reads each upload; None where none does, or none can tell."""
    from healthdash import tasks

    from . import jobs

    try:
        slugs: tuple[str, ...] = run(jobs.recognised, (tuple(uploads),), {}, files=len(uploads))
    except HealthdashError:  # one of them took too much, or broke its reader: the others are still told
        if len(uploads) < 2:
            return [None] * len(uploads)
        return [task for upload in uploads for task in recognised([upload])]
    # A child knows the tasks of the package; this process may have others.
    known = {task.slug: task for task in tasks.all_tasks()}
    return [known.get(slug) for slug in slugs]


def run(
    function: Callable[..., Any],
    given: tuple[Any, ...],
    named: dict[str, Any],
    sees: Sequence[Path] = _NOTHING,
    files: int = 1,
    like: str = "",
) -> Any:
    """Call a function of ours apart, as `call` does.

    Parameters
    ----------
    sees : sequence of Path
        Files and folders of this machine that the child may read.
    files : int
        How many files it reads; each further one has its time.
    like : str
        The task that reads, if one does: the next children make themselves ready for more of it.
    """
    from . import calls, pool
    from .limits import Limits

    if not (pool.is_possible() and calls.is_ours(function)):
        return _here(function, given, named)
    try:
        return pool.run(function, given, named, Limits.usual(sees, files), like)
    except calls.Unforeseen as error:
        _log.error("unforeseen %s", error)
        raise _unread(error.name) from None


def _here(function: Callable[..., T], given: tuple[Any, ...], named: dict[str, Any]) -> T:
    try:
        return function(*given, **named)
    except HealthdashError:
        raise
    except Exception as error:  # a hostile file must not end the batch; the log says where to mend the reader
        _log.error("unforeseen %s", unforeseen(error))
        raise _unread(type(error).__name__) from error


def unforeseen(error: Exception) -> str:
    """Return what a log may say of an error: its class and where it came from, never its words."""
    from . import calls

    return f"{type(error).__name__} at {', '.join(calls.places_of(error))}"


def _unread(name: str) -> UnreadableUpload:
    return UnreadableUpload(
        f"the file could not be read ({name})",
        hint="It may be damaged: export it again, or try another file.",
    )


def _is_known(task: Task, bundle: Bundle | None) -> bool:
    """Say whether a child finds the same task by its slug and the folder of the model that poses it."""
    from healthdash import tasks

    same = next((one for one in tasks.all_tasks() if one.slug == task.slug), None)
    if same is None or not type(same).__module__.startswith(_TASKS):
        return False
    posed = same.bound(bundle) if bundle is not None and task.is_generic else same
    return type(posed) is type(task)
