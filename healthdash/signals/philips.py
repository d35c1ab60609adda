"""Philips XML ("restingecgdata", SierraECG and PhilipsECG 1.03 and 1.04): leads plain or packed by XLI.

Packed files store limb leads as what is left after computing them from I and II; the formulas are those of
the Sierra ECG tools (MIT), see `xli`.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload

from . import xli
from .leads import STANDARD
from .limits import checked_rate, checked_scale, checked_size
from .recording import Recording, channels_of
from .xml_tree import base64_bytes, child_text, named, numbers, parsed, root_name

__all__ = ["is_philips", "read_philips"]

_WHAT = "Philips ECG XML"
_KINDS = ("SierraECG", "PhilipsECG")
_LIMBS = ("I", "II", "III", "aVR", "aVL", "aVF")
#: No heart makes all leads alike for so long: at the end of the recording it is a calibration pulse.
_LEAST_PULSE_S = 0.2


def is_philips(data: bytes) -> bool:
    """Say whether bytes begin like Philips ECG XML."""
    return root_name(data) == "restingecgdata"


def read_philips(uploads: Sequence[Upload]) -> Recording:
    """Read the leads of a Philips file.

    Raises
    ------
    UnreadableUpload
        It is damaged, or of another document type than SierraECG or PhilipsECG.
    InvalidInput
        It holds no waveforms.
    """
    root = parsed(uploads[0].data, _WHAT)
    if child_text(root, "documenttype") not in _KINDS:
        raise UnreadableUpload(
            f"expected a document of type {' or '.join(_KINDS)} in the XML, got another",
            hint="Export the ECG as Philips XML 1.03 or 1.04.",
        )
    waves = next(named(root, "parsedwaveforms"), None)
    details = next(named(root, "signalcharacteristics"), None)
    if waves is None or details is None or not (waves.text or "").strip():
        raise InvalidInput(
            "expected waveforms in the Philips file, got none", hint="Export it with its waveforms."
        )
    rate_hz = checked_rate(_number(child_text(details, "samplingrate"), "the sampling rate"))
    duration_ms = _number(waves.get("durationperchannel", ""), "the duration")
    samples = round(duration_ms * rate_hz / 1000)
    names = _names(waves, details)
    checked_size(samples, len(names))
    leads, packing = _leads(waves, names, samples)
    resolution = waves.get("resolution") or child_text(details, "resolution")
    scale = checked_scale(_number(resolution, "the resolution"), "resolution")
    offset = _number(
        waves.get("signaloffset") or child_text(details, "signaloffset", "0") or "0", "the offset"
    )
    heart = _without_pulse(list(leads.values()), rate_hz)
    rows = [((values - offset) * scale).astype(np.float32) for values in heart]
    return Recording(
        format=f"Philips XML{packing}",
        channels=channels_of(list(leads), ["uV"] * len(rows), rate_hz, rows),
        stored_dtype="int16",
        calibration="by the microvolts a bit of the header",
        notices=_left_out(samples - len(rows[0]), rate_hz),
        facts=_facts(details),
    )


def _number(text: str, what: str) -> float:
    found = numbers(text, what)
    if len(found) != 1 or not np.isfinite(found[0]):
        raise UnreadableUpload(f"expected {what} in the Philips file, got none", hint="Export it again.")
    return float(found[0])


def _names(waves: Element, details: Element) -> list[str]:
    stated = (waves.get("leadlabels") or "").split()
    count = waves.get("numberofleads") or child_text(details, "numberchannelsallocated") or str(len(stated))
    number = int(_number(count, "the number of leads"))
    checked_size(1, number)
    usual = [STANDARD[i] if i < len(STANDARD) else f"channel {i + 1}" for i in range(number)]
    return stated[:number] if len(stated) >= number else usual


def _leads(waves: Element, names: list[str], samples: int) -> tuple[dict[str, NDArray[np.float64]], str]:
    if waves.get("dataencoding", "Base64") != "Base64":
        raise UnreadableUpload(
            "expected base64 waveforms in the Philips file, got another encoding",
            hint="Export it with waveforms in base64.",
        )
    data = base64_bytes(waves.text or "", _WHAT)
    method = waves.get("compressmethod") or waves.get("compression") or "Uncompressed"
    if method == "XLI":
        rows = xli.unpacked(data, samples + 1)
    elif method in ("Uncompressed", "None"):
        whole = np.frombuffer(data, "<i2", len(data) // 2)
        rows = [whole[i * samples : (i + 1) * samples] for i in range(len(names))]
    else:
        raise UnreadableUpload(
            "expected waveforms packed by XLI or not at all in the Philips file, got another packing",
            hint="Export it with XLI compression, or uncompressed.",
        )
    if len(rows) < len(names) or any(len(row) < samples for row in rows[: len(names)]):
        raise UnreadableUpload(
            f"the Philips file announces {len(names)} leads of {samples:,} samples, it holds less",
            hint="It is cut off: export it again.",
        )
    kept = {name: row[:samples].astype(np.int64) for name, row in zip(names, rows, strict=False)}
    whole_leads = _with_limbs(kept) if method == "XLI" and tuple(names[:6]) == _LIMBS else kept
    floats = {name: values.astype(np.float64) for name, values in whole_leads.items()}
    return floats, ", packed by XLI" if method == "XLI" else ""


def _with_limbs(leads: dict[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
    """Return the limb leads whole: stored is only what their computation misses."""
    one, two = leads["I"], leads["II"]
    three = two - one - leads["III"]
    limbs = {
        "III": three,
        "aVR": -leads["aVR"] - (one + two) // 2,
        "aVL": (one - three) // 2 - leads["aVL"],
        "aVF": (two + three) // 2 - leads["aVF"],
    }
    return {name: limbs.get(name, values) for name, values in leads.items()}


def _without_pulse(leads: Sequence[NDArray[np.float64]], rate_hz: float) -> list[NDArray[np.float64]]:
    """Return the leads up to where all of them hold the same values until the end; whole ones if never."""
    unlike = np.flatnonzero(np.ptp(leads, axis=0))
    end = int(unlike[-1]) + 1 if len(unlike) else len(leads[0])
    is_pulse = len(leads[0]) - end >= _LEAST_PULSE_S * rate_hz
    return [lead[:end] if is_pulse else lead for lead in leads]


def _left_out(samples: int, rate_hz: float) -> tuple[str, ...]:
    if not samples:
        return ()
    return (
        f"The last {samples / rate_hz:.1f} s are left out: all leads hold the same values there, as in a "
        "calibration pulse.",
    )


def _facts(details: Element) -> tuple[tuple[str, str], ...]:
    tags = (("hipass", "high pass, Hz"), ("lowpass", "low pass, Hz"), ("acsetting", "mains, Hz"))
    return tuple((name, text) for tag, name in tags if (text := child_text(details, tag)))
