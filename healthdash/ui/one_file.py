"""The upload of one file that is still there after another page, until it is used or removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

import streamlit as st

from healthdash import settings
from healthdash.task import Upload
from healthdash.ui import problems, state

__all__ = ["ask", "drop"]

_SUFFIX_LETTERS = 8


@dataclass(frozen=True, slots=True)
class _Given:
    """A file as the reader calls it, and as it is used."""

    title: str
    file: Upload


def ask(
    label: str, name: str, *, stem: str, tip: str | None = None, given: Callable[[], None]
) -> Upload | None:
    """Offer the upload of one file; return the one that was given, None without.

    Parameters
    ----------
    name : str
        Tells uploads apart; see `drop`.
    stem : str
        What the file is called from here on: its own name is not trusted, and a patient's name may stand
        in it. Its ending is kept.
    given : function
        Called when there is a file or another one.
    """
    key = state.fresh_key(name)
    st.file_uploader(
        label, key=key, on_change=_take, args=(name, key, stem, given), help=tip,
        max_upload_size=settings.current().max_upload_mb,
    )  # fmt: skip
    held: _Given | None = st.session_state.get(_key(name))
    if held is None:
        return None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge("Loaded", icon=":material/check:")
        st.markdown(f"{problems.plain(held.title)} ({len(held.file.data) / 1e6:.2f} MB)")
        st.button(
            "Remove", icon=":material/close:", type="tertiary", key=f"drop:{name}", help="Forget this file.",
            on_click=drop, args=(name,),
        )  # fmt: skip
    return held.file


def drop(name: str) -> None:
    """Forget the file that was given under a name."""
    st.session_state.pop(_key(name), None)


def _take(name: str, key: str, stem: str, given: Callable[[], None]) -> None:
    """Copy the file out of the widget and empty it, so that it is in memory once."""
    file = state.taken(name, key)
    if file is None:
        return
    ending = PurePath(file.name).suffix.lower()[:_SUFFIX_LETTERS]
    st.session_state[_key(name)] = _Given(file.name, Upload(f"{stem}{ending}", file.getvalue()))
    given()


def _key(name: str) -> str:
    return f"given:{name}"
