"""Which column of a file was taken for which field: shown, corrected and kept; and how complete each is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import streamlit as st

from healthdash import apart
from healthdash.bundles import Bundle
from healthdash.errors import HealthdashError
from healthdash.task import Task, Upload
from healthdash.tasks.records.matching import GAP, Matching
from healthdash.tasks.records.task import RecordsTask
from healthdash.ui import problems, state
from healthdash.ui.columns_form import NONE, Layout, choose_coding, corrected, height_of, kept

__all__ = ["settle"]

_MAPPING, _BEFORE = "mapping", "before"
_MOST_SOURCES = 1000
#: More are not looked at before the prediction: each is read a second time for it.
_MOST_TABLES = 30
_HOW = {"name": "its name", "synonym": "a name that means it", "chosen": "chosen", "ambiguous": "not sure"}


def settle(task: Task, bundle: Bundle, work: state.Workspace) -> None:
    """Show how the columns of tables and records were understood, where there is anything to say."""
    if not isinstance(task, RecordsTask):
        return
    offered = [one for one in _layouts(task, bundle, work) if _is_worth_showing(one, work)]
    if not offered:
        return
    missing = [line.label for line in offered[0].found.complete if not line.column]
    is_open = any(one.found.problems for one in offered) or bool(missing)
    with st.expander("What was found in the file", icon=":material/fact_check:", expanded=is_open):
        table = _chosen(task, work, offered)
        found = table.found
        missing = [line.label for line in found.complete if not line.column]
        if found.origins or _is_record(_upload(work, table)):
            _moment(task, work)
        _report(task, found, missing)
        choose_coding(task, work, table)
        _suggested(found)
        _sources(found)
        is_wanted = bool(found.problems and not found.coding) or bool(missing and not found.origins)
        key = f"correct:{task.slug}:{table.key}"
        if st.toggle("Correct the columns", value=is_wanted, key=key):
            corrected(task, work, table)
            kept(task, work, table)


def _is_worth_showing(table: Layout, work: state.Workspace) -> bool:
    return not table.found.is_plain or _MAPPING in _upload(work, table).hints


def _upload(work: state.Workspace, table: Layout) -> Upload:
    return work.groups[table.numbers[0]][0]


def _chosen(task: Task, work: state.Workspace, offered: list[Layout]) -> Layout:
    """Return the tables to speak of: those with questions first, or as chosen."""
    table = offered[0]
    if len(offered) > 1:
        table = st.selectbox(
            "Tables with other columns are matched apart", offered, key=f"layout:{task.slug}:{work.turn}",
            format_func=lambda one: _title(one) + (" - to be decided" if one.found.problems else ""),
        )  # fmt: skip
    if len(table.numbers) > 1:
        shown = (
            f"{len(table.numbers)} tables have these columns; what you choose here is used for all of them."
        )
        st.caption(f"{shown} Shown is {problems.plain(table.name)}.")
    if len(work.groups) > _MOST_TABLES:
        st.caption(
            f"The first {_MOST_TABLES} files were looked at; for more give a mapping to the command predict."
        )
    return table


def _title(table: Layout) -> str:
    more = f" and {len(table.numbers) - 1} more" if len(table.numbers) > 1 else ""
    return f"{table.name}{more}, {len(table.found.columns)} columns"


def _layouts(task: Task, bundle: Bundle, work: state.Workspace) -> list[Layout]:
    """Return the tables put together by their columns; those with open questions come first."""
    together: dict[tuple[str, ...], list[tuple[int, Matching]]] = {}
    for number, found in _looked_at(task, bundle, work).items():
        together.setdefault(found.columns, []).append((number, found))
    layouts = []
    for same in together.values():
        number, found = next((one for one in same if one[1].problems), same[0])
        others = tuple(other for other, _ in same if other != number)
        layouts.append(Layout(found, work.groups[number][0].name, (number, *others)))
    return sorted(layouts, key=lambda one: not one.found.problems)


def _looked_at(task: Task, bundle: Bundle, work: state.Workspace) -> dict[int, Matching]:
    """Return how the columns of each table are understood; each is read once for a turn of the inputs."""
    held, place = f"matching:{task.slug}", st.empty()
    key = (work.turn, bundle.info.sha256)
    if st.session_state.get(held, (None,))[0] != key:
        with place, st.spinner("Looking at the columns…", show_time=True):
            found = {
                number: matching
                for number, group in enumerate(work.groups[:_MOST_TABLES])
                if len(group) == 1 and (matching := _matching(task, bundle, group[0])) is not None
            }
        st.session_state[held] = (key, found)
    seen: dict[int, Matching] = st.session_state[held][1]
    return seen


def _matching(task: Task, bundle: Bundle, upload: Upload) -> Matching | None:
    draft = replace(upload, hints={**upload.hints, "draft": 1.0})
    try:
        return getattr(apart.sample_of(task, [draft], bundle), "matching", None)
    except HealthdashError:
        return None  # what is wrong is told once, by the pipeline


def _is_record(upload: Upload) -> bool:
    from healthdash.fhir import looks_like_fhir

    return looks_like_fhir(upload.data)


def _moment(task: Task, work: state.Workspace) -> None:
    """Ask for the moment before which values count, in all records."""
    records = [number for number, group in enumerate(work.groups) if len(group) == 1 and _is_record(group[0])]
    told = str(work.groups[records[0]][0].hints.get(_BEFORE, ""))
    chosen = st.date_input(
        "Only values before this date",
        value=date.fromisoformat(told) if told else None,
        min_value=date(1900, 1, 1),
        max_value=date(2100, 1, 1),
        help="Empty: the last values of the record. Age and diseases are those of that moment.",
        key=f"before:{task.slug}:{work.turn}",
    )
    wanted = chosen.isoformat() if isinstance(chosen, date) else ""
    if wanted != told:
        for number in records:
            work.retold(number, before=wanted)
        st.rerun()


def _report(task: RecordsTask, found: Matching, missing: list[str]) -> None:
    """Say how complete each field is, before anything is predicted."""
    for problem in found.problems:
        st.warning(problems.sentence(problem), icon=":material/help:")
    there = len(found.complete) - len(missing)
    st.markdown(f"**{there} of {len(found.complete)} fields** were found in the file.")
    lines = [
        {
            "Field": line.label,
            "Column": line.column or NONE,
            "Found by": _HOW.get(found.mapping.of(line.field).how, ""),
            "Values": line.count,
            "Converted": line.rule,
        }
        for line in found.complete
    ]
    st.dataframe(pd.DataFrame(lines), hide_index=True, width="stretch", height=height_of(lines))
    if any(line.missing for line in found.complete):
        most = int(task.most_gaps * len(found.complete))
        borne = (
            GAP
            if most >= len(found.complete)
            else f"makes the output worse; rows with more than {most} missing are refused"
        )
        st.caption(f"A missing value {borne}. Rows with a value out of range are refused.")


def _suggested(found: Matching) -> None:
    """Say what columns of unknown names could hold; nothing of it is taken by itself."""
    if not found.suggestions:
        return
    labels = {line.field: line.label for line in found.complete}
    st.markdown("**Columns with names that are not known, and what they could hold**")
    lines = [
        {
            "Column": one.column,
            "Holds": one.looks,
            "Could be": " or ".join(labels[name] for name in one.fields),
        }
        for one in found.suggestions
    ]
    st.dataframe(pd.DataFrame(lines), hide_index=True, width="stretch", height=height_of(lines))
    st.caption("By what is in them alone; none is taken before you choose it below.")


def _sources(found: Matching) -> None:
    """Show where each value of a record comes from."""
    if not found.origins:
        return
    labels = {line.field: line.label for line in found.complete}
    st.markdown("**Where each value comes from**")
    shown = found.origins[:_MOST_SOURCES]
    lines = [
        {
            "Row": one.row + 1, "Field": labels.get(one.column, one.column), "Value": one.told,
            "Date": one.date, "Code": one.code, "Resource": one.resource, "Place in the file": one.place,
        }
        for one in shown
    ]  # fmt: skip
    st.dataframe(pd.DataFrame(lines), hide_index=True, width="stretch")
