"""A learning rate to begin with, found by a short training in a process of its own."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from healthdash.apart import leftovers
from healthdash.errors import TrainingError
from healthdash.runs.command import environment, option_words
from healthdash.task import Task
from healthdash.training import TrainSettings
from healthdash.ui import charts, draw
from healthdash.ui.palette import SERIES, Paper
from healthdash.ui.recipe import key_of

__all__ = ["curve", "section"]

_FOUND = "work:rate"
_ENDS_S = 10.0


def section(
    task: Task,
    chosen: TrainSettings,
    fill: Callable[[Path], Path] | None,
    beside: Mapping[str, bytes],
    *,
    of: bytes = b"",
) -> None:
    """Offer to look for a learning rate; show the curve, and take the rate on a click.

    Parameters
    ----------
    fill : function of a folder
        Puts the labelled data into it and returns where they begin; None while there are none.
    beside : dict of bytes by name
        Files that the settings name.
    of : bytes
        The labelled data, or what tells them from others.
    """
    if "optimizer" not in task.heeded(chosen):
        return
    searched = replace(chosen, learning_rate=None)  # the search sets rates of its own
    asked = (task.slug, searched, sorted(beside.items()), hashlib.sha256(of).hexdigest())
    told = "Trains for a hundred steps while the rate grows, and looks where the loss falls most steeply."
    icon = ":material/query_stats:"
    if st.button("Find a learning rate", icon=icon, disabled=fill is None, help=told, key="rate:find"):
        assert fill is not None
        st.session_state[_FOUND] = asked, _found(task, chosen, fill, beside)
    whose, found = st.session_state.get(_FOUND, (None, {}))
    # Found with other settings, or on other data, it would say nothing of these.
    if whose != asked:
        return
    rate = float(found["proposed"])
    st.plotly_chart(curve(found["rates"], found["losses"], rate, draw.paper()), key="rate:curve")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"The loss falls most steeply at a learning rate of **{rate:g}**.")
        st.button("Take it", key="rate:take", on_click=_take, args=(rate,))


def curve(rates: Sequence[float], losses: Sequence[float], proposed: float, paper: Paper) -> go.Figure:
    """Return the loss over the learning rate, with a line where it falls most steeply."""
    line = go.Scatter(
        x=list(rates), y=list(losses), mode="lines", line={"color": SERIES[0]},
        hovertemplate="rate %{x:.2g}: loss %{y:.3f}<extra></extra>",
    )  # fmt: skip
    figure = go.Figure(line)
    charts.laid_out(figure, height=280, paper=paper)
    figure.update_xaxes(type="log", title_text="learning rate")
    figure.update_yaxes(title_text="loss, running mean")
    figure.add_vline(x=proposed, line={"color": paper.muted, "dash": "dot"})
    return figure


def _take(rate: float) -> None:
    st.session_state[key_of("learning_rate")] = rate
    st.session_state.pop(_FOUND, None)


def _found(
    task: Task, chosen: TrainSettings, fill: Callable[[Path], Path], beside: Mapping[str, bytes]
) -> dict[str, Any]:
    """Let a process look for the rate, with a bar; the reader's next choice ends it."""
    with leftovers.made() as folder:
        (data := folder / "data").mkdir()
        path = fill(data)
        for name, content in beside.items():
            (folder / name).write_bytes(content)
        command = [sys.executable, "-m", "healthdash", "find-rate", task.slug, "--data", str(path)]
        process = subprocess.Popen(
            [*command, *option_words(asdict(chosen))], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL, cwd=folder, env=environment(), text=True,
        )  # fmt: skip
        try:
            _followed(process)
            answer = process.communicate()[0]
        finally:
            process.kill()
            process.wait(_ENDS_S)
    return _answer(answer)


def _followed(process: subprocess.Popen[str]) -> None:
    """Show how far it is, as it tells on its stderr."""
    bar = st.progress(0.0, "Beginning…")
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("steps "):
            share = int(line.split()[1].rstrip("%")) / 100
            bar.progress(share, f"Looking for a rate… {share:.0%}. Choosing something else stops it.")
    bar.empty()


def _answer(text: str) -> dict[str, Any]:
    lines = text.strip().splitlines()
    found: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    if "proposed" in found:
        return found
    error = found.get("error", {})
    raise TrainingError(
        error.get("message", "no learning rate was found"), hint=error.get("hint", "Look at the data.")
    )
