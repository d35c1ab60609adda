"""The zip archive of a bundle: its files are read only when their names, kinds and sizes are right."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from healthdash import archive
from healthdash.bundle_folder import FILES
from healthdash.errors import RefusedModel

__all__ = ["MOST_BYTES", "members", "opened", "packed"]

_MIB = 1 << 20
#: Most bytes of an archive from outside.
MOST_BYTES = 320 * _MIB
# Deflate reaches 1032 : 1 on zeros; weights hardly shrink, and a long JSON file not beyond 100 : 1.
_MOST_RATIO = 200
_SMALL = _MIB
_KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return the archive of a bundle's files; the same files give the same bytes."""
    return archive.pack({name: files[name] for name in FILES})


def opened(data: bytes) -> dict[str, bytes]:
    """Return the files of a bundle's archive by name.

    Parameters
    ----------
    data : bytes
        A zip archive; the files may lie in one folder of it.

    Raises
    ------
    RefusedModel
        By the name of the reason: see `members`; or a file is missing, or one is there that is none of
        a bundle's.
    """
    if len(data) > MOST_BYTES:
        raise RefusedModel("its size", f"expected at most {MOST_BYTES >> 20} MiB, got {len(data) >> 20} MiB")
    return members(data, FILES, "the bundle")


def members(data: bytes, known: Mapping[str, int], whole: str) -> dict[str, bytes]:
    """Return the files of an archive that holds exactly the known ones.

    Parameters
    ----------
    known : dict
        Name of each file, and its most bytes when unpacked.
    whole : str
        What the archive is, for the messages.

    Raises
    ------
    RefusedModel
        A path outside, a link, two files of one name, a decompression bomb, a password, an unknown or
        a missing file, or a damaged archive.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened_zip:
            entries = _checked(opened_zip.infolist(), known, whole)
            return {name: _read(opened_zip, entries[name], known[name]) for name in known}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, OSError) as error:
        raise RefusedModel("a damaged archive", f"{whole} cannot be unpacked") from error
    except (RuntimeError, ValueError, UnicodeError) as error:
        raise RefusedModel("a damaged archive", f"{whole} cannot be unpacked") from error


def _checked(
    infos: list[zipfile.ZipInfo], known: Mapping[str, int], whole: str
) -> dict[str, zipfile.ZipInfo]:
    """Return the entry of each known file; the order of the checks is that of their danger."""
    files = [info for info in infos if not info.is_dir()]
    for info in infos:
        _check_kind(info)
    names = _without_folder([info.filename for info in files])
    if len(set(names)) < len(names):
        raise RefusedModel("two files of one name", f"expected each file of {whole} once")
    unknown = len(set(names) - set(known))
    if unknown:
        raise RefusedModel("an extra file", f"{whole} holds {unknown} that it has no use for")
    missing = [name for name in known if name not in names]
    if missing:
        raise RefusedModel("a missing file", f"{whole} has no {missing[0]}")
    entries = dict(zip(names, files, strict=True))
    for name, info in entries.items():
        _check_size(name, info, known[name])
    return entries


def _check_kind(info: zipfile.ZipInfo) -> None:
    """Raise on an entry that is no plain file or folder inside the archive."""
    path = PurePosixPath(info.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in info.filename or "\0" in info.orig_filename:
        raise RefusedModel("a path outside", "a name in the archive leads out of its folder")
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        raise RefusedModel("a link", "an entry of the archive is a symbolic link")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise RefusedModel("a special file", "an entry of the archive is a device or a pipe")
    if info.flag_bits & _ENCRYPTED:
        raise RefusedModel("a password", "the archive is encrypted")
    if info.compress_type not in _KINDS:
        raise RefusedModel("its compression", "expected a zip archive that is stored or deflated")


def _without_folder(names: list[str]) -> list[str]:
    """Return the names inside the one folder that holds all files; as they are where there is none."""
    parts = [PurePosixPath(name).parts for name in names]
    if parts and all(len(part) == 2 for part in parts) and len({part[0] for part in parts}) == 1:
        return [part[1] for part in parts]
    return names


def _check_size(name: str, info: zipfile.ZipInfo, most: int) -> None:
    if info.file_size > _SMALL and info.file_size > _MOST_RATIO * max(info.compress_size, 1):
        raise RefusedModel("a decompression bomb", f"{name} would become {info.file_size >> 20} MiB")
    if info.file_size > most:
        raise RefusedModel("its size", f"{name} may have {most >> 20} MiB, it has {info.file_size >> 20} MiB")


def _read(opened_zip: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    """Return a file, never more bytes than it may have, whatever the archive announced."""
    with opened_zip.open(info) as source:
        content = source.read(most + 1)
    if len(content) != info.file_size:
        raise RefusedModel("a damaged archive", "a file has not as many bytes as the archive says")
    return content
