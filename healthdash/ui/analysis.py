"""The page of a kind of data: inputs, what the model gives, why, and what the model is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import streamlit as st

from healthdash import apart, pipeline, runtime, tasks
from healthdash.bundles import Bundle
from healthdash.errors import HealthdashError, InvalidInput
from healthdash.task import Report, Task
from healthdash.ui import about, address, columns, inputs, problems, results, shell, state
from healthdash.ui.draw import draw_all

__all__ = ["analyse", "page"]

_TITLES = {"images": "Images", "ecg": "ECG", "records": "Patient records"}
_MANY = 2
# What one session may hold of decoded inputs: a small archive unfolds to a thousand times its size.
_MOST_HELD_BYTES = 1 << 30
# A larger input of pictures is a volume: it is read once more, but seen while its slices are analysed.
_LARGE_BYTES = 8 << 20


@shell.framed
def page(kind: str) -> None:
    """Show the page for every task of a kind."""
    address.forget()
    offered = tasks.of_kind(kind)
    st.title(_TITLES.get(kind) or (offered[0].title if offered else kind.capitalize()), anchor=False)
    if not offered:
        st.info("There is no task of this kind.")
        return
    with problems.shown():
        task = inputs.choose_task(kind, offered)
        st.markdown(task.summary)
        bundle = inputs.choose_model(task, st.query_params.get("model", ""))
        task = task.bound(bundle) if bundle else task
        inputs.pose(task, bundle)
        work = state.workspace(task)
        inputs.offer(task, work)
        if bundle is None:
            st.info("There is no model for this task yet.", icon=":material/info:")
            st.page_link("pages/train.py", label="Train one", query_params={"task": task.slug})
            if work.groups:
                draw_all(task.show(apart.sample_of(task, work.groups[0])), f"shown:{task.slug}")
            return
        if work.groups:
            columns.settle(task, bundle, work)
            analyse(task, bundle, work)
            results.show(task, bundle, work)
        about.expander(bundle)


def analyse(task: Task, bundle: Bundle, work: state.Workspace) -> None:
    """Run the model over inputs that it has not seen, with the input in sight meanwhile."""
    # Here in every run of the page: else what follows would move up, and its widgets would be made anew.
    place = st.empty()
    if work.is_done_by(bundle):
        return
    with place.container():
        _analyse(task, bundle, work)
    place.empty()


def _analyse(task: Task, bundle: Bundle, work: state.Workspace) -> None:
    if not runtime.is_ready() or _is_volume(task, work):
        _preview(task, work, bundle)
    with st.spinner("Loading the model and analysing…", show_time=True):
        done = st.progress(0.0) if len(work.groups) >= _MANY else None
        reports: list[Report] = []
        held = 0
        for report in pipeline.run_many(task, work.groups, bundle):
            held += report.nbytes
            reports.append(report if held <= _MOST_HELD_BYTES else _let_go(report))
            if done:
                done.progress(len(reports) / len(work.groups), f"{len(reports)} of {len(work.groups)}")
    work.done(bundle.info.sha256, reports)


def _is_volume(task: Task, work: state.Workspace) -> bool:
    """Say whether the first input has many slices, which take long: its picture is shown meanwhile."""
    return task.kind == "images" and sum(len(upload.data) for upload in work.groups[0]) > _LARGE_BYTES


def _let_go(report: Report) -> Report:
    """Return a report that holds nothing of its input any more."""
    problem = InvalidInput(
        f"expected inputs that unfold to at most {_MOST_HELD_BYTES >> 20:,} MB together, these are more",
        hint="Analyse fewer at a time, or use the command line.",
    )
    return replace(report, sample=None, inputs=None, prediction=None, gate=None, error=problem)


def _preview(task: Task, work: state.Workspace, bundle: Bundle) -> None:
    # A file that cannot be read is told about once, by the pipeline.
    with suppress(HealthdashError):
        sample = apart.sample_of(task, work.groups[0], bundle)
        draw_all(task.show(sample), f"preview:{task.slug}")
