"""Which recordings of a folder have which label: by their annotations, or by a table or folders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.datasets.listing import LABEL, PATH, Listing, below, listed
from healthdash.errors import HealthdashError, InvalidInput
from healthdash.signals.edf import is_edf
from healthdash.signals.text import looks_like_signal
from healthdash.signals.wfdb import read_marks
from healthdash.signals.wfdb_header import parse_header
from healthdash.task import Upload

__all__ = ["AT", "END", "Form", "OwnListing", "list_signals", "uploads_of"]

#: What an item is: an annotated beat, an annotated stretch of a rhythm, or a recording with a label.
Form = Literal["beats", "rhythms", "recordings"]
#: Column of the time of an annotation, and of the end of a stretch, in seconds.
AT, END, RECORD = "second", "end", "record"
_SNIFFED = 65_536
#: Codes of beats of PhysioNet's annotations (wfdb.io.annotation.ann_labels; is_qrs of WFDB's ecgcodes.h).
_BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")
_RHYTHM_MARK = "+"
_FEWEST_LABELS = 2


@dataclass(frozen=True, eq=False)
class OwnListing:
    """Labelled signals.

    Attributes
    ----------
    listing : Listing
        One row an item; paths are those of headers, EDF files or tables of samples.
    form : Form
    files : dict of tuples of str
        All files of each recording, by its path.
    """

    listing: Listing
    form: Form
    files: Mapping[str, tuple[str, ...]]


def list_signals(folder: Path, target: str | None) -> OwnListing:
    """Find the recordings of a folder and their labels.

    A table of labels, or folders named after labels, say what whole recordings are; without them the
    annotations (.atr) say what their beats or rhythms are.

    Raises
    ------
    InvalidInput
        There are no recordings, or no labels.
    """
    files = _recordings(folder)
    used = {name for names in files.values() for name in names}
    others = [path for path in below(folder) if path not in used]
    try:
        return OwnListing(listed(folder, list(files), others, target, unit="recording"), "recordings", files)
    except InvalidInput:
        annotated = {path: names for path, names in files.items() if _annotation_file(names)}
        if target is not None or not annotated:
            raise
    return _annotated(folder, annotated)


def uploads_of(folder: Path, names: Sequence[str]) -> list[Upload]:
    """Read the files of one recording."""
    return [Upload(name, (folder / name).read_bytes()) for name in names]


def _recordings(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return every recording with its files: WFDB headers with what they name, EDF, tables of samples."""
    found: dict[str, tuple[str, ...]] = {}
    parts: set[str] = set()
    every = below(folder)
    known = set(every)
    for path in (one for one in every if one.lower().endswith(".hea")):
        beside = _beside(folder, path, known)
        found[path] = (path, *beside)
        parts |= set(beside)
    for path in every:
        ending = PurePosixPath(path).suffix.lower()
        if ending in (".edf", ".bdf", ".csv", ".tsv", ".txt") and _may_be_signal(folder / path, ending):
            found[path] = (path,)
    return {path: names for path, names in found.items() if path not in parts}


def _beside(folder: Path, header: str, known: set[str]) -> list[str]:
    """Return the files that belong to a header and are there; only plain names are followed."""
    base = PurePosixPath(header)
    queue, found = [header], []
    while queue:
        try:
            names = parse_header((folder / queue.pop()).read_bytes()).files
        except (HealthdashError, OSError):
            continue
        fresh = [p for name in names if (p := str(base.parent / name)) in known and p not in found]
        found += fresh
        queue += [path for path in fresh if path.endswith(".hea")]
    annotation = str(base.with_suffix(".atr"))
    return [*found, annotation] if annotation in known else found


def _may_be_signal(path: Path, ending: str) -> bool:
    with path.open("rb") as file:
        head = file.read(_SNIFFED)
    if ending in (".edf", ".bdf"):
        return True
    return not is_edf(head) and looks_like_signal(head)


# -- annotations ----------------------------------------------------------------------------


def _annotation_file(names: Sequence[str]) -> str | None:
    return next((name for name in names if name.endswith(".atr")), None)


def _annotated(folder: Path, files: Mapping[str, tuple[str, ...]]) -> OwnListing:
    marks = {path: _marks(folder, names) for path, names in files.items()}
    beats = [row for path, found in marks.items() for row in _beats(path, found)]
    rhythms = [row for path, found in marks.items() for row in _rhythms(path, found)]
    form: Form = "beats" if len({row[LABEL] for row in beats}) >= _FEWEST_LABELS else "rhythms"
    rows = beats if form == "beats" else rhythms
    if len({row[LABEL] for row in rows}) < _FEWEST_LABELS:
        raise InvalidInput(
            "expected annotations of two kinds of beats or rhythms, or a table of labels",
            hint="Put a table with the columns path, label and group beside the recordings.",
        )
    frame = pd.DataFrame(rows, dtype=object)
    unit = "beat" if form == "beats" else "stretch"
    return OwnListing(Listing(folder, frame, "annotations (.atr)", unit, columns=(RECORD,)), form, files)


@dataclass(frozen=True, slots=True, eq=False)
class _Marks:
    times_s: NDArray[np.float64]
    symbols: tuple[str, ...]
    notes: tuple[str, ...]


def _marks(folder: Path, names: Sequence[str]) -> _Marks:
    """Return every mark of a record's annotation; one that cannot be read has none."""
    try:
        found = read_marks(uploads_of(folder, names))
    except (HealthdashError, OSError):
        return _Marks(np.zeros(0), (), ())
    return _Marks(*found)


def _beats(path: str, marks: _Marks) -> Iterator[dict[str, str]]:
    for at_s, symbol in zip(marks.times_s.tolist(), marks.symbols, strict=True):
        if symbol in _BEATS:
            yield {PATH: path, LABEL: symbol, RECORD: path, AT: str(at_s), END: str(at_s)}


def _rhythms(path: str, marks: _Marks) -> Iterator[dict[str, str]]:
    """Yield the stretches between marks of a change of rhythm; the last one ends with the last mark."""
    changes = [n for n, symbol in enumerate(marks.symbols) if symbol == _RHYTHM_MARK and marks.notes[n]]
    for place, number in enumerate(changes):
        after = changes[place + 1] if place + 1 < len(changes) else len(marks.times_s) - 1
        start_s, end_s = float(marks.times_s[number]), float(marks.times_s[after])
        if end_s > start_s:
            yield {PATH: path, LABEL: marks.notes[number], RECORD: path, AT: str(start_s), END: str(end_s)}
