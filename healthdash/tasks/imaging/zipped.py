"""Pictures in a zip archive, unpacked in memory, in bounded size; names are never paths."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

from healthdash.archive import is_zip
from healthdash.errors import HealthdashError, InvalidInput, UnreadableUpload
from healthdash.task import Upload

__all__ = ["holds", "unpacked"]

_MOST_FILES = 5000
_MOST_BYTES = 1 << 30
# Pictures shrink by a factor of two to ten; only what is made to blow up shrinks more.
_MOST_GROWTH, _HARMLESS_BYTES = 50, 64 << 20
_SNIFFED_FILES, _SNIFFED_BYTES = 8, 1024
# Office documents are zip archives too; what they hold is not theirs to be predicted.
_OFFICE = frozenset({"[Content_Types].xml", "mimetype"})
_HINT = "Make a new archive of the pictures only."


def holds(data: bytes, recognises: Callable[[bytes], bool]) -> bool:
    """Say whether one of the archive's first files is recognised by its first bytes; never raises."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return not _is_office(archive) and any(
                recognises(_start(archive, entry)) for entry in _files(archive)[:_SNIFFED_FILES]
            )
    except Exception:  # what is wrong with it, `unpacked` says
        return False


def unpacked(upload: Upload) -> list[Upload]:
    """Return the files of an archive, sorted by name; each is named after the archive and itself.

    Raises
    ------
    UnreadableUpload
        The archive is damaged, locked with a password, or an Office document.
    InvalidInput
        It holds too much, a link, an archive, or a name that leads out of it.
    """
    with _zip(), zipfile.ZipFile(io.BytesIO(upload.data)) as archive:
        if _is_office(archive):
            raise UnreadableUpload(
                "expected an archive of pictures, got a spreadsheet or another Office document",
                hint="Choose the pictures' own files.",
            )
        entries = sorted(_files(archive), key=lambda entry: entry.filename)
        _check(entries, len(upload.data))
        return [
            Upload(f"{upload.name}/{entry.filename}", _whole(archive, entry), upload.hints)
            for entry in entries
        ]


@contextmanager
def _zip() -> Iterator[None]:
    try:
        yield
    except HealthdashError:
        raise
    except Exception as error:  # zipfile raises BadZipFile, RuntimeError, NotImplementedError, zlib.error...
        raise UnreadableUpload("the zip archive is damaged or locked", hint=_HINT) from error


def _is_office(archive: zipfile.ZipFile) -> bool:
    return not _OFFICE.isdisjoint(archive.namelist())


def _files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return what people put into the archive, without what systems add."""
    return [
        entry
        for entry in archive.infolist()
        if not entry.is_dir()
        and not entry.filename.startswith("__MACOSX/")
        and not PurePosixPath(entry.filename).name.startswith(".")
    ]


def _check(entries: list[zipfile.ZipInfo], packed: int) -> None:
    total = sum(entry.file_size for entry in entries)
    if len(entries) > _MOST_FILES or total > _MOST_BYTES:
        raise InvalidInput(
            f"expected at most {_MOST_FILES} files and {_MOST_BYTES >> 20} MB in the archive, got more",
            hint="Upload it in smaller parts.",
        )
    if total > max(_HARMLESS_BYTES, packed * _MOST_GROWTH):
        raise InvalidInput("the archive unfolds to far more than pictures do", hint=_HINT)
    for entry in entries:
        name = PurePosixPath(entry.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or ":" in entry.filename:
            raise InvalidInput("a name in the archive leads out of it", hint=_HINT)
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise InvalidInput("the archive holds a link instead of a file", hint=_HINT)


def _start(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with archive.open(entry) as packed:
        return packed.read(_SNIFFED_BYTES)


def _whole(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Unpack one file; the size in the directory may lie, so no more than it says is unpacked."""
    with archive.open(entry) as packed:
        data = packed.read(entry.file_size)
    if is_zip(data):
        raise InvalidInput("the archive holds another archive, which is not opened", hint=_HINT)
    return data
