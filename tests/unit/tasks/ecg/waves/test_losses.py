"""Waves and figures of leads that are there for a part of the time."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash import bundles
from healthdash.signals.filters import bridged
from healthdash.tasks.ecg.axis import axis
from healthdash.tasks.ecg.gaps import missing, missing_of_leads
from healthdash.tasks.ecg.measurements import Measurement
from healthdash.tasks.ecg.moments import aligned_s, aligned_where_heard_s, beats_of
from healthdash.tasks.ecg.sample import EcgSample, Stored
from healthdash.tasks.ecg.waves import delineate
from healthdash.tasks.ecg.waves.samples import Drawn, drawn
from healthdash.tasks.ecg.waves.shown import beats_in, delineation_of, measured

ONE = drawn(rr_s=np.full(11, 0.8), noise_mv=0.01)
#: I, II, III, aVF, of which II is the sum of I and III, and aVF the mean of II and III.
HEIGHTS = {"I": 0.6, "II": 1.0, "III": 0.4, "aVF": 0.7}
#: Parted between a T wave and the next P wave.
QUARTERS = np.split(np.arange(len(ONE.signal_mv)), [650, 1250, 1850])


def _leads(one: Drawn) -> np.ndarray:
    return np.stack([height * one.signal_mv for height in HEIGHTS.values()], axis=1)


def _sample(signal: np.ndarray) -> EcgSample:
    leads = tuple(HEIGHTS)[: signal.shape[1]]
    values = np.asarray(signal, np.float32)
    return EcgSample(
        source="drawn",
        kind="signal",
        format="drawn",
        signal_mv=bridged(values),
        rate_hz=ONE.rate_hz,
        leads=leads,
        stored=Stored(values.shape, "float32", -1.0, 1.0, "mV", leads),
        gaps=missing(values, ONE.rate_hz),
        lead_gaps=missing_of_leads(values, ONE.rate_hz),
    )


def _figures(sample: EcgSample) -> dict[str, Measurement]:
    found = delineation_of(sample, bundles.get("ecg-waves"))
    assert found.left_out == ()
    figures = measured(sample, beats_in(sample, found), found)
    return {one.name: one for one in figures}


def _parts(*quarters: tuple[int, ...]) -> EcgSample:
    """Return a recording each lead of which holds some quarters of the time."""
    signal = np.full((len(ONE.signal_mv), len(quarters)), np.nan)
    for lead, numbers in enumerate(quarters):
        for number in numbers:
            signal[QUARTERS[number], lead] = _leads(ONE)[QUARTERS[number], lead]
    return _sample(signal)


@pytest.mark.tf
def test_leads_that_follow_each_other_have_the_figures_of_a_whole_recording() -> None:
    found = _figures(_parts((0,), (1,), (2,), (3,)))
    assert found["rate"].value == pytest.approx(75, abs=1)
    assert found["rate"].beats >= 11
    assert found["sdnn"].value == pytest.approx(0, abs=8)
    assert found["pr"].value == pytest.approx(160, abs=30)


@pytest.mark.tf
def test_leads_that_are_held_still_for_a_time_hide_no_complex() -> None:
    signal = _leads(ONE)[:, :3]
    signal[650:1850, [0, 2]] = signal[650, [0, 2]]
    found = _figures(_sample(signal))
    assert found["rate"].value == pytest.approx(75, abs=1)
    assert found["sdnn"].value == pytest.approx(0, abs=5)


@pytest.mark.tf
def test_no_interval_crosses_where_the_only_delineated_lead_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delineate, "_LONG_S", 5.0)
    signal = _leads(ONE)[:, :2]
    signal[QUARTERS[1], 1] = np.nan
    found = _figures(_sample(signal))
    assert found["rate"].value == pytest.approx(75, abs=1)
    assert found["rate"].beats == 9
    assert found["sdnn"].value == pytest.approx(0, abs=5)


@pytest.mark.tf
def test_no_interval_crosses_where_all_leads_are_held_still() -> None:
    signal = _leads(ONE)[:, :2]
    signal[QUARTERS[1]] = 0.0
    found = _figures(_sample(signal))
    assert found["rate"].value == pytest.approx(75, abs=1)
    assert found["rate"].beats == 9
    assert found["sdnn"].value == pytest.approx(0, abs=5)


@pytest.mark.tf
def test_the_axis_is_taken_where_its_leads_are_recorded() -> None:
    whole = _figures(_sample(_leads(ONE)))["qrs_axis"]
    part = _figures(_parts((0, 1, 2), (0, 1, 2, 3), (1, 2, 3), (0, 1, 2, 3)))["qrs_axis"]
    assert part.value == pytest.approx(whole.value, abs=2)
    assert part.beats < whole.beats
    apart = _figures(_parts((0,), (1,), (2,), (3,)))["qrs_axis"]
    assert apart.reason == "too few normal beats that I and aVF both show"


def test_leads_that_do_not_add_up_where_they_are_recorded_have_no_axis() -> None:
    leads = dict(zip(("I", "II", "III", "AVF"), _leads(ONE).astype(np.float32).T, strict=True))
    leads["II"] = np.where(np.arange(len(leads["II"])) < 700, np.nan, 3 * leads["II"])
    assert "do not add up" in axis(leads, ONE.rate_hz, beats_of(ONE.limits), True).reason


def test_complexes_are_aligned_by_the_first_lead_that_is_there() -> None:
    rng = np.random.default_rng(0)
    true = ONE.limits.onset_s[ONE.limits.kind == 2] + 0.045
    rough = true + rng.uniform(-0.005, 0.005, len(true))
    leads = np.stack([ONE.signal_mv, 0.5 * ONE.signal_mv], axis=1)
    is_heard = np.ones(leads.shape, bool)
    found = aligned_where_heard_s(leads, is_heard, ONE.rate_hz, rough)
    assert np.array_equal(found, aligned_s(ONE.signal_mv, ONE.rate_hz, rough))
    leads[1000:, 0], is_heard[1000:, 0] = 0.0, False
    found = aligned_where_heard_s(leads, is_heard, ONE.rate_hz, rough)
    assert np.std(found - true) < 0.6 * np.std(rough - true)
