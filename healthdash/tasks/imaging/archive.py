"""Labelled pictures in a zip archive or a folder, opened safely."""

from __future__ import annotations

import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from healthdash.errors import InvalidInput, UnreadableUpload

__all__ = ["opened"]

_MOST_FILES = 100_000
_MOST_BYTES = 8 << 30
_MOST_BYTES_OF_ONE = 256 << 20
_HINT = "Make a new archive of the pictures and manifest.csv only."


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """Give the folder that holds the pictures; an unpacked archive is removed afterwards.

    Raises
    ------
    UnreadableUpload
        The path is neither a folder nor a whole zip archive.
    InvalidInput
        A name leads out of the archive, or it unfolds to too much.
    """
    if path.is_dir():
        yield path
        return
    if not zipfile.is_zipfile(path):
        raise UnreadableUpload("expected a folder or a zip archive of pictures", hint=_HINT)
    with tempfile.TemporaryDirectory(prefix="healthdash-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                _unpack(archive, Path(folder))
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise UnreadableUpload("the zip archive is damaged or locked", hint=_HINT) from error
        yield _top(Path(folder))


def _unpack(archive: zipfile.ZipFile, folder: Path) -> None:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    too_large = any(entry.file_size > _MOST_BYTES_OF_ONE for entry in entries)
    if too_large or len(entries) > _MOST_FILES or sum(e.file_size for e in entries) > _MOST_BYTES:
        raise InvalidInput(
            f"expected at most {_MOST_FILES} files, {_MOST_BYTES_OF_ONE >> 20} MB each, got more", hint=_HINT
        )
    for entry in entries:
        target = _safe(folder, entry)
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as packed:
            # The size in the directory may lie: no more than it says is ever unpacked.
            target.write_bytes(packed.read(entry.file_size))


def _safe(folder: Path, entry: zipfile.ZipInfo) -> Path:
    name = PurePosixPath(entry.filename.replace("\\", "/"))
    is_link = stat.S_ISLNK(entry.external_attr >> 16)
    if name.is_absolute() or ".." in name.parts or ":" in entry.filename or is_link:
        raise InvalidInput("a name in the archive leads out of it", hint=_HINT)
    return folder.joinpath(*name.parts)


def _top(folder: Path) -> Path:
    """Step into a single folder that wraps everything."""
    inside = [item for item in folder.iterdir() if item.name != "__MACOSX" and not item.name.startswith(".")]
    is_wrapper = len(inside) == 1 and inside[0].is_dir()
    return inside[0] if is_wrapper else folder
