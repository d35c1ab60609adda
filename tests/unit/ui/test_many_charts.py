"""Figures of pairs, of single curves and of ways across a threshold."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.explain.choices import Column
from healthdash.explain.counterfactual import Change, Counterfactual
from healthdash.explain.interactions import Interactions
from healthdash.explain.players import Players
from healthdash.fields import CategoryField, NumberField
from healthdash.ui import many_charts, otherwise, pairs
from healthdash.ui.palette import DARK, LIGHT
from healthdash.views import PairShares, Responses


def _pairs(index, names="abc"):
    index = np.asarray(index, float)
    shares = np.linspace(0.1, 0.3, len(index))
    return PairShares(features=tuple(names), index=index, shares=shares, target="high")


INDEX = [[0.0, 0.05, -0.01], [0.05, 0.0, 0.0], [-0.01, 0.0, 0.0]]


@pytest.mark.parametrize("paper", [LIGHT, DARK])
def test_pairs_are_coloured_around_nought_and_the_diagonal_holds_the_shares(paper):
    figure = many_charts.pairs(_pairs(INDEX), paper)
    cells = figure.data[0]
    assert cells.zmin == -cells.zmax == pytest.approx(-5)
    assert np.isnan(np.diag(cells.z)).all()
    assert cells.z[0][1] == pytest.approx(5)
    assert cells.text[0][1] == "+5.0"
    assert cells.text[1][2] == ""
    assert [note.text for note in figure.layout.annotations] == ["+10.0", "+20.0", "+30.0"]
    assert cells.colorscale[1][1] == paper.sheet


def test_features_of_one_name_stay_two_rows():
    figure = many_charts.pairs(_pairs(INDEX, ("same", "same", "other")), LIGHT)
    assert list(figure.layout.yaxis.ticktext) == ["same", "same", "other"]
    assert len(figure.layout.yaxis.tickvals) == 3


def test_no_more_single_curves_than_a_reader_can_see():
    curves = np.random.default_rng(0).random((1000, 4))
    mean = curves.mean(axis=0)
    view = Responses(
        feature="age", unit="years", values=(1.0, 2.0, 3.0, 4.0), curves=curves, mean=mean, low=mean - 0.1,
        high=mean + 0.1, y_label="%",
    )  # fmt: skip
    lines, band, bold = many_charts.responses(view, LIGHT).data
    assert np.isnan(np.asarray(lines.y, float)).sum() <= many_charts.MOST_CURVES
    np.testing.assert_allclose(bold.y, mean)
    assert len(band.x) == 8


def test_the_strongest_pairs_are_told_in_words_and_weak_ones_are_not():
    players = Players(("a", "b", "c"), {"features": np.arange(3)})
    found = Interactions(players, "high", np.zeros(3), np.array(INDEX), 0.2, 0.5, 8, 0.1)
    assert pairs.in_words(found) == [
        "**a** and **b**: together 5.0 points more than one by one.",
        "**a** and **c**: together 1.0 points less than one by one.",
    ]


def test_those_who_are_not_chosen_play_as_one():
    whole = Players(("a", "b", "c", "d"), {"features": np.array([0, 1, 2, 3, -1])})
    few = pairs.with_rest(whole, ["d", "b"])
    assert few.names == ("b", "d", "all others")
    np.testing.assert_array_equal(few.owner["features"], [2, 0, 2, 1, -1])
    assert pairs.with_rest(whole, whole.names).names == whole.names


def test_ways_are_placed_in_the_range_of_training():
    number = Column(NumberField(name="a", label="A", unit="mm"), low=0, high=10)
    category = Column(
        CategoryField(name="b", label="B", choices={"x": "one", "y": "two", "z": "three"}),
        {"x": 1.0, "y": 2.0, "z": 3.0},
    )
    changes = (Change(0, "A", 2.0, 5.0), Change(1, "B", 3.0, 1.0))
    one = Counterfactual(np.zeros(2, np.float32), changes, 0.4, 0.5)
    view = otherwise.ways_view([one], (number, category), "high")
    np.testing.assert_allclose(view.ways[0].start, [0.2, 1.0])
    np.testing.assert_allclose(view.ways[0].end, [0.5, 0.0])
    assert view.ways[0].after == ("5 mm", "one")
    arrows, given, changed = many_charts.ways(view, LIGHT).data
    assert list(changed.text) == ["2 mm → 5 mm", "three → one"]
    assert changed.name == "way 1: 40.0 %"
    assert list(given.y) == [0, 1]
    assert np.isnan(np.asarray(arrows.x, float)).sum() == 2
