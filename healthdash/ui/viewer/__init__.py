"""The viewer of pictures and volumes: a component of our own, windowed in the browser."""

from __future__ import annotations

from functools import cache

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from healthdash.ui.viewer import script, spec
from healthdash.views import Picture, Volume

__all__ = ["show", "taken"]

_NAME = "healthdash_viewer"
_CHOSEN = "viewer:chosen"


def show(view: Picture | Volume, key: str) -> None:
    """Draw a picture or a volume with its controls; `taken` tells what the reader asks there."""
    place = f"viewer/{key}"
    _component()(key=place, data=spec.of(view, key), on_chosen_change=lambda: _keep(place, key))


def taken(key: str) -> int | None:
    """Return the slice whose result was asked for in a viewer whose key begins so, once."""
    asked: tuple[str, int] | None = st.session_state.get(_CHOSEN)
    if asked is None or not asked[0].startswith(key):
        return None
    del st.session_state[_CHOSEN]
    return asked[1]


def _keep(place: str, key: str) -> None:
    chosen = st.session_state[place]["chosen"]
    if isinstance(chosen, int):
        st.session_state[_CHOSEN] = (key, chosen)


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(_NAME, js=script.joined(), css=script.style())
