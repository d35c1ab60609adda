"""The page that trains models on own data, with the runs of this browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path, PurePath

import streamlit as st

from healthdash import settings, tasks
from healthdash.errors import InvalidInput
from healthdash.runs import Run
from healthdash.task import Example, Task, Upload
from healthdash.training import TrainSettings, archive
from healthdash.ui import own_table, owner, problems, runs, shell, state

__all__ = ["bundle_name", "page"]

_RECIPE = "as the recipe"
Place = st.delta_generator.DeltaGenerator
#: The synthetic set that was chosen, as "task/slug".
_SYNTHETIC = "train:synthetic"
#: Settings that a synthetic set presets, so that its run is short.
_PRESET = ("epochs", "members", "folds")
_DATA = {
    "images": "A zip file of pictures with `manifest.csv` (columns path, label, group).",
    "ecg": "A zip file of WFDB records with their beat annotations (.hea, .dat, .atr).",
    "records": "A table with the columns of this task and the outcome, as CSV or Excel.",
}


@shell.framed
def page() -> None:
    """Show the form and the runs, or the one that is open."""
    st.title("Train", anchor=False)
    with problems.shown():
        run = runs.opened()
        if run is None:
            _form()
            runs.listed()
        else:
            runs.watch(run)


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
    slug = st.selectbox(
        "Task",
        list(by_slug),
        format_func=lambda s: by_slug[s].title,
        key="train:task",
        on_change=_no_synthetic,
    )
    task = by_slug[slug]
    given = _data(task)
    own = own_table.section(given()) if task.is_generic and given else None
    chosen, name = _settings(task)
    is_ready = own is not None and own.is_ready if task.is_generic else given is not None
    if st.button("Train", type="primary", icon=":material/model_training:", disabled=not is_ready):
        assert given is not None
        chosen = own.settings(chosen) if own else chosen
        runs.open_run(_started(task, given(), chosen, name, own.beside if own else {}).id)
        state.used_up("train:data")
        _no_synthetic()
        st.rerun()


def _data(task: Task) -> Callable[[], Upload] | None:
    """Offer the upload and the synthetic sets; return what gives the chosen data, None without."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        uploaded = st.file_uploader(
            "Labelled data", key=state.fresh_key("train:data"), on_change=_no_synthetic,
            max_upload_size=settings.current().max_upload_mb,
        )  # fmt: skip
        usual = _DATA.get(task.kind, "A table, or a zip file, as the task reads it.")
        st.caption(own_table.CAPTION if task.is_generic else usual)
    with right:
        example = _synthetic(task)
    if uploaded is not None:
        # The user's own name is not trusted, and a patient's name may stand in it.
        return lambda: Upload(f"data{PurePath(uploaded.name).suffix.lower()[:8]}", uploaded.getvalue())
    return None if example is None else lambda: example.make()[0]


def _synthetic(task: Task) -> Example | None:
    """Offer the task's synthetic training sets, to try and as a pattern; return the one that is chosen."""
    examples = task.training_examples()
    if not examples:
        return None
    st.markdown("Or try it with a small synthetic training set")
    chosen = None
    for example in examples:
        name = f"{task.slug}/{example.slug}"
        is_chosen = st.session_state.get(_SYNTHETIC) == name
        with st.container(horizontal=True, gap="small"):
            st.button(
                example.title, help=example.description, key=f"synthetic:{name}",
                type="primary" if is_chosen else "secondary",
                on_click=_choose_synthetic, args=(name, example),
            )  # fmt: skip
            st.download_button(
                "Download this set", partial(_content, example),
                file_name=f"{task.slug}-synthetic.{'csv' if task.kind == 'records' else 'zip'}",
                icon=":material/download:", type="tertiary", on_click="ignore", key=f"download:{name}",
                help="To see which form the data must have.",
            )  # fmt: skip
        chosen = example if is_chosen else chosen
    if chosen is not None:
        st.warning(
            f"{chosen.description} A model trained on it is worth nothing: it only shows how training works.",
            icon=":material/science:",
        )
    return chosen


def _content(example: Example) -> bytes:
    return example.make()[0].data


def _choose_synthetic(name: str, example: Example) -> None:
    """Take a synthetic set in the place of an upload, for a short run under a name that tells."""
    state.used_up("train:data")
    st.session_state[_SYNTHETIC] = name
    st.session_state["train:name"] = "synthetic"
    for setting in _PRESET:
        st.session_state[f"train:{setting}"] = getattr(example.settings, setting)


def _no_synthetic() -> None:
    """Forget the synthetic set, and what was set for it."""
    if st.session_state.pop(_SYNTHETIC, None):
        for key in ("train:name", *(f"train:{setting}" for setting in _PRESET)):
            st.session_state.pop(key, None)


def _settings(task: Task) -> tuple[TrainSettings, str]:
    """Let the reader choose; empty means what the task's recipe takes."""
    st.session_state.setdefault("train:name", "own")
    name = st.text_input("Name of the new model", max_chars=40, key="train:name")
    with st.expander("Settings", icon=":material/tune:"):
        columns = st.columns(3)
        epochs = _whole(columns[0], "Most epochs", 1, 1000, "epochs")
        patience = _whole(
            columns[1], "Patience, epochs", 1, 200, "patience",
            "Epochs without a better validation loss before the run ends.",
        )  # fmt: skip
        batch = _whole(columns[2], "Batch size", 1, 4096, "batch")
        rate = columns[0].number_input(
            "Learning rate", 1e-6, 1.0, None, 0.0001, "%.5f", placeholder=_RECIPE, key="train:rate"
        )
        members = _whole(
            columns[1], "Networks", 1, 50, "members", "Trained alike from other seeds, averaged."
        )
        folds = _whole(columns[2], "Folds", 2, 50, "folds", "Of the cross-validation.")
        seed = columns[0].number_input("Seed", 0, 2**31 - 1, 0, key="train:seed")
        target, group = _columns(columns[1], columns[2]) if task.fields else (None, None)
    chosen = TrainSettings(
        epochs=epochs, patience=patience, batch_size=batch, learning_rate=rate, seed=seed,
        members=members, folds=folds, target=target or None, group=group or None,
    )  # fmt: skip
    return chosen, name


def _whole(place: Place, label: str, low: int, high: int, key: str, told: str = "") -> int | None:
    """Ask for a whole number; None leaves it to the recipe."""
    number: int | None = place.number_input(
        label, low, high, None, placeholder=_RECIPE, key=f"train:{key}", help=told or None
    )
    return number


def _columns(left: Place, right: Place) -> tuple[str, str]:
    """Ask which columns of a table are the outcome and the patient."""
    target = left.text_input("Column of the outcome", placeholder="as the task", key="train:target")
    group = right.text_input(
        "Column of the patient", placeholder="as the task", key="train:group",
        help="Rows of one patient stay in one part of the split.",
    )  # fmt: skip
    return target, group


def bundle_name(text: str) -> str:
    """Return a name that is safe as a folder."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not name:
        raise InvalidInput("expected a name with a letter or a digit", hint="Write another name.")
    return name


def _started(task: Task, given: Upload, chosen: TrainSettings, name: str, beside: Mapping[str, bytes]) -> Run:
    """Put a run with its data, and the files beside them, into the queue."""
    out = runs.free_name(settings.current().own_models / task.slug / bundle_name(name))
    if not given.data:
        raise InvalidInput("the file is empty", hint="Export it again.")

    def fill(folder: Path) -> Path:
        return _single_table(task, archive.placed(given.name, given.data, folder))

    return runs.queue().submit(owner.current().id, task.slug, out, chosen, fill, beside=beside)


def _single_table(task: Task, path: Path) -> Path:
    """Return the one file of a zipped table; other data sets are their folder."""
    files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else []
    return files[0] if task.kind == "records" and len(files) == 1 else path
