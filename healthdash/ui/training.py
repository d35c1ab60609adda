"""The page that trains models on own data, with the runs of this browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import cast

import streamlit as st

from healthdash import archive, bundle_folder, settings, tasks
from healthdash.datasets.own import OwnFiles
from healthdash.errors import InvalidInput
from healthdash.runs import Run
from healthdash.runs import search as searches
from healthdash.task import Example, Task, Upload
from healthdash.training import TrainSettings
from healthdash.ui import (
    changed,
    one_file,
    own_files,
    own_table,
    own_work,
    owner,
    problems,
    rate,
    recipe,
    runs,
    search,
    server_data,
    shell,
    unlabelled,
)

__all__ = ["page"]

#: Name of the upload.
_GIVEN = "train:data"
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
            search.listed()
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
        persist_state="session",
        on_change=_no_synthetic,
    )
    task = by_slug[slug]
    given = _data(task)
    own = _own(task, given()) if task.is_generic and given else None
    chosen, name = recipe.form(task)
    _tried(task, given, own.settings(chosen) if own else chosen, own.beside if own else {})
    chosen, beside = unlabelled.section(task, chosen)
    beside = {**(own.beside if own else {}), **beside}
    is_ready = own is not None and own.is_ready(chosen) if task.is_generic else given is not None
    if st.button("Train", type="primary", icon=":material/model_training:", disabled=not is_ready):
        assert given is not None
        chosen = own.settings(chosen) if own else chosen
        runs.open_run(_started(task, given(), chosen, name, beside).id)
        one_file.drop(_GIVEN)
        one_file.drop(unlabelled.KEY)
        _no_synthetic()
        st.rerun()
    if task.is_generic:
        settled = own.settings(chosen) if own else chosen
        begin = partial(_search, task, given, name, beside)
        search.form(task, settled, is_ready=is_ready, start=begin)


def _own(task: Task, given: Upload) -> own_work.Chosen | None:
    """Show the data report of own data; return what was chosen about them."""
    if task.kind == "records":
        return own_table.section(given)
    return own_files.section(given, cast(OwnFiles, task))


def _search(
    task: Task,
    given: Callable[[], Upload] | None,
    name: str,
    beside: Mapping[str, bytes],
    wanted: search.Wanted,
) -> None:
    """Put the trials of a search into the queue."""
    assert given is not None
    out = runs.queue().free_name(settings.current().own_models / task.slug / bundle_folder.safe_name(name))
    searches.submit(
        runs.queue(), owner.current().id, task.slug, out, wanted.drawn, wanted.names, _fill(task, given()),
        prune=wanted.prune, beside=beside,
    )  # fmt: skip
    one_file.drop(_GIVEN)
    _no_synthetic()
    st.rerun()


def _tried(
    task: Task, given: Callable[[], Upload] | None, chosen: TrainSettings, beside: Mapping[str, bytes]
) -> None:
    """Offer to try the settings on the data before a training."""
    # An own table without its outcome is not data yet.
    is_data = given is not None and (task.kind != "records" or bool(beside) or not task.is_generic)
    data = given() if given is not None and is_data else None
    fill = _fill(task, data) if data and data.data else None
    rate.section(task, chosen, fill, beside, of=data.data if data else b"")
    if fill:
        changed.section(task, chosen, data, fill, beside)


def _data(task: Task) -> Callable[[], Upload] | None:
    """Offer the upload and the synthetic sets; return what gives the chosen data, None without."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        uploaded = one_file.ask("Labelled data", _GIVEN, stem="data", given=_no_synthetic)
        own = own_files.CAPTIONS.get(task.slug, own_table.CAPTION)
        st.caption(own if task.is_generic else _DATA.get(task.kind, "Data as the task reads them."))
        named = server_data.choose(task, _no_synthetic) if task.is_generic and uploaded is None else None
    with right:
        example = _synthetic(task)
    given = named if uploaded is None else uploaded
    if given is not None:
        return lambda: given
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
    one_file.drop(_GIVEN)
    server_data.drop()
    st.session_state[_SYNTHETIC] = name
    st.session_state["train:name"] = "synthetic"
    for setting in _PRESET:
        st.session_state[recipe.key_of(setting)] = getattr(example.settings, setting)


def _no_synthetic() -> None:
    """Forget the synthetic set, and what was set for it."""
    if st.session_state.pop(_SYNTHETIC, None):
        for key in ("train:name", *(recipe.key_of(setting) for setting in _PRESET)):
            st.session_state.pop(key, None)


def _started(task: Task, given: Upload, chosen: TrainSettings, name: str, beside: Mapping[str, bytes]) -> Run:
    """Put a run with its data, and the files beside them, into the queue."""
    out = settings.current().own_models / task.slug / bundle_folder.safe_name(name)
    fill = _fill(task, given)
    return runs.queue().submit(owner.current().id, task.slug, out, chosen, fill, beside=beside, numbered=True)


def _fill(task: Task, given: Upload) -> Callable[[Path], Path]:
    """Return what puts labelled data into an empty folder."""
    if not given.data:
        raise InvalidInput("the file is empty", hint="Export it again.")

    def fill(folder: Path) -> Path:
        if isinstance(given, server_data.OnServer):
            return given.path
        return _single_table(task, archive.placed(given.name, given.data, folder))

    return fill


def _single_table(task: Task, path: Path) -> Path:
    """Return the one file of a zipped table; other data sets are their folder."""
    files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else []
    return files[0] if task.kind == "records" and len(files) == 1 else path
