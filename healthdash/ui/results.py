"""What came of the inputs: a table of many, and one of them opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from healthdash import DISCLAIMER
from healthdash.bundles import Bundle
from healthdash.task import Gate, Report, Task
from healthdash.ui import explaining, failures, kept, otherpage, parts, problems, reconstructed, state, viewer
from healthdash.ui.downloads import safe_csv
from healthdash.ui.draw import draw_all, draw_beside, point_at
from healthdash.ui.result_table import is_many, table
from healthdash.views import Notice, Sections, View, Volume

__all__ = ["Entry", "entries", "show", "table", "told"]

_ROW_PX, _TALLEST_PX = 35, 423
#: Of these the reader chooses one; a picture is one by itself, rows are chosen in the table.
_CHOSEN = ("beat", "window", "slice")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the results.

    Attributes
    ----------
    report : int
    item : int or None
        Place in the prediction (0 for pictures and recordings); None for a row that was refused.
    row : int
        Row of a table, from 0.
    """

    report: int
    item: int | None = 0
    row: int = 0


def show(task: Task, bundle: Bundle, work: state.Workspace) -> None:
    """Show all results: as a table where there are many, then the one that is open."""
    st.divider()
    found = entries(task, work.reports)
    opened = found[0]
    if len(found) > 1:
        opened = _chosen(task, bundle, work, found)
        st.subheader(problems.plain(_named(task, work.reports[opened.report], opened)), anchor=False)
    _open(task, bundle, work, opened)


def entries(task: Task, reports: list[Report]) -> list[Entry]:
    """Return every line of the results, in the order of the inputs."""
    found = []
    for number, report in enumerate(reports):
        if task.unit == "row" and report.prediction is not None:
            found += [Entry(number, item, row) for row, item in report.rows()]
        else:
            found.append(Entry(number))
    return found


def _chosen(task: Task, bundle: Bundle, work: state.Workspace, found: list[Entry]) -> Entry:
    """Show the table; return the line that the reader clicked, or the first that succeeded."""
    if work.table is None:
        with st.spinner("Putting the results together…"):
            work.table = table(task, bundle, work.reports)
    frame = work.table
    missing = np.array([one.item is None or work.reports[one.report].prediction is None for one in found])
    failed = int(missing.sum())
    words = f"{len(frame) - failed:,} of {len(frame):,} analysed"
    st.subheader("Results", anchor=False)
    st.markdown(f"{words}; {failed:,} could not be:" if failed else f"{words}.")
    if failed:
        failures.show(work.reports, rest="the table below has them all")
    first = int(missing.argmin())
    height = min(_ROW_PX * (len(frame) + 1) + 3, _TALLEST_PX)
    name = f"{task.slug}:row:{work.turn}"
    rows = st.dataframe(
        _filled(frame), hide_index=True, on_select=lambda: _hold_row(name), key=name,
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": kept.value(name, [first])}},
        column_config=_columns(frame), height=height, placeholder="–", alt=f"Results: {words}",
    )["selection"]["rows"]  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Click the circle at the left of a row to open it; click a heading to sort.")
        _download(task, work, frame)
    return found[rows[0] if rows and rows[0] < len(found) else first]


def _named(task: Task, report: Report, entry: Entry) -> str:
    """Say whose result is open: the file, and of a table the row."""
    prediction = report.prediction
    is_row = task.unit == "row" and prediction is not None and is_many(report, prediction)
    return f"{report.source}, row {entry.row + 1:,}" if is_row else report.source


def _hold_row(name: str) -> None:
    kept.put(name, list(st.session_state[name]["selection"]["rows"]))


def _filled(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out the columns of words in which no line has any; the download keeps them."""
    return frame[[name for name in frame.columns if not (frame[name] == "").all()]]


def _columns(frame: pd.DataFrame) -> Any:
    """Return how columns are shown: probabilities as bars, the reasons wide."""
    bars = {
        name: st.column_config.ProgressColumn(name, format="percent", min_value=0.0, max_value=1.0)
        for name in frame.columns
        if name.startswith("P(")
    }
    return {**bars, "message": st.column_config.TextColumn("message", width="large")}


def _download(task: Task, work: state.Workspace, frame: pd.DataFrame) -> None:
    report = work.reports[0]

    def written() -> bytes:
        return safe_csv(frame.assign(model=report.model, sha256=report.sha256, note=DISCLAIMER))

    # Written on the click: a hundred thousand rows take a second, in every run of the page.
    st.download_button(
        "Download the results", written, file_name=f"{task.slug}-results.csv", mime="text/csv",
        icon=":material/download:", on_click="ignore", key=f"csv:{task.slug}",
    )  # fmt: skip


def _open(task: Task, bundle: Bundle, work: state.Workspace, entry: Entry) -> None:
    """Show one result: the gate's words, the input beside the probabilities, the explanation."""
    report = work.reports[entry.report]
    notices = report.sample.notices if report.sample else ()
    for notice in notices:
        st.info(problems.unlinked(notice), icon=":material/info:")
    parts.choose(work, entry.report, report.sample, f"{task.slug}/{work.loads}/{entry.report}")
    if report.error is not None or report.prediction is None:
        _refused(task, work, entry)
        return
    if entry.item is None:
        _refused_row(task, report, entry)
        return
    if entry.report not in work.gates:
        work.gates[entry.report] = task.item_gates(report, bundle)
    whole = f"{task.slug}/{work.origin}/{entry.report}/input"
    unit = report.prediction.unit
    item = _beat(task, bundle, work, entry, whole) if unit in _CHOSEN else entry.item
    gate = work.gates[entry.report][item if unit == "slice" else entry.item]
    told(gate)
    sections = _without(task.render(report, bundle, item), {*notices, *gate.reasons})
    if unit == "slice":
        sections = replace(sections, input=_judged(sections.input, work.gates[entry.report]))
    if task.unit == "row" and is_many(report, report.prediction):
        with st.expander("The whole table", icon=":material/table_rows:"):
            draw_all(sections.input, whole)
        draw_beside(sections.result[:1], sections.result[1:], f"{whole}/{item}")
    elif unit in _CHOSEN:
        # The sheet and the volume keep their place when another beat or slice is chosen.
        draw_all(sections.input, whole)
        draw_all(sections.result, f"{whole}/{item}")
    else:
        draw_beside(sections.input, sections.result, f"{whole}/{item}")
    reconstructed.section(bundle, report, item, f"{whole}/{item}")
    explaining.section(task, bundle, work, entry.report, item)


def told(gate: Gate) -> None:
    """Say what the gate found; a pass says nothing."""
    for reason in gate.reasons:
        box = st.error if gate.verdict == "refuse" else st.warning
        words = f"{reason[:1].upper()}{reason[1:].rstrip('.')}. {gate.hint}".strip()
        box(problems.unlinked(words), icon=":material/warning:")


def _without(sections: Sections, told: set[str]) -> Sections:
    """Leave out the notices of a task that say what stands on the page already."""
    known = {_plain(text) for text in told}

    def kept(views: tuple[View, ...]) -> tuple[View, ...]:
        return tuple(v for v in views if not (isinstance(v, Notice) and _plain(v.text) in known))

    return replace(sections, input=kept(sections.input), result=kept(sections.result))


def _plain(text: str) -> str:
    return text.strip().rstrip(".").casefold()


def _refused(task: Task, work: state.Workspace, entry: Entry) -> None:
    report = work.reports[entry.report]
    if report.error is not None:
        problems.tell(report.error)
        otherpage.offer(task, work.groups[entry.report])
    if report.sample is not None:
        views = task.show(report.sample)
        draw_beside(views[:1], views[1:], f"{task.slug}/refused/{entry.report}")


def _refused_row(task: Task, report: Report, entry: Entry) -> None:
    """Say why a row of a table has no result, with the others in reach."""
    assert report.sample is not None
    problems.tell(report.refusals[entry.row])
    with st.expander("The rows that were analysed", icon=":material/table_rows:"):
        draw_all(task.show(report.sample), f"{task.slug}/refused/{entry.report}")


def _judged(views: tuple[View, ...], gates: Sequence[Gate]) -> tuple[View, ...]:
    """Mark the slices that the model may not judge in the profile of a volume."""
    refused = np.array([gate.verdict == "refuse" for gate in gates])
    return tuple(
        replace(view, profile=replace(view.profile, refused=refused))
        if isinstance(view, Volume) and view.profile is not None
        else view
        for view in views
    )


def _beat(task: Task, bundle: Bundle, work: state.Workspace, entry: Entry, whole: str) -> int:
    """Return the item that is shown: the beat, window or slice that the reader chose."""
    report = work.reports[entry.report]
    prediction = report.prediction
    assert prediction is not None
    if len(prediction) < 2:
        return 0
    unit = prediction.unit
    name = f"{task.slug}:beat:{work.turn}:{entry.report}"
    is_new = kept.is_new(name)
    asked = viewer.taken(whole)
    if asked is not None and unit == "slice":
        kept.put(name, int(np.abs(prediction.items - asked).argmin()))
    chosen = kept.count(
        st.container(width=220), f"{unit.capitalize()}, 1 to {len(prediction):,}", len(prediction),
        name=name, default=task.first_item(report, bundle),
        tip=f"The {unit} whose probabilities and explanation are shown.",
    )  # fmt: skip
    seen = f"{name}:seen"
    if unit != "slice" and (is_new or kept.value(seen, None) != chosen):
        # The sheet follows the beat, but only when another one is chosen: else no one could scroll.
        kept.put(seen, chosen)
        point_at(float(prediction.items[chosen]) / getattr(report.sample, "rate_hz", 1.0))
    return chosen
