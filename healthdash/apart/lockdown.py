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

from .bounds import REPOSITORY

__all__ = ["ends_with_parent", "without_files", "without_network"]

# linux/sched.h, linux/prctl.h
_CLONE_NEWNET, _CLONE_NEWUSER = 0x4000_0000, 0x1000_0000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
# asm-generic/unistd.h: the same numbers on all architectures
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
# linux/landlock.h, version 1 of its interface (Linux 5.13)
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_ALL = (1 << 13) - 1
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_RULE_PATH_BENEATH = 1
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


def ends_with_parent() -> None:
    """Let the kernel kill this process when the one that forked it ends, and give it no new rights."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def without_files(own: Path, seen: Sequence[Path] = ()) -> bool:
    """Close the file system to this process but for its libraries, `seen` (to read) and a folder of its own.

    A header that names another file of this machine then finds none, even where a reader has a hole.
    False where the kernel has no Landlock.

    References
    ----------
    Linux, Documentation/userspace-api/landlock.rst, interface version 1.
    """
    if _libc is None:
        return False
    rights = struct.pack("=Q", _ALL)
    rules = _libc.syscall(_CREATE_RULESET, rights, ctypes.c_size_t(len(rights)), 0)
    if rules < 0:
        return False
    for path in [*_library_folders(), *seen]:
        _allow(rules, path, _READ)
    _allow(rules, Path(os.devnull), _READ_FILE | _WRITE_FILE)
    _allow(rules, own, _ALL & ~_EXECUTE)
    is_done = bool(_libc.syscall(_RESTRICT_SELF, rules, 0) == 0)
    os.close(rules)
    return is_done


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


def _allow(rules: int, path: Path, rights: int) -> None:
    assert _libc is not None
    if not path.is_dir():
        rights &= _EXECUTE | _READ_FILE | _WRITE_FILE
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    _libc.syscall(_ADD_RULE, rules, _RULE_PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
    os.close(place)
