"""Plotly figures of pairs of features, of many single curves, and of ways across a threshold."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from healthdash.ui.charts import faint, laid_out, percent
from healthdash.ui.palette import AGAINST, FOR, SERIES, Paper
from healthdash.ui.share_charts import wrapped
from healthdash.views import PairShares, Responses, Way, Ways

__all__ = ["MOST_CURVES", "pairs", "responses", "ways"]

#: Single curves that are drawn at most; more are a grey mass.
MOST_CURVES = 100
_CELL_PX = 44
_ROW_PX = 34
#: Up to so many features each cell has its number written in it.
_MOST_WRITTEN = 12


def pairs(view: PairShares, paper: Paper) -> go.Figure:
    """Return a square of all pairs: orange where a pair does more together, blue where less."""
    points = 100 * view.index.astype(np.float64)
    np.fill_diagonal(points, np.nan)
    names = [wrapped(name, "<br>") for name in view.features]
    full = float(np.nanmax(np.abs(points), initial=0.0)) or 1.0
    told = [[[row, column] for column in view.features] for row in view.features]
    figure = go.Figure(
        go.Heatmap(
            z=points, customdata=told, zmin=-full, zmax=full,
            colorscale=[[0, AGAINST], [0.5, paper.sheet], [1, FOR]],
            text=_written(points), texttemplate="%{text}", hoverongaps=False, xgap=1, ygap=1,
            colorbar={"title": {"text": "percentage points", "side": "right"}, "thickness": 10},
            hovertemplate="%{customdata[0]}<br>with %{customdata[1]}: %{z:+.2f} percentage points"
            "<extra></extra>",
        )
    )  # fmt: skip
    laid_out(figure, height=230 + _CELL_PX * len(names), paper=paper)
    ticks = {"tickvals": list(range(len(names))), "ticktext": names, "showgrid": False, "automargin": True}
    figure.update_xaxes(side="bottom", tickangle=-45, **ticks)
    figure.update_yaxes(autorange="reversed", **ticks)
    for place, share in enumerate(view.shares):
        figure.add_annotation(
            x=place, y=place, text=f"{100 * share:+.1f}", showarrow=False,
            font={"size": 11, "color": paper.muted},
        )  # fmt: skip
    return figure


def responses(view: Responses, paper: Paper) -> go.Figure:
    """Return one faint line an input, and their mean with its interval on top."""
    values = list(view.values)
    drawn = view.curves[:: max(1, -(-len(view.curves) // MOST_CURVES))]
    # One trace for all lines: a gap after each keeps them apart, and the page quick.
    gap: NDArray[np.float64] = np.full((len(drawn), 1), np.nan)
    figure = go.Figure(
        go.Scatter(
            x=[*values, None] * len(drawn), y=np.hstack([drawn, gap]).ravel(), mode="lines",
            line={"color": paper.muted, "width": 0.8}, opacity=0.35, hoverinfo="skip", name="single rows",
        )
    )  # fmt: skip
    if np.isfinite(view.low).all() and np.isfinite(view.high).all():
        figure.add_trace(
            go.Scatter(
                x=[*values, *values[::-1]], y=[*view.high, *view.low[::-1]], fill="toself", mode="lines",
                fillcolor=faint(SERIES[0]), line={"width": 0}, hoverinfo="skip", showlegend=False,
            )
        )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=values, y=view.mean, mode="lines+markers", name="mean of all rows",
            line={"color": SERIES[0], "width": 2.5}, customdata=np.stack([view.low, view.high], axis=1),
            hovertemplate=f"%{{x}} {view.unit}: %{{y:.2f}} (95 % interval %{{customdata[0]:.2f}} to "
            "%{customdata[1]:.2f})<extra></extra>",
        )
    )  # fmt: skip
    laid_out(figure, height=380, paper=paper)
    figure.update_xaxes(title_text=f"{view.feature}{f', {view.unit}' if view.unit else ''}")
    if any(isinstance(value, str) for value in values):
        figure.update_xaxes(type="category", categoryorder="array", categoryarray=values)
    figure.update_yaxes(title_text=view.y_label)
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"})
    return figure


def ways(view: Ways, paper: Paper) -> go.Figure:
    """Return a row for each change: an arrow from the place of the value as given to that of the changed."""
    figure, row = go.Figure(), 0
    names: list[str] = []
    for number, way in enumerate(view.ways):
        rows = np.arange(row, row + len(way.features))
        color = SERIES[number % len(SERIES)]
        _add_way(figure, way, rows, color, f"way {number + 1}: {percent(way.output)}")
        names += [f"{wrapped(name, '<br>')}" for name in way.features]
        row += len(way.features)
        if row and number + 1 < len(view.ways):
            figure.add_hline(row - 0.5, line={"color": paper.line, "width": 1})
    laid_out(figure, height=130 + (_ROW_PX + 12) * row, paper=paper)
    figure.update_xaxes(
        range=[-0.03, 1.03], tickvals=[0, 1], ticktext=["lowest", "highest"],
        title_text="place in the range of the training rows, or among the codes",
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(row)), ticktext=names, range=[row - 0.5, -0.5], showgrid=False, automargin=True
    )
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"})
    return figure


def _add_way(figure: go.Figure, way: Way, rows: NDArray[np.intp], color: str, name: str) -> None:
    gap = np.full(len(rows), np.nan)
    told = [f"{a} → {b}" for a, b in zip(way.before, way.after, strict=True)]
    figure.add_trace(
        go.Scatter(
            x=np.stack([way.start, way.end, gap], axis=1).ravel(), y=np.repeat(rows, 3), mode="lines",
            line={"color": color, "width": 2}, hoverinfo="skip", showlegend=False,
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=way.start, y=rows, mode="markers", showlegend=False, customdata=told,
            marker={"symbol": "circle-open", "size": 10, "color": color, "line": {"width": 2}},
            hovertemplate="as given: %{customdata}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=way.end, y=rows, mode="markers+text", name=name, customdata=told, text=told,
            textfont={"color": color},
            textposition=["top right" if end < 0.5 else "top left" for end in way.end],
            marker={"size": 11, "color": color}, hovertemplate="changed: %{customdata}<extra></extra>",
        )
    )  # fmt: skip


def _written(points: NDArray[np.float64]) -> list[list[str]]:
    """Return the number of each cell; none where there are too many, and none for what rounds to 0."""
    few = len(points) <= _MOST_WRITTEN
    return [[f"{p:+.1f}" if few and np.isfinite(p) and abs(p) >= 0.05 else "" for p in row] for row in points]
