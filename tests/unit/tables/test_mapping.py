from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from healthdash.errors import ContractError, InvalidInput
from healthdash.fields import CategoryField, NumberField
from healthdash.tables import units
from healthdash.tables.concepts import concept_named, meanings, without_unit
from healthdash.tables.mapped import mapped
from healthdash.tables.mapping import ColumnMapping, Link, propose
from healthdash.tables.read import read_text_table
from healthdash.tables.suggestions import suggestions
from healthdash.tables.units import alternatives, conversion, unit_named

CHOL = NumberField(name="chol", label="Serum cholesterol", unit="mg/dl", low=40, high=1000)
AGE = NumberField(name="age", label="Age", unit="years", low=1, high=120)
WEIGHT = NumberField(name="weight", label="Body weight", unit="kg", low=20, high=400)
SEX = CategoryField(name="sex", label="Sex", choices={"0": "female", "1": "male"})
FBS = CategoryField(name="fbs", label="Fasting blood sugar above 120 mg/dl", choices={"0": "no", "1": "yes"})
BANDS = CategoryField(name="age", label="Age", choices={"[40-50)": "40 to 49", "[50-60)": "50 to 59"})


def found(csv: str, *fields, given: ColumnMapping | None = None):
    text = read_text_table(csv.encode())
    return mapped(text, fields, propose(text.frame, fields, given=given))


# Factors of the AMA Manual of Style, table of SI conversions; pounds, inches and degrees by definition.
@pytest.mark.parametrize(
    ("source", "target", "analyte", "expected"),
    [
        ("mg/dL", "mmol/L", "cholesterol", 0.0259), ("mg/dL", "mmol/L", "glucose", 0.0555),
        ("mg/dL", "mmol/L", "triglycerides", 0.0113), ("mg/dL", "umol/L", "creatinine", 88.4),
        ("mg/dL", "mmol/L", "urea nitrogen", 0.357), ("mg/dL", "umol/L", "bilirubin", 17.104),
        ("mg/dL", "umol/L", "uric acid", 59.48), ("mg/dL", "mmol/L", "calcium", 0.25),
        ("mEq/L", "mg/dL", "calcium", 2.004), ("mEq/L", "mmol/L", "sodium", 1.0),
        ("lb", "kg", "", 0.45359237), ("inch", "cm", "", 2.54), ("months", "years", "", 1 / 12),
        ("kPa", "mmHg", "", 7.50062), ("g/L", "g/dL", "", 0.1), ("L/min", "mL/min", "", 1000),
        ("mL/min", "L/min", "creatinine", 0.001),
    ],
)  # fmt: skip
def test_factors_are_those_of_published_tables(source, target, analyte, expected):
    way = conversion(source, target, analyte)
    assert way is not None
    assert way.factor == pytest.approx(expected, rel=5e-3)
    assert way(np.array([2.0]))[0] == pytest.approx(2 * way.factor)


def test_no_spelling_is_that_of_two_units(tmp_path, monkeypatch):
    head = "unit,shown,dimension,factor,offset,spellings"
    (tmp_path / "units.csv").write_text(f"{head}\nL,L,volume,1,0,litre\nl,l,length,1,0,\n")
    monkeypatch.setattr(units, "__file__", str(tmp_path / "units.py"))
    with pytest.raises(ContractError, match="two units that are spelled l"):
        units._units.__wrapped__()


def test_temperatures_and_hba1c_have_an_offset():
    assert conversion("°F", "Cel")(np.array([98.6]))[0] == pytest.approx(37)
    assert conversion("mmol/mol", "%")(np.array([53.0]))[0] == pytest.approx(
        7.0, abs=0.01
    )  # NGSP's own table


def test_mass_and_amount_need_an_analyte_and_unknown_units_have_no_way():
    assert conversion("mg/dL", "mmol/L") is None
    assert conversion("mg/dL", "furlong", "glucose") is None
    assert conversion("mEq/L", "mmol/L") is None  # the charge of the ion is not known
    assert unit_named("mmHg") == unit_named("mm[Hg]") == "mm[Hg]"
    assert "mmol/L" in alternatives("mg/dL", "cholesterol")


@pytest.mark.parametrize(
    ("name", "concept", "unit"),
    [
        ("总胆固醇(mmol/L)", "total_cholesterol", "mmol/L"), ("年龄", "age", ""), ("性别", "sex", ""),
        ("静息血压（mmHg）", "systolic_bp", "mm[Hg]"),
        ("Serum Cholesterol [mg/dl]", "total_cholesterol", "mg/dL"),
       
        ("weight_lb", "weight", "[lb_av]"), ("Weight, kg", "weight", "kg"), ("zip code", None, ""),
        ("Calcium (mEq/L)", "calcium", "meq/L"),
        ("age_min", None, ""),  # the lowest, no minutes
    ],
)  # fmt: skip
def test_names_in_two_languages_with_their_units(name, concept, unit):
    assert (concept_named(name) and concept_named(name).name) == concept
    assert without_unit(name)[1] == unit


@pytest.mark.parametrize("name", ["bp_d", "BP D", "bp_m", "glucose_f", "age_m"])
def test_a_letter_that_is_no_unit_of_the_finding_belongs_to_the_name(name):
    """Diastolic, mean, fasting, months: not days, metres and degrees Fahrenheit."""
    assert concept_named(name) is None
    bare = NumberField(
        name=name.lower().replace(" ", "_").split("_")[0], label="x", unit="mmHg", low=0, high=300
    )
    assert found(f"id,{name}\n1,80\n2,90\n", bare).mapping.of(bare.name).how == "missing"


def test_a_column_is_found_by_name_before_meaning_and_converted_with_its_rule():
    result = found("年龄,Cholesterol (mmol/L),体重 (lb)\n63,6.0,154\n41,5.2,\n", AGE, CHOL, WEIGHT)
    assert result.text.frame["chol"].tolist() == ["231.996", "201.063"]
    assert result.text.frame["weight"].tolist() == ["69.8532", ""]
    assert "molar mass of cholesterol" in result.rules["chol"]
    assert result.mapping.of("age").how == "synonym"
    assert found("chol,cholesterol\n1,2\n3,4\n", CHOL).mapping.of("chol").column == "chol"


def test_two_columns_that_could_be_meant_are_asked_about():
    result = found("age,cholesterol,total cholesterol\n63,230,231\n41,200,199\n", AGE, CHOL)
    assert result.mapping.of("chol").how == "ambiguous"
    assert "could be cholesterol or total cholesterol" in result.problems[0]
    chosen = ColumnMapping((Link(field="chol", column="total cholesterol"),))
    assert found(
        "age,cholesterol,total cholesterol\n63,230,231\n41,200,199\n", AGE, CHOL, given=chosen
    ).text.frame["chol"].tolist() == ["231", "199"]


def test_a_unit_is_found_by_what_is_possible():
    warm = NumberField(name="temp", label="Body temperature", unit="Cel", low=30, high=45)
    result = found("age,temp\n63,98.6\n41,100.4\n", AGE, warm)
    assert result.text.frame["temp"].tolist() == ["37", "38"]
    assert "possible in [degF] only" in result.rules["temp"]
    # 6 may be mmol/L or g/L: both are possible, so that it is asked.
    assert "could be mmol/L or g/L; choose it" in found("age,chol\n63,6.0\n41,5.2\n", AGE, CHOL).problems[0]
    assert found("age,chol\n63,230\n41,5.2\n", AGE, CHOL).rules == {}  # mixed: the one bad row is refused


def test_a_unit_is_never_guessed_for_a_model_that_learnt_bare_numbers():
    """A model learnt 血糖 of 5.6; a file that says mmol/L must not become 101 by itself."""
    bare = NumberField(name="血糖", label="血糖", default=5.6)
    csv = "年龄,血糖(mmol/L)\n63,5.5\n41,6.1\n"
    assert "learnt it without a unit" in found(csv, AGE, bare).problems[0]
    as_it_is = ColumnMapping((Link(field="血糖", column="血糖(mmol/L)", how="chosen"),))
    result = found(csv, AGE, bare, given=as_it_is)
    assert result.problems == ()
    assert result.text.frame["血糖"].tolist() == ["5.5", "6.1"]
    # Years are years: nothing is asked where a finding has one usual unit.
    assert not found("age (years),x\n63,1\n41,2\n", NumberField(name="age", label="age")).problems


def test_units_in_cells_and_two_pressures_in_one():
    pressure = NumberField(name="trestbps", label="Resting blood pressure", unit="mmHg", low=40, high=300)
    result = found("age,chol,BP\n63,6.0 mmol/L,145/90\n41,5.2 mmol/L,130/80\n", AGE, CHOL, pressure)
    assert result.text.frame["chol"][0] == "231.996"
    assert result.text.frame["trestbps"].tolist() == ["145", "130"]
    assert "first (systolic)" in result.rules["trestbps"]


def test_a_blood_pressure_that_looks_diastolic_is_asked_about():
    """Pima's BloodPressure is diastolic, as its documentation says; its median is 72 mmHg."""
    pressure = NumberField(name="trestbps", label="Resting blood pressure", unit="mmHg", low=40, high=300)
    csv = "age,BloodPressure\n50,72\n31,66\n32,64\n21,140\n"
    assert "look diastolic" in found(csv, AGE, pressure).problems[0]
    chosen = ColumnMapping((Link(field="trestbps", column="BloodPressure", how="chosen"),))
    assert not found(csv, AGE, pressure, given=chosen).problems
    assert not found(csv.replace("BloodPressure", "SBP"), AGE, pressure).problems
    assert not found(csv.replace(",7", ",17").replace(",6", ",16"), AGE, pressure).problems


def test_calcium_is_no_number_of_vessels():
    vessels = NumberField(name="ca", label="Major vessels coloured by fluoroscopy", low=0, high=4)
    assert "calcium" in found("age,Ca\n50,2.3\n31,2.1\n", AGE, vessels).problems[0]
    assert not found("age,ca\n50,2.0\n31,0\n41,?\n", AGE, vessels).problems


def test_words_become_codes_and_1_and_2_for_sex_is_asked_about():
    assert meanings(SEX, ["女", "M", "0", "?"]) == {"女": "0", "M": "1"}
    assert found("age,性别\n63,女\n41,男\n", AGE, SEX).text.frame["sex"].tolist() == ["0", "1"]
    asked = found("age,sex\n63,1\n41,2\n", AGE, SEX)
    assert "say which is female" in asked.problems[0]
    assert asked.unsure == {"sex": ("1", "2")}
    told = ColumnMapping((Link(field="sex", column="sex", words={"1": "1", "2": "0"}),))
    assert found("age,sex\n63,1\n41,2\n", AGE, SEX, given=told).text.frame["sex"].tolist() == ["1", "0"]


def test_classes_are_made_of_numbers():
    result = found("age,fasting glucose (mmol/L)\n45,7.1\n59,6.6\n70,\n", BANDS, FBS)
    assert result.text.frame["age"].tolist() == ["[40-50)", "[50-60)", ""]
    assert result.text.frame["fbs"].tolist() == ["1", "0", ""]
    assert "above 120 mg/dL is yes" in result.rules["fbs"]
    assert "mg/dL or mmol/L" in found("age,空腹血糖\n45,7.1\n59,6.6\n", BANDS, FBS).problems[0]


def test_a_mapping_is_remembered_and_a_wrong_one_refused():
    text = read_text_table("年龄,总胆固醇(mmol/L)\n63,6.0\n41,5.2\n".encode())
    kept = ColumnMapping.from_json(propose(text.frame, (AGE, CHOL)).to_json())
    assert mapped(text, (AGE, CHOL), propose(text.frame, (AGE, CHOL), given=kept)).rules
    for wrong in ("", "[]", '{"format": 2, "fields": {}}', '{"format": 1, "fields": {"chol": 3}}'):
        with pytest.raises(InvalidInput, match="mapping"):
            ColumnMapping.from_json(wrong)
    with pytest.raises(InvalidInput, match="no such column"):
        propose(text.frame, (AGE,), given=ColumnMapping((Link(field="age", column="x"),)))
    with pytest.raises(InvalidInput, match="cannot be converted"):
        propose(text.frame, (AGE,), given=ColumnMapping((Link(field="age", column="年龄", unit="kg"),)))


def test_a_table_with_the_very_names_stays_as_it_is():
    text = read_text_table(b"age,chol\n63,230\n41,200\n")
    result = mapped(text, (AGE, CHOL), propose(text.frame, (AGE, CHOL)))
    assert result.text is text
    assert isinstance(text.frame, pd.DataFrame)


def test_an_abbreviation_with_two_meanings_is_asked_about():
    """In the kidney disease data of UCI wc, rc and sc are counts and creatinine; elsewhere they are not."""
    cells = NumberField(name="leukocytes", label="Leukocytes", unit="10*3/uL", low=0, high=1000)
    assert "waist" in found("age,wc\n50,7.8\n31,9.1\n", AGE, cells).problems[0]
    assert not found("age,wbc\n50,7.8\n31,9.1\n", AGE, cells).problems
    chosen = ColumnMapping((Link(field="leukocytes", column="wc", unit="/uL", how="chosen"),))
    told = found("age,wc\n50,7800\n31,9100\n", AGE, cells, given=chosen)
    assert told.problems == ()
    assert told.text.frame["leukocytes"].tolist() == ["7.8", "9.1"]
    red = NumberField(name="erythrocytes", label="Erythrocytes", unit="10*6/uL", low=0, high=20)
    both = found("age,rbc,rc\n50,normal,5.2\n31,abnormal,4.1\n", AGE, red)
    assert "rbc or rc" in both.problems[0]
    creatinine = NumberField(name="creatinine", label="Creatinine", unit="mg/dL", low=0, high=66)
    assert "choose the column" in found("age,sc\n50,1.2\n31,0.8\n", AGE, creatinine).problems[0]


def test_a_clearance_is_no_filtration_rate_of_a_standard_body():
    """Millilitres a minute (Cockcroft-Gault) and those for 1.73 m2 (CKD-EPI) are two things."""
    assert conversion("mL/min", "mL/min/{1.73_m2}") is None
    assert concept_named("eGFR (mL/min/1.73m2)").name == "egfr"
    assert concept_named("GFR (ml/min)") is None
    assert concept_named("creatinine clearance") is None


def test_cells_of_several_units_are_each_taken_in_their_own():
    result = found("age,chol\n63,6.0 mmol/L\n41,230 mg/dL\n50,?\n", AGE, CHOL)
    assert result.text.frame["chol"].tolist() == ["231.996", "230", "?"]
    assert result.rules["chol"].startswith("each cell by its own unit: mmol/L x 38.67")
    # What a cell says counts more than what the header says.
    result = found("age,chol (mg/dL)\n63,6.0 mmol/L\n41,230\n", AGE, CHOL)
    assert result.text.frame["chol"].tolist() == ["231.996", "230"]
    assert found("age;chol\n63;6,0 mmol/L\n41;5,2 mmol/L\n", AGE, CHOL).text.frame["chol"][0] == "231.996"


def test_cells_without_a_unit_beside_those_with_one_are_asked_about():
    csv = "age,chol\n63,6.0 mmol/L\n41,5.2\n"
    assert "choose the unit of the others" in found(csv, AGE, CHOL).problems[0]
    chosen = ColumnMapping((Link(field="chol", column="chol", unit="mmol/L", how="chosen"),))
    told = found(csv, AGE, CHOL, given=chosen)
    assert told.problems == ()
    assert told.text.frame["chol"].tolist() == ["231.996", "201.063"]


def test_columns_of_unknown_names_are_suggested_and_never_taken():
    age = NumberField(name="age", label="Age", unit="years", low=1, high=120, default=54)
    chol = NumberField(name="chol", label="Serum cholesterol", unit="mg/dl", low=40, high=1000, default=240)
    csv = "V1,V2,V3,V4\n63,1,233,a\n41,0,204,b\n57,1,250,c\n44,0,263,d\n70,1,199,e\n"
    result = found(csv, age, SEX, FBS, chol)
    assert {link.how for link in result.mapping.links} == {"missing"}
    told = {one.column: one for one in suggestions(result.text.frame, (age, SEX, FBS, chol), result.mapping)}
    assert told["V1"].fields == ("age",)
    assert told["V1"].looks == "numbers from 41 to 70, the middle 57"
    assert told["V2"].fields == ("sex", "fbs")
    assert told["V2"].looks == "the codes 0, 1"
    assert told["V3"].fields == ("chol",)
    assert "V4" not in told
    absent = ColumnMapping((Link(field="age", column="", how="chosen"),))
    again = found(csv, age, given=absent)
    assert suggestions(again.text.frame, (age,), again.mapping) == ()
