"""Which file has which label: a table that names files, or one folder a label."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash import apart, settings
from healthdash.errors import InputError, InvalidInput
from healthdash.tables.kinds import is_gap
from healthdash.tables.layout import canonical
from healthdash.tables.outcome import GUESSED
from healthdash.tables.read import read_text_table
from healthdash.tables.report import column_named

__all__ = ["FOLDER", "LABEL", "NAME", "PATH", "PEOPLE", "Listing", "UnnamedLabel", "below", "listed"]

#: Columns of every listing; the last two are found from the names of files and folders.
PATH, LABEL, FOLDER, NAME = "path", "label", "folder", "beginning of the file name"
#: Column of the patients that the files themselves name, in their headers.
PEOPLE = "patient named in the file header"
_TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".parquet", ".arff")
#: Plain names of tables that say which file has which label.
_MANIFESTS = ("manifest", "labels", "label", "metadata", "index", "table", "reference", "annotations")
#: Folders above those of the labels: a published split.
_PARTS = {"train", "training", "test", "testing", "val", "valid", "validation"}
_MOST_FILES = 200_000
_LEAST_MATCHED = 0.5
_LAST_NUMBER = re.compile(r"[-_ .]*\d+$|[-_ .][A-Za-z]?\d*$")
_HINT = "Make one folder a label, or a table with the columns path, label and group (the patient)."


class UnnamedLabel(InvalidInput):
    """A table names the files, and nobody said which of its `columns` is the label."""

    def __init__(self, message: str, *, hint: str, columns: Sequence[str]) -> None:
        super().__init__(message, hint=hint)
        self.columns = tuple(columns)


@dataclass(frozen=True, eq=False)
class Listing:
    """Labelled items, one a row, before any of their files is opened.

    Attributes
    ----------
    folder : Path
    frame : DataFrame of str
        `path` below the folder ("" where the file is not there), `label`, and every other column of
        the table; `folder` and `beginning of the file name`, where they may tell patients apart.
    source : str
        Where the labels are from, in words.
    unit : str
        What an item is, for people: "picture", "beat".
    columns : tuple of str
        Those of the table that may be the label or the group; empty where folders are the labels.
    label_column : str
        The one that `label` is a copy of.
    notices : tuple of str
    """

    folder: Path
    frame: pd.DataFrame
    source: str
    unit: str
    columns: tuple[str, ...] = ()
    label_column: str = LABEL
    notices: tuple[str, ...] = ()

    @property
    def files(self) -> list[str]:
        """Every file that is listed and there, once, in the order of the rows."""
        return [str(path) for path in dict.fromkeys(self.frame[PATH]) if path]

    @property
    def file_of(self) -> NDArray[np.int64]:
        """Number of each row's file in `files` (n,), -1 where it is not there."""
        numbers = {path: number for number, path in enumerate(self.files)}
        return np.asarray([numbers.get(path, -1) for path in self.frame[PATH]], np.int64)


def below(folder: Path) -> list[str]:
    """Return every file below a folder as a sorted path with slashes; links that lead out are passed over.

    Raises
    ------
    InvalidInput
        There are more than 200,000.
    """
    root = folder.resolve()
    found = []
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") or part == "__MACOSX" for part in parts):
            continue
        if path.is_file() and (not path.is_symlink() or path.resolve().is_relative_to(root)):
            found.append("/".join(parts))
        if len(found) > _MOST_FILES:
            raise InvalidInput(f"expected at most {_MOST_FILES:,} files", hint="Take a part of the data.")
    return sorted(found, key=_in_order)


def listed(
    folder: Path, items: Sequence[str], others: Sequence[str], target: str | None, *, unit: str
) -> Listing:
    """Find the label of every item.

    Parameters
    ----------
    items : sequence of str
        Files that may be items, below the folder.
    others : sequence of str
        The other files: one of them may be the table of the labels.
    target : str or None
        Column of the label; None takes the one that is named so.
    unit : str
        "picture", "recording".

    Raises
    ------
    InvalidInput
        There is neither a table nor a folder a label, or no such column.
    """
    if not items:
        raise InvalidInput(f"expected a {unit} in the folder or archive, found none", hint=_HINT)
    tables = sorted((path for path in others if _is_table(path)), key=_likeliest_table)
    for path in tables:
        frame = _read_table(folder / path)
        matched = None if frame is None else _matched(frame, items)
        if frame is not None and matched is not None:
            return _of_table(folder, frame, matched, items, target, unit)
    return _of_folders(folder, items, unit)


# -- a table --------------------------------------------------------------------------------


def _is_table(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in _TABLES


def _likeliest_table(path: str) -> tuple[bool, int, str]:
    plain = canonical(PurePosixPath(path).stem)
    return plain not in _MANIFESTS, path.count("/"), path


def _read_table(path: Path) -> pd.DataFrame | None:
    """Return a table as text; None where the file is none, or far too large for one."""
    try:
        if path.stat().st_size > settings.current().max_upload_mb << 20:
            return None
        frame = apart.call(read_text_table, path.read_bytes()).frame
    except (InputError, OSError):
        return None
    names = [str(name).strip() for name in frame.columns]
    return frame.set_axis(names, axis=1) if len(set(names)) == len(names) else None


def _matched(frame: pd.DataFrame, items: Sequence[str]) -> tuple[str, list[str]] | None:
    """Return the column that names most files, and the file of each row; None where no column does."""
    forms = _forms(items)
    best: tuple[int, str, list[str]] = (0, "", [])
    for name in frame.columns:
        cells = [_tidy(str(cell)) for cell in frame[name]]
        ends = Counter(PurePosixPath(cell).name for cell in set(cells))
        found = [_file_named(cell, forms, is_sure=ends[PurePosixPath(cell).name] == 1) for cell in cells]
        count = len(set(filter(None, found)))
        if count > best[0]:
            best = (count, str(name), found)
    count, column, files = best
    return (column, files) if count >= max(1, _LEAST_MATCHED * min(len(frame), len(items))) else None


def _forms(items: Sequence[str]) -> list[tuple[Callable[[str], str], Mapping[str, str]]]:
    """Return ways to name a file, the most exact first, each with the files that it names alone."""
    ways: tuple[Callable[[str], str], ...] = (
        lambda path: path,
        lambda path: str(PurePosixPath(path).with_suffix("")),
        lambda path: PurePosixPath(path).name,
        lambda path: PurePosixPath(PurePosixPath(path).name).stem,
    )
    forms: list[tuple[Callable[[str], str], Mapping[str, str]]] = []
    for way in ways:
        named: dict[str, str] = {}
        twice = set()
        for path in items:
            name = way(path).lower()
            twice |= {name} if name in named else set()
            named[name] = path
        forms.append((way, {name: path for name, path in named.items() if name not in twice}))
    return forms


def _tidy(cell: str) -> str:
    return cell.strip().replace("\\", "/").removeprefix("./").lower()


def _file_named(
    wanted: str, forms: Sequence[tuple[Callable[[str], str], Mapping[str, str]]], *, is_sure: bool
) -> str:
    """Return the file that a tidy cell names, "" without; only files that were found can be.

    Parameters
    ----------
    is_sure : bool
        The name without its folder is that of no other cell. Where it is ("view1.jpg" of many patients), the
        picture of another patient may be the only one that is there.
    """
    if not wanted:
        return ""
    whole = (wanted, PurePosixPath(wanted).name) if is_sure else (wanted,)
    return next((named[name] for name in whole for _, named in forms if name in named), "")


def _of_table(
    folder: Path,
    frame: pd.DataFrame,
    matched: tuple[str, list[str]],
    items: Sequence[str],
    target: str | None,
    unit: str,
) -> Listing:
    column, files = matched
    columns = tuple(str(name) for name in frame.columns if name != column)
    label = column_named(frame, target) if target else _guessed(columns)
    labels = frame[label].astype(str).str.strip().str.replace(r"\s*\n\s*", "; ", regex=True)
    made = frame.drop(columns=[column])
    made[PATH], made[LABEL] = files, labels.where(~is_gap(labels), "")
    unnamed = len(set(items) - set(files))
    notices = (f"{unnamed:,} {unit}s are not named in the table of labels, and are passed over.",)
    return Listing(
        folder, _with_names(made.reset_index(drop=True)), "a table of labels", unit, columns, label,
        notices if unnamed else (),
    )  # fmt: skip


def _guessed(columns: Sequence[str]) -> str:
    found = [name for name in columns if canonical(name) in GUESSED]
    if not found:
        shown = ", ".join(columns[:20])
        raise UnnamedLabel(
            f"expected the column of the label to be named; there are: {shown}",
            hint="Choose the column of the label, on the command line with --target COLUMN.",
            columns=columns,
        )
    return min(found, key=lambda name: GUESSED.index(canonical(name)))


# -- folders --------------------------------------------------------------------------------


def _of_folders(folder: Path, items: Sequence[str], unit: str) -> Listing:
    parts = [PurePosixPath(path).parts for path in items]
    # A published split stands above the labels: train/normal/1.png.
    depth = 1 if {part[0].lower() for part in parts if len(part) > 1} <= _PARTS else 0
    labelled = [(path, part[depth]) for path, part in zip(items, parts, strict=True) if len(part) > depth + 1]
    if len({label for _, label in labelled}) < 2:
        raise InvalidInput(f"expected two folders of {unit}s or more, or a table of labels", hint=_HINT)
    left = len(items) - len(labelled)
    notices = (f"{left:,} {unit}s lie outside the folders of the labels, and are passed over.",)
    frame = pd.DataFrame(labelled, columns=[PATH, LABEL], dtype=object)
    return Listing(folder, _with_names(frame), "one folder a label", unit, notices=notices if left else ())


def _with_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Add what the names of files and folders may say of patients, where it says something."""
    paths = [PurePosixPath(path) for path in frame[PATH]]
    told = {FOLDER: [str(path.parent) for path in paths], NAME: [_beginning(path.stem) for path in paths]}
    for column, values in told.items():
        names = np.unique(values)
        labels = frame[LABEL].nunique()
        if column not in frame and max(2 * labels, 10) <= len(names) < 0.98 * len(values):
            frame = frame.assign(**{column: values})
    return frame


def _beginning(stem: str) -> str:
    """Return a name without its last number: that of the patient, where each has several files."""
    return _LAST_NUMBER.sub("", stem, count=1) or stem


def _in_order(path: str) -> list[tuple[bool, int, str]]:
    """Sort numbers in names by size: 2.png before 10.png."""
    return [(not piece.isdigit(), int(piece) if piece.isdigit() else 0, piece) for piece in _pieces(path)]


def _pieces(path: str) -> list[str]:
    return [piece for piece in re.split(r"(\d{1,18})", path) if piece]
