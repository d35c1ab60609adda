"""What takes more than a second: a bar that says how far it is, and a way to end it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import RerunException, StopException

__all__ = ["Listener", "is_wanted", "run"]

T = TypeVar("T")
_RUNNING = "running"
# Before so much time has passed nobody can say how long the rest takes.
_TELLING_S = 2.0
# A computation ends at its next estimate; one that takes longer is begun anew.
_LONGEST_WAIT_S = 60.0


@dataclass(eq=False)
class _Running:
    """The computation of a session, as the page's next run finds it.

    Any choice ends a run of the page, and the next one begins at once, in a thread of its own, while this
    one still ends. Only the next one knows whether the choice was to stop; then it waits for what there is.
    """

    key: Hashable
    is_wanted: bool = False
    found: list[object] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class Listener:
    """Told how far a computation is; answers true when it shall end with what there is.

    Parameters
    ----------
    bar : DeltaGenerator
        A progress bar.
    words : str
        What is done, such as "Explaining…".
    keeps : bool
        Whether a computation that is ended has something to show for it.
    needs_error : bool
        Only once its standard errors are known.
    items : int
        How many rows or the like there are in all, where that says more than a share.
    """

    def __init__(
        self,
        bar: DeltaGenerator,
        words: str,
        *,
        keeps: bool = False,
        needs_error: bool = False,
        items: int = 0,
    ) -> None:
        self._bar, self._words, self._keeps = bar, words, keeps
        self._needs_error, self._items = needs_error, items
        self._started, self._error_known = time.monotonic(), False
        self.interruption: RerunException | StopException | None = None

    def __call__(self, share: float) -> bool:
        """Show the share done; the reader's next choice ends the computation."""
        error = getattr(share, "error", math.nan)
        # Once known it stays known: what is told between two estimates comes without one.
        self._error_known |= not math.isnan(error)
        if self.interruption is not None:
            return True
        try:
            self._bar.progress(min(1.0, float(share)), self.words(float(share), error))
        except (RerunException, StopException) as interruption:
            if not self._keeps or (self._needs_error and not self._error_known):
                raise
            self.interruption = interruption
        return self.interruption is not None

    def words(self, share: float, error: float = math.nan) -> str:
        """Say how far it is, how exact so far, and how long it will take."""
        told = f"{round(share * self._items):,} of {self._items:,}" if self._items else f"{min(1, share):.0%}"
        passed = time.monotonic() - self._started
        if passed > _TELLING_S and 0 < share < 1:
            told += f", about {passed * (1 - share) / share:.0f} s left"
        if not math.isnan(error):
            told += f", largest standard error {100 * error:.2g} points"
        return f"{self._words} {told}. Choosing something else stops it."


def run(
    words: str,
    compute: Callable[[Listener], T],
    key: Hashable,
    *,
    keeps: bool = False,
    needs_error: bool = False,
    items: int = 0,
) -> T:
    """Compute with a bar, and with a button that ends it where there is something to keep.

    Parameters
    ----------
    compute : function of a Listener
        Ends early when the listener answers true.
    key : hashable
        Tells this computation from others.
    """
    if is_wanted(key):
        stopped = _begun()
        assert stopped is not None
        with st.spinner("Ending with what there is…"):
            stopped.over.wait(_LONGEST_WAIT_S)
        if stopped.found:
            del st.session_state[_RUNNING]
            return stopped.found[0]  # type: ignore[return-value]
    running = st.session_state[_RUNNING] = _Running(key)
    place = st.empty()
    with place.container():
        bar = st.progress(0.0, words)
        if keeps:
            st.button(
                "Stop, and show what there is", icon=":material/stop_circle:", key=f"stop:{hash(key)}",
                on_click=_want, args=(key,),
            )  # fmt: skip
    listener = Listener(bar, words, keeps=keeps, needs_error=needs_error, items=items)
    try:
        found = compute(listener)
        if listener.interruption is not None:
            # No st.* here: each would raise the interruption anew, and what was found would be lost.
            running.found.append(found)
            raise listener.interruption
    finally:
        running.over.set()
    place.empty()
    return found


def is_wanted(key: Hashable) -> bool:
    """Say whether the reader stopped a computation to see what there is."""
    begun = _begun()
    return begun is not None and begun.is_wanted and begun.key == key


def _begun() -> _Running | None:
    begun: _Running | None = st.session_state.get(_RUNNING)
    return begun


def _want(key: Hashable) -> None:
    begun = _begun()
    if begun is not None:
        begun.is_wanted = begun.key == key
