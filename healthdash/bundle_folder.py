"""Where a bundle may be written, and how it gets there in one step: nothing but a bundle is ever replaced."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from healthdash.errors import InputError, InvalidInput

__all__ = ["FILES", "check", "is_hidden", "put", "safe_name"]

_MIB = 1 << 20
#: What a bundle holds, in the order in which it is packed, and the most bytes of each when unpacked.
FILES: Mapping[str, int] = {
    "bundle.json": 4 * _MIB,
    "card.md": _MIB,
    "history.csv": 8 * _MIB,
    "evaluation.json": 8 * _MIB,
    "golden.json": _MIB,
    "background.npz": 64 * _MIB,
    "model.keras": 256 * _MIB,
}


def check(folder: Path, own: Iterable[Path | None] = ()) -> None:
    """Raise `InputError` where no bundle can be written, or where something else would be lost.

    Parameters
    ----------
    folder : Path
        One that does not exist, or is empty, or holds a bundle; what else it holds then stays.
    own : iterable of Path or None
        What the training itself keeps, there or in folders there: one that was stopped may have left it,
        without a bundle.
    """
    folder = folder.resolve()
    hint = "Name a folder of its own, such as models/mine, with --out."
    if folder.is_dir():
        ours = {name for path in own if path for name in _below(folder, path)}
        foreign = [name for name in _foreign(folder) if name not in ours]
        if foreign and not (folder / "bundle.json").is_file():
            raise InputError(
                f"expected a new folder for the model, got one that holds other files ({foreign[0]})",
                hint=hint,
            )
    elif folder.exists():
        raise InputError("expected a folder for the model, got a file", hint=hint)
    above = next(path for path in folder.parents if path.exists())
    if not (above.is_dir() and os.access(above, os.W_OK)):
        raise InputError(f"no model can be written into {above}: permission denied", hint=hint)


def put(folder: Path, partial: Path) -> None:
    """Move a whole bundle to its place; one that is there goes. A link to a folder stays a link.

    In a folder that holds anything else (the log of the training itself) its files are put one by one, and
    nothing else is touched.
    """
    folder = folder.resolve()
    if folder.is_dir() and _foreign(folder):
        for name in sorted(FILES, key="bundle.json".__eq__):  # Last: it makes the folder a bundle.
            (partial / name).replace(folder / name)
        return
    old = folder.with_name(f".old-{folder.name}-{secrets.token_hex(4)}")
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def is_hidden(folder: Path) -> bool:
    """Say whether a folder is none of a model, but one that is being written or was replaced."""
    return folder.name.startswith(".")


def safe_name(text: str) -> str:
    """Return a name that is safe as a folder."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not name:
        raise InvalidInput("expected a name with a letter or a digit", hint="Write another name.")
    return name


def _below(folder: Path, path: Path) -> tuple[str, ...]:
    """Return the name in a folder under which a path lies; empty where it lies elsewhere."""
    whole = path.absolute().parent.resolve() / path.name
    return whole.relative_to(folder).parts[:1] if whole.is_relative_to(folder) else ()


def _foreign(folder: Path) -> list[str]:
    """Return what is in a folder and belongs to no bundle, half-written files of one included."""
    halves = tuple(f".{name}-" for name in FILES)
    found = (path.name for path in folder.iterdir())
    return sorted(name for name in found if name not in FILES and not name.startswith(halves))
