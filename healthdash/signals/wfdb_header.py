"""WFDB headers: a record's name, and the files that it needs.

A header names the files that are opened, so it is checked before the `wfdb` package sees it: plain names
only, each of them among the uploads, and no more values than are opened (header(5) of the WFDB manual).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload

from .limits import checked_size

__all__ = ["PLAIN_NAME", "Header", "base_name", "is_header", "needed_files", "parse_header"]

#: What a file may be called: no path, no address, nothing hidden.
PLAIN_NAME = re.compile(r"^[\w][\w\-.]*$")
_RECORD_LINE = re.compile(
    r"^([\w\-.]+)(?:/(\d{1,9}))?[ \t]+(\d{1,9})(?:[ \t]+([0-9.eE+]+)(\S*))?(?:[ \t]+(\d{1,15}))?"
)
#: The third field of a signal line begins with the gain; baseline and unit may follow at once.
_GAIN = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?")
_FRAME = re.compile(r"^\d+x(\d{1,9})")
_MOST_SIGNALS = 128
_MOST_SEGMENTS = 100_000
_NO_FILES = {"~", "-"}
_READ = 1 << 20


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says about files: the record's name, and the names of what it needs.

    `claimed` is the number of values that it announces over all signals, 0 where it is silent. `has_gains` is
    False where the gain of a signal is missing or 0, which means that it was not calibrated (header(5)).
    """

    name: str
    files: tuple[str, ...]
    is_multi_segment: bool
    has_rate: bool
    has_gains: bool
    signals: int
    claimed: int


def base_name(name: str) -> str:
    """Return the last part of a path of any system."""
    return PureWindowsPath(PurePosixPath(name).name).name


def _text(data: bytes) -> str | None:
    head = data[:_READ]
    return None if b"\x00" in head else head.decode("utf-8", "replace")


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
        It is no WFDB header, or cut off.
    InvalidInput
        It names a path, an address or a hidden file, or announces more than is opened.
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
    if signals > _MOST_SIGNALS or wanted > _MOST_SEGMENTS:
        raise InvalidInput(
            f"expected at most {_MOST_SIGNALS} signals and {_MOST_SEGMENTS:,} segments, the header names "
            f"{signals:,} and {int(segments or 0):,}",
            hint="Write a record of fewer signals, or a shorter one.",
        )
    specified = lines[1 : 1 + wanted]
    if len(specified) < wanted:
        raise UnreadableUpload(
            f"the header announces {wanted} lines, it has {len(specified)}",
            hint="It is cut off: export it again.",
        )
    frame = sum(_samples_of_frame(line) for line in specified) if not segments else signals
    claimed = int(match.group(6) or 0) * frame
    if claimed:
        checked_size(claimed)
    return Header(
        name=match.group(1),
        files=_files(match.group(1), specified, is_multi=bool(segments)),
        is_multi_segment=bool(segments),
        has_rate=match.group(4) is not None,
        has_gains=bool(segments) or all(_states_gain(line) for line in specified),
        signals=signals,
        claimed=claimed,
    )


def _samples_of_frame(line: str) -> int:
    """Return how many samples one signal has in a frame: the number after "x" of its format."""
    parts = line.split()
    match = _FRAME.match(parts[1]) if len(parts) > 1 else None
    return int(match.group(1)) if match else 1


def _states_gain(line: str) -> bool:
    """Say whether a line of a signal states a gain; one of a layout, which has no file, needs none."""
    file, _, gain, *_ = [*line.split(), "", ""]
    match = _GAIN.match(gain)
    return file in _NO_FILES or (match is not None and float(match.group()) != 0)


def _files(record: str, lines: list[str], *, is_multi: bool) -> tuple[str, ...]:
    names = [name for line in lines if (name := line.split()[0]) not in _NO_FILES]
    if not all(PLAIN_NAME.match(name) for name in [record, *names]):
        raise InvalidInput(
            "the header names a path or an address; only files uploaded with it are read",
            hint="Put the files in one folder, and use plain names in the header.",
        )
    return tuple(dict.fromkeys(f"{name}.hea" if is_multi else name for name in names))


def needed_files(master: str, by_name: Mapping[str, Upload]) -> list[str]:
    """Return the names of all files that a header needs, segments' files included."""
    needed: list[str] = []
    queue = list(parse_header(by_name[master].data).files)
    while queue:
        name = queue.pop(0)
        if name in needed or name == master:
            continue
        needed.append(name)
        if name.endswith(".hea") and name in by_name:
            queue.extend(parse_header(by_name[name].data).files)
    return needed
