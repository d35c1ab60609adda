"""Lines on paper: pieces between gaps, and how SVG writes them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Numbers", "path", "unbroken"]

Numbers = NDArray[np.float64]


def unbroken(x: Numbers, y: Numbers) -> list[tuple[Numbers, Numbers]]:
    """Return the pieces of a line between its gaps: what was not recorded is no line, and not a flat one."""
    known = np.flatnonzero(np.isfinite(y))
    pieces = np.split(known, np.flatnonzero(np.diff(known) > 1) + 1)
    return [(x[piece], y[piece]) for piece in pieces if len(piece)]


def path(x: Numbers, y: Numbers) -> str:
    """Return a line as an SVG path, to a hundredth of a unit."""
    pairs = [f"{a:.2f} {b:.2f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    return f"M{'L'.join(pairs)}" if pairs else ""
