"""Lines with few points that no eye can tell from the whole ones."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .decimate import min_max

__all__ = ["departures", "simplified", "sketched"]

#: Values of one row before it is simplified: twice what the widest screen has of columns, and more.
_ROOM = 8000
#: Times the height of the middle row, from which a row counts like that one: rhythms are not that high.
_FAR_HIGHER = 4.0

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


def sketched(rows: Sequence[NDArray[np.float32]], most: int, tolerance: float) -> list[NDArray[np.int64]]:
    """Return which values of signals to draw, all together at most `most`; a gap keeps one NaN.

    A row far higher than most of them counts like the middle one: a loose electrode, whose noise is the
    largest on the page, must not use up the points of the others.

    Parameters
    ----------
    rows : sequence of float32 (n,)
        In one unit, NaN where there is a gap.
    most : int
        At least 2 a row.
    tolerance : float
        In that unit: what lies nearer to the drawn line is left out.
    """
    thin = [min_max(row, _ROOM) for row in rows]
    pieces = [(number, run) for number, (_, values) in enumerate(thin) for run in _runs(values)]
    if 3 * len(pieces) > most:  # more gaps than lines: nothing is won by looking at each piece
        return [min_max(row, max(2, most // len(rows)))[0] for row in rows]
    shrunk = _shrunk([values for _, values in thin])
    lines = [(thin[n][0][run].astype(np.float64), shrunk[n][run]) for n, run in pieces]
    kept = simplified(lines, most - len(pieces), tolerance)
    found: list[list[NDArray[np.int64]]] = [[] for _ in rows]
    for (number, run), places in zip(pieces, kept, strict=True):
        whole, values = thin[number]
        broken = range(run.stop, min(run.stop + 1, len(values)))  # the NaN behind a piece, where one is
        found[number].append(whole[[*(places + run.start), *broken]])
    return [np.concatenate(places) if places else np.zeros(0, np.int64) for places in found]


def departures(rows: Sequence[NDArray[np.float32]], places: Sequence[NDArray[np.int64]]) -> Floats:
    """Return how far each known value lies from the line through those kept, in the unit of the rows."""
    off = [
        np.abs(np.interp(np.arange(len(row)), kept, row[kept]) - row)
        for row, kept in zip(rows, places, strict=True)
        if len(kept)
    ]
    every = np.concatenate(off) if off else np.zeros(0)
    return np.asarray(every[np.isfinite(every)], np.float64)


def _runs(values: NDArray[np.float32]) -> list[slice]:
    """Return the stretches of values without a gap."""
    known = np.concatenate([[False], np.isfinite(values), [False]])
    edges = np.flatnonzero(known[1:] != known[:-1])
    return [slice(start, stop) for start, stop in edges.reshape(-1, 2).tolist()]


def _shrunk(rows: Sequence[NDArray[np.float32]]) -> list[Floats]:
    """Return rows, those far higher than the middle one made as high as that."""
    known = [row[np.isfinite(row)] for row in rows]
    heights = [float(np.percentile(np.abs(k - np.median(k)), 95)) if len(k) else 0.0 for k in known]
    usual = float(np.median(heights)) if heights else 0.0
    return [
        row.astype(np.float64) * (usual / height if height > _FAR_HIGHER * usual > 0 else 1.0)
        for row, height in zip(rows, heights, strict=True)
    ]
