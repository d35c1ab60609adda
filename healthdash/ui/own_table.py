"""An own table before training: how it was read, what is odd about it, and what to do about that."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from healthdash import apart
from healthdash.tables.cleaning import Cleaning
from healthdash.tables.find_events import find_events, one_row_a_stay
from healthdash.tables.kinds import KINDS, Profile
from healthdash.tables.layout import SEPARATORS, TextTable, canonical
from healthdash.tables.outcome import GUESSED
from healthdash.tables.read import read_text_table
from healthdash.tables.report import DataReport, report, settled
from healthdash.tables.steps import FromEvents, Step, TakeAs
from healthdash.task import Upload
from healthdash.training import TrainSettings
from healthdash.ui import own_events, own_work, problems
from healthdash.ui.own_work import Chosen, Work

__all__ = ["CAPTION", "ChosenTable", "section"]

CAPTION = (
    "A table with one row a patient and the outcome in a column: CSV, Excel, Parquet or ARFF. Or events, "
    "such as measurements on a ward: one long table, or a zip of one text file a stay and their outcomes."
)

_WORK = "work:own-table"
_STEPS = "**Cleaning steps** (they travel in the model and are done to every new table)"
_SHOWN_ROWS = 50
#: A widget takes None as "nothing chosen".
_NO_HEADER = -1


@dataclass
class _Work(Work):
    """What was chosen about one table in this session, and what was computed for it."""

    #: How one row a stay is made, where the table is one of events: before all other steps.
    events: FromEvents | None = None

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """Every step, in order."""
        return (*([self.events] if self.events else []), *self.steps)


@dataclass(frozen=True, slots=True)
class ChosenTable(Chosen):
    """What the reader chose about an own table; the column of the outcome, too."""

    target: str

    def settings(self, others: TrainSettings) -> TrainSettings:
        """Return settings of a run that has the cleaning beside its data."""
        return replace(others, target=self.target, cleaning=own_work.FILE)


def section(given: Upload) -> ChosenTable | None:
    """Show a table and its data report; return what was chosen, None while there is no outcome."""
    work = _work(given)
    with st.spinner("Reading the table…", show_time=True):
        table: TextTable = work.once(
            f"table|{work.layout}", lambda: apart.call(read_text_table, given.data, chosen=work.layout)
        )
    _read(work, table)
    table = _of_events(work, table)
    names = [str(name) for name in table.frame.columns]
    left, right = st.columns(2)
    target = left.selectbox(
        "Column of the outcome", names, index=_guessed(names), placeholder="Choose what is to be predicted",
        key=work.key("target"),
    )  # fmt: skip
    own_work.group(
        work, right, [name for name in names if name != target], "Column of the patient",
        without="each row is a patient", why="Rows of one patient stay in one part of the split.",
    )  # fmt: skip
    if target is None:
        st.info("Choose the column of the outcome: the data report follows.", icon=":material/arrow_upward:")
        return None
    found = _report(work, table, target)
    _overview(found)
    own_work.findings(work, found.findings, partial(_settle, work, table, target))
    _kinds(work, found)
    own_work.taken_steps(work, _STEPS)
    cleaning = Cleaning(layout=work.layout, steps=work.all_steps)
    return ChosenTable(cleaning, tuple(found.findings), target)


def _guessed(names: Sequence[str]) -> int | None:
    """Return the place of the one column that is named as outcomes are, if there is one."""
    found = [place for place, name in enumerate(names) if canonical(name) in GUESSED]
    return found[0] if len(found) == 1 else None


def _work(given: Upload) -> _Work:
    """Return the session's work on this table; another table begins anew."""
    data = hashlib.sha256(given.data).hexdigest()
    return own_work.of_session(_WORK, data, _Work)


# -- reading -------------------------------------------------------------------------------


def _read(work: _Work, table: TextTable) -> None:
    """Show how the file was read, for correction."""
    for notice in table.notices:
        st.info(problems.sentence(notice), icon=":material/info:")
    rows, columns = table.frame.shape
    st.markdown(f"**{rows:,} rows, {columns:,} columns** ({problems.sentence(table.format).rstrip('.')})")
    with st.expander("How it was read", icon=":material/table_view:"):
        _layout(work, table)
        st.dataframe(table.frame.head(_SHOWN_ROWS), alt="The first rows of the table")


def _of_events(work: _Work, table: TextTable) -> TextTable:
    """Make one row a stay of a table of events, as the reader corrects it."""
    found = work.once(f"found|{work.layout}", lambda: find_events(table))
    before, work.events = work.events, None
    if found is not None:
        work.events = own_events.section(found, len(table.frame), lambda name: work.key(name))
    if before is not None and work.events != before:
        work.steps = []  # they were about other columns
    with st.spinner("Making one row a stay…"):
        made: TextTable = work.once(
            f"rows|{work.layout}|{work.events}", lambda: one_row_a_stay(table, work.events)
        )
    if work.events is not None:
        rows, columns = made.frame.shape
        st.markdown(f"**{rows:,} stays, {columns:,} columns**")
        with st.expander("The table that was made", icon=":material/table_view:"):
            st.dataframe(made.frame.head(_SHOWN_ROWS), alt="The first rows of the table that was made")
    return made


def _layout(work: _Work, table: TextTable) -> None:
    found = table.found
    places = iter(st.columns(4))
    if found.file == "text":
        names = [*SEPARATORS]
        shown = names if found.separator in names else [found.separator, *names]
        _choice(work, next(places), "separator", "Separator", shown, found.separator, SEPARATORS)
        codes = ["UTF-8", "UTF-16", "Windows-1252"]
        _choice(work, next(places), "encoding", "Encoding", codes, found.encoding)
    if found.file == "excel" and len(found.sheets) > 1:
        _choice(work, next(places), "sheet", "Sheet", list(found.sheets), found.sheet)
    if found.file in ("text", "excel"):
        marks = {".": "point", ",": "comma"}
        _choice(work, next(places), "decimal", "Decimals after a", list(marks), found.decimal, marks)
        rows = [_NO_HEADER, *range(20)]
        words = {row: "no row" if row == _NO_HEADER else f"row {row + 1}" for row in rows}
        held = _NO_HEADER if found.header_row is None else found.header_row
        _choice(work, next(places), "header_row", "Column names in", rows, held, words)


def _choice(
    work: _Work,
    place: Any,
    name: str,
    label: str,
    options: Sequence[Any],
    found: Any,
    words: dict[Any, str] | None = None,
) -> None:
    """Offer one attribute of the layout, as found; another choice reads the table again."""
    shown = list(options) if found in options else [*options, found]
    chosen = place.selectbox(
        label, shown, index=shown.index(found), format_func=lambda one: (words or {}).get(one, str(one)),
        key=work.key(name),
    )  # fmt: skip
    if chosen != found:
        # What was found of the rest may be wrong under another separator or header.
        kept = {key: value for key, value in work.layout.items() if key != name}
        work.layout, work.steps = {**kept, name: None if chosen == _NO_HEADER else chosen}, []
        st.rerun()


# -- the report ----------------------------------------------------------------------------


def _report(work: _Work, table: TextTable, target: str) -> DataReport:
    key = f"report|{work.layout}|{target}|{work.all_steps}"
    with st.spinner("Looking at the data…", show_time=True):
        found: DataReport = work.once(
            key, lambda: report(table.frame, target, declared=table.declared, steps=work.all_steps)
        )
    return found


def _overview(found: DataReport) -> None:
    st.subheader("Data report", anchor=False)
    own_work.counts({"Rows": found.rows}, found.labels)
    if float(found.missing.to_numpy().sum()) > 0:
        with st.expander("Missing values by column and label", icon=":material/grid_off:"):
            st.dataframe(
                found.missing.sort_values("all rows", ascending=False).style.format("{:.0%}"),
                alt="Share of missing values of each column, in all rows and under each label",
            )


def _settle(work: _Work, table: TextTable, target: str) -> None:
    taken, found = settled(table.frame, target, declared=table.declared, steps=work.all_steps)
    work.steps = [step for step in taken if step != work.events]
    work.made["report"] = (f"report|{work.layout}|{target}|{work.all_steps}", found)


def _kinds(work: _Work, found: DataReport) -> None:
    """Show what each column is taken for, to be changed."""
    inputs = [one for one in found.profiles if one.name not in (found.target, found.group)]
    with st.expander("What each column is taken for", icon=":material/category:"):
        st.caption("Choose another kind where it is wrong. Identifiers, dates and free text are no inputs.")
        shown = st.data_editor(
            _as_frame(inputs), hide_index=True, disabled=["column", "missing", "different values"],
            column_config={"kind": st.column_config.SelectboxColumn("kind", options=list(KINDS[:-1]))},
            key=work.key(f"kinds:{len(work.steps)}"),
        )  # fmt: skip
    changed = [
        TakeAs(column=one.name, kind=kind)
        for one, kind in zip(inputs, shown["kind"], strict=True)
        if kind and kind != one.kind
    ]
    if changed:
        work.steps = [*work.steps, *changed]
        st.rerun()


def _as_frame(profiles: Sequence[Profile]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "column": [one.name for one in profiles],
            "kind": [one.kind for one in profiles],
            "missing": [f"{one.missing / one.rows:.0%}" for one in profiles],
            "different values": [one.distinct for one in profiles],
        }
    )
