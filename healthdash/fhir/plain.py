"""Access to JSON from outside: whatever is not of the expected type is as if it were not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["Json", "each", "number_in", "part", "text_in"]

Json = Mapping[str, Any]


def part(value: Json, name: str) -> Json:
    """Return an object within an object; empty where there is none."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def each(value: Json, name: str) -> Iterator[Json]:
    """Yield the objects of a list within an object."""
    found = value.get(name)
    yield from (one for one in (found if isinstance(found, Sequence) else ()) if isinstance(one, dict))


def text_in(value: Json, name: str) -> str:
    """Return a text within an object; empty where there is none."""
    found = value.get(name)
    return found if isinstance(found, str) else ""


def number_in(value: Json, name: str) -> float | None:
    """Return a number within an object; None where there is none. Truth is no number."""
    found = value.get(name)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
