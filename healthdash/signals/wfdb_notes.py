"""Annotation files of WFDB, kept from the package where their notes would have it read for ever."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from healthdash.errors import UnreadableUpload

__all__ = ["annotation_of"]

# AUX of annot(5): six bits of 63, ten of the length, then the text.
_NOTE = re.compile(rb"(.)([\xfc-\xff])(?=## )", re.DOTALL)
_RATE = re.compile(rb"## time resolution: \d")
_BEGIN, _END = b"## annotation type definitions", b"## end of definitions"


def annotation_of(path: Path, ending: str) -> Any:
    """Return what `wfdb.rdann` reads of an annotation file.

    Parameters
    ----------
    path : Path
        The file, or another of its record.
    ending : str
        Of the annotation, such as "atr".

    Raises
    ------
    UnreadableUpload
        A note begins as a definition and is none: wfdb 4.3 would look at it again and again.
    """
    import wfdb

    if _is_endless(path.with_suffix(f".{ending}").read_bytes()):
        raise UnreadableUpload(
            "expected notes that WFDB defines, got another that begins with ##",
            hint="Remove this note from the annotation file.",
        )
    return wfdb.rdann(str(path.with_suffix("")), ending)


def _is_endless(data: bytes) -> bool:
    has_rate = is_inside = False
    for note in _notes(data):
        if is_inside:
            is_inside = note != _END
        elif not has_rate and _RATE.match(note):
            has_rate = True
        elif note == _BEGIN:
            is_inside = True
        else:
            return True
    return False


def _notes(data: bytes) -> Iterator[bytes]:
    """Yield the notes that begin as definitions do."""
    for found in _NOTE.finditer(data):
        length = data[found.start()] + 256 * (data[found.start() + 1] & 3)
        yield data[found.end() : found.end() + length]
