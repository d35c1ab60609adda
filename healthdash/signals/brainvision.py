"""BrainVision recordings: a text header (.vhdr), the signal file (.eeg) and markers (.vmrk) that it names.

BrainVision Core Data Format 1.0 (Brain Products): sections Common Infos, Binary Infos, ASCII Infos and
Channel Infos of the header, Marker Infos of the marker file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload

from .limits import checked_rate, checked_scale, checked_size
from .recording import Mark, Recording, channels_of
from .wfdb_header import base_name

__all__ = ["is_brainvision", "needs", "read_brainvision"]

_HEADER = (b"Brain Vision Data Exchange Header", b"BrainVision Data Exchange Header")
_TYPES = {"INT_16": "<i2", "UINT_16": "<u2", "INT_32": "<i4", "IEEE_FLOAT_32": "<f4"}
#: A channel without a unit is in microvolt (Channel Infos).
_USUAL_UNIT = "uV"
_READ = 1 << 20
_MOST_MARKS = 100_000

Sections = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class _Header:
    """What the header says; `points` are the samples of each channel, 0 where it is silent."""

    data_file: str
    marker_file: str
    channels: int
    points: int
    rate_hz: float
    is_vectorized: bool
    is_text: bool
    dtype: str
    text: Mapping[str, str]
    names: tuple[str, ...]
    units: tuple[str, ...]
    scales: tuple[float, ...]


def is_brainvision(data: bytes) -> bool:
    """Say whether bytes begin like the header of a BrainVision recording."""
    return data.lstrip(b"\xef\xbb\xbf").startswith(_HEADER)


def needs(header: Upload, by_name: dict[str, Upload]) -> list[str]:
    """Return the names of the signal file and the markers that a header names, as far as they are there."""
    found = _header(header)
    return [name for name in _files(found, header, by_name) if name]


def read_brainvision(uploads: Sequence[Upload]) -> Recording:
    """Read a recording: INT_16, INT_32 or IEEE_FLOAT_32, multiplexed or vectorized, or ASCII.

    Raises
    ------
    UnreadableUpload
        A file is damaged or cut off, or of a form that is not read.
    InvalidInput
        The signal file is missing, or the header names a path.
    """
    master = next((upload for upload in uploads if is_brainvision(upload.data)), None)
    if master is None:
        raise InvalidInput(
            "expected a BrainVision header (.vhdr), got another file alone",
            hint="Upload the .vhdr file together with its signal and marker files.",
        )
    header = _header(master)
    by_name = {base_name(upload.name): upload for upload in uploads}
    signal, markers = _files(header, master, by_name)
    if signal not in by_name:
        raise InvalidInput(
            "expected the signal file that the BrainVision header names; it is missing",
            hint="Upload the header (.vhdr) together with its signal (.eeg) and marker file (.vmrk).",
        )
    data = by_name[signal].data
    rows = _text_rows(data, header) if header.is_text else _binary_rows(data, header)
    checked_size(rows.shape[1], rows.shape[0])
    _check_points(rows.shape[1], header)
    scaled = [
        (row * np.float32(scale)).astype(np.float32) for row, scale in zip(rows, header.scales, strict=True)
    ]
    return Recording(
        format="BrainVision",
        channels=channels_of(header.names, header.units, header.rate_hz, scaled),
        marks=tuple(_marks(by_name[markers].data, header.rate_hz)) if markers in by_name else (),
        stored_dtype="text" if header.is_text else str(np.dtype(header.dtype).newbyteorder("=")),
        calibration="by the resolution of each channel",
        notices=() if markers in by_name else ("There is no marker file: annotations are not known.",),
    )


def _sections(data: bytes) -> Sections:
    """Return what stands in each section; the text is UTF-8, or Latin-1 as old recorders wrote."""
    head = data[:_READ]
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = head.decode("latin-1")
    found: Sections = {}
    section = ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            section = stripped[1:-1]
        elif stripped and not stripped.startswith(";") and "=" in stripped:
            name, _, value = stripped.partition("=")
            found.setdefault(section, {})[name.strip()] = value.strip()
    return found


def _header(upload: Upload) -> _Header:
    sections = _sections(upload.data)
    common, binary = sections.get("Common Infos", {}), sections.get("Binary Infos", {})
    if common.get("DataType", "TIMEDOMAIN").upper() != "TIMEDOMAIN":
        raise UnreadableUpload(
            "expected a BrainVision recording over time, got one of frequencies",
            hint="Export it from the time domain, before any Fourier transform.",
        )
    channels = int(_number(common.get("NumberOfChannels", ""), "the number of channels"))
    checked_size(1, channels)
    interval_us = _number(common.get("SamplingInterval", ""), "the sampling interval")
    form = binary.get("BinaryFormat", "INT_16").upper()
    is_text = common.get("DataFormat", "BINARY").upper() == "ASCII"
    if form not in _TYPES:
        raise UnreadableUpload(
            f"expected BrainVision samples of {', '.join(_TYPES)}, got another form",
            hint="Export it again, as one of these binary formats.",
        )
    names, units, scales = _channel_infos(sections.get("Channel Infos", {}), channels)
    big = binary.get("UseBigEndianOrder", "NO").upper() == "YES"
    return _Header(
        data_file=common.get("DataFile", ""),
        marker_file=common.get("MarkerFile", ""),
        channels=channels,
        points=int(_number(common.get("DataPoints") or "0", "the number of data points")),
        rate_hz=checked_rate(1e6 / interval_us if interval_us > 0 else 0.0),
        is_vectorized=common.get("DataOrientation", "MULTIPLEXED").upper() == "VECTORIZED",
        is_text=is_text,
        dtype=_TYPES[form].replace("<", ">" if big else "<"),
        text=sections.get("ASCII Infos", {}),
        names=names,
        units=units,
        scales=scales,
    )


def _number(text: str, what: str) -> float:
    with suppress(ValueError):
        number = float(text.replace(",", "."))
        if math.isfinite(number):
            return number
    raise UnreadableUpload(
        f"expected {what} in the BrainVision header, got no number", hint="Export it again."
    )


def _channel_infos(
    infos: Mapping[str, str], channels: int
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[float, ...]]:
    """Return name, unit and resolution of each channel: "Ch1=<name>,<reference>,<resolution>,<unit>"."""
    names, units, scales = [], [], []
    for number in range(1, channels + 1):
        parts = [part.replace("\\1", ",") for part in infos.get(f"Ch{number}", "").split(",")]
        parts += [""] * (4 - len(parts))
        names.append(parts[0])
        units.append(parts[3] or _USUAL_UNIT)
        scales.append(checked_scale(_number(parts[2] or "1", "a resolution"), "resolution"))
    return tuple(names), tuple(units), tuple(scales)


def _files(header: _Header, upload: Upload, by_name: Mapping[str, Upload]) -> tuple[str, str]:
    """Return the names of the signal and the marker file among the uploads; a path is refused.

    "$b" stands for the header's own name; a recording that was renamed is found by it, too.
    """
    stem = PurePosixPath(base_name(upload.name)).stem
    found = []
    for stated, endings in ((header.data_file, (".eeg", ".dat")), (header.marker_file, (".vmrk",))):
        name = stated.replace("$b", stem)
        if name != base_name(name) or name.startswith("."):
            raise InvalidInput(
                "the BrainVision header names a path; only files uploaded with it are read",
                hint="Put the files in one folder, and use plain names in the header.",
            )
        renamed = [stem + ending for ending in endings if stem + ending in by_name]
        found.append(name if name in by_name or not renamed else renamed[0])
    return found[0], found[1]


def _check_points(samples: int, header: _Header) -> None:
    # Of a vectorized file with more, nobody knows where each channel begins.
    is_longer = samples > header.points > 0 and header.is_vectorized
    if samples < header.points or is_longer:
        raise UnreadableUpload(
            f"expected {header.points:,} samples of each channel, the signal file holds {samples:,}",
            hint="It is cut off, or belongs to another header: copy the whole recording again.",
        )


def _binary_rows(data: bytes, header: _Header) -> NDArray[np.float32]:
    dtype = np.dtype(header.dtype)
    samples, rest = divmod(len(data), dtype.itemsize * header.channels)
    # Vectorized, a channel begins where the one before it ends: known only of a file that is whole.
    if samples < 1 or (rest and header.is_vectorized):
        raise UnreadableUpload("the BrainVision signal file is empty or cut off", hint="Export it again.")
    checked_size(samples, header.channels)
    counts = np.frombuffer(data, dtype, samples * header.channels)
    if header.is_vectorized:
        return counts.reshape(header.channels, samples).astype(np.float32)
    return np.ascontiguousarray(counts.reshape(samples, header.channels).T).astype(np.float32)


def _text_rows(data: bytes, header: _Header) -> NDArray[np.float32]:
    """Return the rows of an ASCII file: a line a sample, or a line a channel."""
    skip_lines = int(_number(header.text.get("SkipLines", "0"), "SkipLines"))
    skip_columns = int(_number(header.text.get("SkipColumns", "0"), "SkipColumns"))
    point = header.text.get("DecimalSymbol", ".")
    text = data.decode("utf-8-sig", "replace").replace(point, ".")
    lines = [line.split() for line in text.splitlines() if line.strip()]
    checked_size(max((len(line) for line in lines), default=0), max(header.channels, 1))
    names = set(header.names)
    if header.is_vectorized:
        # A line begins with the name of its channel.
        rows = [line[skip_columns or int(line[0] in names) :] for line in lines[skip_lines:]]
    else:
        rows = [line[skip_columns:] for line in lines[skip_lines:]]
        rows = rows[1:] if rows and rows[0] and rows[0][0] in names else rows
    try:
        table = np.array(rows, np.float32)
    except ValueError as error:
        raise UnreadableUpload(
            "expected numbers in the BrainVision signal file, got other text or uneven lines",
            hint="Export it again.",
        ) from error
    table = table if header.is_vectorized else table.T
    if table.ndim != 2 or len(table) != header.channels:
        raise UnreadableUpload(
            f"the BrainVision header names {header.channels} channels, the signal file has another number",
            hint="Upload the signal file that belongs to this header.",
        )
    return np.ascontiguousarray(table)


def _marks(data: bytes, rate_hz: float) -> Iterator[Mark]:
    """Yield markers: "Mk1=<type>,<description>,<place from 1>,<length>,<channel>"; dates are left out."""
    infos = _sections(data).get("Marker Infos", {})
    for value in list(infos.values())[:_MOST_MARKS]:
        kind, text, place, length, *_ = [*value.split(","), "", "", "", ""]
        if place.strip().isdigit():
            described = ": ".join(part.replace("\\1", ",") for part in (kind, text) if part)
            points = int(length) if length.strip().isdigit() else 0
            lasts = points / rate_hz if points > 1 else 0.0
            yield Mark((int(place) - 1) / rate_hz, described, lasts)
