"""What takes more than a second: a bar that says how far it is, and a way to end it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import RerunException

__all__ = ["Listener", "is_wanted", "run"]

T = TypeVar("T")
_HALTED = "halted"
# Before so much time has passed nobody can say how long the rest takes.
_TELLING_S = 2.0


@dataclass
class _Halted:
    """What there was when a computation ended before its time.

    Any choice ends a run of the page; only then is it known whether the choice was to stop, or another one.
    """

    key: Hashable = None
    result: object = None
    is_wanted: bool = False


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
        self._started = time.monotonic()
        self.interruption: RerunException | None = None

    def __call__(self, share: float) -> bool:
        """Show the share done; the reader's next choice ends the computation."""
        error = getattr(share, "error", math.nan)
        if self.interruption is not None:
            return True
        try:
            self._bar.progress(min(1.0, float(share)), self.words(float(share), error))
        except RerunException as interruption:
            if not self._keeps or (self._needs_error and math.isnan(error)):
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
    halted = _held()
    if is_wanted(key):
        result: Any = halted.result
        halted.key, halted.result, halted.is_wanted = None, None, False
        return result  # type: ignore[no-any-return]
    place = st.empty()
    with place.container():
        bar = st.progress(0.0, words)
        if keeps:
            st.button(
                "Stop, and show what there is", icon=":material/stop_circle:", key=f"stop:{hash(key)}",
                on_click=_want, args=(key,),
            )  # fmt: skip
    listener = Listener(bar, words, keeps=keeps, needs_error=needs_error, items=items)
    found = compute(listener)
    if listener.interruption is not None:
        # No st.* before this: each would raise the interruption anew, and what was found would be lost.
        halted.key, halted.result, halted.is_wanted = key, found, False
        raise listener.interruption
    place.empty()
    return found


def is_wanted(key: Hashable) -> bool:
    """Say whether the reader stopped a computation to see what there is."""
    halted = _held()
    return halted.is_wanted and halted.key == key


def _held() -> _Halted:
    held: _Halted = st.session_state.setdefault(_HALTED, _Halted())
    return held


def _want(key: Hashable) -> None:
    halted = _held()
    halted.is_wanted = halted.key == key
