"""What was worked out of an array, for as long as the array lives."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from numpy.typing import NDArray

__all__ = ["Memo"]

Made = TypeVar("Made")


class Memo:
    """Results by array and purpose; they go when the array goes, so that no address is mistaken."""

    def __init__(self) -> None:
        self._made: dict[int, dict[str, Any]] = {}

    def of(self, array: NDArray[Any], purpose: str, make: Callable[[], Made]) -> Made:
        """Return what `make` gives, worked out once for an array that is not changed meanwhile."""
        known = self._made.get(id(array))
        if known is None:
            known = self._made[id(array)] = {}
            weakref.finalize(array, self._made.pop, id(array), None)
        if purpose not in known:
            known[purpose] = make()
        made: Made = known[purpose]
        return made

    def __len__(self) -> int:
        return len(self._made)
