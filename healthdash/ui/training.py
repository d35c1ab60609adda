"""The page that trains a model on own data and shows it learn."""

from __future__ import annotations

import re
import shutil
from pathlib import Path, PurePath

import streamlit as st

from healthdash import settings, tasks
from healthdash.errors import InvalidInput
from healthdash.task import Task
from healthdash.training import TrainSettings, archive, child
from healthdash.ui import about, problems, shell, state

__all__ = ["bundle_name", "page"]

_RUN = "work:run"
_RECIPE = "as the recipe"
_WORDS = {
    "running": "Training",
    "stopping": "Stopping after this epoch",
    "done": "Done",
    "stopped": "Stopped",
    "failed": "Failed",
}
_DATA = {
    "images": "A zip file of pictures with `manifest.csv` (columns path, label, group).",
    "ecg": "A zip file of WFDB records with their beat annotations (.hea, .dat, .atr).",
    "records": "A table with the columns of this task and the outcome, as CSV or Excel.",
}
_PAGES = {"images": "pages/images.py", "ecg": "pages/ecg.py", "records": "pages/records.py"}


@shell.framed
def page() -> None:
    """Show the form, or the run that is under way."""
    st.title("Train", anchor=False)
    run: child.Run | None = st.session_state.get(_RUN)
    if run is None:
        with problems.shown():
            _form()
    else:
        st.fragment(_watch, run_every=None if run.is_over else 1.0)(run)


def _form() -> None:
    st.markdown(
        "Choose a task, give labelled data, and watch the curves. The data is split by patient or group, "
        "the model is measured on groups that it never saw, and it is then offered on the page of its task."
    )
    by_slug = {task.slug: task for task in tasks.all_tasks()}
    wanted = st.query_params.get("task")
    if wanted in by_slug:
        st.session_state["train:task"] = wanted
        st.query_params.pop("task")
    elif wanted:
        st.warning("There is no such task. Choose one of these.")
    slug = st.selectbox("Task", list(by_slug), format_func=lambda s: by_slug[s].title, key="train:task")
    task = by_slug[slug]
    uploaded = st.file_uploader(
        "Labelled data", key=state.fresh_key("train:data"), max_upload_size=settings.current().max_upload_mb
    )
    st.caption(_DATA.get(task.kind, "A table, or a zip file, as the task reads it."))
    chosen, name = _settings(task)
    if st.button("Train", type="primary", icon=":material/model_training:", disabled=uploaded is None):
        assert uploaded is not None
        st.session_state[_RUN] = _started(task, uploaded.name, uploaded.getvalue(), chosen, name)
        state.used_up("train:data")
        st.rerun()


def _settings(task: Task) -> tuple[TrainSettings, str]:
    """Let the reader choose; empty means what the task's recipe takes."""
    name = st.text_input("Name of the new model", value="own", max_chars=40, key="train:name")
    with st.expander("Settings", icon=":material/tune:"):
        columns = st.columns(3)
        epochs = columns[0].number_input(
            "Most epochs", 1, 1000, None, placeholder=_RECIPE, key="train:epochs"
        )
        patience = columns[1].number_input(
            "Patience, epochs", 1, 200, None, placeholder=_RECIPE, key="train:patience",
            help="Epochs without a better validation loss before the run ends.",
        )  # fmt: skip
        batch = columns[2].number_input("Batch size", 1, 4096, None, placeholder=_RECIPE, key="train:batch")
        rate = columns[0].number_input(
            "Learning rate", 1e-6, 1.0, None, 0.0001, "%.5f", placeholder=_RECIPE, key="train:rate"
        )
        seed = columns[1].number_input("Seed", 0, 2**31 - 1, 0, key="train:seed")
        target = group = None
        if task.kind == "records":
            target = columns[0].text_input(
                "Column of the outcome", placeholder="as the task", key="train:target"
            )
            group = columns[1].text_input(
                "Column of the patient", placeholder="as the task", key="train:group",
                help="Rows of one patient stay in one part of the split.",
            )  # fmt: skip
    chosen = TrainSettings(
        epochs=epochs, patience=patience, batch_size=batch, learning_rate=rate, seed=seed,
        target=target or None, group=group or None,
    )  # fmt: skip
    return chosen, name


def bundle_name(text: str) -> str:
    """Return a name that is safe as a folder."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not name:
        raise InvalidInput("expected a name with a letter or a digit", hint="Write another name.")
    return name


def _started(task: Task, filename: str, data: bytes, chosen: TrainSettings, name: str) -> child.Run:
    """Put the data into a private folder and start the child process."""
    out = settings.current().own_models / task.slug / bundle_name(name)
    if not data:
        raise InvalidInput("the file is empty", hint="Export it again.")
    folder = child.private_folder()
    try:
        inside = folder / "data"
        inside.mkdir()
        path = archive.unpack(data, inside) if archive.is_zip(data) and not _is_workbook(filename) else None
        if path is None:
            path = inside / f"data{PurePath(filename).suffix.lower()[:8]}"
            path.write_bytes(data)
        return child.start(task.slug, _single_table(task, path), out, chosen, folder)
    except InvalidInput:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _is_workbook(filename: str) -> bool:
    return PurePath(filename).suffix.lower() in (".xlsx", ".ods")


def _single_table(task: Task, path: Path) -> Path:
    """Return the one file of a zipped table; other data sets are their folder."""
    files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else []
    return files[0] if task.kind == "records" and len(files) == 1 else path


def _watch(run: child.Run) -> None:
    """Show the run: its state in words, its curves, and the way to its end or its result."""
    now = run.state
    history = run.history
    if run.is_over and not st.session_state.get("work:run-over"):
        # The whole page runs once more, so that it stops looking every second.
        st.session_state["work:run-over"] = True
        st.rerun()
    task = tasks.get(run.task)
    epochs = f", epoch {int(history['epoch'].iloc[-1])}" if len(history) else ""
    waiting = " (reading the data)" if now == "running" and history.empty else ""
    st.subheader(f"{_WORDS[now]}: {task.title}, model {run.out.name}{epochs}{waiting}", anchor=False)
    with st.container(horizontal=True):
        if run.is_over:
            st.button("Train another", icon=":material/restart_alt:", on_click=_leave, args=(run,))
        else:
            st.button("Stop", icon=":material/stop_circle:", on_click=run.stop, disabled=now == "stopping")
    if run.error is not None:
        problems.tell(run.error)
    if now == "done":
        _result(task, run)
    about.show_learning_curves(history, f"run/{run.out.name}")
    with st.expander("Log", icon=":material/terminal:"):
        st.code(run.log or "Nothing yet.", language=None)


def _result(task: Task, run: child.Run) -> None:
    st.success(
        f"The model {run.out.name} is ready and offered on the page of its task.", icon=":material/check:"
    )
    with st.container(horizontal=True, gap="large"):
        for name, row in list(run.metrics.items())[:4]:
            st.metric(f"{name}, {row['part']}", about.number(row["value"]), width="content")
    with st.container(horizontal=True):
        if task.kind in _PAGES:
            st.page_link(
                _PAGES[task.kind],
                label="Use it",
                icon=":material/play_circle:",
                query_params={"task": task.slug},
            )
        st.page_link(
            "pages/models.py", label="See its card and figures", icon=":material/monitoring:",
            query_params={"model": f"{task.slug}/{run.out.name}"},
        )  # fmt: skip


def _leave(run: child.Run) -> None:
    run.close()
    st.session_state.pop(_RUN, None)
    st.session_state.pop("work:run-over", None)
