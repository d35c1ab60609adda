"""Seeded damage to bytes: flipped bits, extreme numbers, cuts, repeats, splices."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from .corpus import Seed

__all__ = ["damaged"]

_EXTREMES = [
    b"\0", b"\xff", b"\x80", b"\x7f", b"\xff\xff", b"\0\x80", b"\xff\x7f", b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\x80", b"\x7f\xff\xff\xff", b"\0\0\0\0\0\0\xf0\x7f", b"\0\0\0\0\0\0\xf8\xff", b"\xfe\xff\0\xe0",
]  # fmt: skip
_TEXTS = [
    b"0", b"-1", b"1e308", b"-1e-308", b"nan", b"inf", b"99999999999999999999", b"", b"\xff\xfe",
    b"\xe2\x80\xae",
    b"../../etc/passwd", b"&e;", b'"', b"'", b"\n", b"\r", b"\t", b";", b"<", b">", b"%s%n", b"\0",
]  # fmt: skip
_NUMBER = re.compile(rb"\d+")
_HEAD = 600

Damage = Callable[[bytearray, random.Random, bytes], None]


def _place(data: bytearray, rng: random.Random) -> int:
    """Return a place; half of the time in the header, where one byte decides most."""
    return rng.randrange(min(len(data), _HEAD) if rng.random() < 0.5 else len(data))


def _flip(data: bytearray, rng: random.Random, other: bytes) -> None:
    data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _byte(data: bytearray, rng: random.Random, other: bytes) -> None:
    data[_place(data, rng)] = rng.randrange(256)


def _extreme(data: bytearray, rng: random.Random, other: bytes) -> None:
    at, value = _place(data, rng), rng.choice(_EXTREMES)
    data[at : at + len(value)] = value


def _number(data: bytearray, rng: random.Random, other: bytes) -> None:
    """Replace a number that is written in digits."""
    at = _place(data, rng)
    match = _NUMBER.search(data, at, at + 4_000)
    if match:
        data[match.start() : match.end()] = rng.choice(_TEXTS)


def _text(data: bytearray, rng: random.Random, other: bytes) -> None:
    at = _place(data, rng)
    data[at:at] = rng.choice(_TEXTS) * rng.choice([1, 1, 1, 200])


def _cut(data: bytearray, rng: random.Random, other: bytes) -> None:
    del data[_place(data, rng) :]


def _without(data: bytearray, rng: random.Random, other: bytes) -> None:
    at = _place(data, rng)
    del data[at : at + rng.choice([1, 2, 4, 16, 256])]


def _twice(data: bytearray, rng: random.Random, other: bytes) -> None:
    at = _place(data, rng)
    piece = bytes(data[at : at + rng.choice([1, 4, 64, 1024])])
    data[at:at] = piece * rng.choice([1, 1, 2, 50])


def _zeros(data: bytearray, rng: random.Random, other: bytes) -> None:
    at, count = _place(data, rng), rng.choice([4, 32, 512])
    data[at : at + count] = bytes(min(count, len(data) - at))


def _splice(data: bytearray, rng: random.Random, other: bytes) -> None:
    """Go on with another file of the corpus."""
    if other:
        data[_place(data, rng) :] = other[rng.randrange(len(other)) :]


_DAMAGES: Sequence[Damage] = (_flip, _byte, _extreme, _number, _text, _cut, _without, _twice, _zeros, _splice)
_WEIGHTS = (4, 3, 5, 5, 3, 1, 2, 2, 2, 1)


def damaged(case: int, seed: int, corpus: Sequence[Seed]) -> Seed:
    """Return the input of a case; the same for the same numbers and corpus."""
    rng = random.Random(f"{seed}:{case}")
    source = rng.choice(sorted({one.source for one in corpus}))  # small sets as often as large ones
    chosen, other = rng.choice([one for one in corpus if one.source == source]), rng.choice(corpus)
    victim = rng.randrange(len(chosen.uploads))
    data = bytearray(chosen.uploads[victim].data)
    for damage in rng.choices(_DAMAGES, _WEIGHTS, k=rng.choice([1, 1, 2, 3, 8])):
        if data:
            damage(data, rng, other.uploads[0].data)
    uploads = list(chosen.uploads)
    uploads[victim] = replace(uploads[victim], data=bytes(data))
    return replace(chosen, uploads=tuple(uploads))
