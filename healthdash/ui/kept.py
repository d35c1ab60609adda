"""Widgets whose values outlive a change of the page, and can be set by a link."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

__all__ = ["choose", "count", "is_new", "put", "segments", "several", "slide", "text", "tick", "value"]

T = TypeVar("T")
_HELD = "kept"


def put(name: str, value: object) -> None:
    """Set what a widget shows when it is drawn next; a value that it cannot show is left out then."""
    _held()[name] = value


def value(name: str, default: T) -> T:
    """Return what is kept under a name."""
    found: T = _held().get(name, default)
    return found


def is_new(name: str) -> bool:
    """Say whether the widget of a name was not on the page until now: a new input, or another page."""
    return f"kept:{name}" not in st.session_state


def choose(
    place: DeltaGenerator,
    label: str,
    options: Sequence[T],
    *,
    name: str,
    default: T | None = None,
    words: Callable[[T], str] = str,
    tip: str | None = None,
) -> T:
    """Draw a select box, and return what is chosen."""
    key = _ready(name, options, default)
    chosen: T = place.selectbox(
        label, options, format_func=words, key=key, help=tip, on_change=_hold, args=(name, key)
    )
    return chosen


def segments(label: str, options: Sequence[T], *, name: str, words: Callable[[T], str] = str) -> T:
    """Draw a row of buttons of which one is pressed, and return it."""
    key = _ready(name, options, None)
    chosen = st.segmented_control(
        label, options, format_func=words, required=True, key=key, on_change=_hold, args=(name, key)
    )
    return options[0] if chosen is None else chosen


def several(
    label: str,
    options: Sequence[T],
    *,
    name: str,
    default: Sequence[T],
    words: Callable[[T], str] = str,
    place: DeltaGenerator | None = None,
    most: int | None = None,
) -> list[T]:
    """Draw a box in which several may be chosen, and return them."""
    held, key = _held(), f"kept:{name}"
    st.session_state[key] = [option for option in held.get(name, default) if option in options][:most]
    chosen: list[T] = (place or st.container()).multiselect(
        label, options, format_func=words, key=key, max_selections=most, on_change=_hold, args=(name, key)
    )
    return chosen


def text(place: DeltaGenerator, label: str, *, name: str, default: str, most: int) -> str:
    """Draw a line to write in, at most so many letters long, and return what is written."""
    held, key = _held(), f"kept:{name}"
    st.session_state[key] = str(held.get(name, default))[:most]
    written: str = place.text_input(label, key=key, max_chars=most, on_change=_hold, args=(name, key))
    return written


def tick(place: DeltaGenerator, label: str, *, name: str, tip: str | None = None) -> bool:
    """Draw a switch, off to begin with, and return whether it is on."""
    key = _ready(name, (False, True), None)
    return bool(place.toggle(label, key=key, help=tip, on_change=_hold, args=(name, key)))


def slide(
    place: DeltaGenerator,
    label: str,
    options: Sequence[T],
    *,
    name: str,
    default: T,
    words: Callable[[T], str] = str,
    tip: str | None = None,
) -> T:
    """Draw a slider over steps, and return the one chosen."""
    key = _ready(name, options, default)
    chosen: T = place.select_slider(
        label, options, format_func=words, key=key, help=tip, on_change=_hold, args=(name, key)
    )
    return chosen


def count(
    place: DeltaGenerator, label: str, n: int, *, name: str, default: int, tip: str | None = None
) -> int:
    """Draw a number from 1 to n, and return it counted from 0."""
    key = _ready(name, range(n), default, shift=1)
    chosen = place.number_input(label, 1, n, key=key, help=tip, on_change=_hold, args=(name, key, -1))
    return int(chosen) - 1


def _held() -> dict[str, Any]:
    held: dict[str, Any] = st.session_state.setdefault(_HELD, {})
    return held


def _ready(name: str, options: Sequence[T], default: T | None, shift: int = 0) -> str:
    """Give the widget its kept value, or its default where that is none of its options."""
    held, key = _held(), f"kept:{name}"
    if held.get(name) not in options:
        held[name] = options[0] if default is None or default not in options else default
    st.session_state[key] = held[name] + shift if shift else held[name]
    return key


def _hold(name: str, key: str, shift: int = 0) -> None:
    chosen = st.session_state[key]
    _held()[name] = chosen + shift if shift else chosen
