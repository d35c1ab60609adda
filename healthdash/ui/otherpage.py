"""Ways to the page of a kind of task: for a file that this page cannot read, and back to a result."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from healthdash import apart
from healthdash.task import Task, Upload

__all__ = ["back", "kind_of", "offer", "point_to"]

_PAGES = {
    "images": ("Images", "pages/images.py"),
    "ecg": ("ECG", "pages/ecg.py"),
    "records": ("Patient records", "pages/records.py"),
}


def kind_of(uploads: Sequence[Upload]) -> str:
    """Return the kind of task whose files look like the first of an input, by its bytes; "" for none.

    Parameters
    ----------
    uploads : sequence of Upload
        The files of one input.
    """
    (found,) = apart.recognised(uploads[:1]) if uploads else (None,)
    return found.kind if found is not None and found.kind in _PAGES else ""


def offer(task: Task, uploads: Sequence[Upload]) -> None:
    """Name the page for a file that this page could not read; nothing where it is this one, or none."""
    kind = kind_of(uploads)
    if kind in ("", task.kind):
        return
    point_to(kind)


def point_to(kind: str) -> None:
    """Lead to the page of a kind of task, for a file that looks like one of its own."""
    title, path = _PAGES[kind]
    label = f"The file looks like one for the page {title}: go there and upload it"
    st.page_link(path, label=label, icon=":material/arrow_forward:")


def back(task: Task, sample: str) -> None:
    """Lead to the result of what is loaded, on the page of its task.

    Parameters
    ----------
    sample : str
        The sample that is loaded; empty for an upload.
    """
    if task.kind in _PAGES:
        told = {"task": task.slug} | ({"sample": sample} if sample else {})
        st.page_link(
            _PAGES[task.kind][1], label="Back to the result", icon=":material/arrow_back:", query_params=told
        )
