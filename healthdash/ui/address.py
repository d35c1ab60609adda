"""The address of a view: what is chosen, never what an upload holds."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

__all__ = ["link", "opened", "show", "words"]

_WRITTEN = "address-written"


def opened() -> dict[str, str]:
    """Return the address that a reader came with; empty where it is the one that the page wrote itself."""
    found = st.query_params.to_dict()
    return {} if found == st.session_state.get(_WRITTEN) else found


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
