"""Where Linux allows it: no network, no files but those that Python and its libraries are made of."""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from healthdash.settings import REPOSITORY

__all__ = ["FileRules", "adopts_orphans", "ends_with_parent", "without_network"]

# linux/sched.h, linux/prctl.h
_CLONE_NEWNET, _CLONE_NEWUSER = 0x4000_0000, 0x1000_0000
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38
# asm-generic/unistd.h: the same numbers on all architectures
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
# linux/landlock.h
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_RULE_PATH_BENEATH, _TELL_VERSION = 1, 1
#: Rights to files that each version of the interface knows: moves between folders came with the second,
#: truncation with the third, orders to devices with the fifth.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
#: Binding and connecting TCP ports; reaching sockets without a name in the file system, sending signals.
_NETWORK_SINCE, _NETWORK = 4, 3
_SCOPE_SINCE, _SCOPE = 6, 3
_IS_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True) if _IS_LINUX else None
if _libc is not None:
    _libc.syscall.restype = ctypes.c_long


def without_network() -> bool:
    """Move this process to a network of its own with nothing in it; to be called before there are threads.

    False where the kernel does not let an ordinary user do so; then readers are only not meant to connect.
    """
    if _libc is None:
        return False
    return any(_libc.unshare(flags) == 0 for flags in (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET))


def adopts_orphans() -> None:
    """Become the parent of what children leave running when they end, so that it can be ended too."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def ends_with_parent() -> None:
    """Let the kernel kill this process when the one that forked it ends, and give it no new rights."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


class FileRules:
    """The files that this process sees once they are enforced: its libraries, and a folder of its own.

    A header that names another file of this machine then finds none, even where a reader has a hole. Where
    the kernel knows how, signals to other processes and TCP connections end with them too.

    Parameters
    ----------
    own : Path
        Folder in which it may write.

    References
    ----------
    Linux, Documentation/userspace-api/landlock.rst; the first version came with Linux 5.13.
    """

    def __init__(self, own: Path) -> None:
        self._rules, self._all = -1, 0
        version = (
            0 if _libc is None else _libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _TELL_VERSION)
        )
        if version < 1:
            return
        self._all = (1 << _FILE_RIGHTS.get(version, _FILE_RIGHTS[5])) - 1
        handled = [self._all]
        handled += [_NETWORK] if version >= _NETWORK_SINCE else []
        handled += [_SCOPE] if version >= _SCOPE_SINCE else []
        rights = struct.pack(f"={len(handled)}Q", *handled)
        self._rules = _called(_CREATE_RULESET, rights, ctypes.c_size_t(len(rights)), 0)
        for path in _library_folders():
            self._allow(path, _READ)
        self._allow(Path(os.devnull), _READ_FILE | _WRITE_FILE)
        self._allow(own, self._all & ~_EXECUTE)

    @property
    def are_possible(self) -> bool:
        """Whether the kernel has Landlock."""
        return self._rules >= 0

    def enforce(self, seen: Sequence[Path] = ()) -> None:
        """Close the file system for good but for these rules and further paths, which may be read."""
        if not self.are_possible:
            return
        for path in seen:
            self._allow(path, _READ)
        if _called(_RESTRICT_SELF, self._rules, 0):
            raise OSError(ctypes.get_errno(), "Landlock is there and refuses")
        os.close(self._rules)

    def _allow(self, path: Path, rights: int) -> None:
        if not path.is_dir():
            rights &= _EXECUTE | _READ_FILE | _WRITE_FILE
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        _called(_ADD_RULE, self._rules, _RULE_PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
        os.close(place)


def _called(*given: object) -> int:
    assert _libc is not None
    return int(_libc.syscall(*given))


def _library_folders() -> list[Path]:
    """Return where Python, its packages and the libraries of the system lie."""
    named = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), str(REPOSITORY / "healthdash")}
    system = {
        "/usr/lib",
        "/usr/local/lib",
        "/lib",
        "/lib64",
        "/usr/share/zoneinfo",
        "/proc/self",
        "/proc/cpuinfo",
    }
    return [Path(one) for one in sorted(named | system) if Path(one).exists()]
