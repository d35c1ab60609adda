"""Figures and numbers of the page Explain."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from healthdash.fields import CategoryField, NumberField
from healthdash.ui import ecg_paper, heatmap, plots, scales, share_charts, whatif
from healthdash.ui.caliper import measured
from healthdash.ui.palette import LIGHT
from healthdash.ui.radiograph import Look, rendered
from healthdash.views import Beeswarm, Dependence, MeanShares, Moved, Picture, Trace, Waterfall, Window


def _waterfall(shares=(0.3, -0.1), base=0.2):
    values = np.array(shares, np.float32)
    output = base + float(values.sum())
    names = tuple("abcdefgh"[: len(values)])
    return Waterfall(
        features=names, attributions=values, base=base, output=output, residual=0.0, target="high"
    )


def _picture(heat, **more):
    window = Window(name="all", center=0.5, width=1)
    pixels = np.full((64, 48), 0.5, np.float32)
    return Picture(pixels=pixels, windows=(window,), heat=heat, **more), Look(window, opacity=1.0)


def test_one_bar_ends_at_the_output_from_both_sides():
    speaks_for, against = share_charts.force(_waterfall(), LIGHT).data
    assert speaks_for.base[0] + speaks_for.x[0] == pytest.approx(0.4)
    assert against.base[0] == pytest.approx(0.4)
    assert against.x[0] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("low", "high"), [(0.095, 0.11), (0.2, 0.7), (0.4995, 0.5), (-0.1, 1.1), (-0.002, 0.004)]
)
def test_no_two_ticks_of_probabilities_read_the_same(low, high):
    ticks, tickformat = scales.ticked_percent(low, high)
    words = [format(tick, tickformat) for tick in ticks]
    assert len(set(words)) == len(words) >= 3
    assert [float(word.rstrip("%")) / 100 for word in words] == pytest.approx(ticks)


@pytest.mark.parametrize("chart", [share_charts.waterfall, share_charts.force])
def test_small_shares_have_ticks_with_decimals(chart):
    axis = chart(_waterfall((0.006, -0.002), 0.1), LIGHT).layout.xaxis
    words = [format(tick, axis.tickformat) for tick in axis.tickvals]
    assert len(set(words)) == len(words) >= 3


def test_small_shares_have_ticks_with_decimals_in_the_picture_too():
    place = Figure().subplots()
    plots._waterfall(place, _waterfall((0.006, -0.002), 0.1))
    words = [label.get_text() for label in place.get_xticklabels()]
    assert len(set(words)) == len(words) >= 3


def test_sides_on_one_scale_have_one_axis_and_one_full_colour():
    heat = np.linspace(-1, 1, 48 * 64, dtype=np.float32).reshape(64, 48)
    weak, strong = _picture(heat / 10)[0], _picture(heat)[0]
    left, right = scales.shared([[weak, _waterfall()], [strong, _waterfall((0.6,), 0.1)]])
    assert left[0].heat_scale == right[0].heat_scale == pytest.approx(0.995, abs=0.005)
    assert left[1].span == right[1].span == pytest.approx((0.1, 0.7))


def test_a_weak_explanation_is_pale_on_the_scale_of_a_strong_one():
    heat = np.full((8, 8), 0.1, np.float32)
    alone, look = _picture(heat)
    beside = _picture(heat, heat_scale=1.0)[0]
    grey = rendered(_picture(None)[0], look).astype(int)
    assert np.abs(rendered(alone, look) - grey).mean() > 5 * np.abs(rendered(beside, look) - grey).mean()


def test_places_below_the_threshold_stay_clear():
    heat = np.zeros((64, 48), np.float32)
    heat[:32], heat[32:] = 0.2, 1.0
    view, look = _picture(heat)
    shown = rendered(view, Look(look.window, opacity=1.0, threshold=0.5))
    grey = rendered(_picture(None)[0], look)
    np.testing.assert_array_equal(shown[:100], grey[:100])
    assert (shown[-100:] != grey[-100:]).any()


def test_squares_under_the_pointer_sum_to_the_explanation():
    heat = np.random.default_rng(0).normal(size=(64, 48)).astype(np.float32) / 1000
    view, look = _picture(heat)
    values = heatmap.figure(view, look, LIGHT, n_shares=heat.size).data[0]
    assert np.asarray(values.z).shape == (32, 24)
    assert np.asarray(values.z).sum() == pytest.approx(100 * heat.sum(dtype=float), rel=1e-5)


def test_a_square_says_the_region_in_its_middle_and_its_share():
    owner = np.repeat([[0, 1]], 8, axis=0).repeat(4, axis=1)
    regions = heatmap.Regions(owner, ("left", "right"), np.array([0.1, -0.02], np.float32))
    view, look = _picture(np.ones((64, 48), np.float32))
    text = heatmap.figure(view, look, LIGHT, regions=regions).data[0].text
    assert text[0][0] == "left<br>its share: +10.00 percentage points"
    assert text[-1][-1] == "right<br>its share: -2.00 percentage points"


def test_a_caliper_measures_time_height_and_shares():
    signal = np.zeros((1000, 1), np.float32)
    signal[250] = 1.5
    along = np.full((1000, 1), 0.001, np.float32)
    view = Trace(signal=signal, rate_hz=500, leads=("II",), attribution=along, start_s=10.0)
    words = measured(view, 10.4, 10.6)
    assert "200 ms (300 /min)" in words
    assert "II from 0.00 to 1.50 mV" in words
    assert "+10.10 percentage points" in words
    assert "0 ms" in measured(view, 12.0, 12.0)  # both legs at the very end


def test_a_trace_is_coloured_where_it_counts_and_says_its_share():
    along = np.zeros((1000, 1), np.float32)
    along[500:520], along[700:720] = 0.01, -0.01
    signal = np.zeros((1000, 1), np.float32)
    view = Trace(signal=signal, rate_hz=500, leads=("II",), attribution=along)
    stretches = ecg_paper.figure(view, 0, 2, LIGHT).data[1:3]
    assert sorted(np.nanmin(trace.x) for trace in stretches) == pytest.approx([1.0, 1.4])
    assert sorted(trace.customdata[0] for trace in stretches) == pytest.approx([-1.0, 1.0])


def test_the_largest_mean_share_is_on_top_with_its_interval():
    mean = np.array([0.01, 0.05])
    view = MeanShares(features=("a", "b"), mean=mean, low=mean - 0.01, high=mean + 0.01, x_label="size")
    bars = share_charts.mean_shares(view, LIGHT).data[0]
    assert list(bars.y) == ["b", "a"]
    np.testing.assert_allclose(bars.error_x.array, 0.01)


def test_dependence_shows_words_and_numbers():
    view = Dependence(feature="a", unit="", values=("x", 2.0), shares=np.array([0.1, 0.2]), target="high")
    dots = share_charts.dependence(view, LIGHT).data[0]
    assert list(dots.x) == ["x", 2.0]
    np.testing.assert_allclose(dots.y, [10, 20])


def test_dots_without_a_value_are_grey_and_shares_are_percentage_points():
    view = Beeswarm(
        features=("Age",), values=np.array([[0.5], [np.nan], [1.0]], np.float32),
        attributions=np.array([[0.05], [0.02], [-0.1]], np.float32), target="high",
    )  # fmt: skip
    drawn = share_charts.beeswarm(view, LIGHT)
    known, missing = drawn.data
    assert list(known.marker.color) == [0.5, 1.0]
    assert missing.marker.color == LIGHT.muted
    assert list(missing.x) == pytest.approx([2.0])
    assert drawn.layout.xaxis.title.text.endswith("of high, percentage points")


def test_what_moved_most_is_on_top():
    moved = Moved(features=("a", "b"), before=np.array([0.3, 0.0]), after=np.array([0.3, 0.2]), target="high")
    changed, given = share_charts.moved(moved, LIGHT).data
    assert list(changed.y) == ["b", "a"]
    assert list(given.x) == [0.0, 30.0]


def test_a_form_begins_with_a_value_that_is_possible():
    number = NumberField(name="a", label="A", low=0, high=10)
    assert whatif.started_at(number, 4.0).default == 4.0
    assert whatif.started_at(number, 40.0).default is None
    assert whatif.started_at(number, None).default is None
    assert whatif.started_at(CategoryField(name="b", label="B", choices={"1": "one"}), "1").default == "1"


def test_a_missing_value_has_the_colour_of_none_that_is_known():
    view = Dependence(
        feature="Hb", unit="", values=(1.0, 2.0, 3.0), shares=np.zeros(3), target="yes",
        color=np.array([40.0, np.nan, 60.0]), color_label="Age",
    )  # fmt: skip
    known, missing = share_charts.dependence(view, LIGHT).data
    assert list(known.marker.color) == [40.0, 60.0]
    assert list(missing.x) == [2.0]
    assert "Age: not known" in missing.hovertemplate
