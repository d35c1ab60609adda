"""Waveforms of DICOM (PS3.3 C.10.9, Waveform Module): ECG, haemodynamics, EEG..."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload

from .limits import checked_rate, checked_scale, checked_size
from .recording import Recording, channels_of

__all__ = ["is_waveform", "read_waveform"]

#: Storage classes of waveforms (PS3.4 B.5); the meta header names one in its first bytes.
_CLASSES = b"1.2.840.10008.5.1.4.1.1.9."
_META = slice(128, 2048)
#: Deflated sets unpack without a bound (PS3.5 A.5), so that they are refused before.
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_TYPES = {("SS", 16): "<i2", ("US", 16): "<u2", ("SB", 8): "i1", ("UB", 8): "u1", ("SL", 32): "<i4"}
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
    groups = list(_dataset(data).get("WaveformSequence") or [])
    if not groups:
        raise InvalidInput("expected a waveform in the DICOM file, got none", hint="Choose another file.")
    rhythm = [g for g in groups if "median" not in str(g.get("MultiplexGroupLabel", "")).lower()] or groups
    group = max(rhythm, key=lambda g: int(g.get("NumberOfWaveformSamples") or 0))
    left_out = len(groups) - 1
    return _recording(group, [f"{left_out} other groups of channels are left out."] if left_out else [])


def _dataset(data: bytes) -> Any:
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        return pydicom.dcmread(io.BytesIO(data))
    except (InvalidDicomError, AttributeError, ValueError, KeyError, EOFError, NotImplementedError) as error:
        raise UnreadableUpload(
            "the file begins like DICOM, but is damaged or cut off", hint="Export it again."
        ) from error


def _recording(group: Any, notices: list[str]) -> Recording:
    definitions = list(group.get("ChannelDefinitionSequence") or [])
    counts = _counts(group, len(definitions))
    names = [_name(definition, n) for n, definition in enumerate(definitions)]
    units = [_unit(definition) for definition in definitions]
    rows = []
    padding = group.get("WaveformPaddingValue")
    empty = int.from_bytes(padding, "little", signed=True) if isinstance(padding, bytes) and padding else None
    for number, definition in enumerate(definitions):
        stored = counts[:, number]
        scale = float(definition.get("ChannelSensitivity") or 1.0)
        scale *= float(definition.get("ChannelSensitivityCorrectionFactor") or 1.0)
        # PS3.3 C.10.9.1.4.3: the baseline is in the unit of the sensitivity, and added.
        values = stored * np.float32(checked_scale(scale, "sensitivity"))
        values = values + np.float32(definition.get("ChannelBaseline") or 0.0)
        if empty is not None:
            values[stored == empty] = np.nan
        rows.append(values.astype(np.float32))
    has_gaps = any(np.isnan(row).any() for row in rows)
    return Recording(
        format="DICOM waveform",
        channels=channels_of(names, units, checked_rate(float(group.get("SamplingFrequency") or 0)), rows),
        stored_dtype=str(counts.dtype),
        calibration="by the sensitivity, correction and baseline of each channel",
        gaps=("samples with the padding value",) if has_gaps else (),
        notices=tuple(notices),
        facts=_facts(definitions),
    )


def _counts(group: Any, defined: int) -> NDArray[Any]:
    """Return the stored samples (samples, channels)."""
    channels = int(group.get("NumberOfWaveformChannels") or 0)
    samples = int(group.get("NumberOfWaveformSamples") or 0)
    checked_size(samples, channels)
    kind = (str(group.get("WaveformSampleInterpretation")), int(group.get("WaveformBitsAllocated") or 0))
    if kind not in _TYPES or channels != defined:
        raise UnreadableUpload(
            "expected plain samples of 8, 16 or 32 bit, each channel defined, in the DICOM waveform"
        )
    data, dtype = bytes(group.get("WaveformData") or b""), np.dtype(_TYPES[kind])
    if len(data) < samples * channels * dtype.itemsize:
        raise UnreadableUpload(
            f"the DICOM waveform announces {samples:,} samples of {channels} channels, it holds less",
            hint="It is cut off: export it again.",
        )
    return np.frombuffer(data, dtype, samples * channels).reshape(samples, channels)


def _name(definition: Any, number: int) -> str:
    label = str(definition.get("ChannelLabel") or "")
    sources = definition.get("ChannelSourceSequence") or []
    name = label or (str(sources[0].get("CodeMeaning") or "") if len(sources) else "")
    for prefix in _PREFIXES:
        if name.lower().startswith(prefix):
            name = name[len(prefix) :]
    return name.split(" (")[0].strip() or f"channel {number + 1}"


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
