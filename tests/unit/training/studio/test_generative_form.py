"""Items as generative networks see them: there and back, as arrays and as layers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from healthdash.training.studio.generative.copies import Known
from healthdash.training.studio.generative.form import fitted_form, form_of, some_of, to_restore
from tests.labelled import pictures, rows, signals
from tests.mixed_rows import mixed_rows

MAKERS = {"row": mixed_rows, "picture": lambda: pictures(24), "signal": lambda: signals(24)}


@pytest.fixture(params=MAKERS)
def case(request):
    items = MAKERS[request.param]()
    rows = np.arange(len(items))
    prepared = items.fitted(rows)
    return items, prepared, fitted_form(items.kind, prepared, rows, seed=0)


def test_coded_items_are_standardised_and_of_the_told_shape(case):
    items, prepared, form = case
    coded = form.encode(prepared.inputs(np.arange(len(items))))
    assert coded.shape == (len(items), *form.coded)
    assert np.isfinite(coded).all()
    assert np.abs(coded).max() <= 12


def test_a_stored_form_is_the_same_after_json(case):
    _, prepared, form = case
    again = form_of(json.loads(json.dumps(form.stored())))
    values = prepared.inputs(np.arange(5))
    np.testing.assert_array_equal(again.encode(values), form.encode(values))


def test_fields_come_back_as_they_were():
    items = signals(12)
    prepared = items.fitted(np.arange(12))
    form = fitted_form("signal", prepared, np.arange(12), seed=0)
    centred = items.values - items.values.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(form.decode(form.encode(items.values + 3)), centred, atol=1e-5)
    np.testing.assert_allclose(
        form.hidden(items.values + 3, 0.0, np.random.default_rng(0)), items.values + 3, atol=1e-5
    )


def test_rows_come_back_with_their_gaps_and_codes():
    items = mixed_rows()
    form = fitted_form("row", items.fitted(np.arange(240)), np.arange(240), seed=0)
    coded = form.encode(items.values)
    out = coded.copy()
    out[:, 3:] = 20 * coded[:, 3:] - 10  # gaps and codes are logits there
    back = form.decode(out)
    np.testing.assert_array_equal(np.isnan(back), np.isnan(items.values))
    np.testing.assert_array_equal(back[:, 2], items.values[:, 2])
    known = ~np.isnan(items.values)
    np.testing.assert_allclose(back[known], items.values[known], rtol=1e-4, atol=1e-3)


def test_drawn_rows_follow_the_probabilities():
    items = mixed_rows()
    form = fitted_form("row", items.fitted(np.arange(240)), np.arange(240), seed=0)
    out = np.zeros((4000, *form.coded), np.float32)
    out[:, 4] = np.log(0.3 / 0.7)  # the gap of the second number
    out[:, -1] = np.log(3.0)  # the last code three times as likely as each other one
    rows = form.decode(out, np.random.default_rng(0))
    assert np.isnan(rows[:, 1]).mean() == pytest.approx(0.3, abs=0.03)
    assert (rows[:, 2] == 2).mean() == pytest.approx(0.6, abs=0.03)


def test_hidden_columns_are_gaps_and_hidden_patches_the_mean():
    rng = np.random.default_rng(0)
    rows = mixed_rows()
    form = fitted_form("row", rows.fitted(np.arange(240)), np.arange(240), seed=0)
    hidden = form.hidden(rows.values, 0.5, rng)
    assert np.isnan(hidden[:, 0]).mean() == pytest.approx(0.5, abs=0.12)
    assert (hidden[:, 2] == 0).mean() == pytest.approx(0.5, abs=0.12)
    seen = pictures(24)
    form = fitted_form("picture", seen.fitted(np.arange(24)), np.arange(24), seed=0)
    hidden = form.hidden(seen.values, 0.5, rng)
    same = np.isclose(hidden, seen.values, atol=1e-5)
    assert same.mean() == pytest.approx(0.5, abs=0.1)
    np.testing.assert_allclose(hidden[~same], seen.values.mean(), atol=1e-4)


@pytest.mark.tf
def test_the_layers_of_a_saved_network_give_the_numbers_of_training(case):
    import keras

    _, prepared, form = case
    given = keras.Input(form.shape)
    layers = keras.Model(given, form.entry(given))
    values = prepared.inputs(np.arange(10))
    np.testing.assert_allclose(np.asarray(layers(values)), form.encode(values), atol=1e-5)


@pytest.mark.tf
def test_errors_are_of_the_items_shape_and_least_for_the_item_itself(case):
    items, prepared, form = case
    coded = form.encode(prepared.inputs(np.arange(10)))
    exact = coded.copy()
    if items.kind == "row":
        exact[:, 3:] = 40 * coded[:, 3:] - 20
    right = np.asarray(form.errors(coded, exact))
    wrong = np.asarray(form.errors(coded, np.roll(exact, 1, axis=0)))
    assert right.shape == (10, *form.shape)
    assert np.abs(right).max() < 1e-4
    assert wrong.mean() > 0.1


def test_planted_copies_are_found_and_other_items_are_none(case):
    items, prepared, form = case
    half = len(items) // 2
    known = Known.of(form, prepared, np.arange(half))
    assert known.are_copies(prepared.inputs(np.arange(half))).all()
    others = prepared.inputs(np.arange(half, len(items)))
    assert known.are_copies(others).mean() < 0.15
    blend = 0.5 * (others[:1] + others[1:2]) if items.kind != "row" else others[:1]
    assert known.ratios(blend)[0] > 0.25


def test_rows_of_codes_that_many_have_alike_are_no_copies_and_those_of_one_patient_are():
    items = mixed_rows()
    items.values[:, [0, 1, 3]] = 1
    items.values[:, 2] = np.repeat([0, 1, 2], [100, 100, 40])
    everything = np.arange(len(items))
    prepared = items.fitted(everything)
    form = fitted_form("row", prepared, everything, seed=0)
    assert not Known.of(form, prepared, everything).are_copies(items.values).any()
    assert Known.of(form, prepared, everything).ratios(items.values[:1]) == np.inf
    groups = np.where(items.values[:, 2] == 2, "one patient", everything.astype(str))
    copies = Known.of(form, prepared, everything, groups).are_copies(items.values)
    np.testing.assert_array_equal(copies, items.values[:, 2] == 2)


def test_of_more_items_than_fit_into_memory_some_are_drawn():
    rows = np.arange(5000)
    assert some_of(rows, (10,), seed=0) is rows
    assert len(some_of(rows, (10,), seed=0, most=200)) == 200
    few = some_of(rows, (512, 512, 3), seed=0)
    assert len(few) * 512 * 512 * 3 * 4 <= 128 << 20
    np.testing.assert_array_equal(few, some_of(rows, (512, 512, 3), seed=0))


@pytest.mark.parametrize("make", [rows, pictures, signals])
def test_hidden_values_of_a_row_are_restored_and_a_moved_picture_as_it_was_moved(make):
    items, asked = make(12), np.arange(6)
    seen, whole = to_restore(items.kind, items.fitted(asked), asked, np.random.default_rng(0))
    assert not np.array_equal(seen, items.values[asked])
    np.testing.assert_array_equal(whole, items.values[asked] if items.kind == "row" else seen)
    for one in to_restore(items.kind, items.fitted(asked), asked, None):
        np.testing.assert_array_equal(one, items.values[asked])
