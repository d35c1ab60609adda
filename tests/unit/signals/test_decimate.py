"""Thinning for a screen: no peak is lost, gaps stay gaps, and it is quick."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.signals.decimate import min_max
from healthdash.signals.simplify import departures, sketched

NOISE = np.random.default_rng(3).normal(size=100_003).astype(np.float32)


def test_few_values_stay_as_they_are() -> None:
    places, values = min_max(NOISE[:10], 10)
    assert places.tolist() == list(range(10))
    assert np.array_equal(values, NOISE[:10])


@pytest.mark.parametrize("most", [2, 3, 100, 4_999, 100_000])
def test_it_sends_no_more_than_asked_and_keeps_the_extremes(most: int) -> None:
    places, values = min_max(NOISE, most)
    assert len(places) <= most
    assert (np.diff(places) > 0).all()
    assert np.array_equal(values, NOISE[places])
    assert (values.min(), values.max()) == (NOISE.min(), NOISE.max())


def test_a_single_spike_survives_a_thousandfold_thinning() -> None:
    flat = np.zeros(2_000_000, np.float32)
    flat[1_234_567] = 5.0
    places, values = min_max(flat, 2_000)
    assert 1_234_567 in places
    assert values.max() == 5.0


@pytest.mark.parametrize("n", [1, 10, 1999, 2000, 2001, 4001])
def test_all_points_stay_where_there_is_room(n: int) -> None:
    places, values = min_max(np.arange(n, dtype=np.float32), 2000)
    assert len(places) == len(values) <= 2000
    assert n > 2000 or len(places) == n


def test_a_gap_breaks_the_line_and_hides_no_peak_beside_it() -> None:
    holed = NOISE.copy()
    holed[20_000:40_000] = np.nan
    holed[40_005] = 50.0
    places, values = min_max(holed, 500)
    assert np.isnan(values[(places > 21_000) & (places < 39_000)]).all()
    assert np.nanmax(values) == 50.0
    assert np.isfinite(values[(places < 19_000) | (places > 41_000)]).all()


def test_one_lead_of_many_needs_no_copy_to_be_right() -> None:
    leads = NOISE[:99_999].reshape(-1, 3)
    assert np.array_equal(min_max(leads[:, 1], 200)[1], min_max(leads[:, 1].copy(), 200)[1])


def test_room_for_one_point_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="2 points"):
        min_max(NOISE, 1)


def test_lines_share_their_points_and_keep_to_the_budget() -> None:
    time = np.arange(7680) / 256
    rows = [np.float32(5) * np.sin(2 * np.pi * 2 * time).astype(np.float32), NOISE[:7680], NOISE[7680:15360]]
    kept = sketched(rows, 900, 0.1)
    assert sum(map(len, kept)) <= 900
    assert all((np.diff(places) > 0).all() for places in kept)
    # 60 swings of the sine, each with its two turning points.
    assert departures(rows[:1], kept[:1]).max() < 0.4 * 5


def test_a_loose_electrode_leaves_points_for_the_others() -> None:
    rows = [NOISE[:5000], NOISE[5000:10_000], 1000 * NOISE[10_000:15_000]]
    kept = sketched(rows, 3000, 0.01)
    assert min(map(len, kept)) > 600


def test_a_gap_keeps_one_nan_and_no_line_crosses_it() -> None:
    row = NOISE[:1000].copy()
    row[400:500] = np.nan
    row[:3] = np.nan
    (kept,) = sketched([row], 200, 0.01)
    assert np.isnan(row[kept]).sum() == 1
    assert {3, 399, 400, 500, 999} <= set(kept.tolist())
    assert len(departures([row], [kept])) >= 990 - 103


def test_more_gaps_than_points_still_keep_to_the_budget() -> None:
    row = NOISE[:9000].copy()
    row[::2] = np.nan
    assert sum(map(len, sketched([row, row], 500, 0.01))) <= 500
    assert [len(places) for places in sketched([np.full(50, np.nan, np.float32)], 500, 0.01)] == [0]
