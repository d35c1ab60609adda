"""What the augmentation makes of one's own picture or trace: nine changed versions beside the original."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from healthdash.apart import leftovers
from healthdash.task import Task, Upload
from healthdash.training import TrainSettings
from healthdash.ui import charts, draw
from healthdash.ui.palette import SERIES, Paper

__all__ = ["section", "traces"]

_VERSIONS = 9
_WORK = "work:changed"
_ITEMS, _ACROSS = 6, 5
Floats = NDArray[np.float32]


def section(
    task: Task,
    chosen: TrainSettings,
    given: Upload | None,
    fill: Callable[[Path], Path],
    beside: Mapping[str, bytes],
) -> None:
    """Show what training would see in the place of an item; another item on a click.

    Parameters
    ----------
    given : Upload
        The labelled data; None while there are none.
    fill : function of a folder
        Puts them into it and returns where they begin.
    beside : dict of bytes by name
        Files that the settings name.
    """
    if "augment" not in task.heeded(chosen) or task.kind == "records":
        return
    is_possible = given is not None and chosen.augment
    told = "An item of your data as the network sees it, and nine randomly changed versions."
    if not st.toggle("Show what augmentation does", key="changed:shown", disabled=not is_possible, help=told):
        return
    if given is None or not chosen.augment:
        return
    st.button("Another one", icon=":material/casino:", key="changed:other", on_click=_other)
    with st.spinner("Changing…"):
        looks = _looks(task, chosen, given, fill, beside)
    if not looks:
        st.info("This task shows no changed versions.", icon=":material/info:")
        return
    versions = looks[int(st.session_state.get("changed:number", 0)) % len(looks)]
    _drawn(versions)
    st.caption("First the original, then changed versions. They change anew in every epoch.")


def traces(versions: Floats, paper: Paper) -> go.Figure:
    """Return traces (n, samples, leads) below one another, the first one in full colour."""
    figure = go.Figure()
    reach = float(np.abs(versions - versions.mean(axis=1, keepdims=True)).max()) or 1.0
    for number, trace in enumerate(versions):
        figure.add_trace(
            go.Scatter(
                y=trace[:, 0] - trace[:, 0].mean() - 2 * reach * number, mode="lines", hoverinfo="skip",
                line={"color": SERIES[0] if number == 0 else paper.muted, "width": 1},
            )
        )  # fmt: skip
    charts.laid_out(figure, height=90 + 55 * len(versions), paper=paper)
    figure.update_yaxes(showticklabels=False, showgrid=False)
    figure.update_xaxes(title_text="sample")
    return figure


def _other() -> None:
    st.session_state["changed:number"] = int(st.session_state.get("changed:number", 0)) + 1


def _looks(
    task: Task,
    chosen: TrainSettings,
    given: Upload,
    fill: Callable[[Path], Path],
    beside: Mapping[str, bytes],
) -> list[Floats]:
    """Return some items with their versions; the data are read once for each choice."""
    what = (task.slug, hashlib.sha256(given.data).hexdigest(), sorted(beside.items()), chosen)
    name = hashlib.sha256(repr(what).encode()).hexdigest()
    if st.session_state.get(_WORK, ("", None))[0] != name:
        with leftovers.made() as folder:
            (data := folder / "data").mkdir()
            path = fill(data)
            for file, content in beside.items():
                (folder / file).write_bytes(content)
            cleaning = str(folder / chosen.cleaning) if chosen.cleaning else None
            dataset = task.load_dataset(path, replace(chosen, cleaning=cleaning))
            # All that is ever looked at is made here: the files are gone afterwards.
            made = [task.changed_versions(dataset, chosen, item, _VERSIONS) for item in range(_ITEMS)]
        st.session_state[_WORK] = (name, [one for one in made if one is not None])
    looks: list[Floats] = st.session_state[_WORK][1]
    return looks


def _drawn(versions: Floats) -> None:
    """Draw pictures (n, height, width, channels), 0 to 1, side by side; traces (n, samples, leads) below."""
    if versions.ndim == 3:
        st.plotly_chart(traces(versions, draw.paper()), key="changed:traces")
        return
    columns = st.columns(_ACROSS)
    for number, picture in enumerate(versions):
        shown = np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8)
        grey = shown[..., 0] if shown.shape[-1] == 1 else shown
        columns[number % _ACROSS].image(
            grey, caption="original" if number == 0 else f"changed {number}", width="stretch"
        )
