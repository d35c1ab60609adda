"""Explanations as a picture file, drawn without a browser.

Figures are made by themselves, never through pyplot, whose state all sessions would share.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from healthdash.ui.charts import percent, signed_percent
from healthdash.ui.palette import AGAINST, DIVERGING, FOR, LIGHT
from healthdash.ui.radiograph import Look, default_window, rendered, suited
from healthdash.ui.scales import full_color, ticked_percent
from healthdash.ui.share_charts import largest, wrapped
from healthdash.views import Picture, Trace, View, Waterfall

__all__ = ["Column", "png"]

_WIDTH_IN, _ROW_IN, _DPI = 7.0, 5.2, 130
_BELOW_IN = 0.9
_TRACE_S = 10.0
_LINE = 92


@dataclass(frozen=True, slots=True)
class Column:
    """What stands below each other: a title, views, and the small print."""

    title: str
    small_print: str
    views: Sequence[View]

    @property
    def drawn(self) -> list[View]:
        """The views that are figures."""
        return [view for view in self.views if isinstance(view, Picture | Waterfall | Trace)]


def png(columns: Sequence[Column], look: Look | None, note: str) -> bytes:
    """Return columns side by side as a PNG file.

    Parameters
    ----------
    note : str
        Stands below, in bold.
    """
    rows = max(1, *(len(column.drawn) for column in columns))
    size = (_WIDTH_IN * len(columns), _ROW_IN * rows + 1.3)
    below = _BELOW_IN / size[1]
    layout = ConstrainedLayoutEngine(rect=(0, below, 1, 1 - below))
    figure = Figure(figsize=size, dpi=_DPI, layout=layout)
    places = figure.subplots(rows, len(columns), squeeze=False)
    for number, column in enumerate(columns):
        _column(figure, list(places[:, number]), column, look, (number + 0.02) / len(columns))
    figure.text(0.5, 0.1 / size[1], note, ha="center", va="bottom", weight="bold", size=11, color=LIGHT.ink)
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _column(figure: Figure, places: Sequence[Axes], column: Column, look: Look | None, left: float) -> None:
    places[0].set_title(_plain(textwrap.fill(column.title, 60)), size=12, color=LIGHT.ink)
    for place, view in zip(places, column.drawn, strict=False):
        if isinstance(view, Picture):
            _picture(place, view, look)
        elif isinstance(view, Waterfall):
            _waterfall(place, view)
        elif isinstance(view, Trace):
            _trace(place, view)
    for place in places[len(column.drawn) :]:
        place.set_axis_off()
    small = _plain(textwrap.fill(column.small_print, _LINE))
    figure.text(left, 0.38 / figure.get_figheight(), small, size=8, va="bottom", color=LIGHT.muted)


def _picture(place: Axes, view: Picture, look: Look | None) -> None:
    place.imshow(rendered(view, suited(look or Look(default_window(view)), view)))
    place.set_axis_off()


def _waterfall(place: Axes, view: Waterfall) -> None:
    names, shares = largest(view.features, np.asarray(view.attributions, float))
    ends = view.base + np.cumsum(shares)
    rows = np.arange(len(names))
    place.barh(rows, shares, left=ends - shares, color=[FOR if s > 0 else AGAINST for s in shares])
    reached = [view.base, *(ends - shares), *ends]
    low, high = view.span or (min(reached), max(reached))
    spread = max(high - low, 0.02)
    for row, share, end in zip(rows, shares, ends, strict=True):
        right = share > 0
        at = end + (0.01 if right else -0.01) * spread
        place.text(
            float(at), float(row), signed_percent(share), va="center", ha="left" if right else "right", size=8
        )
    place.set_yticks(rows, [_plain(wrapped(name, "\n")) for name in names], size=8)
    place.invert_yaxis()
    span = (low - 0.12 * spread, high + 0.12 * spread)
    ticks, tickformat = ticked_percent(*span)
    place.set_xticks(ticks, [format(tick, tickformat) for tick in ticks])
    place.set_xlim(*span)
    for x, words in ((view.base, view.base_label), (view.output, "this input")):
        place.axvline(x, color=LIGHT.muted, linestyle=":", linewidth=1, label=f"{words} {percent(x)}")
    place.legend(fontsize=8, loc="best", frameon=False)
    label = f"estimated probability of {view.target}, steps in percentage points"
    place.set_xlabel(_plain(label), size=9)
    place.spines[["top", "right"]].set_visible(False)


def _trace(place: Axes, view: Trace) -> None:
    n = min(len(view.signal), round(_TRACE_S * view.rate_hz))
    time_s = view.start_s + np.arange(n) / view.rate_hz
    height = float(np.ptp(np.nan_to_num(view.signal[:n]))) or 1.0
    for lead, name in enumerate(view.leads):
        values = np.nan_to_num(view.signal[:n, lead]) - 1.15 * height * lead
        place.plot(time_s, values, color=LIGHT.muted, linewidth=0.8)
        place.text(time_s[0], values[0] + 0.1 * height, _plain(name), size=9, weight="bold")
        if view.attribution is not None:
            _add_shares(place, view, lead, time_s, values)
    place.set_xlabel("time, s", size=9)
    place.set_ylabel(_plain(view.unit), size=9)
    place.set_yticks([])
    place.spines[["top", "right"]].set_visible(False)


def _add_shares(place: Axes, view: Trace, lead: int, time_s: NDArray[Any], values: NDArray[Any]) -> None:
    """Lay the shares of one lead over its line, stronger and broader where they count more."""
    assert view.attribution is not None
    points = np.stack([time_s, values], axis=1)
    shares = view.attribution[: len(points) - 1, lead] / (
        view.attribution_scale or full_color(view.attribution)
    )
    strength = np.clip(np.abs(shares), 0, 1)
    stretches = LineCollection(
        list(np.stack([points[:-1], points[1:]], axis=1)),
        array=shares,
        cmap=LinearSegmentedColormap.from_list("share", list(DIVERGING)),
        clim=(-1, 1),
        linewidths=1 + 3 * strength,
        alpha=strength,
    )
    place.add_collection(stretches)


def _plain(text: str) -> str:
    """Return text in which nothing is a formula: a feature may hold dollar signs."""
    return text.replace("$", r"\$")
