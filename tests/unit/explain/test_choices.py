"""Columns as a network sees them: words, ranges, and what may be proposed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from healthdash import bundles, tasks
from healthdash.errors import ExplainerNotApplicable
from healthdash.explain.choices import Column
from healthdash.explain.metric_loss import METRICS
from healthdash.fields import CategoryField, Field, NumberField

_NUMBER = NumberField(name="a", label="A", unit="mm", low=0, high=100)


def test_codes_that_the_network_does_not_know_are_not_named():
    column = Column(CategoryField(name="b", label="B", choices={"1": "one", "2": "two"}), {"1": 1.0})
    assert column.in_words(1.0) == "one"
    assert column.in_words(0.0) == "other or not known"


def test_a_code_without_a_meaning_is_its_own_word():
    assert Column(Field(name="c", label="C"), {"MC": 3.0}).with_unit(3.0) == "MC"


def test_the_range_of_training_counts_before_that_of_the_background():
    values = np.array([5, 50, np.nan], np.float32)
    trained, bare = Column(_NUMBER, low=10, high=20), Column(_NUMBER)
    assert trained.ranged(values).choice(15.0).values.max() == 20
    assert bare.ranged(values).choice(15.0).values.max() == 50
    assert len(bare.choice(15.0).values) == 0
    assert Column(_NUMBER, low=10, high=300).choice(15.0).values.max() == 100


def test_a_range_below_its_step_is_proposed_unrounded():
    column = Column(NumberField(name="a", label="A", step=1e-4), low=1e-6, high=9e-6)
    values = column.choice(5e-6).values
    assert len(values) > 10
    assert (values.min(), values.max()) == (np.float32(1e-6), np.float32(9e-6))
    assert np.isfinite(
        Column(NumberField(name="a", label="A", step=1e-30), low=0, high=1e30).choice(1).values
    ).all()


def test_what_should_not_be_proposed_is_not():
    field = CategoryField(
        name="d", label="D", choices={"1": "home", "2": "died", "3": "clinic"}, not_proposed=("2",)
    )
    column = Column(field, {"1": 1.0, "2": 2.0, "3": 3.0})
    np.testing.assert_array_equal(column.choice(1.0).values, [3.0])


def test_values_have_a_place_in_the_range_or_among_the_codes():
    column = Column(_NUMBER, low=10, high=20)
    assert [column.place(v) for v in (10.0, 15.0, 99.0)] == [0.0, 0.5, 1.0]
    assert math.isnan(column.place(math.nan))
    assert Column(Field(name="c", label="C"), {"x": 1.0, "y": 2.0}).place(2.0) == 1.0


@pytest.mark.parametrize("slug", ["heart-disease", "readmission"])
def test_the_tables_that_ship_know_their_columns_and_their_ranges(slug):
    task = tasks.get(slug)
    bundle = bundles.get(slug)
    columns = task.choices(bundle)
    stored = bundle.info.preprocessing["columns"]
    assert [column.field.name for column in columns] == [one["name"] for one in stored]
    for column, one in zip(columns, stored, strict=True):
        if column.is_number:
            assert (column.low, column.high) == (one["low"], one["high"])
        else:
            assert column.codes
    grouped = [name for members in task.column_groups.values() for name in members]
    assert len(set(grouped)) == len(grouped)
    assert set(grouped) <= {column.field.name for column in columns}


def test_no_way_of_a_stay_is_a_death():
    task = tasks.get("readmission")
    column = next(
        c for c in task.choices(bundles.get("readmission")) if c.field.name == "discharge_disposition_id"
    )
    words = [str(column.in_words(value)) for value in column.choice(column.codes["1"]).values]
    assert words
    assert not [word for word in words if "died" in word or "hospice" in word]


def test_codes_are_those_that_prepare_gives():
    task = tasks.get("readmission")
    bundle = bundles.get("readmission")
    upload = task.examples()[0].make()[0]
    (row,) = task.prepare(task.read([upload]), bundle.info.preprocessing)["features"]
    told = {c.field.name: c.in_words(float(v)) for c, v in zip(task.choices(bundle), row, strict=True)}
    assert told["age"] == "50 to 59"
    assert told["insulin"] == "same dose"
    assert told["time_in_hospital"] == 2


def test_labelled_rows_know_their_truth_and_gaps_are_told():
    task = tasks.get("heart-disease")
    (upload,) = task.training_examples()[0].make()
    sample = task.read([upload])
    truth = task.truth_in(sample)
    assert len(truth) == len(sample.frame)
    assert set(truth.tolist()) == {0, 1}
    lines = upload.data.decode().splitlines()
    lines[1] = lines[1].rsplit(",", 1)[0] + ",?"
    gap = task.truth_in(task.read([type(upload)("x.csv", "\n".join(lines).encode())]))
    assert gap[0] == -1
    np.testing.assert_array_equal(gap[1:], truth[1:])
    assert task.truth_in(task.read(task.examples()[0].make())) is None


def test_the_area_under_the_curve_is_that_of_scikit_learn():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    truth, chance = rng.integers(0, 2, 200), rng.random(200).round(1)
    area, brier = (measure.of(1) for measure in METRICS.values())
    both = np.stack([1 - chance, chance], axis=1)
    assert area(truth, both) == pytest.approx(roc_auc_score(truth, chance))
    assert brier(truth, both) == pytest.approx(np.mean((chance - truth) ** 2))
    with pytest.raises(ExplainerNotApplicable, match="ROC"):
        area(np.zeros(200, np.int64), both)


def test_small_numbers_keep_their_digits():
    column = Column(NumberField(name="c", label="c", step=0.0), low=1e-6, high=9e-6)
    assert [column.in_words(value) for value in (1e-6, 5e-6, 123456.0)] == [1e-6, 5e-6, 123456.0]
