import dataclasses
import json
import re

import numpy as np
import pytest

from healthdash.signals.filters import FILTERS, filtered
from healthdash.signals.simplify import simplified
from healthdash.ui.palette import LIGHT
from healthdash.ui.paper import sheet
from healthdash.views import Marker, Span, Trace

TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def _trace(seconds=12.0, leads=TWELVE, rate_hz=500.0, **more):
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    one = np.exp(-0.5 * (((t + 0.5) % 1 - 0.5) / 0.012) ** 2)
    return Trace(
        signal=np.stack([one] * len(leads), axis=1).astype(np.float32), rate_hz=rate_hz, leads=leads, **more
    )


def _places(path):
    return np.array([[float(v) for v in pair.split()] for pair in re.split("[ML]", path) if pair])


def test_a_second_is_25_and_a_millivolt_10_millimetres():
    drawn = sheet.of(_trace(leads=("II",)), 0, 10, sheet.Choice(), LIGHT)
    places = _places(drawn["lanes"][0]["path"])
    assert places[:, 0].max() - places[:, 0].min() == pytest.approx(250, abs=0.1)
    assert places[:, 1].max() - places[:, 1].min() == pytest.approx(10, abs=0.05)
    tops = places[places[:, 1] < places[:, 1].min() + 0.05, 0]
    assert np.diff(tops) == pytest.approx(np.full(len(tops) - 1, 25), abs=0.1)


@pytest.mark.parametrize(("speed", "gain"), [(50.0, 20.0), (25.0, 5.0)])
def test_other_speeds_and_gains_change_the_paper_and_the_pulse(speed, gain):
    drawn = sheet.of(_trace(leads=("II",)), 0, 5, sheet.Choice("stacked", speed, gain), LIGHT)
    places = _places(drawn["lanes"][0]["path"])
    assert np.ptp(places[:, 1]) == pytest.approx(gain, abs=0.05)
    pulse = _places(drawn["pulses"][0])
    assert np.ptp(pulse[:, 1]) == pytest.approx(gain, abs=0.01)
    assert drawn["scale"].startswith(f"{speed:g} mm/s, {gain:g} mm/mV")


def test_three_by_four_has_a_rhythm_strip_and_each_lead_its_own_seconds():
    drawn = sheet.of(_trace(), 1, 10, sheet.Choice("grid"), LIGHT)
    names = [lane["name"] for lane in drawn["lanes"]]
    assert names == ["I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6", "II"]
    widths = [np.ptp(_places(lane["path"])[:, 0]) for lane in drawn["lanes"]]
    assert widths == pytest.approx([62.5] * 12 + [250], abs=0.1)
    assert len({lane["y"] for lane in drawn["lanes"]}) == 4


def test_leads_are_known_by_any_spelling_and_missing_ones_refuse_the_grid():
    assert sheet.places(tuple(name.lower() for name in TWELVE)) is not None
    assert sheet.places(tuple(f"ECG {name}" for name in TWELVE)) is not None
    assert sheet.places(tuple(f"EKG_{name}" for name in TWELVE)) is not None
    assert sheet.places(TWELVE[:-1]) is None
    lower = sheet.of(_trace(leads=("avr", "ECG V1", "mlii")), 0, 10, sheet.Choice(), LIGHT)
    assert [lane["name"] for lane in lower["lanes"]] == ["aVR", "V1", "mlii"]


def test_a_day_sends_fewer_than_5000_points_and_keeps_its_peak():
    signal = np.zeros((21_600_000, 1), np.float32)
    signal[12_345_678] = 5
    view = Trace(signal=signal, rate_hz=250, leads=("II",))
    drawn = sheet.of(view, 3600, 30, sheet.Choice(), LIGHT)
    assert drawn["strip"]["points"] + sum(lane["points"] for lane in drawn["lanes"]) <= 5000
    strip = _places(drawn["strip"]["path"])
    assert strip[strip[:, 1].argmin(), 0] == pytest.approx(1000 * 12_345_678 / 21_600_000, abs=1)
    json.dumps(drawn)


def test_twelve_noisy_leads_stay_within_the_budget():
    view = Trace(
        signal=np.random.default_rng(0).normal(size=(15_000, 12)).astype(np.float32),
        rate_hz=500,
        leads=TWELVE,
    )
    drawn = sheet.of(view, 0, 30, sheet.Choice(), LIGHT)
    assert sum(lane["points"] for lane in drawn["lanes"]) <= sheet.MOST_POINTS


def test_waves_lie_in_their_lane_and_end_with_it():
    span = Span(label="P", color="#009e73", start_s=np.array([0.9, 3.0]), stop_s=np.array([1.1, 3.1]), lead=0)
    drawn = sheet.of(_trace(spans=(span,)), 0, 10, sheet.Choice("grid"), LIGHT)
    first = [one for one in drawn["spans"] if one["width"] == pytest.approx(5)]
    assert len(first) == 1  # of lead I; the other one is in the seconds of aVR
    assert (first[0]["label"], first[0]["title"]) == ("P", "P, 200 ms")
    assert sheet.of(_trace(spans=(span,)), 0, 10, sheet.Choice(waves=False), LIGHT)["spans"] == []


def test_beats_and_flags_are_on_the_sheet():
    marker = Marker(label="V", samples=np.array([500, 9000]), color="#d55e00", description="ventricular")
    view = _trace(
        leads=("II",), seconds=20, markers=(marker,), flags=("noisy: complexes stand out 3.0-fold",)
    )
    drawn = sheet.of(view, 0, 10, sheet.Choice(), LIGHT)
    assert [mark["x"] for mark in drawn["marks"]] == [pytest.approx(12 + 25)]
    assert drawn["lanes"][0]["flag"].startswith("noisy")
    assert drawn["strip"]["events"][0]["x"] == [50.0, 900.0]


def test_filters_take_out_what_they_name_and_nothing_is_moved():
    rate = 500.0
    t = np.arange(5000) / rate
    clean = np.exp(-0.5 * (((t + 0.5) % 1 - 0.5) / 0.012) ** 2)
    hum, drift = 0.3 * np.sin(2 * np.pi * 50 * t), 0.8 * np.sin(2 * np.pi * 0.1 * t)
    given = (clean + hum + drift).astype(np.float32)[:, None]
    out = filtered(given, rate, list(FILTERS)[:3])[:, 0]
    middle = slice(1000, 4000)
    assert np.corrcoef(out[middle], clean[middle])[0, 1] > 0.98
    assert abs(int(out[1400:1600].argmax()) - int(clean[1400:1600].argmax())) <= 1
    assert filtered(given, rate, ()) == pytest.approx(given)
    assert filtered(given[:, :], 80.0, ["mains notch 50 Hz"]) == pytest.approx(given)  # 80 Hz holds no 50 Hz


def test_a_line_keeps_its_extremes_and_ends_on_a_budget():
    x = np.arange(1000.0)
    y = np.zeros(1000)
    y[123], y[700] = 9, -4
    (kept,) = simplified([(x, y)], 20, 0.01)
    assert {0, 123, 700, 999} <= set(kept.tolist())
    assert len(kept) <= 20
    assert len(simplified([(x, 2 * x)], 100, 0.01)[0]) == 2


def test_what_was_not_recorded_is_no_line():
    trace = _trace(seconds=30.0, leads=("I", "II"))
    signal = trace.signal.copy()
    signal[1000:1500, 0] = np.nan
    signal[:, 1] = np.nan
    for filters in ((), (next(iter(FILTERS)),)):
        gappy = dataclasses.replace(trace, signal=signal)
        found = sheet.of(gappy, 0.0, 5.0, sheet.Choice(filters=filters), LIGHT)
        broken, empty = (lane["path"] for lane in found["lanes"])
        assert broken.count("M") == 2
        x = _places(broken)[:, 0]
        assert not ((x > 12 + 2.01 * 25) & (x < 12 + 2.98 * 25)).any()
        assert empty == ""
        assert found["strip"]["path"].count("M") == 2
