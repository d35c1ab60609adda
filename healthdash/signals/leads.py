"""Names and units of channels: what is an ECG lead, what is EEG, and what a unit is in millivolt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CODED",
    "STANDARD",
    "LeadKind",
    "completed",
    "guessed_unit",
    "is_lead_two",
    "lead_kind",
    "plain_name",
    "tidy_unit",
    "to_millivolt",
]

LeadKind = Literal["ecg", "unknown", "other"]

#: The 12 leads in the order of a standard recording (Kligfield et al. 2007, Circulation 115:1306).
STANDARD = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")

#: EN 1064 table 5.6.1, leads of cardiograms by their number; DICOM codes them by it, too (PS3.16 CID 3001).
CODED = {
    **{n + 1: name for n, name in enumerate(("I", "II", "V1", "V2", "V3", "V4", "V5", "V6", "V7"))},
    **{10: "V2R", 11: "V3R", 12: "V4R", 13: "V5R", 14: "V6R", 15: "V7R", 16: "X", 17: "Y", 18: "Z"},
    **{19: "CC5", 20: "CM5", 21: "LA", 22: "RA", 23: "LL"},
    **{24 + n: f"Frank {name}" for n, name in enumerate("IECAMFH")},
    **{61: "III", 62: "aVR", 63: "aVL", 64: "aVF", 65: "-aVR", 66: "V8", 67: "V9", 68: "V8R", 69: "V9R"},
    **{70: "D", 71: "A", 72: "J"},
}

_ECG = re.compile(
    r"^(ecg|ekg|holter)|"
    r"^(lead[\s_]*)?(m?l?(i|ii|iii)|av[rlf]|m?c?v\d[rl]?|c[1-9][rl]?$|mcl\d|d[123]|cm\d|cc\d|v[xyz])\b",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"eeg|emg|eog|resp|pleth|ppg|spo2|abp|art|pap|cvp|icp|co2|temp|flow|chest|abdo|nasal|snore|pulse|stim|"
    r"trigger|status|annotation|accel|gsr|(^|\s)(fp[12z]|af[z\d]+|f[z\d]+|fc[z\d]+|c[z34]|cp[z\d]+|"
    r"p[z\d]+|po[z\d]+|o[12z]|t[3-8]|a[12]|m[12])([-\s]|$)",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"^((ECG|EKG|EEG|LEAD)([\s_]+|(?=[A-Z])))+(?=\S)")
_LEAD_TWO = re.compile(r"M?L?II|D2")
# The second of several ECG channels; "lead 2" is a name that readers give to a column without one.
_SECOND_ECG = re.compile(r"(ECG|EKG)[\s_]*2")
# Above this a value without a unit cannot be millivolt (Kligfield 2007: QRS complexes stay below 5 mV).
_MOST_MV = 20.0
_IN_MILLIVOLT = {"v": 1000.0, "mv": 1.0, "uv": 1e-3, "nv": 1e-6}
_MICRO = str.maketrans({"\u00b5": "u", "\u03bc": "u"})  # micro sign and Greek mu


def tidy_unit(unit: str) -> str:
    """Return a unit with its micro sign as "u" and voltages written one way: "uV", "mV", "V", "nV"."""
    plain = unit.strip().translate(_MICRO)
    named = {"microvolt": "uV", "microvolts": "uV", "millivolt": "mV", "millivolts": "mV", "volt": "V"}
    lowered = plain.lower()
    if lowered in _IN_MILLIVOLT:
        return lowered[:-1] + "V"
    return named.get(lowered, plain)


def to_millivolt(unit: str) -> float | None:
    """Return the factor from a unit to millivolt, or None if it is no voltage."""
    return _IN_MILLIVOLT.get(tidy_unit(unit).lower())


def guessed_unit(values: NDArray[np.float32]) -> str:
    """Return "mV" or "uV" for the values of an ECG whose file states no unit, by their size."""
    low, high = np.nanpercentile(values, [1, 99]) if np.isfinite(values).any() else (0.0, 0.0)
    return "uV" if high - low > _MOST_MV else "mV"


def plain_name(name: str) -> str:
    """Return the name of a lead in capitals, without the words before it: "AVF" for "EKG_aVF"."""
    return _BEFORE.sub("", name.strip().upper())


def is_lead_two(name: str) -> bool:
    """Say whether a lead is II by its name: "Lead II", "MLII", "D2", "ECG 2"."""
    return bool(_LEAD_TWO.fullmatch(plain_name(name)) or _SECOND_ECG.fullmatch(name.strip().upper()))


def lead_kind(name: str) -> LeadKind:
    """Say from its name whether a channel is an ECG lead, surely something else, or unknown."""
    name = name.strip()
    if _ECG.match(name):
        return "ecg"
    return "other" if _OTHER.search(name) else "unknown"


def completed(
    leads: Mapping[str, NDArray[np.float32]],
) -> tuple[dict[str, NDArray[np.float32]], tuple[str, ...]]:
    """Return the standard leads in their order, those of the limbs computed where only I and II are stored.

    Parameters
    ----------
    leads : dict of str to float32 (n,)
        In one unit, by name; others than the standard ones follow them.

    Returns
    -------
    dict of str to float32 (n,), tuple of str
        The leads, and the names of those computed: III = II - I (Einthoven), aVR = -(I + II) / 2,
        aVL = I - II / 2, aVF = II - I / 2 (Goldberger; Kligfield et al. 2007, Circulation 115:1306).
    """
    known = dict(leads)
    one, two = known.get("I"), known.get("II")
    added: list[str] = []
    if one is not None and two is not None and len(one) == len(two):
        computed = {
            "III": two - one,
            "aVR": -(one + two) / 2,
            "aVL": one - two / 2,
            "aVF": two - one / 2,
        }
        added = [name for name in computed if name not in known]
        known |= {name: computed[name].astype(np.float32) for name in added}
    order = [name for name in STANDARD if name in known]
    order += [name for name in known if name not in STANDARD]
    return {name: known[name] for name in order}, tuple(added)
