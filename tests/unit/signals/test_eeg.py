"""Montages, pages, filters and band power of an EEG."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.signals import formats
from healthdash.signals.eeg import filtered, lines_of, page_of
from healthdash.signals.eeg_example import synthetic_eeg
from healthdash.signals.montage import (
    MONTAGES,
    derivations,
    eeg_channels,
    mixed_references,
    of_other_rates,
    position,
    reference,
)
from healthdash.signals.recording import Channel, Recording
from healthdash.signals.spectrum import band_powers, spectra

RATE = 256.0
_SLOW = (("Resp oro-nasal", ""), ("EMG submental", "uV"), ("Temp", "degC"), ("Pressure of the mask", "mV"))
TIME = np.arange(int(20 * RATE)) / RATE


@pytest.fixture(scope="module")
def drawn() -> Recording:
    return formats.read(synthetic_eeg())


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("EEG Fp1-Ref", "Fp1"), ("FP2", "Fp2"), ("Fp1.", "Fp1"), ("EEG T3-LE", "T7"), ("T5", "P7"),
        ("cz", "Cz"),
        ("EEG F7-A1", "F7"), ("POz", "POz"), ("FC5", "FC5"), ("ECG", ""), ("Status", ""), ("A12", ""),
    ],
)  # fmt: skip
def test_positions_are_found_in_names(name: str, place: str) -> None:
    assert position(name) == place


def test_the_double_banana_is_a_difference_of_neighbours(drawn: Recording) -> None:
    page = page_of(drawn, "Longitudinal bipolar", 3.0, 2.0)
    assert len(page.names) == 18
    by_name = {c.name: c.values for c in drawn.channels}
    at = slice(round(3.0 * RATE), round(5.0 * RATE))
    expected = by_name["Fp1"][at] - by_name["F7"][at]
    assert np.allclose(page.microvolts[page.names.index("Fp1-F7")], expected, atol=1e-3)


def test_the_common_average_sums_to_nothing(drawn: Recording) -> None:
    page = page_of(drawn, "Common average", 0.0, 1.0)
    assert np.abs(np.sum(page.microvolts, axis=0)).max() < 1e-2


def test_channels_without_positions_have_no_other_montage() -> None:
    assert derivations(["x", "y"], MONTAGES[1]) == derivations(["x", "y"], MONTAGES[2]) == ()
    assert len(derivations(["x", "y"], MONTAGES[0])) == 2


@pytest.mark.parametrize(
    ("name", "against"),
    [("EEG Fp1-A1", "A1"), ("Fp1-LE", "LE"), ("C3-Ref", ""), ("C3", ""), ("EEG C3-AVG", "AVG"), ("Fp1.", "")],
)
def test_references_are_found_in_names(name: str, against: str) -> None:
    assert reference(name) == against


def test_electrodes_of_different_references_are_not_subtracted() -> None:
    ears = ["Fp1-A1", "F7-A1", "Fp2-A2", "F8-A2", "Fz-A1", "Cz-A2"]
    assert [line.name for line in derivations(ears, MONTAGES[2])] == ["Fp1-F7", "Fp2-F8"]
    assert "Fz-Cz" in mixed_references(ears, MONTAGES[2])
    assert derivations(ears, MONTAGES[1]) == ()
    assert "A1, A2" in mixed_references(ears, MONTAGES[1])
    assert mixed_references(ears, MONTAGES[0]) == ""
    same = ["Fp1-Ref", "F7", "Fz-REF"]
    assert mixed_references(same, MONTAGES[2]) == mixed_references(same, MONTAGES[1]) == ""


def test_a_page_has_its_marks_and_its_place(drawn: Recording) -> None:
    page = page_of(drawn, "As recorded", 30.0, 30.0)
    assert page.start_s == 30.0
    assert len(page.microvolts[0]) == 30 * RATE
    assert "Comment: Eyes shut" in [mark.text for mark in page.marks]
    assert page_of(drawn, "As recorded", 1e6, 30.0).microvolts[0].size <= 1


def test_a_filter_takes_the_mains_and_leaves_the_rhythm() -> None:
    clean = np.sin(2 * np.pi * 10 * TIME)
    mixed = (clean + np.sin(2 * np.pi * 50 * TIME)).astype(np.float32)
    out = filtered(mixed, RATE, ["mains notch 50 Hz", "high-pass 1 Hz", "low-pass 70 Hz"])
    inside = slice(int(3 * RATE), int(17 * RATE))
    assert np.abs(out - clean)[inside].max() < 0.05
    assert np.array_equal(filtered(mixed, RATE, []), mixed)


def test_filtering_a_page_is_filtering_the_whole(drawn: Recording) -> None:
    names = ["high-pass 1 Hz", "low-pass 35 Hz"]
    page = page_of(drawn, "As recorded", 40.0, 10.0, filters=names)
    whole = filtered(drawn.channels[0].values, RATE, names)[round(40 * RATE) : round(50 * RATE)]
    assert np.abs(page.microvolts[0] - whole).max() < 0.05


def test_gaps_stay_gaps_through_filters() -> None:
    holed = np.sin(2 * np.pi * 10 * TIME).astype(np.float32)
    holed[1000:1200] = np.nan
    out = filtered(holed, RATE, ["low-pass 35 Hz"])
    assert np.isnan(out[1000:1200]).all()
    assert np.isfinite(out[:1000]).all()


def test_band_power_is_that_of_the_sine() -> None:
    values = (20 * np.sin(2 * np.pi * 10 * TIME)).astype(np.float32)
    powers = band_powers(spectra(values, RATE))
    assert powers["alpha"] == pytest.approx(200, rel=0.02)  # amplitude squared over 2
    assert max(powers[name] for name in ("delta", "theta", "beta", "gamma")) < 1


def test_welch_agrees_with_scipy() -> None:
    from scipy.signal import welch

    values = np.random.default_rng(0).normal(size=len(TIME)).astype(np.float32)
    found = spectra(values, RATE)
    frequencies, expected = welch(values, RATE, nperseg=1024, noverlap=512)
    assert np.allclose(found.frequencies_hz, frequencies)
    assert np.allclose(found.mean, expected, rtol=1e-3)


def test_bands_above_the_rate_are_not_known() -> None:
    powers = band_powers(spectra(np.ones(400, np.float32), 50.0))
    assert np.isnan(powers["gamma"])


def test_windows_with_a_gap_do_not_count() -> None:
    values = (20 * np.sin(2 * np.pi * 10 * TIME)).astype(np.float32)
    values[2000:2100] = np.nan
    found = spectra(values, RATE)
    assert np.isnan(found.power).any()
    assert band_powers(found)["alpha"] == pytest.approx(200, rel=0.02)


def test_the_drawn_eeg_has_more_alpha_with_eyes_shut(drawn: Recording) -> None:
    values = next(c.values for c in drawn.channels if c.name == "O1")
    shut = band_powers(spectra(values[round(32 * RATE) : round(58 * RATE)], RATE))["alpha"]
    opened = band_powers(spectra(values[: round(28 * RATE)], RATE))["alpha"]
    assert shut > 8 * opened


def test_what_is_no_eeg_is_left_out() -> None:
    rows = np.zeros(10, np.float32)
    names = ("Fp1", "ECG", "Status", "EOG left")
    recording = Recording(format="x", channels=tuple(Channel(n, "uV", 250.0, rows) for n in names))
    assert [c.name for c in eeg_channels(recording)] == ["Fp1"]
    assert len(lines_of(recording, "As recorded")) == 1


def test_an_eeg_beside_more_channels_of_a_slower_rate_is_drawn_at_its_own() -> None:
    fast, slow = np.arange(1000, dtype=np.float32), np.zeros(10, np.float32)
    kept = ("EEG Fpz-Cz", "EEG Pz-Oz")
    channels = [Channel(name, "uV", 100.0, fast) for name in (*kept, "EOG horizontal")]
    channels += [Channel(name, unit, 1.0, slow) for name, unit in _SLOW]
    recording = Recording(format="EDF", channels=tuple(channels))
    page = page_of(recording, "As recorded", 2.0, 5.0)
    assert (page.names, page.rate_hz) == (kept, 100.0)
    np.testing.assert_allclose(page.microvolts[0], fast[200:700])
    assert [channel.name for channel in of_other_rates(recording)] == ["Pressure of the mask"]


def test_a_recording_of_an_absurd_rate_gives_a_spectrum_of_the_usual_size():
    values = np.sin(2 * np.pi * 10 * np.arange(80_000) / 20_000).astype(np.float32)
    found = spectra(values, 20_000.0)
    assert found.power.shape == (1, 801)
    assert found.frequencies_hz[found.mean.argmax()] == 10.0
