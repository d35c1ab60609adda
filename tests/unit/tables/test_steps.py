from __future__ import annotations

import json

import pandas as pd
import pytest

from healthdash.errors import InvalidInput
from healthdash.tables.steps import (
    CutNumber,
    DropColumns,
    DropDuplicates,
    GroupBy,
    JoinValues,
    KeepRange,
    LeaveOutRows,
    TakeAs,
    TakeAsMissing,
    dumped,
    fitted,
    group_of,
    kinds_of,
    loaded,
    replay,
)

TABLE = pd.DataFrame(
    {
        "id": ["1", "2", "3", "4"],
        "bp": ["120", "0", "999", "120"],
        "day": ["2000-01-03", "", "soon", "2000-01-03"],
        "ill": ["Yes", "yes", "", "Yes"],
    },
    dtype=object,
)
STEPS = [
    DropColumns(columns=("id", "nowhere")),
    TakeAsMissing(column="bp", values=("0.0",)),
    KeepRange(column="bp", low=40, high=300),
    TakeAs(column="day", kind="date"),
    JoinValues(column="ill", values={"yes": "Yes"}),
    LeaveOutRows(column="ill"),
    DropDuplicates(),
]


def test_steps_are_replayed_in_order_and_the_table_stays():
    before = TABLE.copy()
    found = replay(TABLE, STEPS, is_training=True)
    assert found.to_dict("list") == {"bp": ["120", ""], "day": ["2", ""], "ill": ["Yes", "Yes"]}
    assert list(found.index) == [0, 1]
    pd.testing.assert_frame_equal(TABLE, before)


@pytest.mark.parametrize("kind", ["number", "whole number"])
def test_a_single_cell_is_told_by_the_clock_as_the_table_to_learn_from(kind):
    step = TakeAs(column="time", kind=kind)

    def column(*cells: str) -> pd.DataFrame:
        return pd.DataFrame({"time": cells}, dtype=object)

    (learnt,), mended = fitted(column("1:20", "2:10", "soon", *["3:30"] * 40), [step])
    assert mended["time"].tolist()[:3] == ["1:20", "2:10", ""]
    assert learnt.apply(column("1:20"))["time"].tolist() == ["1:20"]
    assert loaded(json.loads(json.dumps(dumped([learnt])))) == [learnt]
    (bare,), _ = fitted(column("1.5", "2", "3:30"), [step])
    assert bare.apply(column("3:30"))["time"].tolist() == [""]


def test_on_new_data_no_row_is_left_out_and_the_outcome_may_be_missing():
    new = TABLE.drop(columns="ill")
    found = replay(new, STEPS)
    assert len(found) == 4
    assert list(found["bp"]) == ["120", "", "", "120"]


def test_a_date_means_the_same_in_a_new_table_as_in_the_one_to_learn_from():
    def table(*days):
        return pd.DataFrame({"day": days}, dtype=object)

    steps, mended = fitted(table("03/04/2020", "12/25/2020"), [TakeAs(column="day", kind="date")])
    assert mended["day"].tolist() == ["7368", "7664"]
    assert steps[0].words == "taken as date, the month before the day: day"
    again = loaded(json.loads(json.dumps(dumped(steps))))
    assert replay(table("03/04/2020", "25/12/2020"), again)["day"].tolist() == ["7368", ""]


def test_a_step_that_was_stored_without_the_order_looks_at_each_table():
    (step,) = loaded([{"do": "take-as", "column": "day", "kind": "date"}])
    found = step.apply(pd.DataFrame({"day": ["03/04/2020"]}, dtype=object))
    assert found["day"].tolist() == ["7398"]


def test_a_number_is_cut_in_two():
    found = replay(TABLE, [CutNumber(column="bp", at=120)])
    assert list(found["bp"]) == ["at most 120", "at most 120", "above 120", "at most 120"]


def test_steps_survive_json_and_say_what_they_do():
    steps = [*STEPS, CutNumber(column="bp", at=2.5), GroupBy(column="id")]
    again = loaded(json.loads(json.dumps(dumped(steps))))
    assert again == steps
    assert all(step.words for step in again)
    assert group_of(again) == "id"
    assert kinds_of(again) == {"day": "number"}


@pytest.mark.parametrize(
    "stored", [[{"do": "run"}], [{"do": "drop-columns"}], "x", [{"do": "cut-number", "at": "a"}]]
)
def test_what_is_no_step_is_refused(stored):
    with pytest.raises(InvalidInput, match="cleaning steps"):
        loaded(stored)
