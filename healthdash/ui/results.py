"""What came of the inputs: a table of many, and one of them opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from healthdash import DISCLAIMER
from healthdash.bundles import Bundle
from healthdash.task import Gate, Prediction, Report, Task
from healthdash.ui import explaining, problems, reconstructed, state
from healthdash.ui.downloads import safe_csv
from healthdash.ui.draw import draw_all, draw_beside, point_at
from healthdash.views import Notice, Sections, View

__all__ = ["Entry", "entries", "show", "table", "told"]

_NO_RESULT = ("failed", "refused")
_ROW_PX, _TALLEST_PX = 35, 423


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


def table(task: Task, bundle: Bundle, reports: list[Report]) -> pd.DataFrame:
    """Return one row a result: source, label, probabilities, verdict of the gate, reason of a failure."""
    frame = pd.concat([_lines(task, bundle, report) for report in reports], ignore_index=True)
    last = ["gate", "message"]
    return frame[[*(c for c in frame.columns if c not in last), *last]]


def _lines(task: Task, bundle: Bundle, report: Report) -> pd.DataFrame:
    """Return the lines of a report: of a table the rows in order, the refused ones among them."""
    if report.prediction is None:
        message = report.error.message if report.error else ""
        result = "refused" if report.gate and report.gate.verdict == "refuse" else "failed"
        line = {"source": report.source, "result": result, "gate": "refuse", "message": message}
        return pd.DataFrame([line])
    if task.unit in ("beat", "window"):
        return pd.DataFrame(_recording(report, task.unit) | _mean_of_windows(task, bundle, report.prediction))
    predicted = pd.DataFrame(_predicted(task, bundle, report, report.prediction))
    if not report.refusals:
        return predicted
    return pd.concat([predicted, pd.DataFrame(_refused_rows(report))]).sort_values("row")


def _refused_rows(report: Report) -> Mapping[str, object]:
    """Return the columns of the rows that were refused; they have no probabilities."""
    refused = report.refusals
    return {
        "source": [report.source] * len(refused),
        "row": [row + 1 for row in refused],
        "result": ["refused"] * len(refused),
        "gate": ["refuse"] * len(refused),
        "message": [error.message for error in refused.values()],
    }


def _predicted(task: Task, bundle: Bundle, report: Report, prediction: Prediction) -> Mapping[str, object]:
    """Return the columns of what was predicted: pictures, or rows of a table."""
    gates = task.item_gates(report, bundle)
    rows = {"row": prediction.items + 1} if task.unit == "row" and _is_many(report, prediction) else {}
    chances = {f"P({name})": prediction.calibrated[:, k] for k, name in enumerate(prediction.labels)}
    return {
        "source": [report.source] * len(prediction),
        **rows,
        "result": np.asarray(prediction.labels, object)[prediction.decided],
        **chances,
        "gate": [gate.verdict for gate in gates],
        "message": ["; ".join(gate.reasons) for gate in gates],
    }


def _is_many(report: Report, prediction: Prediction) -> bool:
    """Say whether a report has more than one line."""
    return len(prediction) + len(report.sample.refused if report.sample else ()) > 1


def _recording(report: Report, unit: str) -> dict[str, object]:
    """Return one line for a recording: its beats, or windows, counted by class."""
    assert report.prediction is not None
    gate = report.gate or Gate()
    labels = report.prediction.labels
    counts = np.bincount(report.prediction.decided, minlength=len(labels))
    beats = {f"{label} {unit}s": [int(count)] for label, count in zip(labels, counts, strict=True)}
    return {
        "source": [report.source],
        "result": [f"mostly {labels[int(counts.argmax())]}"],
        **beats,
        "gate": gate.verdict,
        "message": "; ".join(gate.reasons),
    }


def _mean_of_windows(task: Task, bundle: Bundle, prediction: Prediction) -> dict[str, object]:
    """Return the result of a recording that is judged by the mean of its windows."""
    if task.unit != "window":
        return {}
    mean = prediction.calibrated.mean(axis=0)
    label = prediction.labels[int(bundle.info.decide(mean[None])[0])]
    chances = {f"P({name})": [float(share)] for name, share in zip(prediction.labels, mean, strict=True)}
    return {"result": [label], **chances}


def _chosen(task: Task, bundle: Bundle, work: state.Workspace, found: list[Entry]) -> Entry:
    """Show the table; return the line that the reader clicked, or the first that succeeded."""
    if work.table is None:
        work.table = table(task, bundle, work.reports)
    frame = work.table
    missing = frame["result"].isin(_NO_RESULT).to_numpy()
    failed = int(missing.sum())
    words = f"{len(frame) - failed:,} of {len(frame):,} analysed"
    st.subheader("Results", anchor=False)
    st.markdown(f"{words}; {failed:,} could not be, the table says why." if failed else f"{words}.")
    first = int(missing.argmin())
    height = min(_ROW_PX * (len(frame) + 1) + 3, _TALLEST_PX)
    chosen = st.dataframe(
        frame, hide_index=True, on_select="rerun", selection_mode="single-row",
        key=f"table:{task.slug}:{work.title}:{len(frame)}",
        column_config=_columns(frame), height=height, alt=f"Results: {words}",
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Click the box at the left of a row to open it; click a heading to sort.")
        _download(task, work, frame)
    rows = chosen["selection"]["rows"]
    return found[rows[0] if rows and rows[0] < len(found) else first]


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
    told = frame.assign(model=report.model, sha256=report.sha256, note=DISCLAIMER)
    st.download_button(
        "Download the results", safe_csv(told), file_name=f"{task.slug}-results.csv", mime="text/csv",
        icon=":material/download:", on_click="ignore", key=f"csv:{task.slug}",
    )  # fmt: skip


def _open(task: Task, bundle: Bundle, work: state.Workspace, entry: Entry) -> None:
    """Show one result: the gate's words, the input beside the probabilities, the explanation."""
    report = work.reports[entry.report]
    notices = report.sample.notices if report.sample else ()
    for notice in notices:
        st.info(notice, icon=":material/info:")
    if report.error is not None or report.prediction is None:
        _refused(task, report, entry)
        return
    if entry.item is None:
        _refused_row(task, report, entry)
        return
    if entry.report not in work.gates:
        work.gates[entry.report] = task.item_gates(report, bundle)
    gate = work.gates[entry.report][entry.item]
    told(gate)
    item = _beat(task, work, entry, entry.item)
    sections = _without(task.render(report, bundle, item), {*notices, *gate.reasons})
    whole = f"{task.slug}/{work.origin}/{entry.report}/input"
    if task.unit == "row" and _is_many(report, report.prediction):
        with st.expander("The whole table", icon=":material/table_rows:"):
            draw_all(sections.input, whole)
        draw_beside(sections.result[:1], sections.result[1:], f"{whole}/{item}")
    elif task.unit in ("beat", "window"):
        # The sheet keeps its place when another beat is chosen.
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
        box(f"{reason[:1].upper()}{reason[1:].rstrip('.')}. {gate.hint}".strip(), icon=":material/warning:")


def _without(sections: Sections, told: set[str]) -> Sections:
    """Leave out the notices of a task that say what stands on the page already."""
    known = {_plain(text) for text in told}

    def kept(views: tuple[View, ...]) -> tuple[View, ...]:
        return tuple(v for v in views if not (isinstance(v, Notice) and _plain(v.text) in known))

    return replace(sections, input=kept(sections.input), result=kept(sections.result))


def _plain(text: str) -> str:
    return text.strip().rstrip(".").casefold()


def _refused(task: Task, report: Report, entry: Entry) -> None:
    if report.error is not None:
        problems.tell(report.error)
    if report.sample is not None:
        views = task.show(report.sample)
        draw_beside(views[:1], views[1:], f"{task.slug}/refused/{entry.report}")


def _refused_row(task: Task, report: Report, entry: Entry) -> None:
    """Say why a row of a table has no result, with the others in reach."""
    assert report.sample is not None
    st.subheader(f"Row {entry.row + 1}", anchor=False)
    problems.tell(report.refusals[entry.row])
    with st.expander("The rows that were analysed", icon=":material/table_rows:"):
        draw_all(task.show(report.sample), f"{task.slug}/refused/{entry.report}")


def _beat(task: Task, work: state.Workspace, entry: Entry, item: int) -> int:
    """Return the item that is shown: of a recording, the beat that the reader chose."""
    report = work.reports[entry.report]
    assert report.prediction is not None
    if task.unit not in ("beat", "window") or len(report.prediction) < 2:
        return item
    prediction = report.prediction
    key = f"beat:{task.slug}:{work.title}:{entry.report}:{len(prediction)}"
    is_new = key not in st.session_state
    chosen = st.number_input(
        f"{task.unit.capitalize()}, 1 to {len(prediction):,}", 1, len(prediction),
        task.default_item(prediction) + 1, key=key, width=220,
        help=f"The {task.unit} whose probabilities and explanation are shown.",
    )  # fmt: skip
    seen = st.session_state.get(f"{key}:seen")
    if is_new or seen != chosen:
        # The sheet follows the beat, but only when another one is chosen: else no one could scroll.
        st.session_state[f"{key}:seen"] = chosen
        point_at(float(prediction.items[int(chosen) - 1]) / getattr(report.sample, "rate_hz", 1.0))
    return int(chosen) - 1
