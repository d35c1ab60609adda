"""Sentences about what a reader of a recording took from its user, as the file is silent."""

from __future__ import annotations

__all__ = ["rate_taken", "unit_taken"]


def rate_taken(rate_hz: float) -> str:
    """Return the notice that a rate, hertz, was entered and not stated."""
    return f"The file does not state its rate: {rate_hz:g} Hz, as you entered, is taken."


def unit_taken(unit: str, leads: str = "") -> str:
    """Return the notice that a unit was entered and not stated; `leads` names those it is of, "" for all."""
    of = f"the unit of {leads}" if leads else "its unit"
    return f"The file does not state {of}: {unit}, as you entered, is taken."
