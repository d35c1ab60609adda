"""Items without labels, read by the task that the labelled ones belong to."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash import apart, archive
from healthdash.errors import InputError, InvalidInput
from healthdash.task import Task, Upload

__all__ = ["inputs_of"]

_log = logging.getLogger(__name__)


def inputs_of(task: Task, path: Path, config: Mapping[str, Any], name: str) -> NDArray[np.float32]:
    """Return the items of a file, a folder or a zip archive as a network takes them; labels are not needed.

    Parameters
    ----------
    config : dict
        Preprocessing of the labelled items.
    name : str
        Of the network's input.

    Returns
    -------
    float32 (m, *shape)
        Of files that can be read; how many could not is logged.

    Raises
    ------
    InputError
        There is no such file or folder.
    InvalidInput
        None of its files can be used.
    """
    if path.is_file() and not _is_archive(path):
        uploads = [Upload.from_path(path)]
        uploads += [Upload.from_path(one) for one in task.companions(path)]
        found = list(_read(task, uploads, config, name))
    else:
        with archive.opened(path) as folder:
            files = sorted(one for one in folder.rglob("*") if one.is_file())
            found = list(_read(task, [Upload.from_path(one) for one in files], config, name))
    if not found:
        raise InvalidInput(
            "no file among the unlabelled items can be read", hint="Give files like the labelled ones."
        )
    return np.concatenate(found)


def _is_archive(path: Path) -> bool:
    with path.open("rb") as opened:
        return archive.is_zip(opened.read(4))


def _read(
    task: Task, uploads: list[Upload], config: Mapping[str, Any], name: str
) -> Iterator[NDArray[np.float32]]:
    """Yield the items of each input that can be read."""
    unread = 0
    for group in apart.groups(task, uploads):
        try:
            yield task.prepare(apart.sample_of(task, group), config)[name]
        except InputError:
            unread += 1
    if unread:
        _log.warning("%d of the unlabelled inputs cannot be read and are left out", unread)
