"""WFDB records: segments of one unit, one rate and one order, and signals without a gain."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.errors import UnreadableUpload
from healthdash.signals import formats
from healthdash.signals.recording import Recording
from healthdash.task import Upload

_FIXED = {"m.hea": "m/2 {n} 250 200\na 100\nb 100\n"}
_VARIABLE = {
    "m.hea": "m/3 1 250 200\nm_l 0\na 100\nb 100\n",
    "m_l.hea": "m_l 1 250 0\n~ 0 200 16 0 0 0 0 II\n",
}


def _read(master: dict[str, str], first: list[str], second: list[str], rate: str = "250") -> Recording:
    """Read two segments of a ramp from 0 to 99 counts; a signal is "<gain>/<unit> <name>"."""
    ramp = np.repeat(np.arange(100, dtype="<i2"), len(first)).tobytes()
    files = {name: text.format(n=len(first)) for name, text in master.items()}
    for name, signals, hertz in (("a", first, "250"), ("b", second, rate)):
        lines = (f"{name}.dat 16 {gain} 16 0 0 0 0 {title}" for gain, title in map(str.split, signals))
        files[f"{name}.hea"] = "\n".join([f"{name} {len(signals)} {hertz} 100", *lines, ""])
    uploads = [Upload(name, text.encode()) for name, text in files.items()]
    return formats.read([*uploads, Upload("a.dat", ramp), Upload("b.dat", ramp)])


@pytest.mark.parametrize("master", [_FIXED, _VARIABLE])
def test_a_voltage_of_another_unit_is_turned_into_that_of_the_first_segment(master: dict[str, str]) -> None:
    (channel,) = _read(master, ["200/mV II"], ["0.2/uV II"]).channels
    assert channel.unit == "mV"
    assert channel.values[[99, 199]] == pytest.approx([0.495, 0.495])


@pytest.mark.parametrize(
    ("first", "second", "rate", "words"),
    [
        (["200/mV II"], ["200/mV II"], "125", "expected 250 Hz in all segments of the WFDB record, got 125"),
        (["200/mV II"], ["200/mmHg II"], "250", "one unit of a signal"),
        (["200/mV I", "200/mV II"], ["200/mV II", "200/mV I"], "250", "same signals in the same order"),
    ],
)
def test_segments_that_cannot_be_joined_are_refused(
    first: list[str], second: list[str], rate: str, words: str
) -> None:
    with pytest.raises(UnreadableUpload, match=words):
        _read(_FIXED, first, second, rate)


@pytest.mark.parametrize("fields", ["0(0)/mV 16 0 0 0 0 II", "0", ""])
def test_a_signal_without_a_gain_tells_what_is_assumed(fields: str) -> None:
    header, ramp = f"r 1 250 100\nr.dat 16 {fields}\n", np.arange(100, dtype="<i2").tobytes()
    recording = formats.read([Upload("r.hea", header.encode()), Upload("r.dat", ramp)])
    assert not recording.unit_stated
    assert any("no gain" in notice for notice in recording.notices)


@pytest.mark.parametrize(("gain", "is_stated"), [("0", False), ("200", True)])
def test_a_gain_is_missed_in_segments_and_not_in_their_layout(gain: str, is_stated: bool) -> None:
    layout = _VARIABLE | {"m_l.hea": "m_l 1 250 0\n~ 0 0 16 0 0 0 0 II\n"}
    assert _read(layout, ["200/mV II"], [f"{gain}/mV II"]).unit_stated == is_stated


@pytest.mark.parametrize("micro", [b"u", b"\xc2\xb5", b"\xce\xbc", b"\xb5"])
def test_a_micro_sign_is_not_lost(micro: bytes) -> None:
    header, ramp = b"r 1 250 100\nr.dat 16 0.2/" + micro + b"V 16 0 0 0 0 II\n", bytes(200)
    assert formats.read([Upload("r.hea", header), Upload("r.dat", ramp)]).channels[0].unit == "uV"
