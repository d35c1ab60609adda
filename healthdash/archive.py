"""Zip archives from outside: unpacked only where that is safe."""

from __future__ import annotations

import io
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from healthdash.apart import leftovers
from healthdash.errors import InputError, InvalidInput, UnreadableUpload

__all__ = ["MOST_BYTES", "MOST_FILES", "contents", "is_zip", "names", "opened", "pack", "placed", "unpack"]

#: Bounds of what an archive may become on the disk.
MOST_FILES = 50_000
MOST_BYTES = 4 << 30
# Deflate reaches 1032 : 1 on zeros; no honest data set is far above 100 : 1.
_MOST_RATIO = 200
_SMALL = 1 << 20
# The first moment that a zip archive can name: the same files always give the same bytes.
_NO_DATE = (1980, 1, 1, 0, 0, 0)
_WORKBOOKS = (".xlsx", ".ods")
#: ValueError: a name that is not in its encoding, a date before 1980.
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError, ValueError,
    struct.error,
)  # fmt: skip


def is_zip(data: bytes) -> bool:
    """Say whether bytes begin like a zip archive."""
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06")


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """Give the folder of labelled files that a path names; an archive's is removed afterwards.

    What a process that was killed has left of its archive is removed first.

    Raises
    ------
    InputError
        There is neither a folder nor a zip archive.
    InvalidInput
        The archive is not safe to unpack.
    """
    if path.is_dir():
        yield path
        return
    if not path.is_file():
        raise InputError("expected a folder or a zip archive, found none", hint="Check --data.")
    leftovers.sweep()
    with leftovers.made() as folder:
        yield unpack(path, folder)


def unpack(data: bytes | Path, folder: Path) -> Path:
    """Unpack an archive into an empty folder and return where its content begins.

    Parameters
    ----------
    data : bytes or Path
        A zip archive; not changed. One on the disk is never whole in memory.
    folder : Path
        Nothing is ever written outside of it.

    Returns
    -------
    Path
        The folder, or the single folder in it.

    Raises
    ------
    UnreadableUpload
        The bytes are no zip archive, or a damaged or encrypted one.
    InvalidInput
        A name leads out of the folder, an entry is a link, or the content is too large.
    """
    with _opened(data) as archive:
        entries = _entries(archive)
        _check(entries)
        for entry in entries:
            _extract(archive, entry, folder)
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def names(data: bytes) -> list[str]:
    """Return the names of the files in an archive; empty where it cannot be opened."""
    try:
        with _opened(data) as archive:
            return [entry.filename for entry in _entries(archive)]
    except UnreadableUpload:
        return []


def contents(data: bytes, *, most_bytes: int) -> dict[str, bytes]:
    """Return the files of an archive by their names, in memory.

    Raises
    ------
    UnreadableUpload, InvalidInput
        As `unpack`, and where the files hold more than `most_bytes` together.
    """
    with _opened(data) as archive:
        entries = _entries(archive)
        _check(entries)
        if sum(entry.file_size for entry in entries) > most_bytes:
            raise InvalidInput(
                f"expected at most {most_bytes >> 20} MB when unpacked, got more", hint="Pack fewer files."
            )
        return {entry.filename: _bounded(archive, entry) for entry in entries}


@contextmanager
def _opened(data: bytes | Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive; whatever is wrong with it while it is read is an `UnreadableUpload`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data) as archive:
            yield archive
    except _DAMAGED as error:
        raise UnreadableUpload(
            "the archive cannot be unpacked: expected a zip file without a password",
            hint="Make the archive again.",
        ) from error


def _entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [entry for entry in archive.infolist() if not _is_clutter(entry)]


def _bounded(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return one file, never more bytes than the archive announced."""
    with archive.open(entry) as source:
        data = source.read(entry.file_size + 1)
    if len(data) > entry.file_size:
        raise zipfile.BadZipFile("more bytes than announced")
    return data


def placed(name: str, data: bytes, folder: Path) -> Path:
    """Put a file of labelled data into an empty folder; an archive is unpacked there.

    Parameters
    ----------
    name : str
        A plain file name. A workbook, which is a zip archive too, is known by its ending.

    Returns
    -------
    Path
        Where the data begin: the file, or the folder of its content.
    """
    if is_zip(data) and PurePosixPath(name).suffix.lower() not in _WORKBOOKS:
        return unpack(data, folder)
    path = folder / name
    path.write_bytes(data)
    return path


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of files by their names in it; the same files give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _NO_DATE), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _is_clutter(entry: zipfile.ZipInfo) -> bool:
    """Say whether an entry is a folder or what file managers leave behind."""
    parts = PurePosixPath(entry.filename).parts
    return entry.is_dir() or "__MACOSX" in parts or parts[-1:] == (".DS_Store",)


def _check(entries: list[zipfile.ZipInfo]) -> None:
    """Raise on anything that a data set has no reason to hold."""
    problems = []
    total = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if not entries:
        problems.append("the archive is empty")
    if len(entries) > MOST_FILES:
        problems.append(f"expected at most {MOST_FILES:,} files in the archive, got {len(entries):,}")
    if total > MOST_BYTES or (total > _SMALL and total > _MOST_RATIO * max(packed, 1)):
        problems.append("the archive would become far larger than a data set of its size")
    if any(not _stays_inside(entry.filename) for entry in entries):
        problems.append("a name in the archive leads out of its folder")
    if any(stat.S_ISLNK(entry.external_attr >> 16) for entry in entries):
        problems.append("the archive holds a link")
    if problems:
        raise InvalidInput(problems, hint="Pack the plain files of the data set into a new zip file.")


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return not path.is_absolute() and ".." not in path.parts and ":" not in name and "\0" not in name


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    """Write one file, never more bytes than the archive announced."""
    target = folder.joinpath(*PurePosixPath(entry.filename.replace("\\", "/")).parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, target.open("xb") as written:
        shutil.copyfileobj(source, written, 1 << 20)
        if written.tell() > entry.file_size:
            raise zipfile.BadZipFile("more bytes than announced")
