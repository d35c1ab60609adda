"""Errors on the page: the only `except` of the app."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import streamlit as st

from healthdash.errors import HealthdashError, MissingDependency

__all__ = ["gathered", "plain", "sentence", "shown", "tell", "unlinked"]

_OF_A_ROW = re.compile(r"row (\d+), (.*)", re.DOTALL)
_MOST_NAMED = 5


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
    for problem in gathered(error.problems):
        box(sentence(problem), icon=":material/error:")
    if error.hint:
        st.info(sentence(error.hint), icon=":material/lightbulb:")


def gathered(problems: Sequence[str]) -> list[str]:
    """Return problems with those that many rows share said once, with the first of the rows."""
    rows: dict[str, list[str]] = {}
    for problem in problems:
        found = _OF_A_ROW.fullmatch(problem)
        rows.setdefault(found[2] if found else problem, []).append(found[1] if found else "")
    return [_with_rows(text, numbers) for text, numbers in rows.items()]


def _with_rows(text: str, rows: list[str]) -> str:
    if not rows[0]:
        return text
    if len(rows) == 1:
        return f"row {rows[0]}, {text}"
    further = f" and {len(rows) - _MOST_NAMED:,} more" if len(rows) > _MOST_NAMED else ""
    return f"{text} (rows {', '.join(rows[:_MOST_NAMED])}{further})"


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
