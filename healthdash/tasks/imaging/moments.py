"""Pictures that a scanner took of one place, in the order in which it took them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

__all__ = ["MOMENTS", "in_time", "parts_in_words"]

#: What tells pictures of one place apart, the surest first (PS3.3 C.7.6.16.2.2.1, C.7.6.18.1, C.7.6.1).
MOMENTS = ("TemporalPositionIdentifier", "TriggerTime", "AcquisitionTime")


class Timed(Protocol):
    """A picture with the values of `MOMENTS` that its file states."""

    @property
    def moments(self) -> tuple[float | None, ...]:
        """One for each of `MOMENTS`."""


Some = TypeVar("Some", bound=Timed)


def in_time(pictures: Sequence[Some]) -> tuple[list[Some], str] | None:
    """Return pictures of one place in their order, with the element that says it.

    None where no element tells every one from the others: they are copies of each other, or differ in
    something else.
    """
    for which, keyword in enumerate(MOMENTS):
        stated = {moment for one in pictures if (moment := one.moments[which]) is not None}
        if len(stated) == len(pictures):
            return sorted(pictures, key=lambda one: one.moments[which] or 0.0), keyword
    return None


def parts_in_words(parts: int, part: int) -> str:
    """Say which of several volumes of one file or series is used."""
    return f"There are {parts} volumes (times, echoes or measures); number {part + 1} is used."
