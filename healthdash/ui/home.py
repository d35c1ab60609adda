"""The first page: what can be analysed, how well, and one click to a result."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from healthdash import bundles, tasks
from healthdash.task import Task
from healthdash.ui import about, shell

__all__ = ["page"]

_ART = Path(__file__).parent / "art"
_CARDS = {
    "images": ("Images", "pages/images.py", "A drawn chest X-ray with ribs and heart"),
    "ecg": ("ECG", "pages/ecg.py", "A drawn ECG on squared paper, one beat marked"),
    "records": ("Patient records", "pages/records.py", "A drawn table beside bars to the left and right"),
}


@shell.framed
def page() -> None:
    """Show a card for each kind of data, and where to go on from here."""
    st.title("Deep learning on health data, with its reasons and its limits", anchor=False)
    st.markdown(
        "Open a file, see the estimated probability, what it rests on, and how far the model can be trusted. "
        "Everything runs on this machine."
    )
    for place, kind in zip(st.columns(len(_CARDS), gap="medium"), _CARDS, strict=True):
        with place, st.container(border=True, height="stretch"):
            _card(kind)
    for task in tasks.all_tasks():
        if task.kind not in _CARDS:
            with st.container(border=True):
                _task(task, f"pages/{task.kind}.py")
    st.subheader("Your own data", anchor=False)
    with st.container(horizontal=True, gap="medium"):
        st.page_link("pages/explain.py", label="Compare explanations", icon=":material/zoom_in:")
        st.page_link(
            "pages/train.py", label="Train a model and watch it learn", icon=":material/model_training:"
        )
        st.page_link("pages/models.py", label="See every model and its figures", icon=":material/monitoring:")


def _card(kind: str) -> None:
    title, path, alt = _CARDS[kind]
    st.image((_ART / f"{kind}.svg").read_text(), width="stretch", alt=alt)
    st.subheader(title, anchor=False)
    for task in tasks.of_kind(kind):
        _task(task, path)
    st.page_link(path, label=f"Open {title}", icon=":material/upload_file:")


def _task(task: Task, path: str) -> None:
    """Show what a task does, its measured figures, and the way to a sample."""
    st.markdown(f"**{task.title}**  \n{task.summary}")
    found = bundles.available(task.slug)
    if not found:
        st.caption("No model yet.")
        return
    st.caption("  \n".join(about.in_words(row) for row in about.headline(found[0])))
    example = next(iter(task.examples()), None)
    if example:
        st.page_link(
            path,
            label=f"Try a sample: {task.title}",
            icon=":material/play_circle:",
            query_params={"task": task.slug, "sample": example.slug},
        )
