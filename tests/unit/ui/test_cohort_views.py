"""What people see of many explained rows, as plain data."""

from __future__ import annotations

import numpy as np

from healthdash.explain.choices import Column
from healthdash.explain.cohort import Shares
from healthdash.fields import CategoryField, NumberField
from healthdash.ui import cohort_views
from healthdash.ui.cohort_views import Cohort

RNG = np.random.default_rng(0)


def test_a_category_is_coloured_by_what_changes_its_share_and_not_by_what_goes_along_with_it():
    sex = RNG.integers(1, 3, 400)
    along, age = RNG.normal(2 * sex), RNG.normal(size=400)
    rows = np.stack([sex, along, age], axis=1).astype(np.float32)
    shares = np.zeros((400, 3), np.float32)
    shares[:, 0] = (sex - 1.5) * (1 + 0.3 * age)
    columns = (
        Column(CategoryField(name="sex", label="Sex"), {"1": 1.0, "2": 2.0}),
        Column(NumberField(name="hb", label="Hb")),
        Column(NumberField(name="age", label="Age")),
    )
    found = Shares(("Sex", "Hb", "Age"), shares, np.zeros(400), shares.sum(axis=1), 0.0)
    view = cohort_views.dependence(Cohort(rows, None, found, columns, None, "yes"), 0)
    assert view.color_label == "Age"
