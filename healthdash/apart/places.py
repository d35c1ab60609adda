"""Fair places: how many jobs run at a time, and whose turn it is."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["Places", "owner"]

#: On whose behalf this thread reads, such as a session of the app; all others are one owner together.
owner: ContextVar[str] = ContextVar("owner", default="")


class Places:
    """A few places for many owners, of which none can take all.

    Parameters
    ----------
    each : int
        Places that one owner may hold at a time.
    kept : int
        Further places, which only another owner finds free while one holds as many as it may.
    """

    def __init__(self, each: int, kept: int = 1) -> None:
        self._each, self._free = each, each + kept
        self._held: Counter[str] = Counter()
        self._waiting: list[tuple[str, object]] = []
        self._changed = threading.Condition()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place of the owner of this thread; waits for one."""
        name = owner.get()
        self._take(name)
        try:
            yield
        finally:
            self._give_back(name)

    def _take(self, name: str) -> None:
        turn = (name, object())
        with self._changed:
            self._waiting.append(turn)
            try:
                self._changed.wait_for(lambda: self._next() is turn)
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()  # the next one's turn may have come
            self._held[name] += 1
            self._free -= 1

    def _give_back(self, name: str) -> None:
        with self._changed:
            self._held[name] -= 1
            if not self._held[name]:
                del self._held[name]  # sessions come and go
            self._free += 1
            self._changed.notify_all()

    def _next(self) -> tuple[str, object] | None:
        """Return whose turn it is: of those that hold the fewest places the one that waits longest."""
        able = [turn for turn in self._waiting if self._held[turn[0]] < self._each]
        return min(able, key=lambda turn: self._held[turn[0]]) if able and self._free else None
