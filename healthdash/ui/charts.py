"""Plotly figures of the plain views: no Streamlit here, so that each can be tested by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from healthdash.ui.palette import DIVERGING, SERIES, Paper
from healthdash.views import ClassBars, Curve, Curves, Matrix

__all__ = [
    "class_bars",
    "curves",
    "faint",
    "laid_out",
    "matrix",
    "percent",
    "readable",
    "signed_percent",
    "vertical",
]

#: With fewer epochs than this every one has its tick.
_FEW_EPOCHS = 12
#: Share of an axis at either end in which a centred word may be cut off on a narrow screen.
_NEAR_END = 0.3
_LINE_PX = 17


def class_bars(view: ClassBars, paper: Paper) -> go.Figure:
    """Return one bar a class, the decided one in full colour, the operating point as a line."""
    order = np.argsort(view.probabilities, kind="stable")
    labels = [view.labels[i] for i in order]
    values = [view.probabilities[i] for i in order]
    colors = [SERIES[0] if label == view.predicted else "#9AA5AB" for label in labels]
    bars = go.Bar(
        x=values,
        y=labels,
        orientation="h",
        marker_color=colors,
        text=[percent(v) for v in values],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.1%}<extra></extra>",
    )
    figure = go.Figure(bars)
    laid_out(figure, height=70 + 42 * len(labels), paper=paper)
    figure.update_xaxes(range=[0, 1.12], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1])
    figure.update_xaxes(title_text="estimated probability")
    # Labels such as 0 and 1 are names, not numbers.
    figure.update_yaxes(showgrid=False, type="category")
    if view.threshold is not None:
        name = f"{view.threshold_label or 'decided'} from {view.threshold:.0%}"
        vertical(figure, view.threshold, name, "top", paper)
    return figure


def curves(view: Curves, paper: Paper) -> go.Figure:
    """Return lines over one pair of axes, with bands where an interval is known."""
    figure = go.Figure()
    if view.diagonal:
        line = {"color": paper.muted, "dash": "dot", "width": 1}
        figure.add_trace(
            go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, hoverinfo="skip", showlegend=False)
        )
    solid = -1
    for number, curve in enumerate(view.curves):
        # A dashed line belongs to the solid one before it (training and validation).
        solid = number if not (curve.dashed and solid >= 0) else solid
        _add_curve(figure, curve, SERIES[_rank(view.curves, solid) % len(SERIES)])
    laid_out(figure, height=360, paper=paper)
    figure.update_xaxes(title_text=view.x_label)
    figure.update_yaxes(title_text=view.y_label)
    if (
        view.x_label == "epoch"
        and max((float(np.ptp(one.x)) for one in view.curves), default=0) < _FEW_EPOCHS
    ):
        figure.update_xaxes(dtick=1)  # there is no epoch 1.5
    if view.diagonal:
        figure.update_xaxes(range=[-0.01, 1.01])
        figure.update_yaxes(range=[-0.01, 1.01])
    if view.mark_x is not None:
        vertical(figure, view.mark_x, view.mark_label, "top", paper)
    figure.update_layout(
        showlegend=len(view.curves) > 1,
        legend={"orientation": "h", "y": -0.22, "yanchor": "top"},
        hovermode="closest" if view.diagonal else "x unified",
    )
    return figure


def _rank(all_curves: Sequence[Curve], number: int) -> int:
    """Return how many solid lines come before a line."""
    return sum(not curve.dashed for curve in all_curves[:number])


def _add_curve(figure: go.Figure, curve: Curve, color: str) -> None:
    if curve.low is not None and curve.high is not None and not curve.points:
        figure.add_trace(
            go.Scatter(
                x=np.concatenate([curve.x, curve.x[::-1]]),
                y=np.concatenate([curve.high, curve.low[::-1]]),
                mode="lines",
                fill="toself",
                fillcolor=faint(color),
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
            )
        )
    bars = None
    if curve.low is not None and curve.high is not None and curve.points:
        bars = {"array": curve.high - curve.y, "arrayminus": curve.y - curve.low, "thickness": 1.2}
    figure.add_trace(
        go.Scatter(
            x=curve.x,
            y=curve.y,
            name=curve.name,
            mode=_mode(curve),
            line={"color": color, "width": 2, "dash": "dash" if curve.dashed else "solid"},
            error_y=bars,
        )
    )


def _mode(curve: Curve) -> str:
    if not curve.joined:
        return "markers"
    return "lines+markers" if curve.points or len(curve.x) == 1 else "lines"


def matrix(view: Matrix, paper: Paper) -> go.Figure:
    """Return the confusion matrix: counts, coloured by their share of the true class."""
    totals = np.maximum(view.counts.sum(axis=1, keepdims=True), 1)
    shares = view.counts / totals
    text = [
        [f"{count:,}<br>{share:.0%}" for count, share in zip(*row, strict=True)]
        for row in zip(view.counts, shares, strict=True)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=list(view.labels),
            y=list(view.labels),
            text=text,
            texttemplate="%{text}",
            textfont={"color": paper.ink},
            colorscale=[[0, paper.sheet], [1, paper.full]],
            zmin=0,
            zmax=1,
            showscale=False,
            hovertemplate="true %{y}, given %{x}: %{text}<extra></extra>",
        )
    )
    laid_out(figure, height=130 + 58 * len(view.labels), paper=paper)
    figure.update_xaxes(title_text="model output", side="bottom", showgrid=False, type="category")
    figure.update_yaxes(
        title_text="true", autorange="reversed", showgrid=False, automargin=True, type="category"
    )
    return figure


def percent(value: float) -> str:
    """Return a probability as people read it; one between 0 and 1 is never rounded to either."""
    if 0 < value < 0.001:
        return "< 0.1 %"
    if 0.999 < value < 1:
        return "> 99.9 %"
    return f"{100 * value:.1f} %"


def signed_percent(value: float) -> str:
    """Return a share in percentage points with its sign."""
    # Adding 0 turns a rounded -0.0 into 0.0.
    return f"{round(100 * value, 1) + 0.0:+.1f}".replace("-", "−")


def vertical(
    figure: go.Figure, x: float, text: str, side: str, paper: Paper, within: tuple[float, float] | None = None
) -> None:
    """Mark a place with a dotted line and a word above, on the first ("top") or the second line.

    Near an end of the axis, where that is given, the word stands to the other side: it would be cut off.
    """
    share = (x - within[0]) / (within[1] - within[0]) if within else 0.5
    figure.add_vline(x, line={"color": paper.muted, "dash": "dot", "width": 1.2}, layer="below")
    above = side == "top"
    figure.add_annotation(
        x=x,
        y=1.0,
        yshift=0 if above else _LINE_PX,
        yref="paper",
        yanchor="bottom",
        xanchor="left" if share < _NEAR_END else "right" if share > 1 - _NEAR_END else "center",
        text=text,
        showarrow=False,
        font={"size": 12, "color": paper.muted},
    )


def faint(color: str) -> str:
    """Return a colour as a band shows it, from "#rrggbb"."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.15)"


def laid_out(figure: go.Figure, *, height: int, paper: Paper) -> None:
    """Give a figure the page's colours, margins and letters."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 16, "t": 46, "b": 44},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": paper.ink, "size": 13},
        bargap=0.35,
        showlegend=False,
        colorway=SERIES,
        modebar={"remove": ["select2d", "lasso2d", "autoScale2d"]},
        colorscale={"diverging": [list(stop) for stop in DIVERGING]},
    )
    figure.update_xaxes(gridcolor=paper.line, zeroline=False, linecolor=paper.line, automargin=True)
    figure.update_yaxes(gridcolor=paper.line, zeroline=False, linecolor=paper.line)
    readable(figure, paper)


def readable(figure: go.Figure, paper: Paper) -> None:
    """Write axes and labels in ink, let the mode bar hide nothing, and let a swipe scroll the page.

    Zooming and moving a figure begin in its mode bar; one that has none may be dragged by its own choice.
    """
    bar = {"bgcolor": "rgba(0,0,0,0)", "color": paper.muted, "activecolor": paper.ink}
    # Without a ground of its own the label under the pointer takes the line's colour, which may be ink.
    label = {"font": {"color": paper.ink}, "bgcolor": paper.sheet, "bordercolor": paper.muted}
    figure.update_layout(dragmode=False, modebar=bar, hoverlabel=label)
    ink = {"color": paper.ink}
    figure.update_xaxes(tickfont=ink, title_font=ink)
    figure.update_yaxes(tickfont=ink, title_font=ink)
