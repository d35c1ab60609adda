"""Tables of events: found by themselves, and made into one row a stay by a recorded step."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.tables.clock import clock_of, hours_of
from healthdash.tables.events import FromEvents
from healthdash.tables.find_events import find_events, with_events
from healthdash.tables.possible import possible
from healthdash.tables.read import looks_like_table, read_path, read_text_table
from healthdash.tables.report import settled
from healthdash.tables.steps import dumped, loaded, replay

STEP = FromEvents(
    stay="stay", time="time", parameter="what", value="value", clock="hh:mm", window_hours=24,
    measured=("HR", "pH"), once=("Age",), counted=("Vent",), bounds={"HR": (1, 390), "Age": (0, None)},
)  # fmt: skip


def long(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["stay", "time", "what", "value"], dtype=object)


def stay_file(number: int, *, sick: bool) -> str:
    """Return one stay as the challenge of 2012 writes it."""
    rng = np.random.default_rng(number)
    lines = ["Time,Parameter,Value", f"00:00,RecordID,{number}", f"00:00,Age,{40 + number % 40}"]
    lines += [f"00:00,Gender,{number % 2}", "00:00,Height,-1", f"00:05,Weight,{70 + number % 9}"]
    for hour in range(0, 60, 6):
        rate = 0 if hour == 12 else round(80 + 25 * sick + rng.normal(0, 5))
        lines += [f"{hour:02d}:30,HR,{rate}", f"{hour:02d}:31,Urine,{rng.integers(20, 90)}"]
    lines += ["03:00,MechVent,1"] * int(rng.integers(3))
    return "\n".join(lines) + "\n"


def pack(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def challenge(stays: int = 60) -> dict[str, str]:
    """Return files of stays, and their outcomes."""
    sick = {number: number % 3 == 0 for number in range(1000, 1000 + stays)}
    files = {f"set/{number}.txt": stay_file(number, sick=ill) for number, ill in sick.items()}
    dead = {number for number, ill in sick.items() if ill and number % 7}
    told = [
        f"{number},{9 + 5 * ill},{3 + number % 8},{4 + number % 30 if ill else -1},{int(number in dead)}"
        for number, ill in sick.items()
    ]
    head = "RecordID,SAPS-I,Length_of_stay,Survival,In-hospital_death"
    return {**files, "Outcomes.txt": "\n".join([head, *told]) + "\n"}


# -- the step ------------------------------------------------------------------------------


def test_a_stay_becomes_one_row_of_what_was_measured_in_the_window():
    made = STEP.apply(
        long(
            ("a", "00:00", "Age", "54"),
            ("a", "02:00", "HR", "90"),
            ("a", "01:00", "HR", "70"),
            ("a", "23:59", "HR", "80"),
            ("a", "24:01", "HR", "200"),
            ("b", "00:00", "Age", "-1"),
            ("b", "00:10", "pH", "7.1"),
            ("b", "00:10", "pH", "7.3"),
            ("b", "05:00", "Vent", "1"),
            ("b", "06:00", "Vent", "1"),
        )
    )
    first, second = made.to_dict("records")
    assert [made.shape, first["stay"], first["Age"], second["Age"]] == [(2, 15), "a", "54", ""]
    statistics = ("first", "last", "lowest", "highest", "mean", "count")
    assert [first[f"HR {name}"] for name in statistics] == ["70", "80", "70", "90", "80", "3"]
    assert [second[f"HR {name}"] for name in statistics] == ["", "", "", "", "", "0"]
    # Of one time the order of the file decides.
    assert [second["pH first"], second["pH last"], second["pH mean"]] == ["7.1", "7.3", "7.2"]
    assert [first["Vent count"], second["Vent count"]] == ["0", "2"]


def test_impossible_values_and_words_are_not_measured():
    made = STEP.apply(
        long(
            ("a", "01:00", "HR", "0"), ("a", "02:00", "HR", "80"), ("a", "03:00", "HR", "4000"),
            ("a", "04:00", "HR", "haemolysed"), ("a", "?", "HR", "99"), ("a", "05:00", "pH", "-1"),
        )
    )  # fmt: skip
    row = made.iloc[0]
    assert [row["HR lowest"], row["HR highest"], row["HR count"], row["pH first"]] == ["80", "80", "1", "-1"]


def test_moments_mean_the_same_in_a_new_table_as_in_the_one_to_learn_from():
    one = [("1", "03/04/2020 08:00", "HR", "80"), ("1", "03/05/2020 08:00", "HR", "120")]
    step = FromEvents(stay="stay", time="time", parameter="what", value="value", clock="moments",
                      measured=("HR",))  # fmt: skip
    learnt = step.fitted(long(*one, ("2", "03/25/2020 08:00", "HR", "70")))
    assert learnt.apply(long(*one))["HR last"].tolist() == ["120"]
    assert learnt.words.endswith("dates have the month before the day")
    assert step.apply(long(*one))["HR last"].tolist() == ["80"]


def test_a_step_of_an_older_bundle_is_read_and_does_the_same():
    stored = json.loads(json.dumps(dumped([STEP])))[0]
    older = {name: told for name, told in stored.items() if name not in ("date", "unit", "units")}
    (step,) = loaded([older])
    frame = long(("a", "01:00", "HR", "70"), ("a", "25:00", "HR", "90")).assign(unit="Hz", date="2019-05-01")
    assert step.apply(frame)["HR last"].tolist() == ["70"]
    assert step.notices(frame) == []


def test_a_table_with_one_row_a_stay_stays_as_it_is():
    wide = pd.DataFrame({"HR first": ["70"], "Age": ["54"]})
    assert STEP.apply(wide) is wide


def test_events_without_a_column_of_stays_are_of_one():
    frame = long(("a", "01:00", "HR", "70"), ("b", "02:00", "HR", "90"))
    made = STEP.apply(frame.drop(columns="stay"))
    assert made.shape[0] == 1
    assert made["HR count"].tolist() == ["2"]
    again = STEP.apply(frame.rename(columns={"stay": "encounter_id"}))
    assert again["encounter_id"].tolist() == ["a", "b"]


def test_the_step_survives_a_bundle_and_says_what_it_does():
    stored = json.loads(json.dumps(dumped([STEP]), allow_nan=False))
    assert loaded(stored) == [STEP]
    assert "first 24 hours" in STEP.words
    assert "taken once: Age" in STEP.words
    with pytest.raises(InvalidInput):
        loaded([{**stored[0], "window_hours": 0}])


@pytest.mark.parametrize(
    ("name", "cells", "clock", "hours"),
    [
        ("Time", ["00:00", "01:30", "47:59"], "hh:mm", [0, 1.5, 47 + 59 / 60]),
        ("labresultoffset", ["0", "90", "-60"], "minutes", [0, 1.5, -1]),
        ("hour", ["0", "1.5", ""], "hours", [0, 1.5, np.nan]),
        ("day", ["0", "1", "2"], "days", [0, 24, 48]),
        ("charttime", ["2020-03-01 06:00", "2020-03-01 07:30", "2020-03-02"], "moments", [0, 1.5, 18]),
        ("when", ["soon", "later", "now"], None, []),
    ],
)
def test_times_are_hours_since_the_start(name, cells, clock, hours):
    text = pd.Series(cells, dtype=object)
    assert clock_of(name, text) == clock
    if clock:
        assert hours_of(text, clock, np.zeros(3, np.int64)) == pytest.approx(hours, nan_ok=True)


def test_what_is_possible_is_known_by_name_and_in_one_unit_only():
    assert possible("Heart_Rate", np.array([70.0, 0.0])) == (1, 390)
    assert possible("Temp", np.array([98.6, 99.0, 101.0])) is None
    assert possible("Height", np.array([-1.0, -1.0, -1.0, 172.0])) == (25, 275)
    assert possible("ferritin", np.array([-1.0, -1.0, 20.0])) == (0.0, None)
    assert possible("base excess", np.array([-4.0, -2.0, 3.0])) is None
    assert possible("ferritin", np.empty(0)) is None


# -- finding -------------------------------------------------------------------------------


def test_a_zip_of_stays_with_outcomes_is_read_and_made_into_rows():
    data = pack(challenge())
    assert looks_like_table(data)
    table = read_text_table(data)
    made = find_events(table)
    assert made.clock == "hh:mm"
    assert set(made.measured) == {"HR", "Urine"}
    assert set(made.once) == {"Age", "Gender", "Height", "Weight"}
    assert made.counted == ("MechVent",)
    assert made.outcomes == ("SAPS-I", "Length_of_stay", "Survival", "In-hospital_death")
    wide, steps = with_events(table, (), is_found=True)
    assert steps == [made]
    assert wide.frame.shape[0] == 60
    assert "60 stays" in wide.notices[-1]
    row = wide.frame.iloc[0]
    assert [row["stay"], row["Height"], row["HR count"]] == ["1000", "", "7"]
    assert wide.frame["In-hospital_death"].value_counts().to_dict() == {"0": 43, "1": 17}


def test_what_was_told_beside_the_outcome_is_reported():
    wide, steps = with_events(read_text_table(pack(challenge(150))), (), is_found=True)
    taken, found = settled(wide.frame, "In-hospital_death", steps=steps)
    codes = {one.code for one in found.findings}
    dropped = {name for step in taken if step.do == "drop-columns" for name in step.columns}
    assert {"Survival", "Length_of_stay", "stay"} <= dropped
    assert "SAPS-I" not in dropped
    assert "told-beside-the-outcome" in codes


@pytest.mark.parametrize(
    ("name", "stays"),
    [
        ("p{}.csv", ["p1", "p2", "p3"]),
        ("p{}/events.csv", ["p1", "p2", "p3"]),
        ("in/p{}/events.csv", ["in/p1", "in/p2", "in/p3"]),
        ("p{}/labs.csv p{}/vitals.csv", ["p1", "p2", "p3"]),
        ("a/{}.csv b/{}.csv", ["a/1", "a/2", "a/3", "b/1", "b/2", "b/3"]),
    ],
)
def test_files_of_one_name_in_folders_are_not_one_stay(name, stays):
    files = {one.replace("{}", n): stay_file(int(n), sick=False) for n in "123" for one in name.split()}
    assert sorted(set(read_text_table(pack(files)).frame["stay"])) == stays


def test_events_without_a_stay_are_left_out_and_counted():
    rng = np.random.default_rng(0)
    rows = [
        f"{stay if rng.random() > 0.01 else ''},{minute},{name},{rng.normal(7, 1):.2f},{died}"
        for stay in range(100) for minute in range(0, 600, 60) for name in ("K", "Na")
        for died in ("yes" if stay % 4 else "no",)
    ]  # fmt: skip
    text = "patientunitstayid,labresultoffset,labname,labresult,died\n" + "\n".join(rows)
    table = read_text_table(text.encode())
    wide, _ = with_events(table, (), is_found=True)
    assert len(wide.frame) == 100
    assert set(wide.frame["died"]) == {"yes", "no"}
    assert "do not say of which stay" in wide.notices[-1]


def test_files_of_events_have_decimal_commas_as_a_table_has():
    text = "Time;Parameter;Value\n00:00;Temp;36,1\n01:00;Temp;38,4\n"
    table = read_text_table(pack({"1.csv": text, "2.csv": text.replace("36,1", "1.036,5")}))
    assert (table.found.decimal, table.found.thousands) == (",", ".")
    assert set(table.frame["Value"]) == {"36.1", "38.4", "1036.5"}


def test_a_folder_is_read_as_its_zip(tmp_path):
    for name, text in challenge(20).items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "in" / "readme.pdf").write_bytes(b"%PDF-1.4")
    table = read_path(tmp_path / "in")
    assert find_events(table).outcomes == find_events(read_text_table(pack(challenge(20)))).outcomes
    assert table.notices == ("1 other files were passed over.",)


def test_one_long_table_is_found_with_what_is_the_same_in_a_stay():
    rng = np.random.default_rng(0)
    rows = [
        f"{stay},{minute},{name},{rng.normal(7, 1):.2f},{'dead' if stay % 4 == 0 else 'alive'},{rng.random()}"
        for stay in range(30)
        for minute in range(0, 600, 60)
        for name in ("K", "Na")
    ]
    text = "patientunitstayid,labresultoffset,labname,labresult,status,noise\n" + "\n".join(rows)
    table, steps = with_events(read_text_table(text.encode()), (), is_found=True)
    (made,) = steps
    assert (made.stay, made.clock, made.same) == ("patientunitstayid", "minutes", ("status",))
    assert table.frame.shape[0] == 30
    assert set(table.frame["status"]) == {"dead", "alive"}
    assert table.frame["K count"].tolist() == ["10"] * 30


def test_the_measurements_of_omop_are_found():
    rows = [
        f"{100 * person + n},{person},30{n % 2},2146-12-{10 + n // 4} 0{n % 9}:00:00,,{n},,"
        for person in range(12)
        for n in range(20)
    ]
    text = (
        "measurement_id,person_id,measurement_concept_id,measurement_datetime,measurement_time,"
        "value_as_number,value_as_concept_id,visit_occurrence_id\n" + "\n".join(rows)
    )
    made = find_events(read_text_table(text.encode()))
    assert (made.stay, made.parameter) == ("person_id", "measurement_concept_id")
    assert (made.time, made.clock) == ("measurement_datetime", "moments")
    assert made.measured == ("300", "301")


@pytest.mark.parametrize(
    "text",
    [
        "patient,age,test,result,date,sick\n" + "\n".join(f"p{i},5,{i},{i},2020-01-01,1" for i in range(40)),
        "age,sex,outcome\n1,m,a\n2,f,b\n",
        "id,time,parameter,value\n" + "\n".join(f"p{i},1,HR,{i}" for i in range(40)),
        "patient,time,parameter,value\n" + "\n".join(f"p{i % 4},1,x{i % 3},low" for i in range(60)),
    ],
)
def test_other_tables_are_not_taken_for_events(text):
    assert find_events(read_text_table(text.encode())) is None


def test_new_files_give_the_same_columns():
    made = find_events(read_text_table(pack(challenge())))
    single = read_text_table(stay_file(1001, sick=False).encode()).frame
    columns = list(made.apply(read_text_table(pack(challenge())).frame).columns)
    inputs = [name for name in columns if name not in ("stay", *made.outcomes)]
    new = replay(single, [made])
    assert list(new.columns) == inputs
    whole = made.apply(read_text_table(pack(challenge())).frame).set_index("stay")
    assert new.iloc[0].to_dict() == whole.loc["1001", inputs].to_dict()


# -- hostile and broken files --------------------------------------------------------------


def test_a_file_cannot_smuggle_a_stay_into_another():
    files = {f"{number},0,HR,1\n7.txt": stay_file(number, sick=False) for number in range(5)}
    stays = read_text_table(pack(files)).frame["stay"].unique()
    assert len(stays) == 5
    assert all("," not in stay for stay in stays)


def test_archives_without_events_and_archives_in_archives_are_refused():
    with pytest.raises(UnreadableUpload, match="expected tables of events"):
        read_text_table(pack({"a.csv": "a,b\n1,2\n", "b.csv": "c,d\n1,2\n"}))
    inner = pack({"a.csv": "a,b\n1,2\n"})
    assert read_text_table(inner).frame.shape == (1, 2)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", inner)
    with pytest.raises(UnreadableUpload):
        read_text_table(out.getvalue())


def test_an_archive_that_would_unpack_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr("healthdash.tables.event_files._MOST_BYTES", 1000)
    with pytest.raises(InvalidInput, match="when unpacked"):
        read_text_table(pack({f"{n}.txt": stay_file(n, sick=False) for n in range(3)}))
    with pytest.raises(InvalidInput, match="far larger"):
        read_text_table(pack({"a.txt": "0" * (64 << 20), "b.txt": "1"}))


def test_only_tables_of_events_may_have_more_rows(monkeypatch):
    monkeypatch.setattr("healthdash.tables.layout.MOST_ROWS", 50)
    events = "\n".join(f"p{i % 9},{i % 5},x{i % 3},{i}" for i in range(90))
    assert len(read_text_table(f"patient,time,parameter,value\n{events}".encode()).frame) == 90
    with pytest.raises(InvalidInput, match="at most 50 rows"):
        read_text_table(f"patient,day,shoe,size\n{events}".encode())
