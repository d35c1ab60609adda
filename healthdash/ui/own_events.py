"""How one row a stay is made of a table of events: as found, and shown for correction."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from healthdash.tables.clock import CLOCKS
from healthdash.tables.events import STATISTICS, FromEvents

__all__ = ["section"]

_LONGEST_HOURS = 24.0 * 365


def section(found: FromEvents, rows: int, key: Callable[[str], str]) -> FromEvents | None:
    """Show the step that was found; return it with what was changed, None where rows are to stay events.

    Parameters
    ----------
    rows : int
        Of the table of events.
    key : function of str
        Returns the key of a widget.
    """
    st.info(
        f"Each of the {rows:,} rows is an event: what was measured, when, and the value. One row a stay is "
        "made of them, and of the events of new patients before the model is used.",
        icon=":material/table_rows:",
    )
    with st.expander("How one row a stay is made", icon=":material/table_rows:", expanded=True):
        if not st.toggle("Make one row a stay", value=True, key=key("events")):
            return None
        return _changed(found, key)


def _read_from(found: FromEvents) -> str:
    """Say which column tells what."""
    parts = {
        "stay": found.stay, "day": found.date, "time": found.time, "what was measured": found.parameter,
        "value": found.value, "unit": found.unit,
    }  # fmt: skip
    told = [f"{part} in `{name.replace('`', ' ')}`" for part, name in parts.items() if name]
    return f"Found in the columns: {', '.join(told)}."


def _changed(found: FromEvents, key: Callable[[str], str]) -> FromEvents:
    """Ask for what can be told apart by a person only."""
    st.caption(_read_from(found))
    left, right = st.columns(2)
    hours = left.number_input(
        "Hours from the start that count", 0.5, _LONGEST_HOURS, found.window_hours, 1.0, "%.1f",
        key=key("hours"), help="What was measured later is not known yet when the model is asked.",
    )  # fmt: skip
    clock = right.selectbox(
        "Times are", list(CLOCKS), index=list(CLOCKS).index(found.clock), format_func=CLOCKS.__getitem__,
        key=key("clock"),
    )  # fmt: skip
    statistics = st.multiselect(
        "Kept of each measurement", STATISTICS, found.statistics, key=key("statistics"),
        help="A column each, such as HR first. A count of 0 tells that it was not measured.",
    )  # fmt: skip
    numbers = [*found.measured, *found.once]
    once = st.multiselect(
        "Taken once, at the start",
        numbers,
        found.once,
        key=key("once"),
        help="Age, sex, weight at admission.",
    )
    left_out = st.multiselect(
        "Left out", [*numbers, *found.counted], key=key("without"), placeholder="None: all are taken"
    )
    kept = [name for name in numbers if name not in left_out]
    return found.model_copy(
        update={
            "window_hours": float(hours), "clock": clock,
            # At least one statistic: without any there would be no columns.
            "statistics": tuple(name for name in STATISTICS if name in statistics) or found.statistics,
            "once": tuple(name for name in kept if name in once),
            "measured": tuple(name for name in kept if name not in once),
            "counted": tuple(name for name in found.counted if name not in left_out),
        }
    )  # fmt: skip
