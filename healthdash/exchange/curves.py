"""Training curves from elsewhere: Keras History as JSON, CSVLogger files, TensorBoard event files."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from healthdash import apart, archive
from healthdash.errors import InvalidInput, UnreadableUpload

from . import child

__all__ = ["Curves", "read_curves"]

_MOST_BYTES = 64 << 20
_MOST_EPOCHS = 100_000
_MOST_MEASURES = 100
_WALL_S = 120.0
_READER = "healthdash.exchange.events"
#: Folders in which the TensorBoard callback of Keras writes what it measured on validation data.
_VALIDATION = ("validation", "val", "valid", "test", "eval")
_HINT = "Give a Keras History as JSON, a file of CSVLogger, a TensorBoard event file, or a zip of its folder."


@dataclass(frozen=True)
class Curves:
    """The curves of one training.

    Attributes
    ----------
    format : str
        What the file was.
    history : table
        As `training.history` has it: `epoch` from 1, a column a measure, `run` where there are several.
    """

    format: str
    history: pd.DataFrame

    @property
    def measures(self) -> list[str]:
        """Names of what can be drawn."""
        return [name for name in self.history.columns if name not in ("run", "epoch")]


def read_curves(data: bytes) -> Curves:
    """Parse the curves of one training; the bytes decide what they are, not a name.

    Event files are read by TensorBoard's own reader, in a child process with bounds.

    Raises
    ------
    UnreadableUpload
        The bytes are none of the forms, or break the one that they seem to be.
    InvalidInput
        The file is too large, or holds no number over epochs.
    """
    if len(data) > _MOST_BYTES:
        raise InvalidInput(f"expected at most {_MOST_BYTES >> 20} MiB of curves", hint=_HINT)
    if archive.is_zip(data) or _is_events(data):
        found = Curves("TensorBoard event files", _from_events(data))
    elif data.lstrip()[:1] in (b"{", b"["):
        found = Curves("Keras History (JSON)", apart.call(_from_json, data))
    else:
        found = Curves("CSVLogger (CSV)", apart.call(_from_csv, data))
    return Curves(found.format, _tidy(found.history))


def _is_events(data: bytes) -> bool:
    """Say whether bytes begin like a TFRecord of an event: its length, a checksum, a wall time.

    The format stands in `tensorflow/core/lib/io/record_writer.h`; field 1 of an Event is a double.
    """
    return len(data) > 16 and int.from_bytes(data[:8], "little") + 16 <= len(data) and data[12:13] == b"\x09"


def _from_json(data: bytes) -> pd.DataFrame:
    try:
        told = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableUpload("expected the history of a training as JSON", hint=_HINT) from error
    if isinstance(told, dict) and isinstance(told.get("history"), dict):
        epochs = told.get("epoch")
        told = {**told["history"], **({"epoch": epochs} if isinstance(epochs, list) else {})}
    if isinstance(told, list) and told and all(isinstance(row, dict) for row in told):
        told = {name: [row.get(name) for row in told] for name in dict.fromkeys(k for r in told for k in r)}
    if not isinstance(told, dict):
        raise UnreadableUpload("expected lists of numbers by name", hint=_HINT)
    lists = {str(name): values for name, values in told.items() if isinstance(values, list)}
    return _table({name: [_number(v) for v in values] for name, values in lists.items()})


def _from_csv(data: bytes) -> pd.DataFrame:
    try:
        text = data.decode("utf-8-sig")
        separator = csv.Sniffer().sniff(text[:4096].splitlines()[0], ",;\t").delimiter
        header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    except (UnicodeDecodeError, csv.Error, IndexError, ValueError) as error:
        raise UnreadableUpload("expected a table of measures with a row an epoch", hint=_HINT) from error
    if len(rows) > _MOST_EPOCHS or any(len(row) != len(header) for row in rows):
        raise UnreadableUpload("expected as many cells in each row as there are names", hint=_HINT)
    places = range(len(header))
    table = _table({header[at]: [_number(row[at]) for row in rows] for at in places})
    # Histories of our own name the fold or member of each epoch.
    names = [_safe(row[header.index("run")]) for row in rows] if "run" in header else []
    return table.assign(run=names) if names else table


def _from_events(data: bytes) -> pd.DataFrame:
    """Read event files in a child process; of a zip archive every one in it."""
    with tempfile.TemporaryDirectory(prefix="healthdash-") as folder:
        path = Path(folder)
        if archive.is_zip(data):
            archive.unpack(data, path)
        else:
            (path / "events").write_bytes(data)
        try:
            told = child.run(_READER, [folder], wall_s=_WALL_S)
        except child.OverBounds as error:
            raise UnreadableUpload(f"the event files cannot be read: {error.message}", hint=_HINT) from error
    runs: Mapping[str, Mapping[str, Sequence[Sequence[float]]]] = told["runs"]
    return _joined([_run(place, scalars) for place, scalars in runs.items() if scalars])


def _run(place: str, scalars: Mapping[str, Sequence[Sequence[float]]]) -> tuple[str, pd.DataFrame]:
    """Return one folder's scalars by step, those of a validation folder named as Keras names them."""
    *above, last = ("", *filter(None, place.split("/")))
    is_validation = last.lower() in _VALIDATION
    prefix = "val_" if is_validation else ""
    # PyTorch Lightning logs the epoch as a scalar of its own; the step is the index already.
    named = {tag: tag.removeprefix("epoch_") for tag in scalars}
    columns = {
        prefix + name: pd.Series({int(step): value for step, value in scalars[tag]})
        for tag, name in named.items()
        if name.lower() not in ("epoch", "run")
    }
    run = "/".join(filter(None, above)) if is_validation or last.lower() in ("train", "training") else place
    return run, pd.DataFrame(columns).rename_axis("epoch")


def _joined(runs: Sequence[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """Put training and validation of each run side by side, and runs one below the other."""
    names = dict.fromkeys(name for name, _ in runs)
    parts = []
    for name in names:
        tables = [table for run, table in runs if run == name]
        whole = tables[0]
        for other in tables[1:]:
            whole = whole.combine_first(other)
        whole = whole.sort_index().reset_index()
        parts.append(whole if len(names) == 1 else whole.assign(run=name or "all"))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _table(columns: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """Return columns of unequal length as one table; shorter ones end earlier."""
    if any(len(values) > _MOST_EPOCHS for values in columns.values()):
        raise InvalidInput(f"expected at most {_MOST_EPOCHS:,} epochs", hint=_HINT)
    return pd.DataFrame({name: pd.Series(values, dtype=float) for name, values in columns.items()})


def _tidy(history: pd.DataFrame) -> pd.DataFrame:
    """Return epochs from 1, safe names, and only measures that have a number."""
    names = {name: _safe(str(name)) for name in history.columns}
    history = history.rename(columns=names).loc[:, lambda table: ~table.columns.duplicated()]
    if "epoch" not in history:
        history = history.assign(epoch=range(1, len(history) + 1))
    history = history[history["epoch"].notna()]
    if len(history) and history["epoch"].min() == 0:
        history = history.assign(epoch=history["epoch"] + 1)
    measures = [c for c in history.columns if c not in ("run", "epoch") and history[c].notna().any()]
    if history.empty or not measures:
        raise InvalidInput("there is no number over epochs in the file", hint=_HINT)
    if len(measures) > _MOST_MEASURES:
        raise InvalidInput(f"expected at most {_MOST_MEASURES} measures, got {len(measures)}", hint=_HINT)
    first = ["run"] if "run" in history else []
    tidy = history[[*first, "epoch", *measures]].reset_index(drop=True)
    return tidy.assign(epoch=tidy["epoch"].astype(int))


def _number(cell: Any) -> float:
    """Return a number, NaN where there is none; infinite ones cannot be drawn."""
    try:
        value = float(cell) if not isinstance(cell, bool) else math.nan
    except (TypeError, ValueError):
        return math.nan
    return value if math.isfinite(value) else math.nan


def _safe(name: str) -> str:
    """Return a name that is only text wherever a page shows it: no markup, no formula."""
    return re.sub(r"[^\w ./%()-]+", "_", name, flags=re.ASCII).strip(" -_.")[:60] or "measure"
