"""Messages over a socket: a length, a JSON header, and the raw bytes of arrays."""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

import numpy as np

from .buffers import Broken, Buffers, empty

__all__ = ["Closed", "Late", "TooLong", "receive", "send"]

_LENGTHS = struct.Struct("!QQ")
#: JSON takes many times its length once it is parsed, so its marks are counted before.
_MOST_HEADER = 64 << 20
_MOST_NODES = 4_000_000
_CHUNK = 1 << 20


class Closed(Exception):
    """The other side ended."""


class Late(Exception):
    """There is no time left."""


class TooLong(Exception):
    """A message is longer than it may be; nothing of it was sent."""


def send(
    to: socket.socket, node: Any, buffers: Buffers, deadline: float | None = None, most: int | None = None
) -> None:
    """Send a value that `codec.pack` made.

    Parameters
    ----------
    deadline : float or None, seconds
        Of `time.monotonic`.
    most : int or None, bytes
        That the other side receives.
    """
    header = json.dumps([node, buffers.table()]).encode()
    if most is not None and (len(header) + buffers.nbytes > most or len(header) > _MOST_HEADER):
        raise TooLong
    _send(to, memoryview(_LENGTHS.pack(len(header), buffers.nbytes) + header), deadline)
    for array in buffers.arrays:
        _send(to, _view(array), deadline)


def receive(source: socket.socket, most: int, deadline: float | None = None) -> tuple[Any, Buffers]:
    """Receive a message of at most so many bytes; nothing is reserved before its length was looked at.

    Raises
    ------
    Broken
        It is longer, or no message.
    Closed
        The other side ended before all of it came.
    Late
        The deadline passed.
    """
    head, tail = _LENGTHS.unpack(_received(source, bytearray(_LENGTHS.size), deadline))
    if head > _MOST_HEADER or head + tail > most:
        raise Broken("more than it may be")
    header = _received(source, bytearray(head), deadline)
    if header.count(b",") + header.count(b"[") + header.count(b"{") > _MOST_NODES:
        raise Broken("more than it may be")
    try:
        node, table = json.loads(header)
    except (ValueError, TypeError, RecursionError) as error:
        raise Broken("expected a header") from error
    buffers = empty(table, tail)
    for array in buffers.arrays:
        _fill(source, _view(array), deadline)
    return node, buffers


def _view(array: np.ndarray[Any, Any]) -> memoryview:
    """Return the bytes of an array, without a copy."""
    if array.size == 0 or array.itemsize == 0:
        return memoryview(b"")
    return memoryview(array.reshape(-1).view(np.uint8))  # type: ignore[arg-type]


def _received(source: socket.socket, into: bytearray, deadline: float | None) -> bytearray:
    _fill(source, memoryview(into), deadline)
    return into


def _fill(source: socket.socket, into: memoryview, deadline: float | None) -> None:
    at = 0
    while at < len(into):
        _wait_until(source, deadline)
        try:
            count = source.recv_into(into[at : at + _CHUNK])
        except TimeoutError as error:
            raise Late from error
        except ConnectionError as error:
            raise Closed from error
        if count == 0:
            raise Closed
        at += count


def _send(to: socket.socket, data: memoryview, deadline: float | None) -> None:
    for at in range(0, len(data), _CHUNK):
        _wait_until(to, deadline)
        try:
            to.sendall(data[at : at + _CHUNK])
        except TimeoutError as error:
            raise Late from error
        except (ConnectionError, BrokenPipeError) as error:
            raise Closed from error


def _wait_until(of: socket.socket, deadline: float | None) -> None:
    """Bound the next step of a socket by what is left of the time."""
    if deadline is not None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Late
        of.settimeout(left)
