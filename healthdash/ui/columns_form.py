"""The columns of a table corrected: another column, unit, meaning or coding, for all tables of its layout."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from healthdash.tables.coding import Coding, coded
from healthdash.tables.mapping import ColumnMapping, Link
from healthdash.tables.units import alternatives, unit_named
from healthdash.task import Task
from healthdash.tasks.records.matching import Matching
from healthdash.ui import problems, state

__all__ = ["NONE", "Layout", "choose_coding", "corrected", "height_of", "kept"]

NONE = "not in the file"
_OWN = "as the model takes it"
_ROW_PX, _TALLEST_PX = 35, 600


@dataclass(frozen=True, slots=True)
class Layout:
    """The tables of one session that have the same columns.

    Attributes
    ----------
    found : Matching
        How the columns of the one that is shown were understood.
    name : str
        Of that one.
    numbers : tuple of int
        Of all, among the inputs.
    """

    found: Matching
    name: str
    numbers: tuple[int, ...]

    @property
    def key(self) -> str:
        """What the forms of the layout are about: their keys bear it.

        And no turn of the inputs: a click that is heard after a file with the same columns was taken is meant
        for what is asked there too. Another table, or a mapping that was just told, begins a new form.
        """
        return f"{hash((self.found.columns, self.found.mapping.to_json())):x}"

    def tell(self, work: state.Workspace, **hints: str) -> None:
        """Say something about every table of the layout; all are read anew."""
        for number in self.numbers:
            work.retold(number, **hints)
        st.rerun()


def choose_coding(task: Task, work: state.Workspace, table: Layout) -> None:
    """Offer the codings that fit a table, each with what its codes mean, to be taken with one click."""
    asked = table.found.coding
    if asked is None or not asked.choices:
        return
    st.markdown("**Which codes does the table use?**")
    for choice in asked.choices:
        with st.container(border=True):
            st.markdown(f"{problems.plain(choice.title)}")
            for line in _meanings(task, table, choice):
                st.caption(problems.plain(line))
            st.caption(problems.plain(f"Source: {choice.source}."))
            # The key bears no turn: a click while the files are still being taken must count.
            if st.button("Use these codes", key=f"coding:{task.slug}:{choice.name}"):
                table.tell(work, mapping=coded(table.found.mapping, choice).to_json())


def _meanings(task: Task, table: Layout, choice: Coding) -> list[str]:
    """Return a line a column: what each of its codes means."""
    lines = []
    for one in task.fields:
        if not table.found.mapping.of(one.name).column or one.name not in choice.words:
            continue
        meant = dict(getattr(one, "choices", {})) | {"": "not measured"}
        words = choice.words[one.name].items()
        # A number that stays itself says nothing.
        told = [f"{cell} {meant.get(code, code)}" for cell, code in words if code in meant]
        lines += [f"{one.label}: {', '.join(told)}"] if told else []
    return lines


def corrected(task: Task, work: state.Workspace, table: Layout) -> None:
    """Let the reader choose another column or unit for a field."""
    found = table.found
    frame = pd.DataFrame(
        [
            {
                "Field": line.label,
                "Column": line.column or NONE,
                "Unit of the column": found.mapping.of(line.field).unit or _OWN,
            }
            for line in found.complete
        ]
    )
    with st.form(f"columns:{task.slug}:{table.key}", border=False):
        st.caption("Choose another column or unit where one was taken wrongly.")
        edited = st.data_editor(
            frame,
            hide_index=True,
            width="stretch",
            height=height_of(frame),
            disabled=["Field"],
            column_config={
                "Column": st.column_config.SelectboxColumn(options=[NONE, *found.columns], required=True),
                "Unit of the column": st.column_config.SelectboxColumn(options=_units(found), required=True),
            },
            key=f"mapping:{task.slug}:{table.key}",
        )
        words = _words(task, table)
        if st.form_submit_button("Use these columns", type="primary", icon=":material/check:"):
            table.tell(work, mapping=_as_mapping(found, edited, words).to_json())


def _words(task: Task, table: Layout) -> dict[str, dict[str, str]]:
    """Ask what the cells of a column mean, where that is not sure; by field."""
    told: dict[str, dict[str, str]] = {}
    for name, cells in (table.found.unsure or {}).items():
        field = next(one for one in task.fields if one.name == name)
        choices = dict(getattr(field, "choices", {}))
        for cell in cells:
            code = st.selectbox(
                f"{field.label}: {problems.plain(cell)} means", list(choices), index=None,
                format_func=choices.__getitem__, placeholder="not known",
                key=f"word:{task.slug}:{table.key}:{name}:{cell}",
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
        column = "" if row["Column"] == NONE else str(row["Column"])
        unit = "" if row["Unit of the column"] == _OWN or not column else str(row["Unit of the column"])
        before = found.mapping.of(line.field)
        told = words.get(line.field) or (before.words if before.column == column else None)
        links.append(Link(field=line.field, column=column, unit=unit, how="chosen", words=told))
    return ColumnMapping(tuple(links))


def kept(task: Task, work: state.Workspace, table: Layout) -> None:
    """Offer the mapping as a file, and take one."""
    st.download_button(
        "Download the mapping", table.found.mapping.to_json(), file_name=f"{task.slug}-mapping.json",
        mime="application/json", icon=":material/download:", on_click="ignore",
    )  # fmt: skip
    name = f"mapping-file:{task.slug}"
    key = state.fresh_key(name)
    given = st.file_uploader("Or load a mapping that was kept", type=["json"], max_upload_size=1, key=key)
    if given is not None:
        state.used_up(name)
        text = given.getvalue().decode("utf-8", errors="replace")
        ColumnMapping.from_json(text)  # raises what is wrong before anything changes
        table.tell(work, mapping=text)


def height_of(lines: Sized) -> int:
    """Return the pixels of a table with all of its rows, up to a screen."""
    return min(_ROW_PX * (len(lines) + 1) + 3, _TALLEST_PX)
