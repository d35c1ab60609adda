"""EDF, EDF+ and BDF recordings.

Kemp et al. 1992, Electroencephalogr Clin Neurophysiol 82:391 (EDF); Kemp and Olivan 2003, Clin Neurophysiol
114:1755 (EDF+, its sections 2.1 header and 2.2 annotations); www.biosemi.com/faq/file_format.htm (BDF: three
bytes a sample). pyEDFlib refuses interrupted recordings (EDF+D), doubled labels and files that are a record
short, which hospitals have: so this reader is our own, and pyEDFlib is what its tests compare it with.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload

from .edf_annotations import ANNOTATIONS, time_stamped
from .limits import checked_rate, checked_size
from .recording import Channel, Recording, channels_of

__all__ = ["is_edf", "read_edf"]

_EDF, _BDF = b"0       ", b"\xffBIOSEMI"
_HEADER = 256
# Label, transducer, dimension, physical minimum and maximum, digital minimum and maximum, filter, samples,
# reserved: bytes that each signal has in the header.
_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)


@dataclass(frozen=True, slots=True)
class _Signal:
    """What the header says about one signal; `first` is its first sample in each data record."""

    label: str
    unit: str
    physical: tuple[float, float]
    digital: tuple[float, float]
    filtered: str
    samples: int
    first: int

    @property
    def scale(self) -> tuple[float, float] | None:
        """Gain and offset from digital to physical; None where the header's ranges are empty."""
        wide = self.digital[1] - self.digital[0]
        if wide == 0 or self.physical[1] == self.physical[0]:
            return None
        gain = (self.physical[1] - self.physical[0]) / wide
        return gain, self.physical[0] - gain * self.digital[0]


@dataclass(frozen=True, slots=True)
class _Header:
    form: str
    width: int
    start: int
    claimed: int
    record_s: float
    signals: tuple[_Signal, ...]
    time_of_day: str
    is_interrupted: bool

    @property
    def record_samples(self) -> int:
        return sum(signal.samples for signal in self.signals)


def is_edf(data: bytes) -> bool:
    """Say whether bytes begin like EDF, EDF+ or BDF."""
    return data[:8] in (_EDF, _BDF) and len(data) >= _HEADER


def read_edf(uploads: Sequence[Upload]) -> Recording:
    """Read an EDF, EDF+ or BDF file, every channel at its own rate.

    Raises
    ------
    UnreadableUpload
        The header breaks the standard, or the file ends before its first data record does.
    InvalidInput
        It holds annotations only, or announces more than is opened.
    """
    data = uploads[0].data
    header = _header(data)
    records, notices = _records(data, header)
    frames = np.frombuffer(data, np.uint8, records * header.record_samples * header.width, header.start)
    frames = frames.reshape(records, header.record_samples * header.width)
    texts = [s for s in header.signals if s.label in ANNOTATIONS]
    onsets, marks = time_stamped(
        [frames[:, s.first * header.width : (s.first + s.samples) * header.width] for s in texts]
    )
    places = _places(onsets, header) if header.is_interrupted else None
    channels, unscaled = _channels(frames, header, places)
    if unscaled:
        notices.append(f"{unscaled} channels have no physical range; their values stay as stored.")
    return Recording(
        format=header.form,
        channels=channels,
        marks=marks,
        stored_dtype="int24" if header.width == 3 else "int16",
        calibration="by the physical and digital ranges of the header",
        gaps=("the recording was interrupted (EDF+D)",) if places is not None else (),
        notices=tuple(notices),
        facts=_facts(header),
        time_of_day=header.time_of_day,
    )


def _text(data: bytes) -> str:
    return data.decode("utf-8", "strict") if data.isascii() else _odd_text(data)


def _odd_text(data: bytes) -> str:
    """Headers must be ASCII; real ones hold UTF-8 or Latin-1."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _number(data: bytes, what: str) -> float:
    text = _text(data).strip("\x00 ").replace(",", ".")
    try:
        number = float(text)
        if math.isfinite(number):
            return number
    except ValueError:
        pass
    raise UnreadableUpload(
        f"expected a number in the EDF header ({what}), got other text", hint="Export it again."
    )


def _header(data: bytes) -> _Header:
    is_bdf = data[:8] == _BDF
    reserved = _text(data[192:236]).strip()
    count = int(_number(data[252:256], "number of signals"))
    checked_size(1, max(count, 1))
    if count < 1 or len(data) < _HEADER * (count + 1):
        raise UnreadableUpload(
            f"the EDF header announces {count} signals, the file is shorter than their headers",
            hint="It is cut off: export it again.",
        )
    record_s = _number(data[244:252], "duration of a record")
    signals = _signals(data, count)
    if record_s <= 0 and any(s.label not in ANNOTATIONS for s in signals):
        record_s = checked_rate(record_s) if record_s < 0 else 1.0
    clock = _text(data[176:184]).strip().replace(".", ":")
    kind = "BDF" if is_bdf else "EDF"
    return _Header(
        form=f"{kind}+" if reserved.startswith(f"{kind}+") else kind,
        width=3 if is_bdf else 2,
        start=_HEADER * (count + 1),
        claimed=int(_number(data[236:244], "number of records")),
        record_s=record_s,
        signals=signals,
        time_of_day=clock if re.fullmatch(r"\d\d:\d\d:\d\d", clock) else "",
        is_interrupted=reserved.startswith(f"{kind}+D"),
    )


def _signals(data: bytes, count: int) -> tuple[_Signal, ...]:
    columns: list[list[bytes]] = []
    at = _HEADER
    for width in _WIDTHS:
        columns.append([data[at + i * width : at + (i + 1) * width] for i in range(count)])
        at += width * count
    found, first = [], 0
    for label, _, unit, low, high, least, most, filtered, samples, _ in zip(*columns, strict=True):
        name = _text(label).strip("\x00 ")
        held = int(_number(samples, "samples of a record"))
        if held < 0:
            raise UnreadableUpload(
                "a signal of the EDF header has fewer than 0 samples a record",
                hint="Its header is damaged: export it again.",
            )
        found.append(
            _Signal(
                label=name,
                unit=_text(unit).strip("\x00 "),
                physical=(0.0, 0.0) if name in ANNOTATIONS else _range(low, high, "physical range"),
                digital=(0.0, 0.0) if name in ANNOTATIONS else _range(least, most, "digital range"),
                filtered=_text(filtered).strip("\x00 "),
                samples=held,
                first=first,
            )
        )
        first += held
    return tuple(found)


def _range(low: bytes, high: bytes, what: str) -> tuple[float, float]:
    return _number(low, what), _number(high, what)


def _records(data: bytes, header: _Header) -> tuple[int, list[str]]:
    """Return how many data records the file holds, whatever its header claims."""
    size = header.record_samples * header.width
    held = (len(data) - header.start) // size if size else 0
    if all(s.label in ANNOTATIONS or s.samples == 0 for s in header.signals):
        raise InvalidInput(
            f"expected signals in the {header.form} file, got annotations only",
            hint="Upload the file of the same recording that holds the signals.",
        )
    if held < 1:
        raise UnreadableUpload(
            "the EDF file ends before its first data record does", hint="It is cut off: export it again."
        )
    checked_size(held * header.record_samples)
    if header.claimed < 0 or held == header.claimed:
        return held, []
    if held < header.claimed:
        told = (
            f"The header announces {header.claimed:,} data records, the file holds {held:,}: it is cut off."
        )
        return held, [told]
    return header.claimed or held, ["The file is longer than its header says; the rest is not read."]


def _places(onsets: NDArray[np.float64], header: _Header) -> NDArray[np.float64]:
    """Return when each data record begins, in records from the first."""
    if not np.isfinite(onsets).all() or (np.diff(onsets) < 0).any():
        raise UnreadableUpload(
            "the interrupted EDF+ recording does not say when each of its records begins",
            hint="Export it again, or as an uninterrupted recording.",
        )
    places = (onsets - onsets[0]) / header.record_s
    checked_size((float(places[-1]) + 1) * header.record_samples)
    return np.asarray(places, np.float64)


def _channels(
    frames: NDArray[np.uint8], header: _Header, places: NDArray[np.float64] | None
) -> tuple[tuple[Channel, ...], int]:
    found: list[Channel] = []
    unscaled = 0
    kept = [s for s in header.signals if s.label not in ANNOTATIONS and s.samples > 0]
    for signal in kept:
        part = frames[:, signal.first * header.width : (signal.first + signal.samples) * header.width]
        values = _counts(part, header.width)
        unscaled += signal.scale is None
        gain, offset = signal.scale or (1.0, 0.0)
        values *= np.float32(gain)
        values += np.float32(offset)
        if places is not None:
            values = _with_gaps(values, signal.samples, places)
        rate_hz = checked_rate(signal.samples / header.record_s)
        found.append(Channel(signal.label, signal.unit, rate_hz, values))
    renamed = [channels_of([c.name for c in found], [c.unit for c in found], 1.0, [c.values for c in found])]
    return tuple(
        Channel(named.name, named.unit, channel.rate_hz, channel.values)
        for named, channel in zip(renamed[0], found, strict=True)
    ), unscaled


def _counts(part: NDArray[np.uint8], width: int) -> NDArray[np.float32]:
    """Return little-endian integers of two or three bytes as numbers, float32 (n,)."""
    if width == 2:
        return np.ascontiguousarray(part).view("<i2").ravel().astype(np.float32)
    bytes_ = np.ascontiguousarray(part).reshape(-1, 3)
    padded = np.zeros((len(bytes_), 4), np.uint8)
    padded[:, 1:] = bytes_
    return (padded.view("<i4").ravel() >> 8).astype(np.float32)


def _with_gaps(values: NDArray[np.float32], samples: int, places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the records on one time axis, NaN between those that do not touch."""
    starts = np.rint(places * samples).astype(np.int64)
    whole = np.full(int(starts[-1]) + samples, np.nan, np.float32)
    for start, record in zip(starts, values.reshape(-1, samples), strict=True):
        whole[start : start + samples] = record
    return whole


def _facts(header: _Header) -> tuple[tuple[str, str], ...]:
    filters = dict.fromkeys(s.filtered for s in header.signals if s.filtered)
    return (("filters of the recorder", "; ".join(list(filters)[:6])),) if filters else ()
