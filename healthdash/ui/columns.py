"""Which column of a file was taken for which field: shown, corrected and kept; and how complete each is."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import replace
from datetime import date

import pandas as pd
import streamlit as st

from healthdash import apart
from healthdash.bundles import Bundle
from healthdash.errors import HealthdashError
from healthdash.tables.mapping import ColumnMapping, Link
from healthdash.tables.units import alternatives, unit_named
from healthdash.task import Task, Upload
from healthdash.tasks.records.matching import GAP, Matching
from healthdash.ui import problems, state

__all__ = ["settle"]

_NONE = "not in the file"
_OWN = "as the model takes it"
_MAPPING, _BEFORE = "mapping", "before"
_MOST_SOURCES = 1000
_ROW_PX, _TALLEST_PX = 35, 600
_HOW = {"name": "its name", "synonym": "a name that means it", "chosen": "chosen", "ambiguous": "not sure"}


def settle(task: Task, bundle: Bundle, work: state.Workspace) -> None:
    """Show how the columns of one table or record were understood, where there is anything to say."""
    if task.kind != "records" or len(work.groups) != 1 or len(work.groups[0]) != 1:
        return
    upload = work.groups[0][0]
    found = _looked_at(task, bundle, upload, work.turn)
    if found is None or (found.is_plain and _MAPPING not in upload.hints):
        return
    missing = [line.label for line in found.complete if not line.column]
    is_open = bool(found.problems or missing)
    with st.expander("What was found in the file", icon=":material/fact_check:", expanded=is_open):
        if found.origins or _is_record(upload):
            _moment(task, work, upload)
        _report(found, missing)
        _sources(found)
        is_wanted = bool(found.problems) or bool(missing and not found.origins)
        if st.toggle("Correct the columns", value=is_wanted, key=f"correct:{task.slug}:{work.turn}"):
            _corrected(task, work, found)
            _kept(task, work, found)


def _looked_at(task: Task, bundle: Bundle, upload: Upload, turn: int) -> Matching | None:
    """Return how the columns of a file are understood; it is read once for each turn of the inputs."""
    held = f"matching:{task.slug}"
    key = (turn, bundle.info.sha256)
    if st.session_state.get(held, (None,))[0] != key:
        draft = replace(upload, hints={**upload.hints, "draft": 1.0})
        try:
            sample = apart.sample_of(task, [draft], bundle)
        except HealthdashError:
            sample = None  # what is wrong is told once, by the pipeline
        st.session_state[held] = (key, getattr(sample, "matching", None))
    found: Matching | None = st.session_state[held][1]
    return found


def _is_record(upload: Upload) -> bool:
    from healthdash.fhir import looks_like_fhir

    return looks_like_fhir(upload.data)


def _moment(task: Task, work: state.Workspace, upload: Upload) -> None:
    """Ask for the moment before which values count."""
    told = str(upload.hints.get(_BEFORE, ""))
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
        _told_again(task, work, {_BEFORE: wanted})


def _report(found: Matching, missing: list[str]) -> None:
    """Say how complete each field is, before anything is predicted."""
    for problem in found.problems:
        st.warning(problems.sentence(problem), icon=":material/help:")
    there = len(found.complete) - len(missing)
    st.markdown(f"**{there} of {len(found.complete)} fields** were found in the file.")
    lines = [
        {
            "Field": line.label,
            "Column": line.column or _NONE,
            "Found by": _HOW.get(found.mapping.of(line.field).how, ""),
            "Values": line.count,
            "Converted": line.rule,
        }
        for line in found.complete
    ]
    st.dataframe(pd.DataFrame(lines), hide_index=True, width="stretch", height=_height(lines))
    if any(line.missing for line in found.complete):
        st.caption(f"A missing value {GAP}. Rows with a value out of range are refused.")


def _corrected(task: Task, work: state.Workspace, found: Matching) -> None:
    """Let the reader choose another column or unit for a field."""
    frame = pd.DataFrame(
        [
            {
                "Field": line.label,
                "Column": line.column or _NONE,
                "Unit of the column": found.mapping.of(line.field).unit or _OWN,
            }
            for line in found.complete
        ]
    )
    with st.form(f"columns:{task.slug}:{work.turn}", border=False):
        st.caption("Choose another column or unit where one was taken wrongly.")
        edited = st.data_editor(
            frame,
            hide_index=True,
            width="stretch",
            height=_height(frame),
            disabled=["Field"],
            column_config={
                "Column": st.column_config.SelectboxColumn(options=[_NONE, *found.columns], required=True),
                "Unit of the column": st.column_config.SelectboxColumn(options=_units(found), required=True),
            },
            key=f"mapping:{task.slug}:{work.turn}",
        )
        words = _words(task, work, found)
        if st.form_submit_button("Use these columns", type="primary", icon=":material/check:"):
            _told_again(task, work, {_MAPPING: _as_mapping(found, edited, words).to_json()})


def _words(task: Task, work: state.Workspace, found: Matching) -> dict[str, dict[str, str]]:
    """Ask what the cells of a column mean, where that is not sure; by field."""
    told: dict[str, dict[str, str]] = {}
    for name, cells in (found.unsure or {}).items():
        field = next(one for one in task.fields if one.name == name)
        choices = dict(getattr(field, "choices", {}))
        for cell in cells:
            code = st.selectbox(
                f"{field.label}: {problems.plain(cell)} means", list(choices), index=None,
                format_func=choices.__getitem__, placeholder="not known",
                key=f"word:{task.slug}:{work.turn}:{name}:{cell}",
            )  # fmt: skip
            if code is not None:
                told.setdefault(name, {})[cell] = code
    return told


def _units(found: Matching) -> list[str]:
    """Return the units in which some field may be told."""
    own = [unit_named(unit) for unit in (found.units or {}).values()]
    analytes = ("", "cholesterol", "glucose", "creatinine")
    others = [one for unit in own for analyte in analytes for one in alternatives(unit, analyte)]
    used = [link.unit for link in found.mapping.links]
    return list(dict.fromkeys([_OWN, *(unit for unit in [*own, *others, *used, "[lb_av]", "mo"] if unit)]))


def _as_mapping(found: Matching, edited: pd.DataFrame, words: dict[str, dict[str, str]]) -> ColumnMapping:
    links = []
    for line, row in zip(found.complete, edited.to_dict("records"), strict=True):
        column = "" if row["Column"] == _NONE else str(row["Column"])
        unit = "" if row["Unit of the column"] == _OWN or not column else str(row["Unit of the column"])
        before = found.mapping.of(line.field)
        told = words.get(line.field) or (before.words if before.column == column else None)
        links.append(Link(field=line.field, column=column, unit=unit, how="chosen", words=told))
    return ColumnMapping(tuple(links))


def _kept(task: Task, work: state.Workspace, found: Matching) -> None:
    """Offer the mapping as a file, and take one."""
    st.download_button(
        "Download the mapping", found.mapping.to_json(), file_name=f"{task.slug}-mapping.json",
        mime="application/json", icon=":material/download:", on_click="ignore",
    )  # fmt: skip
    name = f"mapping-file:{task.slug}"
    key = state.fresh_key(name)
    given = st.file_uploader("Or load a mapping that was kept", type=["json"], max_upload_size=1, key=key)
    if given is not None:
        state.used_up(name)
        text = given.getvalue().decode("utf-8", errors="replace")
        ColumnMapping.from_json(text)  # raises what is wrong before anything changes
        _told_again(task, work, {_MAPPING: text})


def _sources(found: Matching) -> None:
    """Show where each value of a record comes from."""
    if not found.origins:
        return
    labels = {line.field: line.label for line in found.complete}
    st.markdown("**Where each value comes from**")
    shown = found.origins[:_MOST_SOURCES]
    lines = [
        {
            "Patient": one.row + 1, "Field": labels.get(one.column, one.column), "Value": one.told,
            "Date": one.date, "Code": one.code, "Resource": one.resource, "Place in the file": one.place,
        }
        for one in shown
    ]  # fmt: skip
    st.dataframe(pd.DataFrame(lines), hide_index=True, width="stretch")


def _height(lines: Sized) -> int:
    """Return the pixels of a table with all of its rows, up to a screen."""
    return min(_ROW_PX * (len(lines) + 1) + 3, _TALLEST_PX)


def _told_again(task: Task, work: state.Workspace, more: dict[str, str]) -> None:
    """Take the same files again with what was said about them."""
    hints = {name: value for name, value in {**work.uploads[0].hints, **more}.items() if value}
    told = [replace(upload, hints=hints) for upload in work.uploads]
    work.take(task, told, origin=work.origin, title=work.title)
    st.rerun()
