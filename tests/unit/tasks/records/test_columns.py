from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from healthdash.errors import InvalidInput
from healthdash.fields import Field, NumberField
from healthdash.tables.kinds import numbers_of
from healthdash.task import Upload
from healthdash.tasks.records import TASKS
from healthdash.tasks.records.columns import match_columns, to_codes, to_numbers, type_columns
from healthdash.tasks.records.heart import gaps_written_as_zero
from healthdash.tasks.records.icd9 import category_of

HEART, READMISSION = TASKS[:2]


def heart_row(**change: str) -> dict[str, str]:
    values = "63 1 1 145 233 1 2 150 0 2.3 3 0 6".split()
    return dict(zip((f.name for f in HEART.fields), values, strict=True)) | change


def read(rows: list[dict[str, str]], separator: str = ","):
    names = list(rows[0])
    lines = [separator.join(names), *(separator.join(row[n] for n in names) for row in rows)]
    sample = HEART.read([Upload("a.csv", "\n".join(lines).encode())])
    HEART.validate(sample)
    return sample


def problems(rows, separator=","):
    with pytest.raises(InvalidInput) as caught:
        read(rows, separator)
    return caught.value.problems


def test_order_and_spelling_of_names_do_not_matter():
    row = heart_row()
    plain = read([row]).frame
    shuffled = read([{f" {name.upper()} ": row[name] for name in reversed(row)}]).frame
    pd.testing.assert_frame_equal(plain, shuffled)


def test_missing_columns_are_named_together():
    row = heart_row()
    del row["age"], row["thal"]
    assert problems([row]) == ("missing columns: age, thal",)


def test_a_column_twice_is_a_problem():
    _, found = match_columns(["age", "AGE"], HEART.fields[:1])
    assert found == ("column age: expected once, found 2 times",)


def test_signs_tell_columns_apart_and_the_very_name_wins():
    count, share = (Field(name=f"NEUT{sign}", label="") for sign in "#%")
    assert match_columns(["NEUT%", "NEUT#"], [count]) == ({"NEUT#": 1}, ())
    assert match_columns(["NEUT%", "NEUT#"], [count, share]) == ({"NEUT#": 1, "NEUT%": 0}, ())
    assert match_columns(["NEUT%"], [count])[1] == ("missing column: NEUT#",)
    assert match_columns(["CD4 %", "CD4"], [Field(name="CD4", label="")]) == ({"CD4": 1}, ())
    assert match_columns(["neut #"], [count]) == ({"NEUT#": 0}, ())


def test_every_problem_is_named_by_row_and_column_and_never_by_value():
    found = problems([heart_row(age="secret"), heart_row(chol="9999", ca="secret")])
    assert found == (
        "row 1, column age: expected a number, got text",
        "row 2, column ca: expected a number, got text",
        "row 2, column chol: expected 40 to 1000 mg/dl, got more",
    )


def test_rows_that_cannot_be_used_are_refused_and_the_others_are_kept_with_their_numbers():
    sample = read([heart_row(age="secret", chol="1"), heart_row(), heart_row(ca="-1"), heart_row(age="70")])
    assert sample.refused == {
        0: ("column age: expected a number, got text", "column chol: expected 40 to 1000 mg/dl, got less"),
        2: ("column ca: expected 0 to 4, got less",),
    }
    assert sample.frame["age"].to_dict() == {1: 63, 3: 70}
    assert HEART.items(sample, {}).tolist() == [1, 3]
    assert HEART.describe(sample)["rows"] == 4


def test_a_missing_column_is_told_with_what_is_wrong_in_the_rows():
    good, bad = heart_row(), heart_row(age="secret")
    del good["thal"], bad["thal"]
    assert problems([good, bad]) == (
        "missing column: thal",
        "row 2, column age: expected a number, got text",
    )


def test_many_problems_are_cut_short():
    found = problems([heart_row(age="x")] * 50)
    assert len(found) == 21
    assert found[-1] == "and 30 more problems"


@pytest.mark.parametrize("gap", ["", "?", "NA", "nan", "n/a", "."])
def test_gaps_of_numbers(gap):
    numbers, bad = to_numbers(pd.Series([gap, "2"]))
    assert np.isnan(numbers[0])
    assert len(bad) == 0


@pytest.mark.parametrize(("text", "value"), [("1,5", 1.5), ("1e2", 100), ("-3", -3), ("+4.0", 4)])
def test_spellings_of_numbers(text, value):
    assert to_numbers(pd.Series([text]))[0][0] == value


def test_percent_is_the_number_before_its_sign_wherever_a_number_is_read():
    cells = pd.Series(["58%", "6.5 %", "-1 %", "%", "5 % of all"], dtype=object)
    numbers, bad = to_numbers(cells)
    np.testing.assert_array_equal(numbers, numbers_of(cells))
    assert numbers[:3].tolist() == [58, 6.5, -1]
    assert bad.tolist() == [3, 4]
    assert to_numbers(pd.Series(["6,5 %"]))[0].tolist() == [6.5]


def test_percent_is_no_number_of_another_unit():
    units = {"ef": "%", "hba1c": "mmol/mol", "share": "1", "chol": "mg/dl"}
    fields = [NumberField(name=name, label=name, unit=unit) for name, unit in units.items()]
    found = type_columns({one.name: pd.Series(["58%"]) for one in fields}, fields, 1)
    assert found.frame["ef"].tolist() == [58]
    assert [reason for _, reason in found.wrong] == [
        f"column {name}: expected a number in the unit {units[name]}, got percent"
        for name in ("hba1c", "share", "chol")
    ]
    text = type_columns({"ef": pd.Series(["a little %"])}, fields, 1)
    assert text.wrong == ((0, "column ef: expected a number, got text"),)


@pytest.mark.parametrize("text", ["inf", "12 mg", "1,2,3", "0x10", "--1"])
def test_text_in_a_number(text):
    assert to_numbers(pd.Series([text]))[1].tolist() == [0]


def test_codes_in_other_spellings():
    codes, unknown = to_codes(pd.Series(["1.0", "Female", "0", "?", "9"]), {"0": "female", "1": "male"})
    assert codes.tolist() == ["1", "0", "0", "", ""]
    assert unknown == 1


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("4280", "428"),
        ("25083", "250.8"),
        ("V5861", "V58"),
        ("E8497", "E849"),
        ("V58.61", "V58"),
        ("41", "041"),
    ],
)
def test_icd_9_codes_without_their_point(code, category):
    assert category_of(code) == category


def test_codes_that_were_learnt_with_decimals():
    text = pd.Series(["0.0", "1.0", "1", ""])
    assert to_codes(text, {"0.0": "0.0", "1.0": "1.0"})[0].tolist() == ["0.0", "1.0", "1.0", ""]
    # Where both are codes, each stays itself.
    assert to_codes(pd.Series(["1.0", "1"]), {"1": "1", "1.0": "1.0"})[0].tolist() == ["1.0", "1"]


def test_none_is_a_value_where_it_is_a_code():
    field = next(f for f in READMISSION.fields if f.name == "A1Cresult")
    assert to_codes(pd.Series(["None", "none", "?"]), field.choices)[0].tolist() == ["None", "None", ""]


def test_an_unknown_code_is_a_notice():
    sample = read([heart_row(cp="7")])
    assert sample.notices == ("Column cp: 1 value is not among the known codes and counted as unknown.",)


def test_zeros_that_mean_not_measured_are_gaps():
    sample = read([heart_row(chol="0", slope="0", ca="0"), heart_row(ca="0.0"), heart_row(trestbps="0")])
    assert np.isnan(sample.frame["chol"]).tolist() == [True, False, False]
    assert np.isnan(sample.frame["ca"]).tolist() == [True, False, False]
    assert np.isnan(sample.frame["trestbps"]).tolist() == [False, False, True]
    assert sample.frame["slope"].tolist() == ["", "3", "3"]
    assert "chol (1), slope (1), ca (1)" in sample.notices[0]


def test_mending_leaves_its_input_alone():
    columns = {"chol": pd.Series(["0", "200"])}
    gaps_written_as_zero(columns)
    assert columns["chol"].tolist() == ["0", "200"]


def test_decimal_commas_in_a_semicolon_table():
    assert read([heart_row(oldpeak="2,3")], ";").frame["oldpeak"][0] == 2.3


def test_words_for_no_value_and_bounds_in_a_column_of_numbers():
    cells = ["233", "unknown", "n/a", "-", "未知", "not done"]
    sample = read([heart_row(chol=cell) for cell in cells])
    assert sample.frame["chol"].isna().tolist() == [False] + [True] * 5
    assert sample.refused == {}
    sample = read([heart_row(), heart_row(chol="<40"), heart_row(chol="> 600")])
    reason = ("column chol: expected a number, got only a bound, such as < 5",)
    assert sample.refused == {1: reason, 2: reason}
