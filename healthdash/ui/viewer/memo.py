"""What was worked out of an array, for as long as the array lives."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from numpy.typing import NDArray

__all__ = ["Memo"]

Made = TypeVar("Made")


class Memo:
    """Results by array and purpose; they go when the array goes, so that no address is mistaken.

    Arrays do not hold the memo: one whose result is a view of itself goes with the memo.
    """

    def __init__(self) -> None:
        self._made: dict[int, dict[str, Any]] = {}

    def of(self, array: NDArray[Any], purpose: str, make: Callable[[], Made]) -> Made:
        """Return what `make` gives, worked out once for an array that is not changed meanwhile."""
        known = self._made.get(id(array))
        if known is None:
            known = self._made[id(array)] = {}
            weakref.finalize(array, _drop, weakref.ref(self), id(array))
        if purpose in known:
            found: Made = known[purpose]
            return found
        made = make()
        if made is not array:  # else it would keep itself
            known[purpose] = made
        return made

    def __len__(self) -> int:
        return len(self._made)

    def drop(self, address: int) -> None:
        """Let go of what was worked out of the array that was at an address."""
        self._made.pop(address, None)


def _drop(memo: weakref.ref[Memo], address: int) -> None:
    if (held := memo()) is not None:
        held.drop(address)
