"""From bytes to a recording in millivolt: WFDB, EDF, BDF or text; the bytes decide, never the name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload

from . import edf_files, table_files, wfdb_files
from .sample import EcgSample, Stored, lead_kind, to_millivolt

__all__ = ["group", "read", "recognises"]

# Slower than the slowest monitor or faster than any ECG: a typing error or another unit.
_RATES_HZ = (40.0, 20_000.0)
# Above this a value without a unit cannot be millivolt (Kligfield 2007: QRS complexes stay below 5 mV).
_MOST_MV = 20.0
_ANNOTATIONS = (".atr",)
_STRANGERS = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive or an Office document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x80\x04", "a Python pickle, which is never opened"),
    (b"\x80\x05", "a Python pickle, which is never opened"),
    (b"<", "XML or HTML"),
)


def group(uploads: Sequence[Upload]) -> list[list[Upload]]:
    """Put header, signal files and annotations of one record together; others stand alone."""
    by_name = {wfdb_files.base_name(u.name): u for u in uploads}
    headers = [u for u in uploads if u.name.lower().endswith(".hea")]
    needed = {u.name: _needed(u, by_name) for u in headers}
    part_of_other = {name for names in needed.values() for name in names}
    groups: list[list[Upload]] = []
    used: set[int] = set()
    for header in headers:
        if wfdb_files.base_name(header.name) in part_of_other:
            continue
        stem = wfdb_files.base_name(header.name)[: -len(".hea")]
        names = [*needed[header.name], *(stem + ending for ending in _ANNOTATIONS)]
        files = [header, *(by_name[name] for name in names if name in by_name)]
        used.update(id(upload) for upload in files)
        groups.append(files)
    alone = [[upload] for upload in uploads if id(upload) not in used]
    order = {id(upload): i for i, upload in enumerate(uploads)}
    return sorted([*groups, *alone], key=lambda files: order[id(files[0])])


def _needed(header: Upload, by_name: dict[str, Upload]) -> list[str]:
    try:
        return wfdb_files.needed_files(wfdb_files.base_name(header.name), by_name)
    except (UnreadableUpload, InvalidInput):
        return []  # `read` says what is wrong with it


def recognises(upload: Upload) -> bool:
    """Say from the first bytes whether this may be a recorded signal."""
    data = upload.data
    return edf_files.is_edf(data) or wfdb_files.is_header(data) or table_files.looks_like_signal(data)


def read(uploads: Sequence[Upload]) -> EcgSample:
    """Read one recording.

    Parameters
    ----------
    uploads : sequence of Upload
        The files of one recording. `hints` may hold "rate_hz" and "unit" where a file is silent.

    Raises
    ------
    UnreadableUpload
        The bytes are of no known form, or damaged.
    InvalidInput
        The rate is missing, or a file that belongs to the recording is.
    """
    first = uploads[0]
    if any(wfdb_files.is_header(u.data) for u in uploads) or first.name.lower().endswith((".dat", ".atr")):
        return _from_wfdb(uploads)
    if edf_files.is_edf(first.data):
        return _from_edf(first)
    for start, name in _STRANGERS:
        if first.data.startswith(start):
            raise UnreadableUpload(
                f"expected an ECG (WFDB, EDF or CSV), got {name}", hint="Export the recording's signal."
            )
    return _from_table(first)


def _from_wfdb(uploads: Sequence[Upload]) -> EcgSample:
    record, header = wfdb_files.read_record(uploads)
    hinted = uploads[0].hints.get("rate_hz")
    notices = []
    if not header.has_rate and hinted is None:
        notices.append("The header states no rate; 250 Hz, the WFDB default, is assumed.")
    return _sample(
        uploads[0],
        np.asarray(record.p_signal),
        rate_hz=float(record.fs) if header.has_rate or hinted is None else float(hinted),
        leads=tuple(str(name or f"lead {i + 1}") for i, name in enumerate(record.sig_name)),
        units=tuple(str(unit or "mV") for unit in record.units),
        format_=f"WFDB {'multi-segment' if header.is_multi_segment else _stored_format(record)}".strip(),
        annotation=wfdb_files.read_annotation(uploads, header),
        notices=notices,
    )


def _stored_format(record: Any) -> str:
    formats = sorted({str(f) for f in (record.fmt or []) if f})
    return f"format {', '.join(formats)}" if formats else ""


def _from_edf(upload: Upload) -> EcgSample:
    recording = edf_files.read_edf(upload)
    left_out = len(recording.left_out)
    notices = [f"{left_out} channels of another rate are left out."] if left_out else []
    return _sample(
        upload,
        recording.signal,
        rate_hz=recording.rate_hz,
        leads=recording.leads,
        units=recording.units,
        format_=recording.format,
        notices=notices,
    )


def _from_table(upload: Upload) -> EcgSample:
    recording = table_files.read_table(upload)
    hinted_rate, hinted_unit = upload.hints.get("rate_hz"), upload.hints.get("unit")
    rate_hz = recording.rate_hz or (float(hinted_rate) if hinted_rate else None)
    if rate_hz is None:
        raise InvalidInput(
            "the file does not say its sampling rate",
            hint="Enter the rate in hertz, add a column time_s, or a first line such as '# rate_hz: 250'.",
        )
    unit = recording.unit or (str(hinted_unit) if hinted_unit else None)
    notices, stated = list(recording.notices), unit is not None
    if unit is None:
        unit = _guessed_unit(recording.signal)
        notices.append(f"The file states no unit; from the size of its values, {unit} is assumed.")
    return _sample(
        upload,
        recording.signal,
        rate_hz=rate_hz,
        leads=recording.leads,
        units=(unit,) * len(recording.leads),
        format_=recording.format,
        notices=notices,
        unit_stated=stated,
    )


def _guessed_unit(signal: NDArray[np.float32]) -> str:
    low, high = np.nanpercentile(signal, [1, 99]) if np.isfinite(signal).any() else (0.0, 0.0)
    return "uV" if high - low > _MOST_MV else "mV"


def _sample(
    upload: Upload,
    signal: NDArray[Any],
    *,
    rate_hz: float,
    leads: tuple[str, ...],
    units: tuple[str, ...],
    format_: str,
    notices: list[str],
    unit_stated: bool = True,
    annotation: Any = None,
) -> EcgSample:
    """Keep the leads that may be ECG, in millivolt, gaps bridged."""
    if not _RATES_HZ[0] <= rate_hz <= _RATES_HZ[1]:
        raise InvalidInput(
            f"expected a rate of {_RATES_HZ[0]:g} to {_RATES_HZ[1]:g} Hz, got {rate_hz:g}",
            hint="Check the time column, or enter the rate.",
        )
    if signal.ndim != 2 or signal.size == 0:
        raise InvalidInput("the recording holds no samples", hint="Export it again.")
    kept = _ecg_channels(leads, units)
    chosen = np.asarray(signal[:, kept], np.float32) * np.asarray(
        [to_millivolt(units[i]) or 1.0 for i in kept], np.float32
    )
    gaps = float(np.mean(~np.isfinite(chosen)))
    if len(kept) < len(leads):
        notices.append(f"{len(leads) - len(kept)} channels that are no ECG leads are left out.")
    if gaps > 0:
        notices.append(f"{gaps:.1%} of the values are marked as missing; they are bridged by straight lines.")
    return EcgSample(
        source=upload.name,
        kind="signal",
        format=format_,
        notices=tuple(notices),
        signal_mv=_bridged(chosen) if gaps else chosen,
        rate_hz=rate_hz,
        leads=tuple(leads[i] for i in kept),
        stored=_stored(signal, leads, units),
        unit_stated=unit_stated,
        gap_share=gaps,
        annotation=annotation,
    )


def _ecg_channels(leads: Sequence[str], units: Sequence[str]) -> list[int]:
    """Return ECG leads; where no name says so, the unknown voltages; else all, for the gate to refuse."""
    kinds = [lead_kind(name) for name in leads]
    volts = [to_millivolt(unit) is not None for unit in units]
    # "NU" (no unit) and an empty unit are common in exported ECGs whose leads are named.
    sure = [
        i for i, kind in enumerate(kinds) if kind == "ecg" and (volts[i] or units[i] in ("", "NU", "adu"))
    ]
    unknown = [i for i, kind in enumerate(kinds) if kind == "unknown" and volts[i]]
    return sure or unknown or list(range(len(leads)))


def _stored(signal: NDArray[Any], leads: tuple[str, ...], units: tuple[str, ...]) -> Stored:
    known = np.isfinite(signal)
    low, high = (float(np.nanmin(signal)), float(np.nanmax(signal))) if known.any() else (0.0, 0.0)
    return Stored(
        shape=signal.shape,
        dtype=str(signal.dtype),
        low=low,
        high=high,
        unit=units[0] if len(set(units)) == 1 else ", ".join(dict.fromkeys(units)),
        leads=leads,
    )


def _bridged(signal_mv: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the signal with missing values on the straight line between their neighbours."""
    filled = signal_mv.copy()
    at = np.arange(len(signal_mv))
    for lead in filled.T:
        known = np.isfinite(lead)
        lead[:] = np.interp(at, at[known], lead[known]) if known.any() else 0.0
    return filled
