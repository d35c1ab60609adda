"""A table of events on the page Train: one row a stay, as the reader corrects it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def table() -> bytes:
    """Return events of 40 stays: two measurements every six hours, the age once, and the outcome."""
    lines = ["stay_id,hour,parameter,value,died"]
    for stay in range(40):
        died = "yes" if stay % 3 == 0 else "no"
        lines.append(f"{stay},0,age,{50 + stay % 30},{died}")
        for hour in range(0, 72, 6):
            lines += [
                f"{stay},{hour},HR,{80 + stay % 7 + hour},{died}",
                f"{stay},{hour},K,{4 + stay % 3},{died}",
            ]
    return "\n".join(lines).encode()


def script() -> None:
    import streamlit as st

    from healthdash.task import Upload
    from healthdash.ui import own_table
    from tests.pages.test_own_events import table

    st.session_state["chosen"] = own_table.section(Upload("x.csv", table()))


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(script, default_timeout=180).run()


def told(app: AppTest) -> str:
    return " ".join(one.value for one in [*app.info, *app.markdown])


def outcome(app: AppTest):
    return next(one for one in app.selectbox if one.label == "Column of the outcome")


def test_events_become_one_row_a_stay_and_the_step_travels(app):
    assert not app.exception
    assert "40 stays, 15 columns" in told(app)
    assert any("time in `hour`, what was measured in `parameter`" in one.value for one in app.caption)
    outcome(app).set_value("died").run()
    assert not app.exception
    (step,) = app.session_state["chosen"].cleaning.steps
    assert (step.do, step.window_hours, step.once, step.same) == ("from-events", 48, ("age",), ("died",))


def test_the_window_and_what_is_kept_can_be_changed(app):
    app.number_input[0].set_value(12.0).run()
    app.multiselect[0].set_value(["mean"]).run()
    assert not app.exception
    assert "40 stays, 5 columns" in told(app)
    outcome(app).set_value("died").run()
    (step,) = app.session_state["chosen"].cleaning.steps
    assert (step.window_hours, step.statistics) == (12, ("mean",))


def test_rows_can_stay_events(app):
    app.toggle[0].set_value(False).run()
    assert not app.exception
    assert "parameter" in outcome(app).options
    outcome(app).set_value("died").run()
    assert app.session_state["chosen"].cleaning.steps == ()
