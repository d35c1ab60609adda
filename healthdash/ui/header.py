"""The header of a file as a table with a search; what may identify a patient stays on the server."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from healthdash.views import Header, HeaderEntry

__all__ = ["matching", "show"]

_HEIGHT_PX = 360


def matching(entries: Sequence[HeaderEntry], words: str, *, identity: bool) -> list[HeaderEntry]:
    """Return the entries that hold all words in tag, name or value.

    Parameters
    ----------
    identity : bool
        False: entries that may identify the patient are neither returned nor searched.
    """
    sought = words.casefold().split()
    return [
        entry
        for entry in entries
        if (identity or not entry.identifying)
        and all(word in f"{entry.tag} {entry.name} {entry.value}".casefold() for word in sought)
    ]


@st.fragment
def show(view: Header, key: str) -> None:
    """Draw the table behind an expander; a table of Streamlit shows text as text, never as markup."""
    with st.expander("Header of the file", icon=":material/list_alt:"):
        left, right = st.columns([3, 2], vertical_alignment="bottom")
        words = left.text_input("Search the header", key=f"{key}/search", placeholder="spacing, 0028, kernel")
        # Of this header only: who asked for one patient's name did not ask for the next one's.
        asked = f"{key}/identity/{hash(view.entries)}"
        identity = right.toggle("Show what may identify the patient", key=asked)
        hidden = sum(entry.identifying for entry in view.entries)
        if identity:
            st.warning(
                "The header may name the patient, the hospital and dates. Do not show or share this screen.",
                icon=":material/visibility:",
            )
        found = matching(view.entries, words, identity=identity)
        frame = pd.DataFrame(
            [(entry.tag, entry.name, entry.vr, entry.value) for entry in found],
            columns=["Tag", "Name", "VR", "Value"],
        )
        st.dataframe(
            frame, hide_index=True, key=f"{key}/table", height=_HEIGHT_PX if len(found) > 9 else "auto",
            alt="Header of the file",
        )  # fmt: skip
        told = f"{len(found)} of {len(view.entries)} entries."
        st.caption(told if identity else f"{told} {hidden} that may identify the patient are hidden.")
