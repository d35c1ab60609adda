from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from healthdash.tables.kinds import day_comes_first, days_of, profile


def text(*cells: str, name: str = "x") -> pd.Series:
    return pd.Series(cells, name=name, dtype=object)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1.5", "2", "?"], "number"),
        (["1", "2", "5", ""], "whole number"),
        (["1", "2", "1"], "category"),
        (["0", "1", "1"], "yes or no"),
        (["yes", "No", "NA"], "yes or no"),
        (["m", "f", "m"], "category"),
        (["2020-01-02", "2021-03-04 10:00"], "date"),
        (["1.2.2020", "13.4.2021"], "date"),
        (["", "?", "NA"], "empty"),
        ([str(n) for n in range(1, 40)], "identifier"),
        ([f"{n:05x}-{n * 7919 % 997}" for n in range(40)], "identifier"),
        ([f"seen on ward {n} with a cough" for n in range(40)], "free text"),
        (["3:37", "01:05:00", "n/a", "26:10"], "hours"),
        (["1:20", "1:40", "1:10", "1:20"], "category"),  # how far a serum was diluted
        (["428", "V45", "401", "E11"] * 10, "category"),
    ],
)
def test_kinds_are_found(cells, kind):
    assert profile(text(*cells)).kind == kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("patient_id", "identifier"), ("PID", "identifier"), ("MRN", "identifier"),
        ("encounterNbr", "identifier"), ("unitstayid", "identifier"), ("admission_type_id", "category"),
        ("num_visits", "whole number"), ("fluid", "whole number"),
        ("platelets", "whole number"),
    ],
)  # fmt: skip
def test_a_name_decides_between_numbers_and_identifiers(name, kind):
    cells = [str(n * 7919 % 31 * 3) for n in range(60)]
    assert profile(text(*cells, name=name)).kind == kind


def test_a_few_cells_that_are_no_number_are_counted_and_many_make_it_text():
    numbers = [str(n / 3) for n in range(97)]
    found = profile(text(*numbers, "> 89", "> 89", "low"))
    assert (found.kind, found.odd) == ("number", 3)
    assert not profile(text(*numbers[:30], *["low"] * 30)).is_number


def test_what_the_file_says_is_taken_at_its_word():
    assert profile(text("0", "1", "2"), "category").kind == "category"
    found = profile(text("1", "2", "high"), "number")
    assert (found.kind, found.odd) == ("whole number", 1)


def test_days_since_2000():
    days = days_of(text("2000-01-02", "2000-01-01T12:00:00", "3.1.2000", "", "soon"))
    assert days[:3] == pytest.approx([1, 0.5, 2])
    assert np.isnan(days[3:]).all()
    assert days_of(text("1/2/2000", "1/31/2000")) == pytest.approx([1, 30])


@pytest.mark.parametrize(
    ("cells", "order"),
    [(("3/4/2020", "12/25/2020"), False), (("3/4/2020", "25.12.2020"), True), (("3/4/2020",), True),
     (("13/4/2020", "12/25/2020"), True), (("2020-03-04", "soon", ""), None)],
)  # fmt: skip
def test_the_day_comes_first_unless_that_is_no_date_in_any_row(cells, order):
    assert day_comes_first(text(*cells)) is order


def test_dates_are_read_in_the_order_that_is_asked_for_or_not_at_all():
    cells = text("3/4/2000", "12/25/2000", "25.12.2000", "2000-01-02 06:00")
    assert days_of(cells, True) == pytest.approx([93, np.nan, 359, 1.25], nan_ok=True)
    assert days_of(cells, False) == pytest.approx([63, 359, np.nan, 1.25], nan_ok=True)


@pytest.mark.parametrize("name", ["rownames", "row", "index", "sno.", "Unnamed: 0"])
def test_row_numbers_are_identifiers_in_any_order_but_not_where_they_repeat(name):
    numbers = pd.Series(range(1, 201), dtype=object).astype(str)
    shuffled = numbers.sample(150, random_state=0)
    assert profile(shuffled.rename(name)).kind == "identifier"
    assert profile(shuffled.rename("platelets")).kind == "whole number"
    assert profile(pd.concat([shuffled] * 3).rename(name)).kind == "whole number"
