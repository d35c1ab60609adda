"""Colours: few, told apart by every eye, for a light and a dark page."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AGAINST", "DARK", "DIVERGING", "FOR", "LIGHT", "SERIES", "Paper"]

#: Okabe and Ito 2008, "Color universal design"; black and yellow replaced, which one of our pages hides.
SERIES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8A6D00", "#6B7280")

#: What speaks for the explained class, and what against it: blue and orange never look alike.
FOR, AGAINST = "#D55E00", "#0072B2"
DIVERGING = ((0.0, AGAINST), (0.5, "#9AA5AB"), (1.0, FOR))


@dataclass(frozen=True, slots=True)
class Paper:
    """The colours of a page and of the ECG paper on it; `full` is the fullest colour under ink."""

    ink: str
    muted: str
    line: str
    sheet: str
    minor: str
    major: str
    full: str


LIGHT = Paper("#16242B", "#5B6B73", "#D3DEE2", "#FFFBFA", "#F9DFDB", "#EBAFA8", "#56B4E9")
DARK = Paper("#E3ECEF", "#9FB0B8", "#31424A", "#161314", "#2A1E1C", "#4A302C", "#005F95")
