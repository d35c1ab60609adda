"""Which picture has which label: manifest.csv, or one folder a label."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pandas as pd

from healthdash.errors import InvalidInput

__all__ = ["fingerprint", "inside", "manifest_of"]

_log = logging.getLogger(__name__)
_NAME = "manifest.csv"
_HINT = "Make a table with the columns path, label and group (the patient), one row a picture."


def manifest_of(folder: Path) -> pd.DataFrame:
    """Return a table of text with the columns path, label and group, and subtype if there is one.

    Without a manifest the folders inside are the labels. Without groups each picture is its
    own, which is logged: pictures of one patient may then be in the training and the test part.

    Raises
    ------
    InvalidInput
        There is neither a manifest nor a folder a label, or columns or values are missing.
    """
    table = _read(folder / _NAME) if (folder / _NAME).is_file() else _of_folders(folder)
    missing = [name for name in ("path", "label") if name not in table]
    if missing:
        raise InvalidInput(
            f"{_NAME}: expected the columns path and label, {' and '.join(missing)} missing", hint=_HINT
        )
    needed = [name for name in ("path", "label", "group", "subtype") if name in table]
    gaps = table[needed].isna().any(axis=1)
    if gaps.any():
        raise InvalidInput(f"{_NAME}: {int(gaps.sum())} rows have an empty {' or '.join(needed)}", hint=_HINT)
    if "group" not in table:
        _log.warning("no patient is named (column group): each picture counts as a patient of its own")
        table = table.assign(group=table["path"])
    return table


def fingerprint(folder: Path, table: pd.DataFrame) -> str:
    """Return the sha256 of the manifest, or of the table that stands in for it."""
    path = folder / _NAME
    content = path.read_bytes() if path.is_file() else table.to_csv(index=False).encode()
    return hashlib.sha256(content).hexdigest()


def inside(folder: Path, name: str) -> Path:
    """Return the path of a listed picture; one that leaves the folder is refused."""
    path = (folder / name.replace("\\", "/")).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise InvalidInput(f"{_NAME}: a path leads out of the folder", hint="Use paths below the folder.")
    if not path.is_file():
        raise InvalidInput(f"{_NAME}: a picture that it lists is not there", hint="Check the column path.")
    return path


def _read(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, encoding="utf-8-sig").dropna(how="all")
    except (ValueError, UnicodeDecodeError) as error:  # pandas' parser errors are ValueErrors
        raise InvalidInput(f"{_NAME}: expected a table with commas", hint=_HINT) from error
    return table.rename(columns=lambda name: str(name).strip().lower())


def _of_folders(folder: Path) -> pd.DataFrame:
    labels = sorted(
        item for item in folder.iterdir() if item.is_dir() and not item.name.startswith((".", "_"))
    )
    rows = [
        (path.relative_to(folder).as_posix(), label.name)
        for label in labels
        for path in sorted(label.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    ]
    if not rows:
        raise InvalidInput(f"expected {_NAME}, or one folder of pictures for each label", hint=_HINT)
    return pd.DataFrame(rows, columns=["path", "label"])
