import numpy as np
import pytest

from healthdash.tasks.ecg.axis import axis
from healthdash.tasks.ecg.measurements import intervals, rr_statistics, to_plain
from healthdash.tasks.ecg.moments import Beats, aligned_s, beats_of
from healthdash.tasks.ecg.waves.limits import Limits
from healthdash.tasks.ecg.waves.samples import drawn


def _by_name(found):
    return {one.name: one for one in found}


def _known(rr_s=0.8, beats=12, **waves):
    return _by_name(intervals(beats_of(drawn(rr_s=np.full(beats, rr_s), **waves).limits)))


def test_known_intervals_come_back():
    found = _known(rr_s=0.8, pr_s=0.17, qrs_s=0.095, qt_s=0.36)
    assert found["rate"].value == pytest.approx(75)
    assert found["pr"].value == pytest.approx(170)
    assert found["qrs"].value == pytest.approx(95)
    assert found["qt"].value == pytest.approx(360)
    assert found["qtc_bazett"].value == pytest.approx(360 / np.sqrt(0.8))
    assert found["qtc_fridericia"].value == pytest.approx(360 / 0.8 ** (1 / 3))
    assert found["qt"].beats == 13
    assert found["qt"].spread == pytest.approx(0, abs=1e-6)


def test_without_p_waves_there_is_no_pr_and_a_reason():
    found = _known(pr_s=None)
    assert found["pr"].value is None
    assert "P wave was found before 0 of 13" in found["pr"].reason
    assert found["pr"].words == "not measurable"
    assert found["qrs"].value is not None


def test_atria_that_beat_by_themselves_have_no_pr():
    one = drawn(rr_s=np.full(20, 1.2), pr_s=0.2)
    limits = one.limits
    moved = limits.onset_s.copy()
    is_p = limits.kind == 1
    moved[is_p] -= np.linspace(0, 0.24, is_p.sum())
    found = _by_name(intervals(beats_of(Limits(limits.kind, moved, limits.peak_s, limits.offset_s))))
    assert "changes from beat to beat" in found["pr"].reason


@pytest.mark.parametrize("kept", [(), (1,), (3,), (1, 3)])
def test_nothing_crashes_where_waves_are_absent(kept):
    limits = drawn(rr_s=np.full(6, 0.9)).limits
    rows = np.isin(limits.kind, kept)
    beats = beats_of(Limits(*(getattr(limits, n)[rows] for n in ("kind", "onset_s", "peak_s", "offset_s"))))
    figures = (*intervals(beats), *rr_statistics(beats))
    assert all(one.value is None and one.reason for one in figures)
    assert all("reason" in line for line in to_plain(figures))


def test_statistics_of_intervals_follow_their_formulas():
    rr = 0.8 + 0.04 * np.sin(np.arange(40) * 1.7) + 0.01 * np.arange(40) / 40
    beats = beats_of(drawn(rr_s=rr).limits)
    found = _by_name(rr_statistics(beats))
    ms, changes = 1000 * rr, 1000 * np.diff(rr)
    assert found["sdnn"].value == pytest.approx(ms.std(ddof=1))
    assert found["rmssd"].value == pytest.approx(np.sqrt((changes**2).mean()))
    assert found["pnn50"].value == pytest.approx(100 * (abs(changes) > 50).mean())
    assert found["sd1"].value == pytest.approx(changes.std(ddof=1) / np.sqrt(2))
    assert found["sd1"].value ** 2 + found["sd2"].value ** 2 == pytest.approx(2 * ms.var(ddof=1))
    assert found["sdnn"].beats == 40


def test_an_interval_across_a_gap_is_not_known():
    rr = 0.8 + 0.04 * np.sin(np.arange(40) * 1.7)
    rr[20] += 30.0
    limits = drawn(rr_s=rr).limits
    across = beats_of(limits)
    at = across.at_s[20]
    beats = beats_of(limits, gaps_s=((at + 0.3, at + 30.3),))
    assert np.flatnonzero(np.isnan(beats.between_s)).tolist() == [20]
    found = _by_name((*rr_statistics(beats), *intervals(beats)))
    assert found["rate"].value == pytest.approx(60 / np.delete(rr, 20).mean())
    assert found["sdnn"].beats == 39
    assert found["sdnn"].value < 100 < _by_name(rr_statistics(across))["sdnn"].value


def test_waves_go_to_their_complexes_as_one_by_one():
    limits = drawn(rr_s=0.8 + 0.1 * np.sin(np.arange(60))).limits
    kept = np.random.default_rng(0).random(len(limits.kind)) < 0.7
    names = ("kind", "onset_s", "peak_s", "offset_s")
    beats = beats_of(Limits(*(getattr(limits, name)[kept] for name in names)))
    kind, onset, offset = limits.kind[kept], limits.onset_s[kept], limits.offset_s[kept]
    starts, ends = onset[kind == 2], offset[kind == 2]
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        p = onset[(kind == 1) & (onset > (ends[i - 1] if i else -1)) & (onset < start)]
        t = offset[(kind == 3) & (onset >= end - 0.02) & (onset < [*starts, np.inf][i + 1])]
        expected = p[-1] if len(p) and start - p[-1] <= 0.45 else np.nan
        np.testing.assert_equal(beats.p_onset_s[i], expected)
        np.testing.assert_equal(beats.t_offset_s[i], t[0] if len(t) else np.nan)


def test_an_early_beat_takes_no_part_in_the_variation():
    rr = np.full(30, 0.8)
    rr[12], rr[13] = 0.5, 1.1
    found = _by_name(rr_statistics(beats_of(drawn(rr_s=rr).limits)))
    assert found["sdnn"].beats == 28
    assert found["sdnn"].value == pytest.approx(0, abs=1e-6)


def test_moments_by_shape_are_finer_than_samples():
    rr = 0.8 + 0.0007 * np.arange(20)
    one = drawn(rr_s=rr, rate_hz=250, noise_mv=0.0)
    is_qrs = one.limits.kind == 2
    rough = np.rint((one.limits.peak_s[is_qrs] + 0.01) * 250) / 250
    found = aligned_s(one.signal_mv, 250, rough)
    assert np.abs(np.diff(found) - rr)[1:-1].max() < 0.0006


@pytest.mark.parametrize("degrees", [-60, 0, 45, 90, 150])
def test_the_axis_is_that_of_the_heart(degrees):
    one = drawn(rr_s=np.full(8, 0.8), noise_mv=0.0)
    angle = np.radians(degrees)
    first = one.signal_mv * np.cos(angle)
    second = one.signal_mv * np.cos(angle - np.radians(60))
    leads = {"I": first, "II": second, "III": second - first, "AVF": second - first / 2}
    found = axis(leads, one.rate_hz, beats_of(one.limits), True)
    assert found.value == pytest.approx(degrees, abs=3)


def test_the_axis_needs_leads_that_add_up():
    one = drawn(rr_s=np.full(8, 0.8))
    leads = dict.fromkeys(("I", "II", "III", "AVF"), one.signal_mv)
    assert "do not add up" in axis(leads, one.rate_hz, beats_of(one.limits), True).reason
    assert "does not state" in axis(leads, one.rate_hz, beats_of(one.limits), False).reason
    assert "I and aVF" in axis({"V1": one.signal_mv}, one.rate_hz, beats_of(one.limits), True).reason


def test_one_beat_alone_gives_no_rate():
    nothing = np.full(1, np.nan)
    beats = Beats(nothing, np.array([1.0]), np.array([1.1]), nothing, np.array([1.05]), np.array([True]))
    assert {one.value for one in intervals(beats)} == {None}
