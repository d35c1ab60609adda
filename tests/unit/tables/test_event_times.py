"""Times of events: one column, or a date and a time of day that belong together."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from healthdash.tables.clock import hours_of_day
from healthdash.tables.event_times import Times, find_times
from healthdash.tables.find_events import find_events, one_row_a_stay
from healthdash.tables.read import read_text_table
from healthdash.tables.steps import dumped, loaded, replay


def text(names: str, day, time) -> str:
    """Return ten days of two measurements a day of eight stays."""
    rows = [
        f"{stay},{day(k)},{time(minute)},{name},{value}"
        for stay in range(8)
        for k in range(1, 11)
        for minute, name, value in ((0, "HR", 60 + stay + k), (5, "Lactate", k))
    ]
    return "\n".join([f"stay_id,{names},parameter,value", *rows])


@pytest.mark.parametrize(
    ("names", "day", "time", "joined"),
    [
        ("date,time", "2019-05-{:02d}", "08:{:02d}", ("time", "moments", "date")),
        ("date,time", "{}.05.2019", "8:{:02d} PM", ("time", "moments", "date")),
        ("chartdate,charttime", "201905{:02d}", "08:{:02d}:00", ("charttime", "moments", "chartdate")),
        ("datetime,time", "2019-05-{:02d} 00:00:00", "08:{:02d}", ("time", "moments", "datetime")),
        ("date,time", "2019-05-{:02d}", "08{:02d}", ("time", "moments", "date")),
        ("date,time", "2019-05-{:02d}", "8{:02d}", ("time", "moments", "date")),
        ("date,hour", "2019-05-{:02d}", "1{}", ("hour", "moments", "date")),
        ("date,time", "2019-05-{:02d}", "0.3{}", ("time", "moments", "date")),
        ("day,time", "{}", "08:{:02d}", ("time", "days", "day")),
    ],
)
def test_a_time_of_day_belongs_to_the_date_beside_it(names, day, time, joined):
    table = read_text_table(text(names, day.format, time.format).encode())
    made = find_events(table)
    assert Times(made.time, made.clock, made.date) == Times(*joined)
    row = one_row_a_stay(table, made).frame.iloc[0]
    # What was measured at the same time of the last days is not known yet.
    assert int(row["Lactate count"]) <= 3
    assert (row["Lactate first"], row["HR first"]) == ("1", "61")
    assert loaded(json.loads(json.dumps(dumped([made])))) == [made]
    assert replay(table.frame, [made]).iloc[0].to_dict() == row.to_dict()
    assert f"day in {joined[2]}, time of day in {joined[0]}" in made.words


def test_the_date_of_an_event_is_taken_and_not_one_of_the_stay():
    rows = [
        f"{stay},195{stay}-01-01,2019-05-{day:02d},,08:{minute:02d},{concept},{day}"
        for stay in range(8) for day in range(1, 11) for minute, concept in ((0, 300), (5, 301))
    ]  # fmt: skip
    names = (
        "person_id,birth_date,measurement_date,measurement_datetime,measurement_time,"
        "measurement_concept_id,value_as_number"
    )
    made = find_events(read_text_table("\n".join([names, *rows]).encode()))
    assert (made.date, made.time, made.clock) == ("measurement_date", "measurement_time", "moments")
    assert made.same == ("birth_date",)


@pytest.mark.parametrize(
    ("cells", "hours"),
    [
        (["0830", "1330", "5", ""], [8.5, 13.5, 5 / 60, np.nan]),
        (["0005", "0015"], [5 / 60, 0.25]),
        (["830", "13:30", "2359"], [8.5, 13.5, 23 + 59 / 60]),
        (["8", "12", "24"], [8, 12, 24]),
        (["870", "900"], [870, 900]),
        (["0.5", "0.25"], [12, 6]),
    ],
)
def test_the_time_of_day_may_be_written_without_a_mark(cells, hours):
    assert hours_of_day(pd.Series(cells, dtype=object)) == pytest.approx(hours, nan_ok=True)


def test_it_is_said_when_no_event_lies_in_the_window():
    table = read_text_table(text("site,hour", "A{}".format, "9{:02d}".format).encode())
    made = find_events(table)
    assert made.notices(table.frame) == [
        "No event lies in the first 48 hours (time in hours since the start): nothing counts as measured."
    ]
    assert made.model_copy(update={"window_hours": 1000.0}).notices(table.frame) == []


def test_a_time_of_day_that_is_not_known_is_not_midnight():
    frame = pd.DataFrame({"date": ["2019-05-01"] * 3, "time": ["23:00", "", "23:30"]}, dtype=object)
    hours = Times("time", "moments", "date").hours(frame, np.zeros(3, np.int64))
    assert hours == pytest.approx([0, np.nan, 0.5], nan_ok=True)


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        # Alone, and hours since the start beside a date, they stay as they are.
        ({"time": ["08:00", "08:05", "09:00"]}, Times("time", "hh:mm")),
        ({"time": ["08:00", "25:05", "49:00"], "date": ["2019-05-01", "2019-05-02", "2019-05-03"]},
         Times("time", "hh:mm")),
        ({"hour": ["2", "14", "23"], "date": ["2019-05-01", "2019-05-02", "2019-05-02"]},
         Times("hour", "hours")),
        # Dates that have times of day tell all.
        ({"time": ["08:00", "08:05"], "charteddate": ["2019-05-01 08:00", "2019-05-02 08:05"]},
         Times("charteddate", "moments")),
    ],
)  # fmt: skip
def test_what_tells_all_is_taken_alone(columns, found):
    frame = pd.DataFrame(columns, dtype=object)
    assert find_times(frame, list(columns), np.zeros(len(frame), np.int64)) == found
