"""The address of a view: what is chosen, never what an upload holds."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

__all__ = ["awaited", "forget", "link", "opened", "show", "wait", "words"]

_WRITTEN = "address-written"
_AWAITED = "address-awaited"


def opened() -> dict[str, str]:
    """Return the address that a reader came with; empty where it is the one that the page wrote itself."""
    found = st.query_params.to_dict()
    return {} if found == st.session_state.get(_WRITTEN) else found


def forget() -> None:
    """Take the next address for a reader's: after another page the same words may be of another input."""
    st.session_state.pop(_WRITTEN, None)


def wait(told: Mapping[str, str]) -> None:
    """Keep the address of a view of an upload, which has to be given again, until it is."""
    if told:
        st.session_state[_AWAITED] = st.session_state[_WRITTEN] = dict(told)


def awaited(task: str, *, is_there: bool) -> dict[str, str]:
    """Return the address that waits for an input of a task; it is forgotten where the input is there."""
    told: dict[str, str] = st.session_state.get(_AWAITED, {})
    if told.get("task") != task:
        return {}
    return st.session_state.pop(_AWAITED) if is_there else told


def show(choices: Mapping[str, object]) -> dict[str, str]:
    """Write what is chosen into the address; empty choices are left out."""
    told = words(choices)
    st.session_state[_WRITTEN] = told
    if st.query_params.to_dict() != told:
        st.query_params.from_dict(told)
    return told


def words(choices: Mapping[str, object]) -> dict[str, str]:
    """Return choices as an address has them; empty ones are left out."""
    return {name: str(choice) for name, choice in choices.items() if choice not in (None, "")}


def link(told: Mapping[str, str]) -> str:
    """Return the whole address of this page with these choices."""
    return f"{(st.context.url or '').split('?')[0]}?{urlencode(told)}"
