"""Montages of an EEG: which electrode is drawn against which.

Positions are those of the 10-20 system and its 10-10 extension (Acharya et al. 2016, J Clin Neurophysiol
33:308); the longitudinal bipolar montage ("double banana") is that of the ACNS guideline on montages
(Acharya et al. 2016, J Clin Neurophysiol 33:312).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .leads import to_millivolt
from .recording import Channel, Recording, commonest_rate

__all__ = [
    "MONTAGES",
    "Derivation",
    "derivations",
    "derived",
    "eeg_channels",
    "mixed_references",
    "of_other_rates",
    "position",
    "reference",
]

#: Names of the montages, the one that needs nothing first.
MONTAGES = ("As recorded", "Common average", "Longitudinal bipolar")
_BANANA = (
    "Fp1-F7", "F7-T7", "T7-P7", "P7-O1", "Fp2-F8", "F8-T8", "T8-P8", "P8-O2",
    "Fp1-F3", "F3-C3", "C3-P3", "P3-O1", "Fp2-F4", "F4-C4", "C4-P4", "P4-O2", "Fz-Cz", "Cz-Pz",
)  # fmt: skip
#: Names of the 10-20 system that the 10-10 system changed.
_OLDER = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}
_POSITION = re.compile(r"^(fp|af|f|ft|fc|t|c|tp|cp|p|po|o|i)(z|\d{1,2})$", re.IGNORECASE)
#: What recorders write around a position: "EEG Fp1-Ref", "Fp1.", "EEG FP1-LE".
_REFERENCES = r"[-_ ](ref|le|re|ar|avg?|a1|a2|m1|m2|cz|org|0)\d*$"
_AROUND = re.compile(rf"^(eeg[ _:]*)|({_REFERENCES})|\.+$", re.IGNORECASE)
_REFERENCE = re.compile(_REFERENCES, re.IGNORECASE)
#: Words for "the reference", which do not say what that was.
_UNNAMED = ("ref", "org", "0")
#: What is no brain signal, though its unit is a voltage.
_OTHERS = re.compile(r"ecg|ekg|emg|eog|stim|status|trigger|resp|photic|\bdc\d*\b|annotation", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Derivation:
    """One line of a montage: an electrode, and those whose mean is taken from it (numbers of channels)."""

    name: str
    plus: int
    minus: tuple[int, ...] = ()


def position(name: str) -> str:
    """Return the 10-10 position that a channel's name says, as "Fp1" or "Cz"; empty where it is none."""
    bare = name.strip()
    for _ in range(3):  # a prefix, a reference, dots
        bare = _AROUND.sub("", bare).strip()
    match = _POSITION.match(bare)
    if match is None:
        return ""
    region = match.group(1)
    tidy = "Fp" if region.lower() == "fp" else region.upper()
    found = tidy + match.group(2).lower()
    return _OLDER.get(found, found)


def eeg_channels(recording: Recording) -> list[Channel]:
    """Return the channels that may be EEG: voltages that are not named otherwise, of their commonest rate.

    Where no such name is left over, all voltages of the recording's commonest rate; where there is no
    voltage, all channels of it.
    """
    if found := _named_eeg(recording):
        rate_hz = commonest_rate(found)
        return [c for c in found if c.rate_hz == rate_hz]
    alike = [c for c in recording.channels if c.rate_hz == recording.rate_hz]
    return [c for c in alike if to_millivolt(c.unit) is not None] or alike


def of_other_rates(recording: Recording) -> list[Channel]:
    """Return the channels that may be EEG too, but have another rate than the others."""
    drawn = eeg_channels(recording)
    return [c for c in _named_eeg(recording) if c.rate_hz != drawn[0].rate_hz]


def _named_eeg(recording: Recording) -> list[Channel]:
    """Return the voltages that are not named as something else."""
    volts = (c for c in recording.channels if to_millivolt(c.unit) is not None)
    return [c for c in volts if not _OTHERS.search(c.name)]


def reference(name: str) -> str:
    """Return what a channel's name says it was recorded against, as "A1" or "LE"; empty where unnamed."""
    match = _REFERENCE.search(name.strip().rstrip("."))
    found = match.group(1).lower() if match else ""
    return "" if found in _UNNAMED else found.upper()


def derivations(names: Sequence[str], montage: str) -> tuple[Derivation, ...]:
    """Return the lines of a montage over channels of these names; empty where their positions are not known.

    The common average is taken over the channels with a position, and drawn for these. Where electrodes
    were recorded against different references, their difference holds that of the references too: such a
    line is left out, and `mixed_references` tells it.
    """
    if montage == MONTAGES[0]:
        return tuple(Derivation(name, number) for number, name in enumerate(names))
    against = [reference(name) for name in names]
    return tuple(line for line in _lines(names, montage) if not _is_mixed(against, line))


def mixed_references(names: Sequence[str], montage: str) -> str:
    """Return which lines of a montage different references leave out, in a sentence; empty for none."""
    if montage == MONTAGES[0]:
        return ""
    against = [reference(name) for name in names]
    mixed = [line for line in _lines(names, montage) if _is_mixed(against, line)]
    if not mixed:
        return ""
    found = sorted({against[n] or "an unnamed one" for line in mixed for n in (line.plus, *line.minus)})
    lines = ", ".join(line.name for line in mixed) if len(mixed) <= len(_BANANA) else f"{len(mixed)} lines"
    return (
        f"Not drawn: {lines}. Their electrodes were recorded against different references "
        f"({', '.join(found)}), and a difference of two would hold that of these."
    )


def _is_mixed(against: Sequence[str], line: Derivation) -> bool:
    return len({against[number] for number in (line.plus, *line.minus)}) > 1


def _lines(names: Sequence[str], montage: str) -> tuple[Derivation, ...]:
    """Return the lines of a montage that subtracts, whatever the channels were recorded against."""
    at: dict[str, int] = {}
    for number, name in enumerate(names):
        if place := position(name):
            at.setdefault(place, number)
    if montage == MONTAGES[1]:
        every = tuple(at.values())
        return tuple(Derivation(f"{p}-avg", n, every) for p, n in at.items()) if len(every) > 1 else ()
    return tuple(
        Derivation(line, at[plus], (at[minus],))
        for line in _BANANA
        for plus, minus in [line.split("-")]
        if plus in at and minus in at
    )


def derived(
    rows: Mapping[int, NDArray[np.float32]], lines: Sequence[Derivation]
) -> list[NDArray[np.float32]]:
    """Return the signal of each line; `rows` holds what its electrodes measure, in one unit."""
    means: dict[tuple[int, ...], NDArray[np.float32]] = {}
    for minus in {line.minus for line in lines if line.minus}:
        means[minus] = np.mean([rows[number] for number in minus], axis=0, dtype=np.float32)
    return [rows[line.plus] - means[line.minus] if line.minus else rows[line.plus] for line in lines]
