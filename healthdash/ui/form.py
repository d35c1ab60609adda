"""A form for one patient, made from a task's fields."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from healthdash.fields import CategoryField, Field, NumberField
from healthdash.task import Task, Upload
from healthdash.ui import state

__all__ = ["as_table", "as_upload", "patient", "row", "template", "widget"]

_COLUMNS = 3
_MOST_TYPED = 60
Value = str | float | None
Place = DeltaGenerator
Lasts = Literal["session"] | None


def patient(task: Task) -> Upload | None:
    """Show the form; return the row as a file when it was sent off."""
    if len(task.fields) > _MOST_TYPED:
        st.caption(
            f"The model asks for {len(task.fields)} columns, too many to type: upload them as a table."
        )
        return None
    # Models of own data ask for different fields under the same task, and so in other widgets.
    # After "Remove my data" they are others again: a browser sends what the widgets that it still shows hold.
    name = f"{task.slug}:{hashlib.sha256(repr(task.fields).encode()).hexdigest()[:8]}"
    asked = state.fresh_key(name)
    with st.form(f"form:{asked}", border=False):
        st.caption("Leave empty what is not known. Nothing is stored.")
        columns = st.columns(_COLUMNS)
        values = {
            field.name: widget(field, columns[number % _COLUMNS], f"{asked}:{field.name}", lasts="session")
            for number, field in enumerate(task.fields)
        }
        sent = st.form_submit_button("Analyse", type="primary", icon=":material/play_arrow:")
    return as_upload(task.fields, values) if sent else None


def template(task: Task) -> None:
    """Offer an empty table with the task's columns, to fill in with many patients."""
    empty = as_table(task.fields, []).data
    st.download_button(
        "Download an empty table for many patients",
        empty,
        file_name=f"{task.slug}.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )


def as_upload(fields: Sequence[Field], values: Mapping[str, Value]) -> Upload:
    """Return one row as a CSV file, as if the reader had uploaded it."""
    return as_table(fields, [values])


def as_table(fields: Sequence[Field], rows: Sequence[Mapping[str, Value]]) -> Upload:
    """Return rows as a CSV file; what a row does not name is empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([field.name for field in fields])
    writer.writerows(row({field.name: values.get(field.name) for field in fields}) for values in rows)
    return Upload("typed by hand.csv", text.getvalue().encode())


def row(values: Mapping[str, Value]) -> list[str]:
    """Return values as the cells of a file, in their order."""
    return [_cell(value) for value in values.values()]


def widget(field: Field, place: Place, key: str, *, lasts: Lasts = None) -> Value:
    """Draw the widget of a field, which begins with the field's default; None: not known.

    `lasts` "session": what was given is there again after another page.
    """
    if isinstance(field, CategoryField):
        return _choice(field, place, key, lasts)
    if isinstance(field, NumberField):
        return _number(field, place, key, lasts)
    tip = field.description or None
    return place.text_input(field.label, key=key, help=tip, persist_state=lasts) or None


def _choice(field: CategoryField, place: Place, key: str, lasts: Lasts) -> str | None:
    codes = list(field.choices)
    chosen: str | None = place.selectbox(
        field.label,
        codes,
        index=codes.index(field.default) if field.default in codes else None,
        format_func=lambda code: field.choices[code],
        placeholder="not known",
        help=field.description or None,
        key=key,
        persist_state=lasts,
    )
    return chosen


def _number(field: NumberField, place: Place, key: str, lasts: Lasts) -> float | None:
    number: float | None = place.number_input(  # type: ignore[misc]
        f"{field.label}, {field.unit}" if field.unit else field.label,
        min_value=float(field.low) if math.isfinite(field.low) else None,
        max_value=float(field.high) if math.isfinite(field.high) else None,
        value=None if field.default is None else float(field.default),  # type: ignore[arg-type]
        step=float(field.step),
        format="%.0f" if float(field.step).is_integer() else None,
        placeholder="not known",
        help=field.description or None,
        key=key,
        persist_state=lasts,
    )
    return number


def _cell(value: Value) -> str:
    """Return a value as the cell of a file, with all its digits."""
    is_whole = isinstance(value, float) and value.is_integer()
    return "" if value is None else str(int(value) if is_whole else value)
