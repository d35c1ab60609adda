"""One scale for explanations that stand side by side: plain numpy, nothing drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from healthdash.views import Picture, Trace, View, Waterfall

__all__ = ["full_color", "shared", "ticked", "ticked_percent"]

_MOST_TICKS = 7
#: Of the values: in six digits, as ticks are written, those of a narrower range would be the same.
_LEAST_SPREAD = 1e-4


def full_color(attribution: NDArray[np.float32]) -> float:
    """Return the attribution that is drawn in full colour: few places are stronger, never 0."""
    sizes = np.abs(attribution)
    return float(np.percentile(sizes, 99.5)) or float(sizes.max(initial=0)) or 1.0


def ticked(low: float, high: float, most: int) -> NDArray[np.float64]:
    """Return round numbers from low to high, a step of 1, 2 or 5 apart, at most about so many.

    Where the two are next to the same, their middle alone.
    """
    if high - low <= _LEAST_SPREAD * max(abs(low), abs(high)):
        return np.array([(low + high) / 2])
    rough = (high - low) / most
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * next(times for times in (1, 2, 5, 10) if times * power >= rough)
    return np.asarray(step * np.arange(int(np.ceil(low / step)), int(np.floor(high / step)) + 1))


def ticked_percent(low: float, high: float) -> tuple[NDArray[np.float64], str]:
    """Return round probabilities within a span, and the format (".1%") in which no two read the same.

    Parameters
    ----------
    low, high : float
        Of the axis. Beyond 0 and 1 is only room for the numbers at the bars: no tick is there.
    """
    ticks = ticked(max(low, 0.0), min(high, 1.0), _MOST_TICKS)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 0.001
    # A step is 1, 2 or 5 times a power of ten, so that its own decimals are enough for every tick.
    decimals = max(0, -int(np.floor(np.log10(step) + 1e-9)) - 2)
    return ticks, f".{decimals}%"


def shared(sides: Sequence[Sequence[View]]) -> list[list[View]]:
    """Return the views of each side with the colour scale and the axis that fit all sides."""
    every = [view for views in sides for view in views]
    heat = _largest(v.heat for v in every if isinstance(v, Picture))
    along = _largest(v.attribution for v in every if isinstance(v, Trace))
    ways = [end for v in every if isinstance(v, Waterfall) for end in _ends(v)]
    span = (min(ways), max(ways)) if ways else None
    return [[_on(view, heat, along, span) for view in views] for views in sides]


def _on(view: View, heat: float | None, along: float | None, span: tuple[float, float] | None) -> View:
    if isinstance(view, Picture):
        return replace(view, heat_scale=heat)
    if isinstance(view, Trace):
        return replace(view, attribution_scale=along)
    return replace(view, span=span) if isinstance(view, Waterfall) else view


def _largest(arrays: Iterable[NDArray[np.float32] | None]) -> float | None:
    return max((full_color(values) for values in arrays if values is not None and values.any()), default=None)


def _ends(view: Waterfall) -> tuple[float, float]:
    """Return the lowest and the highest place on the way from the base to the output."""
    order = np.argsort(-np.abs(view.attributions), kind="stable")
    way = view.base + np.cumsum([0.0, *view.attributions[order]], dtype=np.float64)
    return float(min(way.min(), view.output)), float(max(way.max(), view.output))
