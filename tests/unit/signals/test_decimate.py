"""Thinning for a screen: no peak is lost, gaps stay gaps, and it is quick."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.signals.decimate import min_max

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
