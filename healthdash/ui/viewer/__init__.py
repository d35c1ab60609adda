"""The viewer of pictures and volumes: a component of our own, windowed in the browser."""

from __future__ import annotations

from functools import cache

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from healthdash.ui.viewer import script, spec
from healthdash.views import Picture, Volume

__all__ = ["show"]

_NAME = "healthdash_viewer"


def show(view: Picture | Volume, key: str, *, choose: bool = False) -> int | None:
    """Draw a picture or a volume with its controls.

    Parameters
    ----------
    choose : bool
        Offer a button for the result of the slice on view.

    Returns
    -------
    int or None
        The slice that the reader asked about just now.
    """
    told = _component()(
        key=f"viewer/{key}", data=spec.of(view, key, choose=choose), on_chosen_change=lambda: None
    )
    chosen = told["chosen"]
    return None if chosen is None else int(chosen)


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(_NAME, js=script.joined(), css=script.style())
