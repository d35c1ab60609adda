"""Which of several volumes of a file or series is read: the reader chooses."""

from __future__ import annotations

import streamlit as st

from healthdash.task import Sample
from healthdash.ui.state import Workspace

__all__ = ["choose"]


def choose(work: Workspace, number: int, sample: Sample | None, key: str) -> None:
    """Offer the volumes of an input that holds several; another one is read and analysed anew."""
    parts = int(getattr(sample, "parts", 1))
    if parts < 2:
        return
    widget = f"{key}/part"
    st.number_input(
        f"Volume, 1 to {parts:,}", 1, parts, value=int(getattr(sample, "part", 0)) + 1, key=widget, width=220,
        help="The file or series holds several volumes: in time, or of several measures.",
        on_change=_take, args=(work, number, widget),
    )  # fmt: skip


def _take(work: Workspace, number: int, widget: str) -> None:
    work.retold(number, part=st.session_state[widget])
