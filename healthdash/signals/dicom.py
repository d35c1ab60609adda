"""Waveforms of DICOM (PS3.3 C.10.9, Waveform Module): ECG, haemodynamics, EEG..."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload

from .leads import CODED
from .limits import checked_rate, checked_scale, checked_size
from .recording import Recording, channels_of

__all__ = ["is_waveform", "read_waveform"]

#: Storage classes of waveforms (PS3.4 B.5); the meta header names one in its first bytes.
_CLASSES = b"1.2.840.10008.5.1.4.1.1.9."
_META = slice(128, 2048)
#: Deflated sets unpack without a bound (PS3.5 A.5), so that they are refused before.
_DEFLATED = b"1.2.840.10008.1.2.1.99"
#: PS3.3 C.10.9.1.5, without the logarithmic ones.
_TYPES = {
    **{("SB", 8): "i1", ("UB", 8): "u1", ("SS", 16): "<i2", ("US", 16): "<u2"},
    **{("SL", 32): "<i4", ("UL", 32): "<u4"},
}
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
#: A lead by the nomenclature of ISO/IEEE 11073, as PS3.16 CID 3001 has it today, and as it had it before.
_LEADS = {"MDC": re.compile(r"2:(\d{1,3})"), "SCPECG": re.compile(r"5\.6\.3-9-(\d{1,3})")}
_EXPLAINED = re.compile(r" \(|, (?:non)?augmented")
_PREFIXES = ("lead ", "einthoven ", "goldberger ")


def is_waveform(data: bytes) -> bool:
    """Say whether bytes are DICOM of a storage class of waveforms."""
    return data[128:132] == b"DICM" and _CLASSES in data[_META]


def read_waveform(uploads: Sequence[Upload]) -> Recording:
    """Read the longest group of channels that were recorded together; median beats are left out.

    Raises
    ------
    UnreadableUpload
        It is damaged, deflated, or its samples are of a form that is not read.
    InvalidInput
        It holds no waveform.
    """
    data = uploads[0].data
    if _DEFLATED in data[_META]:
        raise UnreadableUpload(
            "the DICOM file is deflated, which can unpack without a bound; it is not opened",
            hint="Export it in Explicit VR Little Endian.",
        )
    import pydicom

    with _translated("the file begins like DICOM, but is damaged or cut off"):
        whole = pydicom.dcmread(io.BytesIO(data))
    # Most of a file is decoded only when it is looked at.
    with _translated("the DICOM waveform is cut off, or has no numbers where it describes its channels"):
        is_big = str(whole.file_meta.get("TransferSyntaxUID", "")) == _BIG_ENDIAN
        return _longest(list(whole.get("WaveformSequence") or []), is_big)


@contextmanager
def _translated(message: str) -> Iterator[None]:
    """Turn whatever `pydicom` raises into an error that a user can act on."""
    try:
        yield
    except (InvalidInput, UnreadableUpload):
        raise
    except Exception as error:  # pydicom raises nearly every built-in error on damaged files
        raise UnreadableUpload(message, hint="Export it again.") from error


def _longest(groups: list[Any], is_big: bool) -> Recording:
    """Return the longest group, median beats left out."""
    if not groups:
        raise InvalidInput("expected a waveform in the DICOM file, got none", hint="Choose another file.")
    rhythm = [g for g in groups if "median" not in str(g.get("MultiplexGroupLabel", "")).lower()] or groups
    group = max(rhythm, key=lambda g: int(g.get("NumberOfWaveformSamples") or 0))
    left_out = len(groups) - 1
    notices = [f"{left_out} other groups of channels are left out."] if left_out else []
    return _recording(group, notices, is_big=is_big)


def _recording(group: Any, notices: list[str], *, is_big: bool) -> Recording:
    definitions = list(group.get("ChannelDefinitionSequence") or [])
    counts = _counts(group, len(definitions), is_big)
    names = [_name(definition, n) for n, definition in enumerate(definitions)]
    units = [_unit(definition) for definition in definitions]
    padding = _stored(group, "WaveformPaddingValue", is_big)[: counts.dtype.itemsize]
    empty = np.frombuffer(padding, counts.dtype)[0] if len(padding) == counts.dtype.itemsize else None
    rows = [_physical(definition, counts[:, n], empty) for n, definition in enumerate(definitions)]
    gaps = ["samples with the padding value"] if any(np.isnan(row).any() for row in rows) else []
    rate_hz = checked_rate(float(group.get("SamplingFrequency") or 0))
    starts = [_start(definition, rate_hz) for definition in definitions]
    if len(set(starts)) > 1:
        rows = _aligned(rows, starts)
        gaps.append("channels that begin at different times")
    return Recording(
        format="DICOM waveform",
        channels=channels_of(names, units, rate_hz, rows),
        stored_dtype=str(counts.dtype),
        calibration="by the sensitivity, correction and baseline of each channel",
        gaps=tuple(gaps),
        notices=tuple(notices),
        facts=_facts(definitions),
    )


def _physical(definition: Any, stored: NDArray[Any], empty: Any) -> NDArray[np.float32]:
    """Return the samples of one channel in its unit, NaN where padded.

    PS3.3 C.10.9.1.4.2 and .3: the sensitivity is that of one count, the correction multiplies it, and the
    baseline, which is in the unit of the sensitivity, is added.
    """
    scale = checked_scale(_number(definition, "ChannelSensitivity", 1.0), "sensitivity")
    scale *= checked_scale(
        _number(definition, "ChannelSensitivityCorrectionFactor", 1.0), "correction factor"
    )
    baseline = _number(definition, "ChannelBaseline", 0.0)
    if not math.isfinite(baseline):
        raise UnreadableUpload("expected a finite baseline in the DICOM waveform", hint="Export it again.")
    values = (stored * scale + baseline).astype(np.float32)
    if empty is not None:
        values[stored == empty] = np.nan
    return values


def _start(definition: Any, rate_hz: float) -> int:
    """Return the place of a channel's first sample, in samples from the start of its group.

    PS3.3 C.10.9.1.4.3: the skew is stated in samples or in seconds, a further offset in seconds.
    """
    skew = _number(definition, "ChannelSampleSkew", 0.0)
    skew = skew or rate_hz * _number(definition, "ChannelTimeSkew", 0.0)
    return round(skew + rate_hz * _number(definition, "ChannelOffset", 0.0))


def _aligned(rows: Sequence[NDArray[np.float32]], starts: Sequence[int]) -> list[NDArray[np.float32]]:
    """Return channels of one length on one time axis, NaN before and after each."""
    first, samples = min(starts), len(rows[0])
    length = samples + max(starts) - first
    checked_size(length, len(rows))
    whole = np.full((len(rows), length), np.nan, np.float32)
    for place, row, start in zip(whole, rows, starts, strict=True):
        place[start - first : start - first + samples] = row
    return list(whole)


def _number(definition: Any, name: str, usual: float) -> float:
    """Return a number of a definition; the usual one only where none is stated, never instead of 0."""
    stated = definition.get(name)
    return usual if stated is None or stated == "" else float(stated)


def _stored(group: Any, name: str, is_big: bool) -> bytes:
    """Return bytes of a group as little endian holds them: words of VR OW are swapped (PS3.5 6.2)."""
    data = bytes(group.get(name) or b"")
    if not data or not is_big or group[name].VR != "OW":
        return data
    return np.frombuffer(data, ">u2", len(data) // 2).astype("<u2").tobytes()


def _counts(group: Any, defined: int, is_big: bool) -> NDArray[Any]:
    """Return the stored samples (samples, channels)."""
    channels = int(group.get("NumberOfWaveformChannels") or 0)
    samples = int(group.get("NumberOfWaveformSamples") or 0)
    checked_size(samples, channels)
    kind = (str(group.get("WaveformSampleInterpretation")), int(group.get("WaveformBitsAllocated") or 0))
    if kind not in _TYPES or channels != defined:
        raise UnreadableUpload(
            "expected plain samples of 8, 16 or 32 bit, each channel defined, in the DICOM waveform",
            hint="Export the ECG as DICOM with 16-bit samples, or as CSV.",
        )
    data, dtype = _stored(group, "WaveformData", is_big), np.dtype(_TYPES[kind])
    if len(data) < samples * channels * dtype.itemsize:
        raise UnreadableUpload(
            f"the DICOM waveform announces {samples:,} samples of {channels} channels, it holds less",
            hint="It is cut off: export it again.",
        )
    return np.frombuffer(data, dtype, samples * channels).reshape(samples, channels)


def _name(definition: Any, number: int) -> str:
    """Return the label of a channel, else the lead of its code, else what the code means."""
    sources = definition.get("ChannelSourceSequence") or []
    source = sources[0] if len(sources) else {}
    label, meaning = (str(one or "") for one in (definition.get("ChannelLabel"), source.get("CodeMeaning")))
    form = _LEADS.get(str(source.get("CodingSchemeDesignator")))
    code = form.fullmatch(str(source.get("CodeValue"))) if form else None
    coded = CODED.get(int(code.group(1)), "") if code else ""
    name = label or coded or meaning
    for prefix in _PREFIXES:
        if name.lower().startswith(prefix):
            name = name[len(prefix) :]
    return _EXPLAINED.split(name)[0].strip() or f"channel {number + 1}"


def _unit(definition: Any) -> str:
    units = definition.get("ChannelSensitivityUnitsSequence") or []
    return str(units[0].get("CodeValue") or "") if len(units) else ""


def _facts(definitions: Sequence[Any]) -> tuple[tuple[str, str], ...]:
    tags = (
        ("FilterLowFrequency", "high pass, Hz"),
        ("FilterHighFrequency", "low pass, Hz"),
        ("NotchFilterFrequency", "notch, Hz"),
    )
    return tuple((name, f"{definitions[0].get(tag):g}") for tag, name in tags if definitions[0].get(tag))
