"""Counterfactuals: small, different, across the threshold, and within what may change."""

from __future__ import annotations

import math

import numpy as np
import pytest

from healthdash.errors import ExplainerNotApplicable
from healthdash.explain import counterfactual
from healthdash.explain.choices import Choice
from healthdash.fields import CategoryField, NumberField
from tests.closed_form import logistic, table


def _number(name, current, low=0.0, high=10.0, **constraints):
    return Choice.of(NumberField(name=name, label=name, **constraints), current, low=low, high=high)


def _found(function, item, choices, threshold=0.5, **kwargs):
    item = np.asarray(item, np.float32)
    forward = table(function, len(item))
    return counterfactual.find(forward, {"features": item[None]}, choices, 1, threshold, **kwargs)


def test_a_linear_model_is_crossed_along_its_steepest_column():
    choices = [_number(name, 5.0, step=0.1) for name in "abc"]
    found = _found(lambda r: logistic(2 * r[:, 0] + 0.5 * r[:, 1] - 12.95), [5, 5, 5], choices)
    best = found.found[0]
    assert found.output < 0.5 < best.output
    assert [change.label for change in best.changes] == ["a"]
    assert best.changes[0].after == pytest.approx(5.3)
    assert best.cost == pytest.approx(0.03 + 0.1, abs=1e-6)


def test_the_change_is_the_smallest_that_its_step_allows():
    choices = [_number("a", 0.0, low=0, high=1000, step=1)]
    found = _found(lambda r: logistic(r[:, 0] - 437.5), [0], choices)
    assert found.found[0].changes[0].after == 438
    assert "above 50%" in found.words


def test_immutable_and_monotone_columns_are_kept():
    choices = [
        _number("age", 5.0, step=0.5, direction="up"),
        _number("sex", 1.0, high=2, is_mutable=False),
        _number("dose", 5.0, step=0.5, direction="down"),
        _number("weight", 5.0, step=0.5),
    ]
    # Every column but the dose would have to go down; the dose would have to go up.
    found = _found(
        lambda r: logistic(r[:, 0] + 9 * r[:, 1] - 3 * r[:, 2] + r[:, 3] - 2.5), [5, 1, 5, 5], choices
    )
    assert found.found
    for one in found.found:
        for change in one.changes:
            assert change.label == "weight"
            assert change.after < 5


def test_several_differ_in_their_columns():
    choices = [_number(name, 5.0, step=0.1) for name in "abcd"]
    found = _found(lambda r: logistic(r.sum(axis=1) - 17.95), [5, 5, 5, 5], choices, count=4)
    sets = [{change.label for change in one.changes} for one in found.found]
    assert sorted(map(sorted, sets)) == [["a"], ["b"], ["c"], ["d"]]
    costs = [one.cost for one in found.found]
    assert costs == sorted(costs)


def test_several_columns_change_together_where_one_is_not_enough():
    choices = [_number(name, 1.0, low=0, high=1, step=0.05) for name in "abcdef"]
    told = []
    found = _found(lambda r: logistic(4 * r.sum(axis=1) - 13.9), [1.0] * 6, choices, on_progress=told.append)
    best = found.found[0]
    assert len(best.changes) == 3
    assert not found.output < 0.5
    assert best.output < 0.5
    lightened = best.row.copy()
    lightened[best.changes[0].column] += 0.1
    assert logistic(4 * lightened.sum() - 13.9) >= 0.5
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_categories_and_gaps():
    codes = {"never": 1.0, "former": 2.0, "current": 3.0}
    smoking = Choice.of(CategoryField(name="s", label="smoking"), 3.0, codes=codes)
    gap = _number("pressure", math.nan, step=1)
    np.testing.assert_array_equal(smoking.values, [1, 2])
    assert smoking.cost(np.float32([1, 3])).tolist() == [1, 0]
    found = _found(
        lambda r: np.where(r[:, 0] == 1, 0.1, 0.8) * np.where(np.isnan(r[:, 1]), 1, 0.9),
        [3, np.nan],
        [smoking, gap],
    )
    assert found.found[0].changes[0].after == 1
    assert math.isnan(found.found[0].row[1])


def test_where_nothing_crosses_it_says_so():
    found = _found(lambda r: logistic(r[:, 0] + 40), [5], [_number("a", 5.0)])
    assert found.found == ()
    assert "No allowed change" in found.words
    nothing = _found(lambda r: logistic(r[:, 0]), [5], [_number("a", 5.0, is_mutable=False)])
    assert nothing.found == ()


def test_values_stay_within_the_field_and_the_plausible_range():
    field = NumberField(name="a", label="a", low=0, high=300, step=1)
    values = Choice.of(field, 100.0, low=90, high=400).values
    assert values.min() == 90
    assert values.max() == 300
    assert 100 not in values
    assert (values % 1 == 0).all()
    assert len(Choice.of(field, 100.0).values) == 0  # no range is known


def test_what_is_no_row_of_these_columns_is_refused():
    with pytest.raises(ExplainerNotApplicable, match="1 columns"):
        _found(lambda r: r[:, 0], [1], [])
    with pytest.raises(ExplainerNotApplicable, match="table"):
        counterfactual.find(table(lambda r: r, 1), {"image": np.zeros((1, 4, 4, 1), np.float32)}, [], 1, 0.5)


def test_a_row_outside_the_range_is_not_moved_back_outside_it():
    choices = [Choice.of(NumberField(name="bp", label="BP"), 250.0, low=94, high=200)]
    found = _found(lambda r: logistic((r[:, 0] - 230) / 20), [250], choices)
    assert [change.after for change in found.found[0].changes] == [200]


def test_output_and_threshold_are_told_apart_in_the_sentence():
    found = _found(
        lambda rows: 0.1 + rows[:, 0] / 1000, [0.4], [_number("a", 0.4, low=-5)], threshold=0.10008
    )
    assert "from 10.04% below 10.01%" in found.words
