"""XLI: how Philips packs the leads of an ECG.

Philips does not publish it. The method is that of the Sierra ECG tools of C. Watford (MIT licence,
github.com/sixlettervariables/sierra-ecg-tools): each lead is a chunk with its length and a first difference;
its bytes are packed by LZW of ten-bit codes; the high bytes of all values come before the low ones; a value
is predicted from the two before it, less the difference that the last code gave.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import UnreadableUpload

__all__ = ["unpacked"]

_CHUNK = struct.Struct("<ihh")
_CODE_BITS = 10
_LAST_CODE = (1 << _CODE_BITS) - 2
#: Every code is 64 too large, so that small differences are small positive numbers.
_BIAS = 64
_MOST_LEADS = 64


def unpacked(data: bytes, most_samples: int) -> list[NDArray[np.int16]]:
    """Return the counts of each lead.

    Parameters
    ----------
    most_samples : int
        Of a lead, by the header: a chunk that unpacks to more is refused.

    Raises
    ------
    UnreadableUpload
        A chunk is cut off, or unpacks to more than announced.
    """
    leads: list[NDArray[np.int16]] = []
    at = 0
    while at + _CHUNK.size <= len(data) and len(leads) < _MOST_LEADS:
        size, _, first = _CHUNK.unpack_from(data, at)
        at += _CHUNK.size
        if size <= 0 or at + size > len(data):
            raise UnreadableUpload(
                "the packed leads of the Philips file are cut off", hint="Export it again."
            )
        leads.append(_integrated(_lzw(data[at : at + size], 2 * most_samples), first))
        at += size
    return leads


def _lzw(data: bytes, most: int) -> bytes:
    """Unpack ten-bit LZW codes (Welch 1984, Computer 17:8); the table stays as it is once full."""
    table = [bytes([value]) for value in range(256)]
    found = bytearray()
    previous = b""
    held, bits = 0, 0
    for byte in data:
        held, bits = (held << 8) | byte, bits + 8
        if bits < _CODE_BITS:
            continue
        bits -= _CODE_BITS
        code, held = held >> bits, held & ((1 << bits) - 1)
        if code > _LAST_CODE or (code >= len(table) and not previous):
            break
        entry = table[code] if code < len(table) else previous + previous[:1]
        if previous and len(table) <= _LAST_CODE:
            table.append(previous + entry[:1])
        found += entry
        previous = entry
        if len(found) > most + 2:
            raise UnreadableUpload(
                "a lead of the Philips file unpacks to more than it announces",
                hint="The waveforms are damaged: export it again.",
            )
    return bytes(found)


def _integrated(packed: bytes, first: int) -> NDArray[np.int16]:
    half = (len(packed) + 1) // 2
    both = np.frombuffer(packed.ljust(2 * half, b"\0"), np.uint8).astype(np.uint16)
    codes = ((both[:half] << 8) | both[half:]).astype(np.int16)
    if half < 3:
        return codes
    values = codes.tolist()
    before, last, drop = values[0], values[1], first
    for place in range(2, half):
        after = 2 * last - before - drop
        drop = values[place] - _BIAS
        values[place] = after
        before, last = last, after
    wrapped: NDArray[np.int16] = np.array(values, np.int64).astype(np.int16)
    return wrapped
