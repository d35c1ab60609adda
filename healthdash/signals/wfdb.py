"""WFDB records: a text header (.hea), the signal files that it names, and annotations (.atr).

The `wfdb` package decodes every storage format, skews, frames and layouts of segments. The FLAC formats (508,
516, 524) it reads through `soundfile` (BSD), which loads libsndfile as a library of its own (LGPL-2.1,
unchanged and replaceable), as that licence asks. The files are written to a private folder under
checked names.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload

from .entered import rate_taken
from .limits import checked_rate, checked_scale, checked_size
from .recording import Channel, Mark, Recording, channels_of
from .wfdb_header import PLAIN_NAME, Header, base_name, is_header, needed_files, parse_header
from .wfdb_length import check_whole
from .wfdb_notes import annotation_of
from .wfdb_segments import make_alike

__all__ = ["needs", "read_marks", "read_wfdb"]

_ANNOTATIONS = (".atr",)
#: WFDB's own default where a header is silent (header(5)); here it is an assumption that is told, as is a
#: gain of 200 a mV, which the `wfdb` package puts in.
_DEFAULT_HZ = 250.0
_MOST_FRAME = 10_000
#: Micro signs of UTF-8 and Latin-1 before a unit: `wfdb` reads ASCII only, and would leave volt of microvolt.
_MICRO = re.compile(rb"/(?:\xc2\xb5|\xce\xbc|\xb5)")


def needs(header: Upload, by_name: dict[str, Upload]) -> list[str]:
    """Return the names of the files that belong to a header: signals, segments, annotations."""
    name = base_name(header.name)
    stem = name.removesuffix(".hea")
    return [*needed_files(name, by_name), *(stem + ending for ending in _ANNOTATIONS)]


def read_wfdb(uploads: Sequence[Upload]) -> Recording:
    """Read one WFDB record, each signal at its own rate.

    Raises
    ------
    UnreadableUpload, InvalidInput
        There is no header, a file that it names is missing or damaged, it names a path, a gain is absurd, or
        segments differ in what cannot be joined.
    """
    by_name = {base_name(upload.name): upload for upload in uploads}
    master = _master(by_name)
    header = parse_header(by_name[master].data)
    _check_files(master, by_name)
    segments = _segments(by_name, header)
    record, wrong_sums = _record(uploads, by_name[master], header, segments)
    hinted = by_name[master].hints.get("rate_hz")
    has_gains = all(one.has_gains for one in (header, *segments.values()))
    rate_hz = _frame_hz(record.fs, header, hinted)
    stored = _stored_format(record) if not header.is_multi_segment else "multi-segment"
    channels = _channels(record, rate_hz)
    return Recording(
        format=f"WFDB {stored}".strip(),
        channels=channels,
        marks=_marks(uploads),
        stored_dtype=_dtype(record),
        calibration="by the gains and baselines of the header",
        gaps=_gaps(channels, header),
        notices=tuple(_notices(header.has_rate, hinted, has_gains, wrong_sums)),
        time_of_day=str(record.base_time or "")[:8],
        unit_stated=has_gains,
    )


def _notices(has_rate: bool, hinted: str | float | None, has_gains: bool, wrong_sums: int) -> Iterator[str]:
    if not has_rate and hinted is not None:
        yield rate_taken(float(hinted))
    elif not has_rate:
        yield f"The header states no rate; {_DEFAULT_HZ:g} Hz, the WFDB default, is assumed."
    if not has_gains:
        yield "A signal states no gain; 200 a mV, the WFDB default, is assumed."
    if wrong_sums:
        yield (
            f"{wrong_sums} signals do not have the checksum of the header: they were changed, or are damaged."
        )


def _frame_hz(stated_hz: float, header: Header, hinted_hz: str | float | None) -> float:
    """Return the rate of frames: the header's, or the one that the user says where it is silent."""
    return checked_rate(float(stated_hz if header.has_rate or hinted_hz is None else hinted_hz))


def _check_files(master: str, by_name: dict[str, Upload]) -> None:
    missing = [name for name in needed_files(master, by_name) if name not in by_name]
    if missing:
        kinds = ", ".join(sorted({PurePosixPath(name).suffix or "without ending" for name in missing}))
        raise InvalidInput(
            f"expected the signal files that the header names; missing: {len(missing)} ({kinds})",
            hint="Upload the header (.hea) together with its signal file (.dat).",
        )


def _master(by_name: dict[str, Upload]) -> str:
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


@contextmanager
def _folder(uploads: Sequence[Upload], header: Upload) -> Iterator[Path]:
    """Write the files of one record to a private folder; yield the record's path."""
    with tempfile.TemporaryDirectory(prefix="healthdash-") as folder:
        for upload in uploads:
            name = base_name(upload.name)
            if PLAIN_NAME.match(name):
                data = _MICRO.sub(b"/u", upload.data) if name.endswith(".hea") else upload.data
                (Path(folder) / name).write_bytes(data)
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


def _segments(by_name: Mapping[str, Upload], header: Header) -> dict[str, Header]:
    """Return the headers of the segments by their name; none of a record without segments."""
    files = header.files if header.is_multi_segment else ()
    return {file.removesuffix(".hea"): parse_header(by_name[file].data) for file in files}


def _record(
    uploads: Sequence[Upload], master: Upload, header: Header, headers: Mapping[str, Header]
) -> tuple[Any, int]:
    """Return the record with `e_p_signal`, and how many signals do not have the header's checksum."""
    import wfdb

    with _translated("record"), _folder(uploads, master) as path:
        parts = _checked_claims(wfdb, path, header)
        record = _read_whole(wfdb, path, parts, uploads)
        segments = record.segments if header.is_multi_segment else [record]
        wrong = sum(_made_physical(segment) for segment in segments if segment is not None)
        if header.is_multi_segment:
            make_alike(record, _frame_hz(record.fs, header, master.hints.get("rate_hz")), headers)
            record = record.multi_to_single(physical=True, return_res=32, expanded=True)
    if not record.e_p_signal or not len(record.e_p_signal[0]):
        raise UnreadableUpload("the WFDB record holds no signal", hint="Upload its signal file too.")
    return record, wrong


def _read_whole(wfdb: Any, path: Path, parts: Sequence[Any], uploads: Sequence[Upload]) -> Any:
    """Return the record as it is stored; say where a file is cut off, which `wfdb` does not."""
    # wfdb 4.3.1 cannot hand out the stored integers of format 61, which are big-endian.
    as_stored = not any("61" in map(str, part.fmt or ()) for part in parts)
    try:
        return wfdb.rdrecord(
            str(path),
            physical=not as_stored,
            smooth_frames=False,
            m2s=False,
            return_res=64 if as_stored else 32,
        )
    except Exception:
        sizes = {base_name(upload.name): len(upload.data) for upload in uploads}
        for part in parts:
            check_whole(part, sizes)
        raise


def _made_physical(segment: Any) -> int:
    """Turn stored integers into physical values; count signals with another checksum than stated."""
    if not getattr(segment, "e_d_signal", None):
        return 0
    wrong = _wrong_sums(segment)
    segment.dac(expanded=True, return_res=32, inplace=True)
    return wrong


def _checked_claims(wfdb: Any, path: Path, header: Header) -> list[Any]:
    """Refuse gains that give no physical value, and more values than are opened, before any is read.

    Returns the headers, those of all segments if there are some.
    """
    read = wfdb.rdheader(str(path), rd_segments=header.is_multi_segment)
    parts = [part for part in (read.segments if header.is_multi_segment else [read]) if part is not None]
    total = 0
    for part in parts:
        for gain in part.adc_gain or ():
            checked_scale(float(gain), "gain")
        frames = [int(n or 1) for n in part.samps_per_frame or ()]
        if any(not 1 <= n <= _MOST_FRAME for n in frames):
            raise InvalidInput(
                "expected a usable number of samples a frame in the header",
                hint='Correct the number after "x" in the format of each signal.',
            )
        total += int(part.sig_len or 0) * sum(frames)
    if total:
        checked_size(total)
    return parts


def _wrong_sums(record: Any) -> int:
    """Count signals whose 16-bit sum is not that of the header; a skewed one has lost samples of it."""
    wrong = 0
    sums = record.checksum or [None] * record.n_sig
    for signal, stated, skew in zip(
        record.e_d_signal, sums, record.skew or [None] * record.n_sig, strict=True
    ):
        if stated is not None and not skew:
            wrong += int(np.sum(signal, dtype=np.int64)) % 65536 != int(stated) % 65536
    return wrong


def _channels(record: Any, frame_hz: float) -> tuple[Channel, ...]:
    names = [str(name or "") for name in record.sig_name]
    # An empty unit is millivolt by header(5).
    units = [str(unit or "mV") for unit in record.units]
    frames = [int(n or 1) for n in record.samps_per_frame or [1] * len(names)]
    named = channels_of(names, units, frame_hz, [np.asarray(row, np.float32) for row in record.e_p_signal])
    return tuple(
        Channel(channel.name, channel.unit, channel.rate_hz * many, channel.values)
        for channel, many in zip(named, frames, strict=True)
    )


def _stored_format(record: Any) -> str:
    formats = sorted({str(f) for f in (record.fmt or []) if f})
    return f"format {', '.join(formats)}" if formats else ""


def _dtype(record: Any) -> str:
    """Return the smallest integer that holds every stored format (8 and 80 to 32 bit)."""
    sizes = {"8": 8, "80": 8, "508": 8, "24": 24, "524": 24, "32": 32}
    bits = max((sizes.get(str(f), 16) for f in (getattr(record, "fmt", None) or [])), default=16)
    return f"int{bits}"


def _gaps(channels: tuple[Channel, ...], header: Header) -> tuple[str, ...]:
    if not any(np.isnan(channel.values).any() for channel in channels):
        return ()
    marked = "samples that the file marks as invalid, or lost by a skew"
    return (f"{marked}, or signals missing in a segment" if header.is_multi_segment else marked,)


def _marks(uploads: Sequence[Upload]) -> tuple[Mark, ...]:
    if not any(base_name(upload.name).endswith(".atr") for upload in uploads):
        return ()
    return tuple(
        Mark(float(at_s), f"{symbol} {note}".strip())
        for at_s, symbol, note in zip(*read_marks(uploads), strict=True)
    )


def read_marks(uploads: Sequence[Upload]) -> tuple[NDArray[np.float64], tuple[str, ...], tuple[str, ...]]:
    """Return the time in seconds, the code and the note of every mark of an annotation file (.atr).

    Marks are counted in the file's own time resolution, and in frames of the record where it has none.

    Parameters
    ----------
    uploads : sequence of Upload
        The header and the annotation file of one record; others are not looked at.

    Raises
    ------
    UnreadableUpload, InvalidInput
        The annotation is damaged, or its header is missing or of no usable rate.
    """
    by_name = {base_name(upload.name): upload for upload in uploads}
    file = next(name for name in by_name if name.endswith(".atr"))
    # Alone in its folder, so that `fs` is its own resolution and never that of a header.
    with _translated("annotation"), _folder([by_name[file]], by_name[file]) as path:
        read = annotation_of(path, "atr")
    clock_hz = checked_rate(float(read.fs)) if read.fs is not None else _frame_hz_of(by_name)
    # A note of a rhythm is written as "(AFIB" with a zero at its end.
    notes = tuple(str(note or "").strip("\x00 ").removeprefix("(") for note in read.aux_note)
    times_s = np.asarray(read.sample, np.int64) / clock_hz
    return times_s, tuple(str(one) for one in read.symbol), notes


def _frame_hz_of(by_name: dict[str, Upload]) -> float:
    """Return the rate of a record's frames."""
    import wfdb

    master = by_name[_master(by_name)]
    with _translated("record"), _folder([master], master) as path:
        stated_hz = wfdb.rdheader(str(path)).fs
    return _frame_hz(stated_hz, parse_header(master.data), master.hints.get("rate_hz"))
