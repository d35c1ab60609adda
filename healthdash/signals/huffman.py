"""Huffman codes of SCP-ECG (EN 1064, section 5.5 and its default table in annex C)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import UnreadableUpload

__all__ = ["DEFAULT", "Table", "decoded", "tables_of"]

#: In the place of the number of tables: the default table is used.
_DEFAULT_MARK = 19_999
_COUNT = struct.Struct("<H")
_CODE = struct.Struct("<BBBhI")


@dataclass(frozen=True, slots=True)
class _Code:
    """What follows a prefix: a value, or an original of `extra` bits, or another table."""

    value: int
    extra: int = 0
    table: int = -1


#: A table: the codes by their length in bits and the prefix, first bit highest.
Table = dict[tuple[int, int], _Code]


def _default() -> Table:
    """Return the default table: 0 as one bit, 1 to 8 and their negatives, originals of 8 and 16 bit."""
    table: Table = {(1, 0): _Code(0)}
    for size in range(1, 9):
        prefix = ((1 << size) - 1) << 2
        table[(size + 2, prefix)] = _Code(size)
        table[(size + 2, prefix | 1)] = _Code(-size)
    table[(10, 0b1111111110)] = _Code(0, 8)
    table[(10, 0b1111111111)] = _Code(0, 16)
    return table


DEFAULT = (_default(),)


def tables_of(section: bytes) -> tuple[Table, ...]:
    """Return the tables that section 2 defines, or the default one.

    Raises
    ------
    UnreadableUpload
        It is cut off, or a code is longer than 32 bits.
    """
    count = _COUNT.unpack_from(section)[0] if len(section) >= _COUNT.size else _DEFAULT_MARK
    if count == _DEFAULT_MARK:
        return DEFAULT
    found: list[Table] = []
    at = _COUNT.size
    try:
        for _ in range(count):
            (codes,) = _COUNT.unpack_from(section, at)
            at += _COUNT.size
            table: Table = {}
            for _ in range(codes):
                prefix, whole, is_value, base, code = _CODE.unpack_from(section, at)
                at += _CODE.size
                table[(prefix, _reversed(code, prefix))] = _meaning(prefix, whole, is_value, base)
            found.append(table)
    except struct.error as error:
        raise UnreadableUpload(
            "the Huffman tables of the SCP-ECG file are cut off", hint="The file is cut off: copy it again."
        ) from error
    return tuple(found) or DEFAULT


def _meaning(prefix: int, whole: int, is_value: int, base: int) -> _Code:
    if not 1 <= prefix <= 32 or not 0 <= whole - prefix <= 32:
        raise UnreadableUpload(
            "a Huffman table of the SCP-ECG file has an impossible code",
            hint="Export it with the default Huffman table, or without compression.",
        )
    return _Code(base, whole - prefix) if is_value else _Code(0, 0, table=base - 1)


def _reversed(code: int, bits: int) -> int:
    """Return a prefix with its first bit highest: the file has it lowest."""
    return int(format(code, f"0{bits}b")[::-1][:bits], 2)


def decoded(data: bytes, tables: tuple[Table, ...], most: int) -> NDArray[np.int64]:
    """Return the values that bits stand for, as many as there are, `most` at the most.

    Raises
    ------
    UnreadableUpload
        The bits begin no code of the table.
    """
    bits = np.unpackbits(np.frombuffer(data, np.uint8)).tolist()
    table, longest = tables[0], 32
    found: list[int] = []
    at, end = 0, len(bits)
    while at < end and len(found) < most:
        prefix = length = 0
        code = None
        while code is None and at < end and length <= longest:
            prefix, length, at = prefix << 1 | bits[at], length + 1, at + 1
            code = table.get((length, prefix))
        if code is None:
            if length > longest:
                raise UnreadableUpload(
                    "the SCP-ECG file holds bits that are no Huffman code of its table",
                    hint="The file is damaged: copy it again, or export it uncompressed.",
                )
            break  # what is left fills the last byte
        if code.table >= 0:
            table = tables[min(code.table, len(tables) - 1)]
        elif not code.extra:
            found.append(code.value)
        elif at + code.extra <= end:
            found.append(_signed(bits[at : at + code.extra]))
            at += code.extra
        else:
            break
    return np.array(found, np.int64)


def _signed(bits: list[int]) -> int:
    value = 0
    for bit in bits:
        value = value << 1 | bit
    return value - (1 << len(bits)) if bits[0] else value
