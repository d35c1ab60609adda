"""GE MUSE XML ("RestingECG"): base64 of 16-bit counts, eight leads stored, four computed.

GE does not publish the format. Its tags say what they hold: `LeadAmplitudeUnitsPerBit`, `LeadAmplitudeUnits`,
`SampleBase` and `SampleExponent` (rate = base * 10^exponent), `LeadDataCRC32` over the counts. Checked
against the same recording in WFDB.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload

from .leads import completed
from .limits import checked_rate, checked_scale, checked_size
from .recording import Recording, channels_of
from .xml_tree import base64_bytes, child_text, named, parsed, root_name

__all__ = ["is_muse", "read_muse"]

_WHAT = "GE MUSE XML"
_MICROVOLT = {"MICROVOLTS": 1.0, "MILLIVOLTS": 1000.0, "NANOVOLTS": 0.001}
_FILTERS = (
    ("HighPassFilter", "high pass, hundredths of Hz"),
    ("LowPassFilter", "low pass, Hz"),
    ("ACFilter", "mains filter, Hz"),
)


def is_muse(data: bytes) -> bool:
    """Say whether bytes begin like GE MUSE XML."""
    return root_name(data) == "RestingECG"


def read_muse(uploads: Sequence[Upload]) -> Recording:
    """Read the rhythm of a MUSE file; the median beats in it are left out.

    Raises
    ------
    UnreadableUpload
        The XML or a lead is damaged, or of a form that is not read.
    InvalidInput
        There is no rhythm in it.
    """
    root = parsed(uploads[0].data, _WHAT)
    waves = [w for w in named(root, "Waveform") if child_text(w, "WaveformType").lower() == "rhythm"]
    if not waves:
        raise InvalidInput(
            "expected a rhythm in the MUSE file, got none", hint="Export it with its waveforms."
        )
    wave = waves[0]
    exponent = _number(wave, "SampleExponent", 0.0)
    if abs(exponent) > 9:
        raise UnreadableUpload(
            "expected a usable SampleExponent in the MUSE file, got one beyond 9",
            hint="Its rate is damaged: export it from MUSE again.",
        )
    rate_hz = checked_rate(_number(wave, "SampleBase", 0.0) * 10.0**exponent)
    found = [_lead(lead) for lead in named(wave, "LeadData")]
    stored = {name: values for name, values, _ in found}
    if not stored:
        raise InvalidInput("expected leads in the MUSE file, got none", hint="Export it again.")
    checked_size(max(map(len, stored.values())), len(stored))
    leads, computed = completed(stored)
    notices = (
        [f"{', '.join(computed)} are computed from I and II; the file stores the others."] if computed else []
    )
    changed = sum(not is_whole for _, _, is_whole in found)
    if changed:
        notices.append(f"{changed} leads do not have the checksum that the file states: they were changed.")
    return Recording(
        format="GE MUSE XML",
        channels=channels_of(list(leads), ["uV"] * len(leads), rate_hz, list(leads.values())),
        stored_dtype="int16",
        calibration="by the microvolts a bit of each lead",
        notices=tuple(notices),
        facts=tuple((name, text) for tag, name in _FILTERS if (text := child_text(wave, tag))),
        time_of_day=_clock(child_text(root, "AcquisitionTime")),
    )


def _number(element: Element, name: str, default: float) -> float:
    text = child_text(element, name)
    try:
        number = float(text) if text else default
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UnreadableUpload(
            f"expected a number in the tag {name} of the MUSE file", hint="Export it again."
        )
    return number


def _lead(lead: Element) -> tuple[str, NDArray[np.float32], bool]:
    """Return the name and the values of one lead, microvolt, and whether its checksum is right."""
    name = child_text(lead, "LeadID") or "lead"
    unit = child_text(lead, "LeadAmplitudeUnits", "MICROVOLTS").upper()
    size = _number(lead, "LeadSampleSize", 2.0)
    if unit not in _MICROVOLT or size != 2:
        raise UnreadableUpload(
            f"expected 16-bit samples in microvolt in the MUSE file, got {size:g} bytes",
            hint="Export the waveforms in microvolt, two bytes a sample.",
        )
    scale = checked_scale(
        _number(lead, "LeadAmplitudeUnitsPerBit", 0.0) * _MICROVOLT[unit], "amplitude a bit"
    )
    data = base64_bytes(child_text(lead, "WaveFormData"), _WHAT)
    claimed = _number(lead, "LeadSampleCountTotal", len(data) / 2)
    if len(data) % 2 or not 0 <= claimed <= len(data) / 2:
        raise UnreadableUpload(
            f"the MUSE file announces {claimed:,.0f} samples a lead, it holds {len(data) // 2:,}",
            hint="It is cut off: export it again.",
        )
    counts = np.frombuffer(data, "<i2", int(claimed))
    stated = child_text(lead, "LeadDataCRC32")
    is_whole = not stated.isdigit() or int(stated) == zlib.crc32(data)
    return name, (counts * np.float64(scale)).astype(np.float32), is_whole


def _clock(text: str) -> str:
    parts = text.split(":")
    return text if len(parts) == 3 and all(part.isdigit() for part in parts) else ""
