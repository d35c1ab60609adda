"""Errors on the page: the only `except` of the app."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from healthdash.errors import HealthdashError, MissingDependency

__all__ = ["plain", "sentence", "shown", "tell", "unlinked"]


@contextmanager
def shown() -> Iterator[None]:
    """Show what a user can act on; anything else is ours to mend and goes on to the log."""
    try:
        yield
    except HealthdashError as error:
        tell(error)


def tell(error: HealthdashError) -> None:
    """Show every problem of an error, and what to do next."""
    box = st.warning if isinstance(error, MissingDependency) else st.error
    for problem in error.problems:
        box(sentence(problem), icon=":material/error:")
    if error.hint:
        st.info(sentence(error.hint), icon=":material/lightbulb:")


def plain(text: str) -> str:
    """Return text with nothing in it that Markdown would read."""
    return text.translate({ord(c): f"\\{c}" for c in "*_`[]<>$#~:"})


def unlinked(text: str) -> str:
    """Return text whose Markdown links nowhere and loads no picture: it may hold words of a file."""
    return text.replace("[", "\\[").replace("]", "\\]").replace("<", "\\<")


def sentence(text: str) -> str:
    """Return text as a sentence, with nothing in it that Markdown would read."""
    escaped = plain(text)
    return escaped[:1].upper() + escaped[1:] + ("" if text.endswith((".", "?", "!")) else ".")
