"""Headers that lie, name other files or unpack without end are refused before memory is taken."""

from __future__ import annotations

import time

import numpy as np
import pytest

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.signals import formats, huffman, scp
from healthdash.signals.xml_tree import root_name
from healthdash.task import Upload

_BILLION_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE RestingECG [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    b"<RestingECG><Waveform>&b;</Waveform></RestingECG>"
)
_OUTSIDE = (
    b'<?xml version="1.0"?><!DOCTYPE AnnotatedECG [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b"<AnnotatedECG>&x;</AnnotatedECG>"
)


@pytest.mark.parametrize("data", [_BILLION_LAUGHS, _OUTSIDE])
def test_entities_are_never_expanded(data: bytes) -> None:
    with pytest.raises(UnreadableUpload, match="entities"):
        formats.read([Upload("x.xml", data)])


@pytest.mark.parametrize("data", [b"<html><body>no</body></html>", b"<?xml version='1.0'?><Bundle/>"])
def test_other_xml_says_what_was_expected(data: bytes) -> None:
    with pytest.raises(UnreadableUpload, match="GE MUSE, HL7 or Philips"):
        formats.read([Upload("x.xml", data)])


@pytest.mark.parametrize(
    "header",
    [
        "r 1 250 99999999999\nr.dat 16 200 16 0 0 0 0 II\n",
        "r 1 250 99999999\nr.dat 16x999999 200 16 0 0 0 0 II\n",
        "r 1 250 100\nr.dat 16 1e-300 16 0 0 0 0 II\n",
        "r 129 250 100\n" + "r.dat 16 200 16 0 0 0 0 II\n" * 129,
        "r/200000 1 250 100\nr 50\n",
    ],
)
def test_a_wfdb_header_that_claims_too_much_is_refused(header: str) -> None:
    with pytest.raises((InvalidInput, UnreadableUpload)):
        formats.read([Upload("r.hea", header.encode()), Upload("r.dat", b"\0" * 200)])


def _edf(
    count: int = 1, records: str = "1", samples: str = "100", digital: tuple[str, str] = ("-10", "10")
) -> bytes:
    head = b"0       " + b" " * 160 + b"01.01.0100.00.00" + str(256 * (count + 1)).ljust(8).encode()
    head += b" " * 44 + records.ljust(8).encode() + b"1       " + str(count).ljust(4).encode()
    fields = (("I", 16), ("", 80), ("mV", 8), ("-1", 8), ("1", 8), (digital[0], 8), (digital[1], 8))
    fields += (("", 80), (samples, 8), ("", 32))
    return head + b"".join(text.ljust(width).encode() * min(count, 3) for text, width in fields) + b"\0" * 200


@pytest.mark.parametrize(
    "data",
    [_edf(count=9999), _edf(samples="99999999"), _edf(samples="-5"), _edf(samples="x"), _edf()[:300]],
)
def test_an_edf_header_that_lies_is_refused(data: bytes) -> None:
    with pytest.raises((InvalidInput, UnreadableUpload)):
        formats.read([Upload("x.edf", data)])


def test_an_edf_that_ends_early_gives_what_is_there() -> None:
    recording = formats.read([Upload("x.edf", _edf(records="500"))])
    assert len(recording.channels[0].values) == 100
    assert "cut off" in recording.notices[0]


def test_an_edf_without_a_range_stays_as_stored() -> None:
    recording = formats.read([Upload("x.edf", _edf(digital=("7", "7")))])
    assert any("physical range" in notice for notice in recording.notices)


def test_a_v7_3_matlab_file_says_how_to_save_it() -> None:
    with pytest.raises(UnreadableUpload, match=r"7\.3"):
        formats.read([Upload("x.mat", b"MATLAB 7.3 MAT-file" + b"\0" * 600)])


def test_the_default_huffman_table_is_a_prefix_code() -> None:
    lengths = [length for length, _ in huffman.DEFAULT[0]]
    assert sum(2.0**-length for length in lengths) == 1.0  # Kraft: every row of bits means something


def test_huffman_codes_become_values() -> None:
    bits = "0" + "100" + "101" + "1100" + "1111111110" + "11111111" + "1111111111" + f"{1000:016b}"
    data = int(bits.ljust(-(-len(bits) // 8) * 8, "1"), 2).to_bytes(-(-len(bits) // 8), "big")
    assert huffman.decoded(data, huffman.DEFAULT, 6).tolist() == [0, 1, -1, 2, -1, 1000]


@pytest.mark.parametrize("order", [0, 1, 2])
def test_differences_are_undone(order: int) -> None:
    values = np.array([5, 7, 4, 4, 9, -3])
    stored = values.copy()
    if order == 1:
        stored[1:] = np.diff(values)
    if order == 2:
        stored[2:] = np.diff(values, 2)
    assert scp._integrated(stored, order).tolist() == values.tolist()


@pytest.mark.parametrize("reason", ["", "Restart\x14"])
def test_an_interrupted_edf_keeps_its_gap(reason: str) -> None:
    def record(onset: str, value: int) -> bytes:
        return value.to_bytes(2, "little") * 10 + f"+{onset}\x14\x14{reason}\0".encode().ljust(20, b"\0")

    head = (
        b"0       "
        + b" " * 160
        + b"01.01.0100.00.00"
        + b"768     "
        + b"EDF+D".ljust(44)
        + b"2       1       2   "
    )
    fields = (
        ("I", "EDF Annotations", 16), ("", "", 80), ("mV", "", 8), ("-1", "-1", 8), ("1", "1", 8),
        ("-1000", "-1000", 8), ("1000", "1000", 8), ("", "", 80), ("10", "10", 8), ("", "", 32),
    )  # fmt: skip
    head += b"".join(a.ljust(w).encode() + b.ljust(w).encode() for a, b, w in fields)
    recording = formats.read([Upload("x", head + record("0.5", 100) + record("3.5", 200))])
    values = recording.channels[0].values
    assert len(values) == 40
    assert np.isnan(values[10:30]).all()
    assert values[[0, 30]] == pytest.approx([0.1, 0.2], abs=1e-3)
    assert "interrupted" in recording.gaps[0]
    # A text may stand in the list that says when the record begins; times count from the first.
    assert [(mark.onset_s, mark.text) for mark in recording.marks] == [
        (0.0, "Restart"),
        (3.0, "Restart"),
    ] * bool(reason)


@pytest.mark.parametrize("piece", [b"<?", b"<!--", b"<!DOCTYPE [", b"<!DOCTYPE" + b" " * 500])
def test_a_prolog_without_an_end_is_looked_through_in_no_time(piece: bytes) -> None:
    started = time.monotonic()
    root_name(piece * (65_536 // len(piece)))
    assert time.monotonic() - started < 1


def test_the_root_stands_behind_declarations_and_comments() -> None:
    prolog = b'\xef\xbb\xbf<?xml version="1.0"?><!-- <x> --><!DOCTYPE A [<!ENTITY b "c">] >\n'
    assert root_name(prolog + b"<n:AnnotatedECG/>") == "AnnotatedECG"
    assert root_name(prolog) is None
