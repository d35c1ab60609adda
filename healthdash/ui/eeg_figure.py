"""An EEG as figures: lines one under another in millimetres, and a spectrogram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from healthdash.signals.eeg import EegPage
from healthdash.signals.spectrum import Spectra
from healthdash.ui.charts import readable
from healthdash.ui.palette import AGAINST, Paper

__all__ = ["GAP_MM", "spectrogram", "traces"]

#: Distance of two lines, millimetres.
GAP_MM = 10.0
#: At 96 to the inch; browsers take a pixel for that.
_PX_PER_MM = 96 / 25.4
_MARGIN = {"l": 72, "r": 10, "t": 42, "b": 44}
#: Words of annotations stand at two heights by turns, as neighbours are often near.
_ROWS_MM = (0.0, 3.6)
_MOST_COLUMNS = 400
_CLEAR = "rgba(0,0,0,0)"
#: Seen on every colour of the spectrogram but its loudest; the same in both themes.
_ON_MAP = "#ffffff"


def traces(
    page: EegPage,
    kept: Sequence[NDArray[np.int64]],
    microvolts_a_mm: float,
    paper: Paper,
    *,
    length_s: float,
    negative_up: bool = True,
) -> go.Figure:
    """Return the lines of a page, annotations marked.

    Parameters
    ----------
    kept : sequence of int64 (n,)
        Which values of each line are drawn.
    microvolts_a_mm : float
        Sensitivity.
    negative_up : bool
        Draw negative values upwards, as readers of EEG expect them.
    """
    drawn = go.Figure()
    upwards = (-1 if negative_up else 1) / microvolts_a_mm
    for number, places in enumerate(kept):
        drawn.add_trace(
            go.Scatter(**_line(page, number, places, upwards), line={"color": paper.ink, "width": 1})
        )
    lowest, highest = -(len(page.names) - 0.2) * GAP_MM, 0.8 * GAP_MM
    _add_marks(drawn, page, length_s, highest, paper)
    drawn.update_layout(
        height=round((highest - lowest) * _PX_PER_MM + _MARGIN["t"] + _MARGIN["b"]),
        margin=_MARGIN, paper_bgcolor=_CLEAR, plot_bgcolor=_CLEAR, showlegend=False, hovermode="closest",
        font={"color": paper.ink, "size": 12},
    )  # fmt: skip
    drawn.update_xaxes(
        title_text="time, s", range=[page.start_s, page.start_s + length_s], gridcolor=paper.line,
        zeroline=False, dtick=1 if length_s <= 20 else 5, showgrid=True, griddash="solid",
        minor={"dtick": 1, "showgrid": True, "gridcolor": paper.line, "griddash": "dot"},
    )  # fmt: skip
    drawn.update_yaxes(
        range=[lowest, highest], showgrid=False, zeroline=False, fixedrange=True,
        tickmode="array", tickvals=[-n * GAP_MM for n in range(len(page.names))],
        ticktext=[_plain(name) for name in page.names], ticklabelstandoff=6,
    )  # fmt: skip
    readable(drawn, paper)
    drawn.update_layout(dragmode="pan")  # in time: heights are fixed, and there is no mode bar
    return drawn


def _line(page: EegPage, number: int, places: NDArray[np.int64], mm_a_unit: float) -> dict[str, Any]:
    """Return what a trace needs of one line: values about their middle, in millimetres."""
    values, name = page.microvolts[number], _plain(page.names[number])
    middle = np.float32(np.nanmedian(values)) if np.isfinite(values).any() else np.float32(0)
    return {
        "x": page.start_s + places / page.rate_hz,
        "y": -number * GAP_MM + mm_a_unit * (values[places] - middle),
        "customdata": values[places],
        "mode": "lines",
        "hovertemplate": f"{name}: %{{customdata:.1f}} {page.unit}<br>%{{x:.2f}} s<extra></extra>",
        "connectgaps": False,
    }


def _add_marks(drawn: go.Figure, page: EegPage, length_s: float, top_mm: float, paper: Paper) -> None:
    """Draw a dashed line at each annotation, its words above."""
    for number, mark in enumerate(page.marks[:60]):
        at = max(mark.onset_s, page.start_s)
        is_last = at > page.start_s + 0.7 * length_s
        drawn.add_vline(at, line={"color": AGAINST, "width": 1, "dash": "dash"})
        if mark.duration_s:
            drawn.add_vrect(at, mark.onset_s + mark.duration_s, fillcolor=AGAINST, opacity=0.08, line_width=0)
        drawn.add_annotation(
            x=at, y=top_mm, yshift=_ROWS_MM[number % 2] * _PX_PER_MM, yanchor="bottom",
            xanchor="right" if is_last else "left", text=_plain(mark.text), showarrow=False,
            font={"size": 11, "color": paper.ink},
        )  # fmt: skip


def _plain(text: str) -> str:
    """Return words of a file so that the figure shows them as they are: it knows tags."""
    return text[:40].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def spectrogram(
    found: Spectra, unit: str, paper: Paper, *, most_hz: float, shown_s: Sequence[float] = ()
) -> go.Figure:
    """Return the power over time and frequency, in decibels.

    Parameters
    ----------
    shown_s : sequence of two floats
        The page that is drawn above, marked by two lines.
    """
    inside = found.frequencies_hz <= most_hz
    power, times = _fewer(found.power[:, inside], found.times_s)
    decibels = 10 * np.log10(np.maximum(power.T, 1e-6))
    known = decibels[np.isfinite(decibels)]
    low, high = np.percentile(known, [5, 99.5]) if known.size else (0.0, 1.0)
    drawn = go.Figure(
        go.Heatmap(
            x=times, y=found.frequencies_hz[inside], z=decibels.astype(np.float32), zmin=low, zmax=high,
            colorscale="Cividis", colorbar={"title": f"dB of<br>{unit}²/Hz", "thickness": 10},
            hovertemplate="%{x:.1f} s, %{y:.2f} Hz<br>%{z:.1f} dB<extra></extra>",
        )
    )  # fmt: skip
    half = 0.5 * float(times[1] - times[0]) if len(times) > 1 else 0.5
    left, right = max(0.0, float(times[0]) - half), float(times[-1]) + half
    for at in shown_s:
        drawn.add_vline(min(max(at, left), right), line={"color": _ON_MAP, "width": 1.5, "dash": "dot"})
    drawn.update_layout(
        height=300, margin={"l": 56, "r": 10, "t": 10, "b": 44}, paper_bgcolor=_CLEAR, plot_bgcolor=_CLEAR,
        font={"color": paper.ink, "size": 12},
    )  # fmt: skip
    drawn.update_xaxes(title_text="time, s", showgrid=False, range=[left, right])
    drawn.update_yaxes(title_text="frequency, Hz", showgrid=False, fixedrange=True)
    readable(drawn, paper)
    drawn.update_layout(dragmode="zoom")  # into a stretch of a long recording: there is no mode bar
    return drawn


def _fewer(
    power: NDArray[np.float32], times_s: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return no more columns than a screen shows: means of neighbours."""
    many = -(-len(times_s) // _MOST_COLUMNS)
    whole = len(times_s) // many * many
    if many == 1:
        return power, times_s
    grouped = power[:whole].reshape(-1, many, power.shape[1]).mean(axis=1)
    return grouped, times_s[:whole].reshape(-1, many).mean(axis=1)
