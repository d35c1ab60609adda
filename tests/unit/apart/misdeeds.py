"""What a reader with a hole might be made to do; called in children by the tests."""

from __future__ import annotations

import ctypes
import os
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from healthdash.errors import InvalidInput

_SECRETS = ("HEALTHDASH_DATABASE_URL", "SECRET_OF_THE_TESTS")


def do(what: str, argument: str) -> str:
    """Do what is asked for; return a name of an error where the machine does not let it."""
    done = _DEEDS[what](argument)
    return done if isinstance(done, str) else "done"


def _hang(_: str) -> None:
    while True:
        pass


def _answer_garbage(_: str) -> None:
    for number in range(3, 64):
        with suppress(OSError):
            socket.socket(fileno=number).send(b"\xff" * 64)


def _unforeseen(argument: str) -> None:
    raise KeyError(argument)


def _ours(_: str) -> None:
    raise InvalidInput(["first", "second"], hint="Do this.")


def _temporary(_: str) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"x")


def _tried(reach: Callable[[str], str]) -> Callable[[str], str]:
    def tried(argument: str) -> str:
        try:
            return reach(argument)
        except OSError as error:
            return type(error).__name__

    return tried


def _connected(port: str) -> str:
    with socket.create_connection(("127.0.0.1", int(port)), timeout=2):
        return "connected"


def _started(_: str) -> str:
    """Start a process that leaves the session and the group of this one."""
    child = os.fork()
    if child == 0:
        os.setsid()
        time.sleep(60)
        os._exit(0)
    return str(child)


_DEEDS: Mapping[str, Callable[[str], object]] = {
    "nothing": lambda _: None,
    "hang": _hang,
    "memory": lambda _: len([bytearray(1 << 20) for _ in range(1 << 14)]),
    "native memory": lambda _: len(os.urandom(1 << 30)),
    "answer": lambda _: "x" * (2 << 20),
    "crash": lambda _: ctypes.string_at(0),
    "exit": lambda _: os._exit(0),
    "answer garbage": _answer_garbage,
    "unforeseen": _unforeseen,
    "ours": _ours,
    "temporary": _temporary,
    "environment": lambda _: ",".join(name for name in _SECRETS if name in os.environ),
    "landlock": lambda _: str(ctypes.CDLL(None).syscall(444, None, 0, 1) >= 1),
    "landlock version": lambda _: str(ctypes.CDLL(None).syscall(444, None, 0, 1)),
    "networks": lambda _: os.readlink("/proc/self/ns/net"),
    "read": _tried(lambda path: Path(path).read_text()),
    "write": _tried(lambda path: str(Path(path).write_text("x"))),
    "connect": _tried(_connected),
    "start": _started,
    "signal": _tried(lambda process: str(os.kill(int(process), 0))),
}
