"""Units of events: one a parameter, that of the table to learn from."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from healthdash.tables.event_units import commonest_units, in_units, unit_column, usual_ranges
from healthdash.tables.find_events import find_events, one_row_a_stay
from healthdash.tables.read import read_text_table
from healthdash.tables.steps import dumped, loaded

Rows = list[tuple[int, str, str, str]]


def text(rows: Rows, unit: str = "unit") -> str:
    lines = [f"{stay},{hour},{name},{value},{told}" for stay in range(8) for hour, name, value, told in rows]
    # Values differ from stay to stay by a little.
    return "\n".join([f"stay_id,time,parameter,value,{unit}", *lines])


LEARNT = [
    (0, "glucose", "5.5", "mmol/L"), (1, "glucose", "99", "mg/dL"), (2, "glucose", "101", "MG/DL"),
    (3, "glucose", "103", ""), (0, "temperature", "37", "C"), (1, "temperature", "98.6", "F"),
    (2, "temperature", "38", "C"), (0, "chloride", "101", "mEq/L"), (1, "chloride", "102", "mmol/L"),
    (0, "titre", "4", "cups"), (1, "titre", "5", "Cups "), (2, "titre", "900", "tins"),
    (0, "vitamin D", "50", "nmol/L"), (1, "vitamin D", "60", "nmol/L"), (2, "vitamin D", "20", "ng/mL"),
]  # fmt: skip


@pytest.fixture
def step():
    return find_events(read_text_table(text(LEARNT).encode()))


def test_values_in_other_units_are_converted_or_left_out_and_counted(step):
    made = one_row_a_stay(read_text_table(text(LEARNT).encode()), step)
    row = made.frame.iloc[0]
    assert step.units == {
        "glucose": "mg/dL", "temperature": "Cel", "chloride": "meq/L", "titre": "cups", "vitamin D": "nmol/L",
    }  # fmt: skip
    assert [row["glucose lowest"], row["glucose highest"], row["glucose count"]] == ["99", "103", "4"]
    assert [row["temperature lowest"], row["temperature highest"]] == ["37", "38"]
    assert [row["chloride last"], row["vitamin D lowest"], row["vitamin D count"]] == ["102", "50", "2"]
    # What is not known may be the same unit by another name, but not where the values are others.
    assert [row["titre highest"], row["titre count"]] == ["5", "2"]
    converted, unlike, lost = made.notices[-3:]
    assert "8 of glucose, mmol/L x 18.02 = mg/dL" in converted
    assert "8 of temperature, °F" in converted
    assert lost.startswith("8 values are in a unit that cannot be converted")
    assert "8 of vitamin D (taken in nmol/L)" in lost
    assert unlike.startswith("8 values are in a unit that is not known, are unlike those")
    assert "8 of titre (taken in cups, told in tins)" in unlike
    assert "glucose (mg/dL)" in step.words


@pytest.mark.parametrize("unit", ["unit", "valueuom", "labmeasurenamesystem", "unit_source_value"])
def test_a_new_hospital_is_told_in_the_units_of_training(step, unit):
    (step,) = loaded(json.loads(json.dumps(dumped([step]))))
    new = [(0, "glucose", "5.5", "mmol/l"), (1, "glucose", "6", ""), (0, "temperature", "98.6", "degF")]
    frame = read_text_table(text([*new, (0, "vitamin D", "20", "ng/mL")], unit).encode()).frame
    row = step.apply(frame).iloc[0]
    # A cell without a unit is in that of its file.
    assert [row["glucose first"], row["glucose last"]] == ["99.088", "108.096"]
    assert [row["temperature first"], row["vitamin D first"]] == ["37", ""]
    assert len(step.notices(frame)) == 2


@pytest.mark.parametrize(
    ("cells", "expected", "notice"),
    [
        (["4.5", "900", "4.6"], ["4.5", "900", "4.6"], "were taken as they are: 3 of titre (taken in cups"),
        (["900", "4.5", "901"], ["", "", ""], "count as not measured: 3 of titre (taken in cups"),
    ],
)
def test_values_in_an_unknown_unit_stay_where_their_median_is_usual(step, cells, expected, notice):
    frame = read_text_table(text([(n, "titre", cell, "tins") for n, cell in enumerate(cells)]).encode()).frame
    row = step.apply(frame.iloc[:3]).iloc[0]
    first, *_, last = expected
    assert [row["titre first"], row["titre last"]] == [first, last]
    (said,) = step.notices(frame.iloc[:3])
    assert notice in said


def test_a_step_of_before_takes_values_of_an_unknown_unit_as_they_are_and_says_so(step):
    frame = read_text_table(text([(0, "titre", "900", "tins")]).encode()).frame
    before = step.model_copy(update={"usual": {}})
    assert before.apply(frame).iloc[0]["titre first"] == "900"
    (said,) = before.notices(frame)
    assert "in a unit that is not known, and were taken as they are" in said
    assert step.apply(frame).iloc[0]["titre first"] == ""


def test_usual_are_98_percent_of_the_values_in_the_unit_of_training():
    names, units = series(*["wbc"] * 102), series(*["K/uL"] * 101, "/cmm")
    values = np.append(np.arange(101.0), 7500)
    usual = usual_ranges(values, names, units, {"wbc": "10*3/uL"})
    assert usual == {"wbc": pytest.approx((1, 99))}
    found = in_units(np.array([7500.0]), names[:1], units[101:].set_axis([0]), {"wbc": "10*3/uL"}, usual)
    assert np.isnan(found.numbers[0])
    assert found.unlike == {"wbc (taken in 10*3/uL, told in /cmm)": 1}


def test_without_units_values_are_as_they_are_told(step):
    bare = read_text_table(text(LEARNT).encode()).frame.drop(columns="unit")
    assert step.apply(bare).iloc[0]["glucose lowest"] == "5.5"
    assert step.notices(bare) == []
    learnt = find_events(read_text_table(text(LEARNT, "remark").encode()))
    assert (learnt.unit, learnt.units) == ("", {})


def test_a_step_without_units_finds_them_in_the_table_to_learn_from(step):
    frame = read_text_table(text(LEARNT).encode()).frame
    assert step.model_copy(update={"units": {}}).fitted(frame) == step


def test_what_is_told_once_is_converted_too():
    rows = [(0, "weight", "154.3", "lb"), (1, "HR", "80", "bpm"), (2, "HR", "81", "/min")]
    made = find_events(read_text_table(text(rows).encode())).model_copy(update={"units": {"weight": "kg"}})
    frame = read_text_table(text(rows).encode()).frame
    assert made.once == ("weight",)
    assert float(made.apply(frame).iloc[0]["weight"]) == pytest.approx(69.99, abs=0.01)


def series(*cells: str) -> pd.Series:
    return pd.Series(cells, dtype=object)


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"unit": ["MICU", "SICU"]}, ""),  # wards
        ({"unit": ["C", "A"]}, ""),
        ({"unit": ["bpm", "mg/dL"]}, "unit"),
        ({"unit_concept_id": ["8541", "8840"], "unit_source_value": ["", ""]}, "unit_concept_id"),
        ({"unit_concept_id": ["8541", "8840"], "unit_source_value": ["bpm", ""]}, "unit_source_value"),
        ({"valueuom": ["", "0"]}, ""),
    ],
)
def test_the_column_of_units_is_found_by_name_and_wards_are_none(columns, found):
    frame = pd.DataFrame({"parameter": ["HR", "glucose"], **columns}, dtype=object)
    assert unit_column(frame, "parameter") == found


def test_numbers_of_concepts_are_compared_as_names():
    names, units = series("3004501", "3004501", "3004501"), series("8840", "8840", "8753")
    assert commonest_units(names, units) == {"3004501": "8840"}
    found = in_units(np.array([90.0, 95.0, 5.0]), names, units, {"3004501": "8840"})
    assert found.numbers == pytest.approx([90, 95, np.nan], nan_ok=True)
    assert found.lost == {"3004501 (taken in 8840)": 1}


@pytest.mark.parametrize(
    ("name", "source", "target", "value"),
    [
        ("Calcium, Total", "mEq/L", "mg/dL", 2.0039),
        ("Lactic acid", "mg/dL", "mmol/L", 0.11101),
        ("bedside glucose", "mmol/L", "mg/dL", 18.016),
        ("Magnesium", "mEq/L", "mmol/L", 0.5),
        ("Anion gap", "mEq/L", "mmol/L", 1),
        ("ferritin", "mmol/L", "mg/dL", np.nan),
    ],
)
def test_the_analyte_is_found_in_the_name_of_the_parameter(name, source, target, value):
    found = in_units(np.ones(1), series(name), series(source), {name: target})
    assert found.numbers == pytest.approx([value], rel=1e-4, nan_ok=True)


#: Spellings of one unit; the first is that of the table to learn from.
SAME = [
    "K/uL, K/mcL, x10^3/uL, ×10³/µl, x10E9/L, 10*9/l, x10(3)/mcL, Thousand/uL, /nl, Gpt/l, Tsd/µl, G/l",
    "M/uL, x10E12/L, T/l, /pl", "ng/mL, ug/L, µg/l, mcg/L", "pg/mL, ng/L", "uIU/mL, mU/L, mIU/L, m[IU]/L",
    "umol/L, mcmol/L, μmol/l, nmol/mL", "mEq/L, mval/l", "sec, s, seconds, sec.", "min, minutes, min.",
    "mm/hr, mm/h", "insp/min, /min, breaths/min", "Deg. C, °C, C", "fL, µm3, µm³", "mcg/kg/min, ug/kg/min",
    "cmH2O, cm[H2O], cm H2O", "L/min, lpm", "ml, cc, mL", "mmHg, torr, mm Hg", "mg/L FEU, ug/mL FEU",
]  # fmt: skip


@pytest.mark.parametrize("spellings", SAME)
def test_values_in_another_spelling_of_the_unit_stay(spellings):
    names = series(*spellings.split(", "))
    (wanted,) = commonest_units(series("x"), names[:1]).values()
    found = in_units(np.ones(len(names)), series(*["x"] * len(names)), names, {"x": wanted})
    assert found.numbers == pytest.approx(np.ones(len(names)))
    assert list(found.notices()) == []


def test_an_inr_is_no_share_of_the_activity():
    names, units = series(*["prothrombin time"] * 3), series("%", "%", "INR")
    found = in_units(np.array([70.0, 80.0, 1.2]), names, units, {"prothrombin time": "%"})
    assert found.numbers == pytest.approx([70, 80, np.nan], nan_ok=True)
    assert found.lost == {"prothrombin time (taken in %)": 1}


@pytest.mark.parametrize(("told", "wanted"), [("ratio", "{INR}"), ("1", "{INR}"), ("INR", "1")])
def test_an_inr_may_be_told_as_a_ratio(told, wanted):
    found = in_units(np.array([1.2, 2.5]), series("INR", "INR"), series(told, told), {"INR": wanted})
    assert found.numbers.tolist() == [1.2, 2.5]
    assert list(found.notices()) == []


@pytest.mark.parametrize(
    ("source", "target", "value"),
    [
        ("ng/mL", "ng/L", 1000),
        ("mg/L FEU", "ng/mL FEU", 1000),
        ("mg/L FEU", "mg/L", np.nan),
        ("G/l", "/uL", 1000),
    ],
)
def test_prefixes_are_converted_whatever_is_measured(source, target, value):
    found = in_units(np.ones(1), series("x"), series(source), {"x": target})
    assert found.numbers == pytest.approx([value], nan_ok=True)


def test_cells_that_are_too_long_for_names_take_no_time():
    long = "(" * 200_000
    frame = pd.DataFrame({"parameter": [long] * 2, "unit": [long, "mg/dL"]}, dtype=object)
    assert unit_column(frame, "parameter") == "unit"
    assert commonest_units(frame["parameter"], frame["unit"])[long] == long
