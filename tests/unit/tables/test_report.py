"""Planted leaks are found, clean data are not complained of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from healthdash.errors import InvalidInput
from healthdash.tables.outcome import ordered_labels
from healthdash.tables.read import read_text_table
from healthdash.tables.report import report, settled
from healthdash.tables.steps import DropColumns, GroupBy, LeaveOutRows, TakeAsMissing, replay

ROWS = 400


def clean(seed: int = 0, rows: int = ROWS) -> pd.DataFrame:
    """Return a table without anything odd; age and dose say something of the outcome."""
    rng = np.random.default_rng(seed)
    age, dose = rng.normal(60, 12, rows).round(1), rng.lognormal(1, 0.7, rows).round(2)
    ill = rng.random(rows) < 1 / (1 + np.exp(-(age - 60) / 10 - dose / 4 + 1))
    gaps = rng.random((rows, 2)) < 0.1
    frame = pd.DataFrame(
        {
            "age": age,
            "dose": np.where(gaps[:, 0], np.nan, dose),
            "sodium": rng.normal(140, 4, rows).round(),
            "sex": rng.choice(["m", "f"], rows),
            "ward": np.where(gaps[:, 1], "", rng.choice(list("abcd"), rows)),
            "smoker": rng.choice(["yes", "no"], rows),
            "visits": rng.poisson(2, rows),
            "lab": rng.gamma(2, 3, rows).round(2),
            "outcome": np.where(ill, "sick", "well"),
        }
    )
    return frame.astype(str).replace("nan", "").astype(object)


def found(frame: pd.DataFrame, steps=(), target: str = "outcome") -> dict[str, tuple[str, ...]]:
    """Return code: columns concerned, of findings that are more than notes."""
    told = report(frame, target, steps=steps).findings
    codes = {one.code for one in told if one.severity != "note"}
    return {code: tuple(name for one in told if one.code == code for name in one.columns) for code in codes}


@pytest.mark.parametrize("seed", range(5))
def test_clean_data_are_silent(seed):
    assert found(clean(seed)) == {}
    assert not [one for one in report(clean(seed), "outcome").findings if one.code != "outliers"]


# -- leaks ---------------------------------------------------------------------------------


def plant(frame: pd.DataFrame, **columns) -> pd.DataFrame:
    return frame.assign(**{name: np.asarray(values, object) for name, values in columns.items()})


@pytest.mark.parametrize("seed", range(3))
def test_a_copy_of_the_outcome_is_found_whatever_its_form(seed):
    frame, rng = clean(seed), np.random.default_rng(seed)
    ill = (frame["outcome"] == "sick").to_numpy()
    noisy = ill ^ (rng.random(ROWS) < 0.004)
    leaky = plant(
        frame,
        coded=np.where(ill, "3", "1"),
        score=(ill * 5 + rng.random(ROWS)).round(3).astype(str),
        middle=np.where(ill, rng.choice([1, 9], ROWS), 5).astype(str),
        place=np.where(noisy, "morgue", "home"),
        recorded=np.where(ill, rng.normal(0, 1, ROWS).round(2).astype(str), ""),
    )
    assert set(found(leaky)["gives-the-answer"]) == {"coded", "score", "middle", "place", "recorded"}
    steps, last = settled(leaky, "outcome")
    dropped = {name for step in steps if isinstance(step, DropColumns) for name in step.columns}
    assert dropped >= {"coded", "place"}
    assert not last.errors


def test_a_column_that_nearly_gives_the_answer_is_a_warning_and_stays():
    frame, rng = clean(), np.random.default_rng(3)
    ill = (frame["outcome"] == "sick").to_numpy()
    near = plant(frame, marker=(ill * 2.9 + rng.normal(0, 1, ROWS)).round(3).astype(str))
    assert found(near)["nearly-gives-the-answer"] == ("marker",)
    assert "marker" in replay(near, settled(near, "outcome")[0], is_training=True)


def test_a_name_like_the_outcome_and_a_follow_up_time_are_told():
    frame, rng = clean().rename(columns={"outcome": "death_event"}), np.random.default_rng(0)
    odd = plant(
        frame, death_event_30d=rng.choice(["a", "b"], ROWS), time=rng.integers(1, 300, ROWS).astype(str)
    )
    told = found(odd, target="death_event")
    assert told == {"named-like-the-outcome": ("death_event_30d",), "follow-up-time": ("time",)}


@pytest.mark.parametrize(
    ("name", "target"), [("rtime", "recur"), ("dtime", "death"), ("d.time", "death"), ("futime", "death")]
)
def test_times_to_relapse_and_to_death_are_told_under_the_names_of_published_tables(name, target):
    frame, rng = clean().rename(columns={"outcome": target}), np.random.default_rng(0)
    told = found(plant(frame, **{name: rng.integers(1, 3000, ROWS).astype(str)}), target=target)
    assert told == {"follow-up-time": (name,)}


def test_gaps_that_depend_on_the_outcome_are_told():
    frame, rng = clean(), np.random.default_rng(0)
    hidden = rng.random(ROWS) < np.where(frame["outcome"] == "sick", 0.6, 0.1)
    assert found(plant(frame, lab=np.where(hidden, "", frame["lab"])))["missing-by-label"] == ("lab",)


def test_rows_of_one_patient_ask_for_a_split_by_patient():
    frame = clean()
    torn = plant(frame, patient_id=[f"p{row // 3}" for row in range(ROWS)])
    assert found(torn)["groups-torn"] == ("patient_id",)
    steps, last = settled(torn, "outcome")
    assert steps == [GroupBy(column="patient_id")]
    assert last.group == "patient_id"
    assert "groups-torn" not in {one.code for one in last.findings}


@pytest.mark.parametrize("name", ["id", "ID", "study_id", "RecordID", "pid", "subject"])
def test_an_identifier_that_repeats_is_what_to_split_by_and_no_copy_of_the_outcome(name):
    """Whatever is a patient's own, as the age at the first visit, tells the outcome beside its other rows."""
    rng, group = np.random.default_rng(0), np.arange(ROWS) // 5
    fates = np.where(rng.random(ROWS // 5) < 0.5, "sick", "well")[group]
    ages = rng.permutation(ROWS // 5)[group] / 4 + 40.1
    columns = {name: (group + 1).astype(str), "outcome": fates, "age": ages.astype(str)}
    torn = plant(clean(), **columns)
    assert found(torn)["groups-torn"] == (name,)
    assert "gives-the-answer" not in found(torn)
    assert settled(torn, "outcome")[0] == [GroupBy(column=name)]


def test_a_few_patients_with_many_visits_each_are_a_group_too():
    torn = plant(clean(), id=[str(row % 8) for row in range(ROWS)])
    assert found(torn)["groups-torn"] == ("id",)


@pytest.mark.parametrize("name", ["patient_id", "subject", "patient", "study_id"])
def test_an_id_that_numbers_the_visits_of_patients_is_no_group(name):
    people = [str(1000 + row // 6) for row in range(ROWS)]
    visits = np.random.default_rng(0).integers(1, 25, ROWS).astype(str)
    assert found(plant(clean(), **{name: people}, id=visits))["groups-torn"] == (name,)


def test_an_id_is_no_group_where_each_patient_has_one_row():
    visits = [str(row % 20) for row in range(ROWS)]
    people = np.random.default_rng(0).permutation(ROWS).astype(str)
    assert "groups-torn" not in found(plant(clean(), patient_id=people, id=visits))


def test_an_id_is_the_group_where_each_study_has_one():
    people, studies = ([str(row // size) for row in range(ROWS)] for size in (8, 4))
    assert found(plant(clean(), study_id=studies, id=people))["groups-torn"] == ("id",)


def test_stays_and_visits_are_no_group_beside_patients():
    torn = plant(
        clean(), visit_id=[str(row % 9) for row in range(ROWS)], id=[str(r // 9) for r in range(ROWS)]
    )
    assert found(torn)["groups-torn"] == ("id",)


@pytest.mark.parametrize(
    ("name", "rows_each"),
    [
        ("hospital_id", 60), ("hospital_id", 4), ("admission_type_id", 60), ("ward_id", 4), ("item_id", 3),
        ("id_of_clinic", 5), ("number", 4), ("batch_no", 4), ("steroid", 4), ("trial_id", 200),
        ("study_id", 60),
    ],
)  # fmt: skip
def test_codes_of_places_and_kinds_are_no_patients(name, rows_each):
    rows = 4 * ROWS
    codes = [str(100 + row % (rows // rows_each)) for row in range(rows)]
    assert "groups-torn" not in found(plant(clean(rows=rows), **{name: codes}))


def test_a_single_feature_is_judged_on_groups_that_it_was_not_fitted_on():
    """A code of each patient tells the outcome of its own rows, and nothing of others."""
    rng = np.random.default_rng(0)
    frame = clean()
    group = np.arange(ROWS) // 4
    outcome = np.where(rng.random(ROWS // 4) < 0.5, "sick", "well")[group]
    rows = plant(frame, outcome=outcome, patient=group.astype(str), bed=[f"b{g}" for g in group])
    assert "gives-the-answer" not in found(rows, [GroupBy(column="patient")])


# -- rows ----------------------------------------------------------------------------------


def test_rows_that_are_there_twice_are_found_and_can_be_dropped():
    frame = clean()
    twice = pd.concat([frame, frame.iloc[:15]], ignore_index=True)
    assert "duplicates" in found(twice)
    steps, _ = settled(twice, "outcome")
    assert len(replay(twice, steps, is_training=True)) == ROWS


def test_nearly_equal_rows_of_different_patients_are_found():
    frame = clean()
    copies = frame.iloc[:12].assign(age="61.7")
    twice = pd.concat([frame, copies], ignore_index=True).assign(
        patient=[f"p{n * 7919 % 997}" for n in range(412)]
    )
    assert "near-duplicates" in found(twice, [GroupBy(column="patient")])


def test_rows_that_meet_by_chance_in_a_table_of_few_codes_are_not_told():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"c{n}": rng.choice(["a", "b"], 500) for n in range(6)}, dtype=object)
    assert "duplicates" not in found(frame.assign(outcome=rng.choice(["x", "y"], 500)))


# -- columns and values --------------------------------------------------------------------


def test_columns_that_cannot_be_used_are_left_out():
    frame = clean()
    odd = plant(
        frame,
        nr=[str(n) for n in range(1, ROWS + 1)],
        note=[f"patient said no {n} to everything" for n in range(ROWS)],
        day=[f"2020-01-{n % 28 + 1:02d}" for n in range(ROWS)],
        site=["a"] * ROWS,
        nothing=[""] * ROWS,
        rarely=["5"] * 3 + ["7"] * 5 + [""] * (ROWS - 8),
    )
    assert found(odd) == {
        "identifier": ("nr",), "free-text": ("note",), "date": ("day",), "constant": ("site",),
        "empty": ("nothing",), "nearly-empty": ("rarely",),
    }  # fmt: skip
    _, last = settled(odd, "outcome")
    assert {one.name for one in last.profiles} == set(frame.columns)
    assert not [one for one in last.findings if one.severity != "note"]


def test_numbers_that_stand_for_not_measured_become_gaps():
    frame = clean()
    odd = plant(
        frame,
        bp=["0" if n % 20 == 0 else str(100 + n % 50) for n in range(ROWS)],
        hb=["-9" if n % 30 == 0 else f"{11 + n % 7 / 2}" for n in range(ROWS)],
    )
    told = found(odd)
    assert told == {"zeros-for-missing": ("bp",), "stands-for-missing": ("hb",)}
    steps, last = settled(odd, "outcome")
    assert [step.column for step in steps if isinstance(step, TakeAsMissing)] == ["bp", "hb"]
    assert last.missing.loc["bp", "all rows"] == pytest.approx(0.05)


def test_cells_that_are_no_number_are_told():
    frame = clean()
    odd = plant(frame, age=["> 89" if n < 5 else cell for n, cell in enumerate(frame["age"])])
    assert found(odd) == {"not-all-numbers": ("age",)}


# -- the outcome ---------------------------------------------------------------------------


def test_too_few_of_a_label_are_left_out_and_gaps_in_the_outcome_too():
    frame = clean()
    outcome = ["rare" if n < 4 else "" if n < 20 else cell for n, cell in enumerate(frame["outcome"])]
    steps, last = settled(plant(frame, outcome=outcome), "outcome")
    assert set(last.labels) == {"sick", "well"}
    assert {step.values for step in steps if isinstance(step, LeaveOutRows)} == {("rare",), ("",)}


def test_what_cannot_be_learnt_is_an_error():
    frame = clean()
    assert "one-label" in found(frame.assign(outcome="sick"))
    assert "too-many-labels" in found(frame, target="lab")
    assert "too-few" in found(frame.assign(outcome=["sick"] * 5 + ["well"] * (ROWS - 5)))
    with pytest.raises(InvalidInput, match="expected one column fate"):
        report(frame, "fate")


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (("ckd", "notckd"), ("notckd", "ckd")),
        (("1", "0"), ("0", "1")),
        (("10", "9", "8"), ("8", "9", "10")),
        (("Yes", "No"), ("No", "Yes")),
        (("Alive", "Expired"), ("Alive", "Expired")),
        (("above 3", "at most 3"), ("at most 3", "above 3")),
    ],
)
def test_the_label_that_is_looked_for_comes_last(labels, order):
    assert ordered_labels(labels) == order


# -- real tables ---------------------------------------------------------------------------


def _real(data, name: str) -> pd.DataFrame:
    return read_text_table((data / "tabular" / name).read_bytes()).frame


@pytest.mark.data("tabular/heart_failure", "tabular/eicu_demo_subset", "tabular/pima_diabetes", "tabular/hcv")
def test_the_traps_of_real_tables_are_found(data):
    heart = found(
        _real(data, "heart_failure/heart_failure_clinical_records_dataset.csv"), target="DEATH_EVENT"
    )
    assert heart == {"follow-up-time": ("time",)}
    eicu = found(_real(data, "eicu_demo_subset/patient.csv"), target="hospitaldischargestatus")
    assert eicu["gives-the-answer"] == ("hospitaldischargelocation",)
    assert eicu["groups-torn"] == ("uniquepid",)
    pima = found(_real(data, "pima_diabetes/pima-indians-diabetes.csv"), target="column 9")
    assert pima == {"zeros-for-missing": tuple(f"column {n}" for n in range(2, 7))}
    hcv = found(_real(data, "hcv/hcvdat0.csv"), target="Category")
    assert (hcv["identifier"], "too-few" in hcv) == (("column 1",), True)
