"""Folders of what is read, and the removal of those that a killed process left behind."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["made", "sweep"]

_PREFIX = "healthdash-read-"
_LOCK = "lock"


@contextmanager
def made() -> Iterator[Path]:
    """Give a new empty folder that nobody sweeps away while this process lives; it is removed afterwards.

    Processes that are forked from this one hold its lock with it.
    """
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    lock = os.open(folder / "new", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        _is_locked(lock)
        os.rename(folder / "new", folder / _LOCK)  # under this name it is always locked or left behind
        (folder / "files").mkdir()
        yield folder / "files"
    finally:
        os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Remove the folders of this user that no living process holds."""
    for folder in Path(tempfile.gettempdir()).glob(_PREFIX + "*"):
        with suppress(OSError):  # another process sweeps as well
            if _is_left(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    """Say whether a folder is ours and its lock is free; one that has none yet is being made."""
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        return False
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        return _is_locked(lock)
    finally:
        os.close(lock)


def _is_locked(lock: int) -> bool:
    """Try to take a lock, which ends with the last process that holds it."""
    import fcntl  # not on Windows, which cannot fork either

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
