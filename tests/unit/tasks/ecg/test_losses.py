"""Leads that are lost for a time, and hearts that pause."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.task import Upload
from healthdash.tasks.ecg import detect, read
from healthdash.tasks.ecg.examples import matched
from healthdash.tasks.ecg.gaps import heard, held_still
from healthdash.tasks.ecg.measurements import rate
from healthdash.tasks.ecg.moments import Beats
from healthdash.tasks.ecg.rhythm_views import rhythm_views
from healthdash.tasks.ecg.sample import EcgSample
from healthdash.tasks.ecg.samples import SyntheticEcg, synthesise

RATE = 250


def _csv(signal_mv: np.ndarray, leads: tuple[str, ...]) -> EcgSample:
    rows = [",".join("" if np.isnan(v) else f"{v:.4f}" for v in row) for row in signal_mv]
    head = ",".join(f"{lead}_mV" for lead in leads)
    return read.read([Upload("a.csv", "\n".join([f"# rate_hz: {RATE}", head, *rows]).encode())])


def _mixed() -> SyntheticEcg:
    """Return an ECG whose first lead is clear and whose second is noisy."""
    ecg = synthesise("normal", seconds=60.0)
    noise = 0.05 * np.random.default_rng(0).standard_normal(len(ecg.signal_mv))
    ecg.signal_mv[:, 1] += noise.astype(np.float32)
    return ecg


def _share_found(ecg: SyntheticEcg, found: np.ndarray, start: int, stop: int) -> float:
    there = ecg.beats[(ecg.beats > start + 60) & (ecg.beats < stop - 60)]
    return float((matched(there, found, 0.15 * RATE) >= 0).mean())


def test_a_lead_that_keeps_its_value_for_a_second_is_not_heard() -> None:
    signal = np.random.default_rng(0).standard_normal((1000, 2)).astype(np.float32)
    signal[300:700, 1] = signal[300, 1]
    signal[800:900, 0] = 0.0  # too short
    assert held_still(signal, RATE) == ((1, 300, 700),)
    is_heard = heard((500, 2), held_still(signal, RATE), 0.5)
    assert is_heard[:, 0].all()
    assert np.flatnonzero(~is_heard[:, 1]).tolist() == list(range(150, 350))


@pytest.mark.parametrize("off", ["still", "missing", "noisy"])
def test_a_clear_lead_that_drops_out_takes_no_beat_of_the_other_with_it(off: str) -> None:
    ecg = _mixed()
    start, stop = 20 * RATE, 26 * RATE
    signal = ecg.signal_mv.copy()
    noise = 0.005 * np.random.default_rng(1).standard_normal(stop - start)
    signal[start:stop, 0] = {"still": signal[start, 0], "missing": np.nan, "noisy": noise}[off]
    found = _csv(signal, ("II", "V1")).beats
    # That a lead only grows quiet is known two seconds later.
    late = 2 * RATE if off == "noisy" else 0
    assert _share_found(ecg, found, start + late, stop - late) == 1.0
    assert len(found) <= len(ecg.beats)


def test_leads_that_follow_each_other_have_the_beats_of_a_whole_recording() -> None:
    ecg = synthesise("normal", seconds=10.0)
    whole = np.repeat(ecg.signal_mv, 2, axis=1)
    parts = np.full_like(whole, np.nan)
    for lead in range(4):
        part = slice(lead * 625, (lead + 1) * 625)
        parts[part, lead] = whole[part, lead]
    found = _csv(parts, ("I", "II", "V1", "V2")).beats
    assert (matched(ecg.beats, found, 0.15 * RATE) >= 0).mean() == 1.0
    assert len(found) == len(ecg.beats)


@pytest.mark.parametrize("seconds", [9, 15])
def test_a_pause_with_ordinary_noise_holds_no_beats(seconds: int) -> None:
    ecg = synthesise("normal", seconds=120.0)
    signal = ecg.signal_mv * np.float32([1.0, 0.4])
    start, stop = 50 * RATE, (50 + seconds) * RATE
    noise = np.random.default_rng(0).normal(0, 0.02, (stop - start, 2))
    signal[start:stop] = np.linspace(signal[start], signal[stop], stop - start) + noise
    found = detect.find_beats(signal, RATE)
    assert ((found > start + 125) & (found < stop - 125)).sum() <= 1


def test_noise_alone_says_nothing_while_the_clear_lead_is_silent() -> None:
    ecg = synthesise("normal", seconds=120.0)
    rng = np.random.default_rng(0)
    signal = ecg.signal_mv.copy()
    signal[:, 1] = rng.normal(0, 0.1, len(signal))
    start, stop = 50 * RATE, 62 * RATE
    signal[start:stop, 0] = rng.normal(0, 0.01, stop - start)
    found = detect.find_beats(signal, RATE)
    assert ((found > start + 500) & (found < stop - 500)).sum() == 0
    assert _share_found(ecg, found, 0, start) == 1.0


@pytest.mark.parametrize("other", ["none", "noise", "low, too"])
def test_the_beats_of_a_clear_lead_are_found_when_its_complexes_grow_low(other: str) -> None:
    ecg = synthesise("normal", seconds=120.0)
    rng = np.random.default_rng(0)
    half = len(ecg.signal_mv) // 2
    signal = ecg.signal_mv.copy()
    signal[half:] *= 0.19
    signal += rng.normal(0, 0.005, signal.shape)
    if other == "noise":
        signal[:, 1] = rng.normal(0, 0.1, len(signal))
    found = detect.find_beats(signal[:, :1] if other == "none" else signal, RATE)
    assert _share_found(ecg, found, 0, len(signal)) == 1.0
    assert len(found) == len(ecg.beats)


def test_noise_after_complexes_that_grew_low_holds_no_beats() -> None:
    ecg = synthesise("normal", seconds=180.0)
    third = len(ecg.signal_mv) // 3
    signal = ecg.signal_mv[:, :1] * np.repeat(np.float32([1.0, 0.19, 0.0]), third)[:, None]
    signal += np.random.default_rng(0).normal(0, 0.01, signal.shape)
    found = detect.find_beats(signal, RATE)
    assert _share_found(ecg, found, 0, 2 * third) == 1.0
    assert (found > 2 * third + 2 * RATE).sum() == 0


def test_many_noisy_leads_say_no_more_than_one_while_the_clear_lead_is_silent() -> None:
    ecg = synthesise("normal", seconds=120.0)
    rng = np.random.default_rng(0)
    signal = np.concatenate([ecg.signal_mv[:, :1], rng.normal(0, 0.1, (len(ecg.signal_mv), 6))], axis=1)
    start, stop = 50 * RATE, 62 * RATE
    signal[start:stop, 0] = rng.normal(0, 0.01, stop - start)
    found = detect.find_beats(signal.astype(np.float32), RATE)
    assert ((found > start + 500) & (found < stop - 500)).sum() == 0


def test_no_interval_crosses_where_all_leads_are_held_still() -> None:
    ecg = synthesise("normal", seconds=60.0)
    true = 60 * RATE / np.diff(ecg.beats).mean()
    signal = ecg.signal_mv.copy()
    signal[20 * RATE : 40 * RATE] = 0.0
    sample = _csv(signal, ("II", "V1"))
    ((start, stop),) = sample.gaps_s
    assert (start, stop) == pytest.approx((20, 40), abs=0.1)
    assert sample.known_s == pytest.approx(40, abs=0.1)
    assert rate(_beats(sample)).value == pytest.approx(true, abs=1)


def _beats(sample: EcgSample) -> Beats:
    at_s = sample.beats / sample.rate_hz
    unknown = np.full(len(at_s), np.nan)
    return Beats(unknown, unknown, unknown, unknown, at_s, np.ones(len(at_s), bool), sample.gaps_s)


def test_leads_that_are_lost_one_after_the_other_leave_no_gap() -> None:
    ecg = synthesise("normal", seconds=60.0)
    signal = ecg.signal_mv.copy()
    signal[20 * RATE : 30 * RATE, 0] = np.nan
    signal[29 * RATE : 40 * RATE, 1] = 0.0
    sample = _csv(signal, ("II", "V1"))
    assert np.array(sample.gaps_s) == pytest.approx(np.array([(29, 30)]), abs=0.1)
    assert np.array(sample.silent_s([0])) == pytest.approx(np.array([(20, 30)]), abs=0.1)


def test_the_pauses_of_a_slow_heart_in_coarse_steps_are_no_losses() -> None:
    beat = np.round(synthesise("normal", seconds=10.0, rate_hz=RATE).signal_mv[:, :1], 1)
    beat = beat[: round(0.8 * RATE)] * (np.abs(beat[: round(0.8 * RATE)]) > 0.3)
    signal = np.tile(np.concatenate([beat, np.zeros((round(0.7 * RATE), 1))]), (40, 1))
    sample = _csv(signal, ("II",))
    assert held_still(sample.signal_mv, RATE)
    assert sample.lead_losses == ()
    assert not any("one value" in text for text in sample.notices)
    signal[20 * RATE : 30 * RATE] = 0.0
    sample = _csv(signal, ("II",))
    assert len(sample.lead_losses) == 1
    assert any("II 1" in text for text in sample.notices)


def test_a_pause_in_coarse_steps_is_told_as_one_or_as_leads_that_were_off() -> None:
    beat = np.round(synthesise("normal", seconds=10.0, rate_hz=RATE).signal_mv[:, :1] / 0.02) * 0.02
    beat = beat[: round(0.8 * RATE)] * (np.abs(beat[: round(0.8 * RATE)]) > 0.3)
    usual = np.tile(np.concatenate([beat, np.zeros((round(0.2 * RATE), 1))]), (20, 1))
    sample = _csv(np.concatenate([usual, np.zeros((3 * RATE, 1)), usual]), ("II",))
    ((start, stop),) = sample.pauses_or_off_s
    assert stop - start == pytest.approx(4, abs=0.05)
    told = f"No beat for 4.0 s (from {start:.1f} s on), while all leads keep one value: a pause, or"
    assert any(told in text for text in sample.notices)
    beats = _beats(sample)
    assert told in rhythm_views(sample, beats)[0].caption
    # No figure takes it for a pause, as it may be a loss.
    assert np.nanmax(beats.between_s) == pytest.approx(1, abs=0.05)
    assert rate(beats).value == pytest.approx(60, abs=1)


def test_what_is_missing_and_what_one_of_two_leads_hears_is_no_pause() -> None:
    signal = synthesise("normal", seconds=60.0).signal_mv.copy()
    signal[20 * RATE : 25 * RATE] = np.nan
    signal[40 * RATE : 45 * RATE, 0] = 0.0
    sample = _csv(signal, ("II", "V1"))
    assert sample.pauses_or_off_s == ()
    assert not any("a pause" in text for text in sample.notices)


def test_what_is_held_still_is_told() -> None:
    signal = synthesise("normal", seconds=20.0).signal_mv.copy()
    signal[1000:2000, 1] = signal[1000, 1]
    (told,) = (text for text in _csv(signal, ("II", "V1")).notices if "one value" in text)
    assert "V1 4 s" in told
    assert "II" not in told
