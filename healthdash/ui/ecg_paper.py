"""Signals as figures: ECG paper at 25 mm/s and 10 mm/mV, thinned without losing a peak."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from healthdash.signals.decimate import min_max
from healthdash.ui.charts import readable
from healthdash.ui.lanes import Lanes
from healthdash.ui.palette import AGAINST, FOR, SERIES, Paper
from healthdash.ui.scales import full_color
from healthdash.views import Trace

__all__ = ["MOST_POINTS", "figure", "overview"]

#: Points sent for one figure at most, over all leads.
MOST_POINTS = 5000
# Kligfield et al. 2007, Circulation 115:1306: paper speed 25 mm/s, gain 10 mm/mV.
_MM_PER_S, _MM_PER_MV = 25.0, 10.0
#: A millimetre has 3.8 pixels at 96 to the inch; a little less lets ten seconds fit a common page.
_PX_PER_MM = 3.5
_MARGIN = {"l": 44, "r": 12, "t": 34, "b": 42}
_PULSE_S = 0.2
_ATTRIBUTED_POINTS = 2500
#: Steps of colour on either side.
_LEVELS = 4


def figure(view: Trace, start_s: float, length_s: float, paper: Paper) -> go.Figure:
    """Return a stretch of the trace, one lane a lead, beats marked, attribution along the line.

    Parameters
    ----------
    start_s, length_s : float, second
        The stretch, counted from the first sample of the view.
    """
    first = max(0, round(start_s * view.rate_hz))
    last = min(len(view.signal), first + max(2, round(length_s * view.rate_hz)))
    lanes = Lanes(view, view.signal[first:last])
    drawn = go.Figure()
    for lead, name in enumerate(view.leads):
        _add_lead(drawn, view, lanes, lead, name, first, last, paper)
    _add_markers(drawn, view, lanes, first, last, paper)
    _add_scale(drawn, view, lanes, first, length_s, paper)
    return drawn


def overview(view: Trace, start_s: float, length_s: float, paper: Paper) -> go.Figure:
    """Return the whole recording as a strip, with the stretch that is shown below shaded."""
    places, values = min_max(view.signal[:, 0], 2000)
    unit, per_s = ("min", 60.0) if len(view.signal) / view.rate_hz > 180 else ("s", 1.0)
    drawn = go.Figure(
        go.Scattergl(
            x=(view.start_s + places / view.rate_hz) / per_s,
            y=values,
            mode="lines",
            line={"color": paper.muted, "width": 1},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    for marker in view.markers:
        if marker.label != "N" and 0 < len(marker.samples):
            _add_ticks(drawn, view, marker.samples, marker.color, marker.label, per_s)
    from_s = view.start_s + start_s
    drawn.add_vrect(
        from_s / per_s, (from_s + length_s) / per_s, fillcolor=SERIES[0], opacity=0.25, line_width=0
    )
    drawn.update_layout(
        height=110,
        margin={"l": 44, "r": 12, "t": 6, "b": 34},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": paper.ink, "size": 12},
        showlegend=False,
    )
    drawn.update_xaxes(title_text=f"whole recording, {unit}", fixedrange=True, showgrid=False)
    drawn.update_yaxes(visible=False, fixedrange=True)
    readable(drawn, paper)
    return drawn


def _add_lead(
    drawn: go.Figure, view: Trace, lanes: Lanes, lead: int, name: str, first: int, last: int, paper: Paper
) -> None:
    share = MOST_POINTS // (2 * len(view.leads))
    places, values = min_max(view.signal[first:last, lead], share)
    line = {"color": paper.ink, "width": 1.3}
    drawn.add_trace(
        go.Scatter(
            x=_seconds(view, first + places),
            y=lanes.place(lead, values),
            customdata=values,
            mode="lines",
            line=line,
            name=name,
            hovertemplate=f"{name}: %{{customdata:.3f}} {view.unit}<br>%{{x:.3f}} s<extra></extra>",
            showlegend=False,
        )
    )
    drawn.add_annotation(
        x=0, xref="paper", xanchor="left", y=lanes.base(lead) + 0.82 * lanes.half, text=f"<b>{name}</b>",
        showarrow=False, font={"color": paper.ink, "size": 13},
    )  # fmt: skip
    if view.attribution is not None:
        _add_attribution(drawn, view, lanes, lead, first, last)


def _add_attribution(drawn: go.Figure, view: Trace, lanes: Lanes, lead: int, first: int, last: int) -> None:
    """Colour the stretches of one lead that count, broader where they count more."""
    assert view.attribution is not None
    shares = view.attribution[first:last, lead]
    if not view.attribution.any():
        return
    full = view.attribution_scale or full_color(view.attribution)
    most = _ATTRIBUTED_POINTS // (3 * len(view.leads))  # a stretch is two points and a gap
    levels = np.clip(np.ceil(np.abs(shares) / full * _LEVELS - 0.25), 0, _LEVELS)
    counting = np.flatnonzero(levels > 0)
    counting = np.sort(counting[np.argsort(-np.abs(shares[counting]), kind="stable")[:most]])
    for level in range(1, _LEVELS + 1):
        for sign in (-1, 1):
            places = counting[(levels[counting] == level) & (np.sign(shares[counting]) == sign)]
            if len(places):
                _add_stretches(drawn, view, lanes, lead, first, places, sign * level)


def _add_stretches(
    drawn: go.Figure, view: Trace, lanes: Lanes, lead: int, first: int, places: NDArray[np.int64], level: int
) -> None:
    """Draw the trace from each place to the next sample, all in the colour of one level."""
    assert view.attribution is not None
    starts = first + places
    ends = np.minimum(starts + 1, len(view.signal) - 1)
    gap = np.full(len(starts), np.nan)
    height = [lanes.place(lead, view.signal[at, lead]) for at in (starts, ends)]
    shares = 100 * view.attribution[starts, lead].astype(np.float64)
    strength = abs(level) / _LEVELS
    drawn.add_trace(
        go.Scatter(
            x=np.stack([_seconds(view, starts), _seconds(view, ends), gap], axis=1).ravel(),
            y=np.stack([*height, gap], axis=1).ravel(),
            customdata=np.repeat(shares, 3),
            mode="lines",
            line={"color": FOR if level > 0 else AGAINST, "width": 2 + 4 * strength},
            opacity=0.35 + 0.6 * strength,
            hovertemplate=f"{view.leads[lead]}: share %{{customdata:+.3f}} percentage points"
            "<br>%{x:.3f} s<extra></extra>",
            showlegend=False,
        )
    )


def _add_markers(drawn: go.Figure, view: Trace, lanes: Lanes, first: int, last: int, paper: Paper) -> None:
    """Write each beat's letter above the first lead, a line of its colour below it."""
    top = lanes.range[1]
    for marker in view.markers:
        inside = marker.samples[(marker.samples >= first) & (marker.samples < last)]
        if len(inside) == 0 or len(inside) > MOST_POINTS // 10:
            continue
        drawn.add_trace(
            go.Scatter(
                x=_seconds(view, inside),
                y=np.full(len(inside), top - 0.2 * lanes.half),
                mode="markers+text",
                marker={"symbol": "line-ew", "size": 10, "line": {"color": marker.color, "width": 3}},
                textposition="top center",
                text=[f"<b>{marker.label}</b>"] * len(inside),
                textfont={"color": paper.ink, "size": 14},
                hovertemplate=f"{marker.description or marker.label}<br>%{{x:.2f}} s<extra></extra>",
                showlegend=False,
            )
        )


def _add_ticks(
    drawn: go.Figure, view: Trace, samples: NDArray[np.int64], color: str, label: str, per_s: float
) -> None:
    kept = samples[:: max(1, len(samples) // 500)]
    drawn.add_trace(
        go.Scattergl(
            x=_seconds(view, kept) / per_s,
            y=np.full(len(kept), float(np.nanpercentile(view.signal[:, 0][::97], 99.9))),
            mode="markers",
            marker={"symbol": "line-ns-open", "color": color, "size": 9},
            hovertemplate=f"{label} at %{{x:.2f}}<extra></extra>",
            showlegend=False,
        )
    )


def _add_scale(
    drawn: go.Figure, view: Trace, lanes: Lanes, first: int, length_s: float, paper: Paper
) -> None:
    """Draw axes: squared paper with its calibration pulse, or plain ones."""
    left = view.start_s + first / view.rate_hz
    low, high = lanes.range
    drawn.update_layout(
        margin=_MARGIN, paper_bgcolor="rgba(0,0,0,0)", font={"color": paper.ink, "size": 12},
        showlegend=False, hovermode="closest",
        plot_bgcolor=paper.sheet if lanes.is_paper else "rgba(0,0,0,0)",
    )  # fmt: skip
    readable(drawn, paper)
    drawn.update_xaxes(title_text="time, s", zeroline=False)
    if not lanes.is_paper:
        drawn.update_layout(height=120 + 130 * lanes.count)
        drawn.update_xaxes(range=[left, left + length_s], gridcolor=paper.line)
        drawn.update_yaxes(range=[low, high], title_text=view.unit, gridcolor=paper.line, zeroline=False)
        heights, words = lanes.ticks()
        drawn.update_yaxes(tickvals=heights, ticktext=words)
        return
    from_s = left - 2 * _PULSE_S
    _add_pulse(drawn, lanes, from_s, paper)
    width_mm = (length_s + 2 * _PULSE_S) * _MM_PER_S
    drawn.update_layout(
        width=round(width_mm * _PX_PER_MM + _MARGIN["l"] + _MARGIN["r"]),
        height=round((high - low) * _MM_PER_MV * _PX_PER_MM + _MARGIN["t"] + _MARGIN["b"]),
    )
    # Small squares of 1 mm: 40 ms by 0.1 mV; large ones of 5 mm: 200 ms by 0.5 mV.
    drawn.update_xaxes(range=[from_s, left + length_s], **_squares(0.2, 0.04, paper))
    drawn.update_xaxes(tickmode="linear", tick0=0, tickvals=None, showticklabels=False)
    for second in range(int(np.ceil(left)), int(left + length_s) + 1):
        drawn.add_annotation(
            x=second, y=0, yref="paper", yanchor="top", text=f"{second:g}", showarrow=False,
            font={"size": 11, "color": paper.muted},
        )  # fmt: skip
    drawn.update_yaxes(range=[low, high], showticklabels=False, **_squares(0.5, 0.1, paper))
    drawn.update_yaxes(scaleanchor="x", scaleratio=_MM_PER_MV / _MM_PER_S, constrain="domain", title_text="")
    drawn.add_annotation(
        x=1, xref="paper", xanchor="right", y=1, yref="paper", yanchor="bottom", showarrow=False,
        text="25 mm/s, 10 mm/mV", font={"size": 11, "color": paper.muted},
    )  # fmt: skip


def _squares(major: float, minor: float, paper: Paper) -> dict[str, object]:
    return {
        "dtick": major,
        "tick0": 0,
        "gridcolor": paper.major,
        "gridwidth": 1,
        "minor": {"dtick": minor, "tick0": 0, "showgrid": True, "gridcolor": paper.minor, "gridwidth": 0.5},
        "zeroline": False,
    }


def _add_pulse(drawn: go.Figure, lanes: Lanes, from_s: float, paper: Paper) -> None:
    """Draw 1 mV for 0.2 s before the first lead, as a recorder does."""
    step = np.array([0, 0, 1, 1, 0, 0]) + lanes.base(0) - 0.5
    times = from_s + _PULSE_S * np.array([0, 0.5, 0.5, 1.5, 1.5, 2])
    drawn.add_trace(
        go.Scatter(
            x=times,
            y=step,
            mode="lines",
            line={"color": paper.ink, "width": 1.3},
            hovertemplate="1 mV, 0.2 s<extra></extra>",
            showlegend=False,
        )
    )


def _seconds(view: Trace, samples: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(view.start_s + samples / view.rate_hz, np.float64)
