"""Averages over items against cases done by hand, and the words for good and bad ones."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from healthdash.explain.quality import Agreement
from healthdash.judging.averages import Scores, agreed, averaged, worded
from healthdash.training.explained import Average, ExplanationQuality

GOOD = Scores(residual=0.001, stability=0.9, deletion=0.2, insertion=0.1, beaten=1.0, shuffled=0.1)
NAN = float("nan")


def test_figures_are_means_over_items_with_an_interval():
    other = Scores(residual=0.003, stability=0.7, deletion=0.4, insertion=-0.1, beaten=0.8, shuffled=-0.1)
    found = averaged("expected-gradients", [GOOD, other])
    assert found.title == "Expected gradients"
    means = {
        "residual": 0.002,
        "stability": 0.8,
        "deletion": 0.3,
        "insertion": 0,
        "beaten": 0.9,
        "shuffled": 0,
    }
    for name, mean in means.items():
        figure = getattr(found, name)
        assert figure.value == pytest.approx(mean)
        assert figure.n == 2
        # Two items: a draw of the same one twice is in one of four.
        ends = sorted([getattr(GOOD, name), getattr(other, name)])
        assert [figure.low, figure.high] == pytest.approx(ends)
    assert not found.is_doubtful


def test_an_average_over_one_item_has_no_interval():
    found = averaged("expected-gradients", [GOOD])
    assert found.stability == Average(value=0.9, n=1)
    assert found.row()["holds still"] == "0.90"


def test_items_without_a_figure_are_left_out_and_none_at_all_is_none():
    found = averaged("occlusion", [replace(GOOD, residual=NAN, stability=NAN), replace(GOOD, residual=NAN)])
    assert found.residual is None
    assert found.stability == Average(value=0.9, n=1)
    assert found.row()["adds up"] == "-"
    assert "gives no shares" in found.words
    unordered = averaged("occlusion", [replace(GOOD, beaten=NAN)])
    assert unordered.beaten is None
    assert unordered.row()["orders beaten"] == "-"
    assert "puts nothing in order" in unordered.words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "depends on what the model has learnt"),
        ({"residual": 0.023}, "misses the output by 2.3 percentage points"),
        ({"stability": 0.5}, "changes a good deal"),
        ({"beaten": 0.6}, "uses hardly better than chance"),
        ({"beaten": 0.4}, "uses worse than chance"),
        ({"shuffled": 0.9}, "stays much the same without what the model has learnt"),
    ],
)
def test_bad_figures_are_told(change, words):
    found = averaged("expected-gradients", [replace(GOOD, **change)] * 3)
    assert words in found.words
    assert found.is_doubtful == ("shuffled" in change)


def test_few_items_whose_interval_holds_one_half_are_not_called_worse_than_chance():
    found = averaged("grad-cam", [replace(GOOD, beaten=share) for share in (0.1, 0.6, 0.2)])
    assert "hardly better than chance" in found.words
    assert worded(found.model_copy(update={"words": ""})) == found


def test_agreement_is_averaged_for_each_pair():
    def of(correlation: float, overlap: float) -> Agreement:
        return Agreement(
            ("a", "b"),
            np.array([[1, correlation], [correlation, 1]]),
            np.array([[1, overlap], [overlap, 1]]),
            5,
        )

    (pair,) = agreed(["occlusion", "grad-cam"], [of(0.2, 0.4), of(0.6, 0.8)])
    assert pair.correlation.value == pytest.approx(0.4)
    assert pair.overlap.value == pytest.approx(0.6)
    assert "Occlusion" in pair.titles[0]


@pytest.mark.parametrize(
    ("average", "unit", "shown"),
    [
        (Average(value=0.01234, low=0.01, high=0.02, n=3), "points", "1.23 (1.00 to 2.00)"),
        (Average(value=0.914, low=0.85, high=1, n=3), "share", "91 % (85 to 100)"),
        (Average(value=-0.001, low=-0.5, high=0.25, n=3), "correlation", "0.00 (-0.50 to 0.25)"),
        (Average(value=0.5, n=1), "points", "50.00"),
    ],
)
def test_figures_are_shown_with_their_unit(average, unit, shown):
    assert average.shown(unit) == shown


def test_the_words_say_whose_figures_they_are_and_never_where_a_disease_is():
    quality = ExplanationQuality(
        items=2, kind="synthetic beats", samples=200, seed=0, command="judge",
        methods=(averaged("expected-gradients", [GOOD, GOOD]),),
    )  # fmt: skip
    assert "2 synthetic beats, none of a patient" in quality.words
    assert "nor where a disease is" in quality.words
    assert quality.agreement_words == ""
    assert not math.isnan(quality.methods[0].deletion.value)
