"""ECG paper in true millimetres: a component of our own, with a caliper."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from healthdash.signals.filters import FILTERS
from healthdash.ui import kept
from healthdash.ui.palette import Paper
from healthdash.ui.paper import sheet
from healthdash.ui.paper.sheet import Choice
from healthdash.views import Trace

__all__ = ["chosen", "draw"]

_NAME = "healthdash_paper"
_LAYOUTS = {"grid": "3 × 4 and rhythm strip", "stacked": "One under another"}
_SPEEDS, _GAINS = (25.0, 50.0), (5.0, 10.0, 20.0)


def chosen(view: Trace, key: str) -> Choice:
    """Let the reader choose how the paper is laid out."""
    layout = "stacked"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if sheet.places(view.leads) is not None:
            named = kept.segments("Leads", tuple(_LAYOUTS.values()), name=f"{key}:layout")
            layout = next(name for name, words in _LAYOUTS.items() if words == named)
        speed = kept.segments("mm/s", tuple(f"{s:g}" for s in _SPEEDS), name=f"{key}:speed")
        gain = kept.segments("mm/mV", tuple(f"{g:g}" for g in (10.0, 5.0, 20.0)), name=f"{key}:gain")
        filters = st.pills(
            "Filters (off as recorded)", list(FILTERS), selection_mode="multi", key=f"{key}/filters",
            help="They change what is drawn, never what a model sees or what is measured.",
        )  # fmt: skip
        waves = bool(view.spans) and st.toggle("Waves", value=True, key=f"{key}/waves")
    return Choice(layout, float(speed), float(gain), tuple(filters or ()), waves)


def draw(
    view: Trace, start_s: float, length_s: float, choice: Choice, paper: Paper, key: str
) -> float | None:
    """Draw a stretch on its paper, and the whole recording below it.

    Returns
    -------
    float or None
        The moment that the reader pointed at in the whole recording just now, second.
    """
    data: dict[str, Any] = sheet.of(view, start_s, length_s, choice, paper)
    told = _component()(key=f"paper/{key}", data=data, on_at_change=lambda: None)
    at = told["at"]
    return None if at is None else float(at)


@cache
def _component() -> ComponentRenderer:
    folder = files(__package__)
    return st.components.v2.component(
        _NAME,
        js=folder.joinpath("paper.js").read_text("utf-8"),
        css=folder.joinpath("paper.css").read_text("utf-8"),
    )
