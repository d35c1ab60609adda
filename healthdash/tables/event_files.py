"""Tables that come as many files: a text file of events for each stay, and a table of outcomes beside them.

All of them become one long table, in which the outcomes are events without a time; `find_events.py`
then finds how one row a stay is made of it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pandas as pd

from healthdash import archive
from healthdash.errors import InputError, InvalidInput, UnreadableUpload

from .decimals import find_marks, with_points
from .delimited import cells_of, decoded, separator_of
from .events import stay_column
from .find_events import columns_of_events
from .layout import TableFormat, TextTable

__all__ = ["is_of_tables", "read_files", "read_folder", "read_zip"]

_STAY = "stay"
_ENDINGS = (".txt", ".csv", ".tsv", ".psv", ".data")
_MOST_BYTES = 512 << 20
_HINT = "Pack one text file of events for each stay, or one table of all events, and a table of outcomes."
#: Share of the stays that a table of outcomes must name.
_MOST = 0.5
Read = Callable[[bytes], TextTable]


def is_of_tables(names: list[str]) -> bool:
    """Say from the names in an archive whether it holds tables as text, and hardly anything else."""
    files = [name for name in names if not name.endswith("/")]
    return bool(files) and sum(name.lower().endswith(_ENDINGS) for name in files) > 0.9 * len(files)


def read_zip(data: bytes, read: Read) -> TextTable:
    """Read the tables in a zip archive; see `read_files`."""
    return read_files(archive.contents(data, most_bytes=_MOST_BYTES), read)


def read_folder(folder: Path, read: Read) -> TextTable:
    """Read the tables below a folder; see `read_files`."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    if sum(path.stat().st_size for path in found) > _MOST_BYTES:
        raise InvalidInput(f"expected at most {_MOST_BYTES >> 20} MB of tables, got more", hint=_HINT)
    return read_files({path.relative_to(folder).as_posix(): path.read_bytes() for path in found}, read)


def read_files(files: Mapping[str, bytes], read: Read) -> TextTable:
    """Join files of events, and tables beside them that name the same stays, into one long table.

    Parameters
    ----------
    files : dict of str to bytes
        A file that holds nothing else is read as the one table that it is. Files of events are those
        that begin with the commonest line; where it names no column of stays, each file is one stay,
        and its name names it.
    read : function
        Reads one table.

    Raises
    ------
    UnreadableUpload
        There is no table, or no events among several.
    """
    texts = {name: data for name, data in files.items() if name.lower().endswith(_ENDINGS)}
    if len(files) == 1:
        return read(next(iter(files.values())))
    heads = {name: _head(data) for name, data in texts.items()}
    usual = _commonest(heads)
    events = [name for name, head in heads.items() if usual and head == usual]
    if not events:
        raise UnreadableUpload("expected tables of events in the archive, found none", hint=_HINT)
    long = _long({name: texts[name] for name in events}, read)
    others = {name: data for name, data in texts.items() if name not in events}
    return _with_outcomes(long, others, read, passed_over=len(files) - len(texts))


def _head(data: bytes) -> str:
    """Return the first line; empty where the file is no text."""
    try:
        return decoded(data[: data.find(b"\n") + 1 or None] or b" ", {})[0].strip()
    except UnreadableUpload:
        return ""


def _commonest(heads: Mapping[str, str]) -> str:
    """Return the commonest first line that names columns of events; empty without one."""
    counts = Counter(heads.values()).most_common()
    return next((head for head, _ in counts if columns_of_events(_names(head))), "")


def _names(head: str) -> list[str]:
    try:
        return [cell.strip().strip('"') for cell in head.split(separator_of([head]))]
    except UnreadableUpload:
        return []


def _long(files: Mapping[str, bytes], read: Read) -> TextTable:
    """Return the events of all files with the column of their stay, which may be the name of the file."""
    first = read(next(iter(files.values())))
    if len(files) == 1 or stay_column(first.frame):
        frames = [read(data).frame for data in files.values()]
        return replace(first, frame=pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0])
    names, separator = list(map(str, first.frame.columns)), first.found.separator
    lines: list[str] = []
    stays = _stays(list(files))
    for name, data in files.items():
        stay = stays[name]
        lines += [f"{stay}{separator}{line}" for line in decoded(data, {})[0].splitlines()[1:] if line]
    cells = cells_of("\n".join(lines), separator)
    if cells.shape[1] != 1 + len(names):
        raise UnreadableUpload(f"expected {len(names)} columns in every file of events", hint=_HINT)
    frame = cells.set_axis([_STAY if _STAY not in names else f"{_STAY} of the file", *names], axis=1)
    decimal, thousands = find_marks(frame, separator)
    thousands = thousands if thousands != decimal else ""
    found = TableFormat(file="events", separator=separator, decimal=decimal, thousands=thousands)
    frame = with_points(frame.reset_index(drop=True), decimal, thousands)
    return TextTable(frame, "", (), found)


def _stays(names: Sequence[str]) -> dict[str, str]:
    """Return whose each file is, by its name; nothing in it can cut a line.

    Where files of several folders have one name: by the folder where there are more folders than
    names (one a patient, each with "vitals" and "labs"), else by folder and name.
    """
    paths = {name: PurePosixPath(name) for name in names}
    stems, folders = {path.stem for path in paths.values()}, {path.parent for path in paths.values()}
    if len(stems) == len(names):
        whose = {name: path.stem for name, path in paths.items()}
    elif len(stems) < len(folders):
        whose = {name: str(path.parent) for name, path in paths.items()}
    else:
        whose = {name: str(path.with_suffix("")) for name, path in paths.items()}
    return {name: re.sub(r"[^\w.+/-]", "_", said) or "_" for name, said in whose.items()}


def _with_outcomes(
    long: TextTable, others: Mapping[str, bytes], read: Read, *, passed_over: int
) -> TextTable:
    """Return the long table with the tables of outcomes as further events."""
    stay = stay_column(long.frame) or str(long.frame.columns[0])
    stays = set(long.frame[stay])
    frames, outcomes = [long.frame], []
    for data in others.values():
        try:
            beside = read(data).frame
        except InputError:
            passed_over += 1
            continue
        key = next((name for name in beside if len(stays & set(beside[name])) >= _MOST * len(stays)), None)
        if key is None:
            passed_over += 1
            continue
        told = [name for name in map(str, beside.columns) if name != str(key)]
        beside = beside[beside[key].isin(stays)].drop_duplicates(key)
        frames += [_as_events(beside, str(key), name, stay, long.frame) for name in told]
        outcomes += told
    notices = (f"{passed_over:,} other files were passed over.",) if passed_over else ()
    frame = pd.concat(frames, ignore_index=True).fillna("") if len(frames) > 1 else long.frame
    found = replace(long.found, file="events")
    return TextTable(frame, found.words, (*long.notices, *notices), found, {}, tuple(dict.fromkeys(outcomes)))


def _as_events(beside: pd.DataFrame, key: str, name: str, stay: str, long: pd.DataFrame) -> pd.DataFrame:
    """Return a column of a table of outcomes as events without a time, in the columns of the long table."""
    found = columns_of_events([str(column) for column in long.columns])
    assert found is not None
    _, parameter, value = found
    return pd.DataFrame({stay: beside[key], parameter: name, value: beside[name]}, dtype=object)
