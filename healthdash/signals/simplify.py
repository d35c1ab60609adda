"""Lines with few points that no eye can tell from the whole ones."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["simplified"]

Floats = NDArray[np.float64]


def simplified(
    lines: Sequence[tuple[Floats, Floats]], most: int, tolerance: float
) -> list[NDArray[np.int64]]:
    """Return which points of several lines to keep: always the one that is missed most, from all of them.

    So a complex keeps its points, and the flat stretch between two beats hardly needs any (Ramer 1972,
    Douglas and Peucker 1973, with one budget for all lines).

    Parameters
    ----------
    lines : sequence of (x, y)
        x rising; finite, all in the same unit, such as millimetres on paper.
    most : int
        Points that may remain in all lines together; every line keeps its two ends.
    tolerance : float
        Points that lie nearer to the drawn line than this, along y, are left out.
    """
    kept = [[0, len(x) - 1] if len(x) > 1 else list(range(len(x))) for x, _ in lines]
    left = most - sum(len(ends) for ends in kept)
    waiting: list[tuple[float, int, int, int, int]] = []
    for number, (x, _) in enumerate(lines):
        _put(waiting, lines, number, 0, len(x) - 1, tolerance)
    while waiting and left > 0:
        _, number, first, middle, last = heapq.heappop(waiting)
        kept[number].append(middle)
        left -= 1
        _put(waiting, lines, number, first, middle, tolerance)
        _put(waiting, lines, number, middle, last, tolerance)
    return [np.unique(np.asarray(places, np.int64)) for places in kept]


def _put(
    waiting: list[tuple[float, int, int, int, int]],
    lines: Sequence[tuple[Floats, Floats]],
    number: int,
    first: int,
    last: int,
    tolerance: float,
) -> None:
    """Queue the point between two kept ones that the line between them misses most."""
    if last - first < 2:
        return
    x, y = lines[number]
    inside = slice(first + 1, last)
    slope = (y[last] - y[first]) / (x[last] - x[first])
    off = np.abs(y[inside] - y[first] - slope * (x[inside] - x[first]))
    farthest = int(off.argmax())
    if off[farthest] > tolerance:
        heapq.heappush(waiting, (-float(off[farthest]), number, first, first + 1 + farthest, last))
