"""The training runs of this browser: a table of them, and one of them to watch, stop, resume and delete."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from healthdash import bundles, settings, tasks
from healthdash.errors import HealthdashError
from healthdash.runs import Run
from healthdash.runs.queue import Queue
from healthdash.runs.queue import opened as opened_store
from healthdash.runs.record import ACTIVE
from healthdash.task import Task
from healthdash.ui import (
    about,
    compared_runs,
    elsewhere,
    live,
    owner,
    problems,
    run_filter,
    samples_seen,
    state,
)

__all__ = ["listed", "open_run", "opened", "queue", "watch"]

_OPEN = "work:run"
_SPARKS = 60
_WORDS = {
    "queued": "Waiting",
    "running": "Training",
    "stopping": "Stopping after this epoch",
    "done": "Done",
    "stopped": "Stopped",
    "failed": "Failed",
    "lost": "Lost",
}
_PAGES = {"images": "pages/images.py", "ecg": "pages/ecg.py", "records": "pages/records.py"}


def queue() -> Queue:
    """Return the queue of this home folder; runs that were left alone are looked after at once."""
    chosen = settings.current()
    return _queue(str(chosen.runs), chosen.database_url)


@st.cache_resource(max_entries=1)
def _queue(root: str, _url: str) -> Queue:
    made = Queue(opened_store(settings.current()), Path(root))
    made.look_after()
    return made


def open_run(run_id: str) -> None:
    """Show a run from now on; its address opens it again in this browser."""
    st.session_state[_OPEN] = run_id
    st.query_params["run"] = run_id
    state.used_up("train:runs")


def _leave() -> None:
    st.session_state.pop(_OPEN, None)
    st.query_params.pop("run", None)


def opened() -> Run | None:
    """Return the run that is to be shown, if one is."""
    run_id = st.query_params.get("run") or st.session_state.get(_OPEN)
    if not run_id:
        return None
    run = queue().get(run_id, owner.current().id)
    if run is None:
        _leave()
        st.warning(
            "There is no such run here. A run is shown only to the browser that started it, on the server "
            "that has its files."
        )
        return None
    open_run(run.id)
    return run


def listed() -> None:
    """Show the runs of this browser that its reader wants to see, and offer to compare them."""
    runs = queue().of(owner.current().id)
    if runs:
        st.subheader("Runs", anchor=False)
        run_filter.form(runs, _WORDS, {run.task: _title(run.task) for run in runs})
        active = any(run.state in ACTIVE for run in runs)
        st.fragment(_table, run_every=2.0 if active else None)(active)
    shown = [(run, queue().folder(run.id).history) for run in run_filter.kept(runs)]
    compared_runs.section(shown, elsewhere.histories())
    elsewhere.section()


@problems.shown()
def _table(was_active: bool) -> None:
    runs = queue().of(owner.current().id)
    if was_active and not any(run.state in ACTIVE for run in runs):
        st.rerun()
    runs = run_filter.kept(runs)
    if not runs:
        st.info("No run is as the filter says.")
        return
    chosen = st.dataframe(
        pd.DataFrame([_row(run) for run in runs]), hide_index=True, on_select="rerun",
        selection_mode="single-row", key=state.fresh_key("train:runs"),
        column_config={
            "begun": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm"),
            "validation loss": st.column_config.LineChartColumn(width="small"),
            "tags": st.column_config.ListColumn(width="small"),
        },
    )  # fmt: skip
    st.caption("Choose a row to open its run. Runs go on when the browser is closed or the app restarts.")
    rows = chosen["selection"]["rows"]
    if rows and rows[0] < len(runs):
        open_run(runs[rows[0]].id)
        st.rerun()


def _row(run: Run) -> dict[str, object]:
    begun = datetime.fromtimestamp(run.started or run.created, UTC).astimezone()
    return {
        "model": run.name,
        "task": _title(run.task),
        "state": _WORDS[run.state],
        "begun": begun.replace(tzinfo=None),
        "time": "" if run.seconds is None else live.duration(run.seconds),
        "result": _main_metric(run),
        "validation loss": _spark(queue().folder(run.id).history_file),
        "tags": list(run.tags),
    }


def _title(slug: str) -> str:
    return next((task.title for task in tasks.all_tasks() if task.slug == slug), slug)


def _main_metric(run: Run) -> str:
    for name, row in run.metrics.items():
        return f"{name} {about.number(row['value'])}"
    return ""


def _spark(file: Path) -> list[float]:
    return _thinned(file, file.stat().st_mtime_ns) if file.exists() else []


@lru_cache(maxsize=256)
def _thinned(file: Path, _: int) -> list[float]:
    """Return the losses of a run, averaged over its members and folds, at most so many."""
    from healthdash.training.history import read_history

    history = read_history(file)
    column = next((c for c in ("val_loss", "loss") if c in history), None)
    if column is None:
        return []
    losses = history.groupby("epoch")[column].mean().dropna().to_numpy(float)
    return [float(part.mean()) for part in np.array_split(losses, min(_SPARKS, len(losses))) if len(part)]


def watch(run: Run) -> None:
    """Show a run: its state in words, its curves, and the way to its end or its result."""
    st.fragment(_watch, run_every=None if run.is_over else 1.0)(run.id, run.is_over)
    run_filter.tags(run, queue().store)


@problems.shown()
def _watch(run_id: str, was_over: bool) -> None:
    run = queue().get(run_id, owner.current().id)
    if run is None or run.is_over != was_over or st.session_state.get(_OPEN) != run_id:
        # A click runs this fragment alone; the whole page runs once more to leave the run, or to
        # begin or stop looking every second.
        st.rerun()
    task = next((task for task in tasks.all_tasks() if task.slug == run.task), None)
    folder = queue().folder(run.id)
    history, now = folder.history, live.current(run, folder)
    # While figures of the moment are shown, the epoch is told there.
    st.subheader(_heading(run, history, has_epoch=now is None), anchor=False)
    _buttons(run)
    if run.error is not None:
        problems.tell(run.error.error)
        _last_good(run)
    if run.state == "done" and task is not None:
        _result(task, run)
    live.warn(history)
    if now is not None:
        live.section(run, now, folder.log)
    about.show_learning_curves(history, f"run/{run.id}")
    samples_seen.section(folder.path, f"run/{run.id}")
    with st.expander("Log", icon=":material/terminal:"):
        st.code(folder.log or "Nothing yet.", language=None)


def _heading(run: Run, history: pd.DataFrame, *, has_epoch: bool) -> str:
    epochs = f", epoch {int(history['epoch'].iloc[-1])}" if len(history) and has_epoch else ""
    waiting = " (reading the data)" if run.state == "running" and history.empty else ""
    return f"{_WORDS[run.state]}: {_title(run.task)}, model {run.name}{epochs}{waiting}"


def _buttons(run: Run) -> None:
    with st.container(horizontal=True):
        if not run.is_over:
            st.button(
                "Stop", icon=":material/stop_circle:", on_click=problems.shown()(queue().stop), args=(run,),
                disabled=run.state == "stopping",
            )  # fmt: skip
        if run.can_resume:
            st.button(
                "Resume", icon=":material/resume:", on_click=problems.shown()(queue().resume), args=(run,),
                help="Goes on from the last checkpoint, to the same model as without a break.",
            )  # fmt: skip
        st.button("All runs", icon=":material/list:", on_click=_leave)
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown("Remove this run with its data, curves and checkpoints? A finished model stays.")
            st.button("Delete for good", type="primary", on_click=_delete, args=(run,))


@problems.shown()
def _delete(run: Run) -> None:
    queue().remove(run)
    _leave()


def _last_good(run: Run) -> None:
    """Offer the last good weights of a run whose loss diverged."""
    for network in sorted(queue().folder(run.id).checkpoints.glob("*.keras")):
        st.download_button(
            "Last good weights (.keras)", network.read_bytes(), file_name=f"{run.name}-last-good.keras",
            icon=":material/download:", on_click="ignore", key=f"good:{network.stem}",
        )  # fmt: skip


def _result(task: Task, run: Run) -> None:
    is_trial = bool(queue().folder(run.id).search)
    if is_trial:
        st.success("The trial is through. Compare it under Searches on this page.", icon=":material/check:")
    else:
        words = f"The model {run.name} is ready and offered on the page of its task."
        st.success(words, icon=":material/check:")
    with st.container(horizontal=True, gap="large"):
        for name, row in _first(run):
            st.metric(f"{name}, {row['part']}", about.number(row["value"]), width="content")
    if is_trial:
        return
    _limits(run)
    with st.container(horizontal=True):
        if task.kind in _PAGES:
            st.page_link(
                _PAGES[task.kind], label="Use it", icon=":material/play_circle:",
                query_params={"task": task.slug, "model": run.name},
            )  # fmt: skip
        st.page_link(
            "pages/models.py", label="See its card and figures", icon=":material/monitoring:",
            query_params={"model": f"{task.slug}/{run.name}"},
        )  # fmt: skip


def _limits(run: Run) -> None:
    """Repeat what the data report still says of the data, beside the figures that it makes doubtful."""
    with suppress(HealthdashError):
        limits = bundles.open_folder(Path(run.out)).info.limits
        told = "\n".join(f"- {problems.plain(words)}" for words in limits)
        st.warning(f"What to know of these figures:\n\n{told}", icon=":material/rule:")


def _first(run: Run) -> Sequence[tuple[str, dict[str, float]]]:
    return list(run.metrics.items())[:4]
