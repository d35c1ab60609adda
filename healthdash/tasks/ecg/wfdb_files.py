"""WFDB records: a text header (.hea), the signal files that it names, and annotations (.atr).

The header names the files that are opened, so it is checked before the `wfdb` package sees it: plain
names only, each of them among the uploads. They are written to a private folder under these names.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload

from .sample import Annotation

__all__ = [
    "AAMI",
    "Header",
    "base_name",
    "is_header",
    "parse_header",
    "read_annotation",
    "read_marks",
    "read_record",
]

#: ANSI/AAMI EC57 groups of the beat codes of PhysioNet (de Chazal et al. 2004, IEEE TBME 51:1196, table I).
AAMI: dict[str, str] = {
    **dict.fromkeys("NLRej", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VE", "V"),
    "F": "F",
    **dict.fromkeys("/fQ", "Q"),
}
_RECORD_LINE = re.compile(r"^([\w\-.]+)(?:/(\d+))?[ \t]+(\d+)(?:[ \t]+([0-9.eE+]+)(\S*))?(?:[ \t]+(\d+))?")
_PLAIN_NAME = re.compile(r"^[\w][\w\-.]*$")
_MOST_SIGNALS = 128
_NO_FILES = {"~", "-"}
# WFDB's own default where a header is silent (header(5)); here it is an assumption that is told.
_DEFAULT_HZ = 250.0


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says about files: the record's name, and the names of what it needs."""

    name: str
    files: tuple[str, ...]
    is_multi_segment: bool
    has_rate: bool


def base_name(name: str) -> str:
    """Return the last part of a path of any system."""
    return PureWindowsPath(PurePosixPath(name).name).name


def _text(data: bytes) -> str | None:
    head = data[: 1 << 20]
    if b"\x00" in head:
        return None
    return head.decode("utf-8", "replace")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def is_header(data: bytes) -> bool:
    """Say whether bytes begin like a WFDB header: a record line, and a line a signal."""
    text = _text(data[:4096])
    if text is None:
        return False
    lines = _lines(text)
    match = _RECORD_LINE.match(lines[0]) if lines else None
    if not match:
        return False
    signal_line = r"^\S+[ \t]+\d+\S*" if not match.group(2) else r"^\S+[ \t]+\d+$"
    return int(match.group(3)) == 0 or (len(lines) > 1 and re.match(signal_line, lines[1]) is not None)


def parse_header(data: bytes) -> Header:
    """Return which files a header needs.

    Raises
    ------
    UnreadableUpload
        It is no WFDB header.
    InvalidInput
        It names a path, an address or a hidden file, or far too many signals.
    """
    text = _text(data)
    lines = _lines(text) if text else []
    match = _RECORD_LINE.match(lines[0]) if lines else None
    if match is None:
        raise UnreadableUpload(
            "expected a WFDB header (record name, signals, rate), got other text", hint="Export it again."
        )
    segments, signals = match.group(2), int(match.group(3))
    wanted = int(segments) if segments else signals
    if signals > _MOST_SIGNALS or wanted > 100_000:
        raise InvalidInput(f"expected at most {_MOST_SIGNALS} signals, the header names {wanted}")
    names = [line.split()[0] for line in lines[1 : 1 + wanted]]
    if len(names) < wanted:
        raise UnreadableUpload(
            f"the header announces {wanted} lines, it has {len(names)}",
            hint="It is cut off: export it again.",
        )
    names = [name for name in names if name not in _NO_FILES]
    if not all(_PLAIN_NAME.match(name) for name in [match.group(1), *names]):
        raise InvalidInput(
            "the header names a path or an address; only files uploaded with it are read",
            hint="Put the files in one folder, and use plain names in the header.",
        )
    files = [f"{name}.hea" for name in names] if segments else names
    return Header(match.group(1), tuple(dict.fromkeys(files)), bool(segments), match.group(4) is not None)


def needed_files(master: str, by_name: Mapping[str, Upload]) -> list[str]:
    """Return the names of all files that a header needs, segments' files included."""
    needed, queue = [], list(parse_header(by_name[master].data).files)
    while queue:
        name = queue.pop(0)
        if name in needed or name == master:
            continue
        needed.append(name)
        if name.endswith(".hea") and name in by_name:
            queue.extend(parse_header(by_name[name].data).files)
    return needed


@contextmanager
def _folder(uploads: Sequence[Upload], header: Upload) -> Iterator[Path]:
    """Write the files of one record to a private folder; yield the record's path."""
    with tempfile.TemporaryDirectory(prefix="healthdash-") as folder:
        for upload in uploads:
            name = base_name(upload.name)
            if _PLAIN_NAME.match(name):
                (Path(folder) / name).write_bytes(upload.data)
        yield Path(folder) / base_name(header.name).removesuffix(".hea")


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Turn whatever the `wfdb` package raises into an error that a user can act on."""
    try:
        yield
    except (InvalidInput, UnreadableUpload):
        raise
    except Exception as error:  # wfdb raises nearly every built-in error on damaged files
        raise UnreadableUpload(
            f"the WFDB {what} could not be read ({type(error).__name__})",
            hint="The header and the signal file may not belong together, or one is cut off.",
        ) from error


def read_record(uploads: Sequence[Upload]) -> tuple[Any, Header]:
    """Read one WFDB record; returns the `wfdb.Record` with `p_signal`, and its header.

    Raises
    ------
    UnreadableUpload, InvalidInput
        There is no header, a file that it names is missing or damaged, or it names a path.
    """
    by_name = {base_name(upload.name): upload for upload in uploads}
    master = _master(by_name)
    header = parse_header(by_name[master].data)
    missing = [name for name in needed_files(master, by_name) if name not in by_name]
    if missing:
        kinds = ", ".join(sorted({PurePosixPath(name).suffix or "without ending" for name in missing}))
        raise InvalidInput(
            f"expected the signal files that the header names; missing: {len(missing)} ({kinds})",
            hint="Upload the header (.hea) together with its signal file (.dat).",
        )
    import wfdb

    with _translated("record"), _folder(uploads, by_name[master]) as path:
        record = wfdb.rdrecord(str(path), physical=True, return_res=64)
    if header.is_multi_segment is False and record.p_signal is None:
        raise UnreadableUpload("the WFDB record holds no signal", hint="Upload its signal file too.")
    return record, header


def _master(by_name: Mapping[str, Upload]) -> str:
    headers = [name for name, upload in by_name.items() if name.endswith(".hea") and is_header(upload.data)]
    if not headers:
        raise InvalidInput(
            "expected a WFDB header, got a signal or annotation file alone",
            hint="Upload the header (.hea) together with its signal file (.dat).",
        )
    if len(headers) == 1:
        return headers[0]
    named = {file for name in headers for file in parse_header(by_name[name].data).files}
    return next((name for name in headers if name not in named), headers[0])


def read_marks(uploads: Sequence[Upload]) -> tuple[NDArray[np.int64], tuple[str, ...], tuple[str, ...]]:
    """Return the sample number, the code and the note of every mark of an annotation file (.atr).

    Raises
    ------
    UnreadableUpload
        It is damaged.
    """
    by_name = {base_name(upload.name): upload for upload in uploads}
    file = next(name for name in by_name if name.endswith(".atr"))
    import wfdb

    with _translated("annotation"), _folder(uploads, by_name[file]) as path:
        read = wfdb.rdann(str(path.with_suffix("")), "atr")
    # A note of a rhythm is written as "(AFIB" with a zero at its end.
    notes = tuple(str(note or "").strip("\x00 ").removeprefix("(") for note in read.aux_note)
    return np.asarray(read.sample, np.int64), tuple(str(one) for one in read.symbol), notes


def read_annotation(uploads: Sequence[Upload], header: Header) -> Annotation | None:
    """Return the reference beats of a record (.atr), or None where there are none."""
    by_name = {base_name(upload.name): upload for upload in uploads}
    if f"{header.name}.atr" not in by_name:
        return None
    found, codes, _ = read_marks([by_name[f"{header.name}.atr"]])
    samples, symbols = found, np.asarray(codes, np.str_)
    is_beat = np.isin(symbols, list(AAMI))
    labels = np.asarray([AAMI[symbol] for symbol in symbols[is_beat]], np.str_)
    return Annotation(samples[is_beat], labels, _flutter(samples, symbols))


def _flutter(samples: NDArray[np.int64], symbols: NDArray[np.str_]) -> tuple[tuple[int, int], ...]:
    """Return the spans between the marks [ and ] of ventricular flutter."""
    starts, stops = samples[symbols == "["], samples[symbols == "]"]
    last = int(samples[-1]) if len(samples) else 0
    return tuple((int(a), int(min((b for b in stops if b > a), default=last))) for a in starts)
