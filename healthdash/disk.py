"""What the system says of files and disks, as errors that a user can act on."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from healthdash.errors import InputError

__all__ = ["is_full", "of_system", "opening"]


def is_full(error: OSError) -> bool:
    """Say whether it is the disk, or the user's share of it, that has no room left."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def of_system(error: OSError) -> InputError:
    """Return what the system says of a file as an error of ours, which names no file."""
    if is_full(error):
        hint = "Free some space and begin again; a training that keeps checkpoints goes on from its last."
        return InputError("the disk is full", hint=hint)
    reason = error.strerror or type(error).__name__
    return InputError(f"a file or folder cannot be used: {reason}", hint="Check the paths of the command.")


@contextmanager
def opening() -> Iterator[None]:
    """Raise `InputError` where the system does not give a file that was named."""
    try:
        yield
    except OSError as error:
        raise InputError(f"the file cannot be opened: {error.strerror}", hint="Check its name.") from error
