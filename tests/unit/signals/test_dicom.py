"""DICOM waveforms: byte order, sensitivity, correction, baseline, units and padding, beside pydicom."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from healthdash.errors import InputError
from healthdash.signals import formats
from healthdash.signals.recording import Recording
from healthdash.task import Upload
from tests.unit.signals.test_formats import LEADS, dicom_file

COUNTS = np.random.default_rng(5).integers(-3000, 3000, (500, len(LEADS)))
_SIZES = {"SS": (16, "<i2"), "US": (16, "<u2"), "SB": (8, "i1"), "SL": (32, "<i4"), "UL": (32, "<u4")}


def _file(change: Callable[[Any], None], kind: str = "SS", syntax: Any = ExplicitVRLittleEndian) -> bytes:
    """Return a file with these counts, changed, in a transfer syntax."""
    whole = pydicom.dcmread(io.BytesIO(dicom_file(Path())[0].data))
    group = whole.WaveformSequence[0]
    bits, dtype = _SIZES[kind]
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = bits, kind
    group.NumberOfWaveformSamples = len(COUNTS)
    stored = _stored(kind).astype(dtype)
    group.WaveformData = stored.tobytes()
    group["WaveformData"].VR = "OW" if bits > 8 else "OB"
    change(group)
    if syntax == ExplicitVRBigEndian:  # pydicom writes words as they are given
        for name in ("WaveformData", "WaveformPaddingValue"):
            if name in group and bits > 8:
                group[name].VR = "OW"
                group[name].value = np.frombuffer(group[name].value, "<u2").byteswap().tobytes()
    whole.file_meta.TransferSyntaxUID = syntax
    file = io.BytesIO()
    pydicom.dcmwrite(file, whole, enforce_file_format=True, overwrite=True)
    return file.getvalue()


def _stored(kind: str) -> np.ndarray:
    if kind == "SB":
        return COUNTS % 200 - 100
    return COUNTS + 3000 if kind.startswith("U") else COUNTS


def _read(data: bytes) -> Recording:
    return formats.read([Upload("x", data)])


def _values(recording: Recording) -> np.ndarray:
    return np.stack([channel.values for channel in recording.channels], axis=1)


def _scaled(group: Any) -> None:
    for number, channel in enumerate(group.ChannelDefinitionSequence):
        channel.ChannelSensitivity = 0.00125 + 0.001 * number
        channel.ChannelSensitivityCorrectionFactor = 0.97
        channel.ChannelBaseline = -0.5 + 0.25 * number


def _set_raw(group: Any, name: str, value: Any) -> None:
    """Write a number of the first channel that pydicom itself would not."""
    from pydicom.datadict import tag_for_keyword
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    raw = str(value).ljust(len(str(value)) + len(str(value)) % 2).encode()
    tag = Tag(tag_for_keyword(name))
    group.ChannelDefinitionSequence[0]._dict[tag] = RawDataElement(tag, "DS", len(raw), raw, 0, False, True)


@pytest.mark.parametrize("kind", list(_SIZES))
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_values_are_those_of_pydicom(kind: str, syntax: Any) -> None:
    data = _file(_scaled, kind, syntax)
    expected = pydicom.dcmread(io.BytesIO(data)).waveform_array(0)
    assert np.allclose(_values(_read(data)), expected, atol=1e-4)


@pytest.mark.parametrize("kind", list(_SIZES))
def test_big_endian_has_the_same_values(kind: str) -> None:
    data = _file(_scaled, kind, ExplicitVRBigEndian)
    assert np.array_equal(_values(_read(data)), _values(_read(_file(_scaled, kind))))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_padding_is_a_gap_in_either_byte_order(syntax: Any) -> None:
    def padded(group: Any) -> None:
        stored = COUNTS.astype("<i2")
        stored[100:150] = -32768
        group.WaveformData = stored.tobytes()
        group.add_new("WaveformPaddingValue", "OW", np.int16(-32768).tobytes())

    recording = _read(_file(padded, "SS", syntax))
    gaps = np.isnan(_values(recording))
    assert gaps[100:150].all()
    assert gaps.sum() == 50 * len(LEADS)
    assert recording.gaps == ("samples with the padding value",)


@pytest.mark.parametrize(("code", "unit"), [("uV", "uV"), ("mV", "mV"), ("V", "V"), ("mm[Hg]", "mm[Hg]")])
def test_units_are_those_of_the_code(code: str, unit: str) -> None:
    def coded(group: Any) -> None:
        for channel in group.ChannelDefinitionSequence:
            channel.ChannelSensitivityUnitsSequence[0].CodeValue = code

    assert {channel.unit for channel in _read(_file(coded)).channels} == {unit}


@pytest.mark.parametrize(
    ("scheme", "code", "meaning", "name"),
    [
        ("MDC", "2:62", "aVR, augmented voltage, right", "aVR"),
        ("SCPECG", "5.6.3-9-61", "Lead III (Einthoven)", "III"),
        ("MDC", "2:88", "VR, nonaugmented voltage, vector of RA", "VR"),
        ("MDC", "2:148", "Canine, fifth right intercostal space", "Canine, fifth right intercostal space"),
        ("99LOCAL", "2:62", "Lead V1 (left)", "V1"),
    ],
)
def test_a_lead_without_a_label_is_named_by_its_code(scheme: str, code: str, meaning: str, name: str) -> None:
    def coded(group: Any) -> None:
        channel = group.ChannelDefinitionSequence[0]
        channel.ChannelLabel = ""
        source = channel.ChannelSourceSequence[0]
        source.CodingSchemeDesignator, source.CodeValue, source.CodeMeaning = scheme, code, meaning

    assert _read(_file(coded)).channels[0].name == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ChannelSensitivity", 0), ("ChannelSensitivity", "nan"), ("ChannelSensitivity", "x"),
        ("ChannelSensitivityCorrectionFactor", 0), ("ChannelBaseline", "inf"),
    ],
)  # fmt: skip
def test_a_scale_that_is_none_is_refused_and_never_replaced(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=r"sensitivity|correction factor|baseline|numbers"):
        _read(_file(lambda group: _set_raw(group, name, value)))


@pytest.mark.parametrize(
    ("stated", "first", "second"),
    [
        ({"ChannelSampleSkew": 50}, 0, 50),
        ({"ChannelTimeSkew": 0.1}, 0, 50),
        ({"ChannelSampleSkew": 20, "ChannelOffset": 0.06}, 0, 50),
        ({"ChannelOffset": -0.1}, 50, 0),
        ({"ChannelSampleSkew": 0.4}, 0, 0),
    ],
)
def test_channels_that_begin_at_different_times_are_aligned(
    stated: dict[str, float], first: int, second: int
) -> None:
    def skewed(group: Any) -> None:
        for name, value in stated.items():
            setattr(group.ChannelDefinitionSequence[1], name, value)

    recording = _read(_file(skewed))
    expected = np.full((len(COUNTS) + max(first, second), 2), np.nan, np.float32)
    for number, (start, row) in enumerate(
        zip((first, second), _values(_read(_file(lambda _: None))).T, strict=True)
    ):
        expected[start : start + len(COUNTS), number] = row
    assert np.array_equal(_values(recording), expected, equal_nan=True)
    assert bool(recording.gaps) == (first != second)


@pytest.mark.parametrize("skew", ["1e9", "-1e300", "nan"])
def test_a_start_far_away_is_refused_before_memory_is_taken(skew: str) -> None:
    with pytest.raises(InputError):
        _read(_file(lambda group: _set_raw(group, "ChannelSampleSkew", skew)))


@pytest.mark.parametrize("rate", [0, None])
def test_a_waveform_without_a_rate_is_refused(rate: Any) -> None:
    with pytest.raises(InputError, match="sampling rate"):
        _read(_file(lambda group: setattr(group, "SamplingFrequency", rate)))


@pytest.mark.filterwarnings("ignore")
def test_a_file_that_is_cut_off_or_damaged_is_refused_with_a_reason() -> None:
    whole = _file(lambda _: None)
    described = len(whole) - len(COUNTS) * len(LEADS) * 2
    for at in range(260, described, 7):
        with pytest.raises(InputError):
            _read(whole[:at])
        for value in (0, 0x44, 0xFF):
            with suppress(InputError):
                _read(whole[:at] + bytes([value]) + whole[at + 1 :])
