"""What goes in: the task, the model, and files, a sample or a typed patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from healthdash import bundles, settings
from healthdash.bundles import Bundle
from healthdash.task import Example, Task, Upload
from healthdash.ui import about, address, form, hints, problems, state

__all__ = ["choose_model", "choose_task", "offer", "pose"]


def choose_task(kind: str, offered: Sequence[Task]) -> Task:
    """Let the reader choose a task of a page; `?task=slug` in the address chooses it as well."""
    by_slug = {task.slug: task for task in offered}
    held, widget = f"chosen:{kind}", f"task:{kind}"
    wanted = st.query_params.get("task")
    if wanted in by_slug:
        st.session_state[held] = wanted
    elif wanted:
        st.warning(f"There is no such task on this page. There are: {_titles(offered)}.")
    current = st.session_state.setdefault(held, offered[0].slug)
    if len(offered) > 1:
        st.session_state[widget] = current
        st.segmented_control(
            "What to look for", list(by_slug), format_func=lambda slug: by_slug[slug].title, required=True,
            key=widget, on_change=_follow, args=(held, widget),
        )  # fmt: skip
    return by_slug[current]


def choose_model(task: Task, wanted: str = "") -> Bundle | None:
    """Return the model of a task, chosen by the reader where there are several; None: there is none.

    Parameters
    ----------
    wanted : str
        Name of the model that the address asks for; empty where it asks for none.
    """
    found = {str(bundle.path): bundle for bundle in bundles.available(task.slug)}
    held, widget = f"model:{task.slug}", f"model-widget:{task.slug}"
    paths = {bundle.name: path for path, bundle in found.items()}
    if wanted in paths:
        st.session_state[held] = paths[wanted]
    elif wanted and found:
        st.warning("There is no model of that name here. Another one is shown.")
    if len(found) < 2:
        return next(iter(found.values()), None)
    if st.session_state.get(held) not in found:
        st.session_state[held] = next(iter(found))
    st.session_state[widget] = st.session_state[held]
    st.selectbox(
        "Model", list(found), format_func=lambda path: about.model_words(found[path]), key=widget,
        on_change=_hold_model, args=(held, widget),
    )  # fmt: skip
    return found[st.session_state[held]]


def pose(task: Task, bundle: Bundle | None) -> None:
    """Say what is asked, where that is the model's and not the task's."""
    if task.is_generic and bundle is not None:
        st.markdown(f"**{problems.plain(bundle.info.title)}**")


def offer(task: Task, work: state.Workspace) -> None:
    """Show every way to give inputs, and take what comes."""
    _sample_of_address(task, work)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _uploader(task, work)
    with right:
        _samples(task, work)
    if task.fields:
        with st.expander("Or type one patient", icon=":material/edit_note:"):
            typed = form.patient(task)
            form.template(task)
        if typed:
            _forget_sample()
            work.take(task, [typed], origin="form", title="the patient typed by hand")
    if work.groups:
        _loaded(task, work)


def _uploader(task: Task, work: state.Workspace) -> None:
    name = f"upload:{task.slug}"
    key = state.fresh_key(name)
    kinds = ", ".join(extension.lstrip(".").upper() for extension in task.accepts)
    st.file_uploader(
        f"Upload one or many files ({kinds})",
        accept_multiple_files=True,
        max_upload_size=settings.current().max_upload_mb,
        key=key,
        on_change=_take_files,
        args=(task, name, key),
        help="Files stay in the memory of this machine and are forgotten with the session. "
        "What a file holds is decided by its content, not by its name.",
    )
    if task.kind == "ecg" and work.origin == "upload":
        told = hints.ask(work.uploads, f"hints:{task.slug}")
        if told is not None:
            work.take(task, told, origin="upload", title=work.title)
    if task.kind == "images":
        _camera(task)


def _camera(task: Task) -> None:
    """Offer the camera behind a toggle: the browser asks for leave as soon as the widget is there."""
    if st.toggle("Take a photograph", key=f"camera-on:{task.slug}"):
        name = f"camera:{task.slug}"
        key = state.fresh_key(name)
        st.camera_input("Photograph", key=key, on_change=_take_photograph, args=(task, name, key))


def _take_photograph(task: Task, name: str, key: str) -> None:
    photograph = state.taken(name, key)
    if photograph is not None:
        title = "the photograph taken here"
        work = state.workspace(task)
        work.take(task, [Upload("photograph", photograph.getvalue())], origin="upload", title=title)
        _forget_sample()


def _take_files(task: Task, name: str, key: str) -> None:
    """Copy the files out of the widget and empty it, so that they are in memory once."""
    files = state.taken(name, key)
    if not files:
        return
    work = state.workspace(task)
    given = [Upload(file.name, file.getvalue()) for file in files]
    said = hints.carried(work.uploads if work.origin == "upload" else [], given)
    uploads = [replace(upload, hints=said) for upload in work.joined(task, given)]
    state.used_up(f"hints:{task.slug}")
    title = uploads[0].name if len(uploads) == 1 else f"{len(uploads)} files"
    work.take(task, uploads, origin="upload", title=title)
    _forget_sample()


def _samples(task: Task, work: state.Workspace) -> None:
    examples = task.examples()
    if not examples:
        return
    st.markdown("Or try a synthetic sample")
    with st.container(horizontal=True, gap="small"):
        for example in examples:
            st.button(
                example.title,
                help=example.description,
                key=f"sample:{task.slug}:{example.slug}",
                type="primary" if work.origin == f"sample:{example.slug}" else "secondary",
                on_click=_take_sample,
                args=(task, example),
            )


def _take_sample(task: Task, example: Example) -> None:
    state.workspace(task).take(task, example.make(), origin=f"sample:{example.slug}", title=example.title)
    asked = {"model": st.query_params["model"]} if "model" in st.query_params else {}
    st.query_params.from_dict({"task": task.slug, **asked, "sample": example.slug})


def _sample_of_address(task: Task, work: state.Workspace) -> None:
    """Load the sample that the address names."""
    slug = st.query_params.get("sample")
    if not slug or work.origin == f"sample:{slug}" or st.query_params.get("task", task.slug) != task.slug:
        return
    example = next((e for e in task.examples() if e.slug == slug), None)
    if example is None:
        st.warning("There is no sample of that name. Choose one below.")
    else:
        _take_sample(task, example)


def _forget_sample() -> None:
    """Take a sample out of the address, and with it what was chosen of it: class, row and explanation."""
    if "sample" in st.query_params:
        kept = {name: st.query_params[name] for name in ("task", "model") if name in st.query_params}
        st.query_params.from_dict(kept)


def _loaded(task: Task, work: state.Workspace) -> None:
    megabytes = sum(len(upload.data) for upload in work.uploads) / 1e6
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge("Synthetic" if work.origin.startswith("sample:") else "Loaded", icon=":material/check:")
        st.text(f"{work.title} ({megabytes:.2f} MB)" if megabytes >= 0.01 else work.title)
        st.button(
            "Clear", icon=":material/close:", type="tertiary", key=f"clear:{task.slug}",
            on_click=_clear, args=(task,),
        )  # fmt: skip


def _clear(task: Task) -> None:
    state.workspace(task).take(task, [], origin="", title="")
    _forget_sample()


def _follow(held: str, widget: str) -> None:
    """Keep the chosen task, in the session and in the address."""
    st.session_state[held] = st.session_state[widget]
    st.query_params.from_dict({"task": st.session_state[widget]})


def _hold_model(held: str, widget: str) -> None:
    """Keep the chosen model; an address that came with another one asks for it no more."""
    st.session_state[held] = st.session_state[widget]
    if address.opened():  # what a page wrote itself, it writes anew
        st.query_params.pop("model", None)


def _titles(offered: Sequence[Task]) -> str:
    return ", ".join(task.title for task in offered)
