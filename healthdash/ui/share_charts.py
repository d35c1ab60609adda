"""Plotly figures of explanations: no Streamlit here, so that each can be tested by itself."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from healthdash.ui.charts import laid_out, percent, signed_percent, vertical
from healthdash.ui.palette import AGAINST, FOR, SERIES, Paper
from healthdash.ui.scales import ticked_percent
from healthdash.views import Beeswarm, Dependence, MeanShares, Moved, Waterfall

__all__ = ["beeswarm", "dependence", "force", "largest", "mean_shares", "moved", "waterfall", "wrapped"]

#: Bars of a chart; of more features the rest are one bar. Tasks give twelve, and their own rest.
_MOST_FEATURES = 13
_ROW_PX = 30
_LINE_PX, _LINE_LETTERS = 16, 36
_BAR_PX = 28
_MOST_DOTS = 4000
_LOW_TO_HIGH = [[0.0, "#0072B2"], [0.5, "#B8B0C8"], [1.0, "#D55E00"]]


def waterfall(view: Waterfall, paper: Paper) -> go.Figure:
    """Return the way from the base to the output, one step a feature, the largest first."""
    names, shares = largest(view.features, np.asarray(view.attributions, float))
    if abs(view.residual) >= 0.0005:
        names, shares = [*names, "not attributed"], np.append(shares, view.residual)
    ends = view.base + np.cumsum(shares)
    starts = ends - shares
    figure = go.Figure(_steps(names, starts, shares))
    laid_out(figure, height=110 + _row_px(figure.data[0].y) * len(names), paper=paper)
    low, high = view.span or (min(*starts, *ends), max(*starts, *ends))
    spread = max(high - low, 0.02)
    _probability_axis(figure, view, (low - 0.18 * spread, high + 0.18 * spread), paper)
    figure.update_yaxes(autorange="reversed", showgrid=False, automargin=True, type="category")
    return figure


def _probability_axis(figure: go.Figure, view: Waterfall, span: tuple[float, float], paper: Paper) -> None:
    """Name the axis, in two lines as a narrow screen needs, and mark the base and the output."""
    title = f"estimated probability<br>of {view.target}"
    ticks, tickformat = ticked_percent(*span)
    figure.update_xaxes(range=span, tickvals=ticks, tickformat=tickformat, title_text=title, automargin=True)
    # The two lines of words above stand below the mode bar, which a touch screen always shows.
    figure.update_layout(margin_t=figure.layout.margin.t + _BAR_PX, height=figure.layout.height + _BAR_PX)
    for x, text, side in ((view.base, view.base_label, "bottom"), (view.output, "this input", "top")):
        vertical(figure, x, f"{text} {percent(x)}", side, paper, span)


def _steps(names: list[str], starts: NDArray[np.float64], shares: NDArray[np.float64]) -> go.Bar:
    return go.Bar(
        base=starts,
        x=shares,
        y=[wrapped(name, "<br>") for name in names],
        orientation="h",
        marker_color=[FOR if s > 0 else AGAINST for s in shares],
        text=[signed_percent(s) for s in shares],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{text}<extra></extra>",
    )


def force(view: Waterfall, paper: Paper) -> go.Figure:
    """Return one bar: what speaks for the class pushes from the left, what speaks against it from the right.

    The two meet at the output, and begin as far from each other as all shares together.
    """
    names, shares = largest(view.features, np.asarray(view.attributions, float))
    figure = go.Figure()
    for sign, color in ((1, FOR), (-1, AGAINST)):
        kept = [i for i in range(len(names)) if sign * shares[i] > 0]
        ends = view.output - sign * np.concatenate([[0.0], np.cumsum(np.abs(shares[kept]))])
        figure.add_trace(
            go.Bar(
                base=ends[1:] if sign > 0 else ends[:-1],
                x=np.abs(shares[kept]),
                y=[""] * len(kept),
                orientation="h",
                marker={"color": color, "line": {"color": "white", "width": 1.5}},
                text=[wrapped(names[i], "<br>") for i in kept],
                customdata=[signed_percent(shares[i]) for i in kept],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                hovertemplate="%{text}: %{customdata} percentage points<extra></extra>",
            )
        )
    laid_out(figure, height=190, paper=paper)
    total_for, against = shares[shares > 0].sum(), -shares[shares < 0].sum()
    low, high = view.output - total_for, view.output + against
    if view.span is not None:
        low, high = min(low, view.span[0]), max(high, view.span[1])
    edge = 0.03 * max(high - low, 0.02)
    figure.update_layout(barmode="overlay", uniformtext={"minsize": 10, "mode": "hide"}, bargap=0.2)
    _probability_axis(figure, view, (low - edge, high + edge), paper)
    figure.update_yaxes(showgrid=False, showticklabels=False)
    return figure


def moved(view: Moved, paper: Paper) -> go.Figure:
    """Return two bars a feature, pale as given and full as changed; what moved most is on top."""
    size = np.abs(view.after - view.before) + 1e-6 * np.abs(view.after)
    order = np.argsort(-size, kind="stable")[:_MOST_FEATURES]
    names = [wrapped(view.features[i], "<br>") for i in order]
    figure = go.Figure()
    for name, shares, opacity in (("changed", view.after, 1.0), ("as given", view.before, 0.35)):
        kept = 100 * shares[order]
        figure.add_trace(
            go.Bar(
                x=kept, y=names, orientation="h", name=name, opacity=opacity,
                marker_color=[FOR if s > 0 else AGAINST for s in kept],
                text=[signed_percent(s) for s in shares[order]], textposition="outside", cliponaxis=False,
                hovertemplate=f"%{{y}}, {name}: %{{text}} percentage points<extra></extra>",
            )
        )  # fmt: skip
    laid_out(figure, height=110 + 46 * len(names), paper=paper)
    figure.update_xaxes(title_text=_share_of(view.target), tickformat="+~g", automargin=True)
    figure.update_yaxes(autorange="reversed", showgrid=False, automargin=True, type="category")
    figure.update_layout(bargap=0.3, title={"text": "pale: as given; full: changed", "font": {"size": 12}})
    return figure


def mean_shares(view: MeanShares, paper: Paper) -> go.Figure:
    """Return one bar a feature with its interval, the largest on top."""
    order = np.argsort(-view.mean, kind="stable")[:_MOST_FEATURES]
    points, low, high = (values[order] for values in (view.mean, view.low, view.high))
    bars = None
    if np.isfinite(low).all() and np.isfinite(high).all():
        bars = {"array": high - points, "arrayminus": points - low, "color": paper.muted, "thickness": 1.2}
    figure = go.Figure(
        go.Bar(
            x=points,
            y=[wrapped(view.features[i], "<br>") for i in order],
            orientation="h",
            marker_color=SERIES[0],
            error_x=bars,
            customdata=np.stack([low, high], axis=1),
            hovertemplate=f"%{{y}}: %{{x:.3~g}} {view.unit}".rstrip()
            + " (95 % interval %{customdata[0]:.3~g} to %{customdata[1]:.3~g})<extra></extra>",
        )
    )
    laid_out(figure, height=110 + _row_px(figure.data[0].y) * len(order), paper=paper)
    figure.update_xaxes(title_text=f"{view.x_label}{f', {view.unit}' if view.unit else ''}")
    figure.add_vline(0, line={"color": paper.muted, "width": 1})
    figure.update_yaxes(autorange="reversed", showgrid=False, automargin=True, type="category")
    return figure


def dependence(view: Dependence, paper: Paper) -> go.Figure:
    """Return one dot an input: the value of a feature, its share, and another feature as the colour."""
    marker: dict[str, object] = {"size": 7, "opacity": 0.8, "color": SERIES[0]}
    told = f"{view.feature} = %{{x}}: %{{y:+.2f}} percentage points"
    values, shares = np.asarray(list(view.values), object), 100 * np.asarray(view.shares)
    known = np.ones(len(values), bool) if view.color is None else ~np.isnan(view.color)
    if view.color is not None:
        bar = {"title": {"text": view.color_label, "side": "right"}, "thickness": 10}
        marker |= {"color": view.color[known], "colorscale": _LOW_TO_HIGH, "showscale": True, "colorbar": bar}
        told += f"<br>{view.color_label} = %{{marker.color:.4g}}"
    figure = go.Figure(
        go.Scatter(
            x=values[known].tolist(), y=shares[known], mode="markers", marker=marker,
            hovertemplate=f"{told}<extra></extra>", showlegend=False,
        )
    )  # fmt: skip
    if not known.all():
        words = told.split("<br>")[0] + f"<br>{view.color_label}: not known"
        figure.add_scatter(
            x=values[~known].tolist(), y=shares[~known], mode="markers", showlegend=False,
            marker={"size": 7, "opacity": 0.8, "color": paper.muted}, hovertemplate=f"{words}<extra></extra>",
        )  # fmt: skip
    laid_out(figure, height=380, paper=paper)
    figure.update_xaxes(title_text=f"{view.feature}{f', {view.unit}' if view.unit else ''}")
    figure.update_yaxes(title_text=f"share for {view.target}, percentage points")
    figure.add_hline(0, line={"color": paper.muted, "width": 1})
    return figure


def beeswarm(view: Beeswarm, paper: Paper) -> go.Figure:
    """Return a row of dots a feature, the most important on top; colour is the feature's value."""
    importance = np.abs(view.attributions).mean(axis=0)
    order = np.argsort(-importance, kind="stable")[:_MOST_FEATURES]
    step = max(1, len(view.attributions) * len(order) // _MOST_DOTS)
    figure = go.Figure()
    for row, feature in enumerate(order):
        shares = view.attributions[::step, feature]
        values = view.values[::step, feature]
        figure.add_traces(_swarm(shares, values, row, view.features[feature], paper))
    names = [wrapped(view.features[i], "<br>") for i in order]
    laid_out(figure, height=120 + max(36, _row_px(names)) * len(order), paper=paper)
    figure.update_layout(
        coloraxis={"colorscale": _LOW_TO_HIGH, "cmin": 0, "cmax": 1, "colorbar": _value_bar()}
    )
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, autorange="reversed", showgrid=True, automargin=True
    )
    figure.update_xaxes(title_text=_share_of(view.target), tickformat="+~g", automargin=True)
    figure.add_vline(0, line={"color": paper.muted, "width": 1})
    return figure


def _share_of(target: str) -> str:
    """Name an axis of shares, in two lines as a narrow screen needs."""
    return f"share in the estimated probability<br>of {target}, percentage points"


def _value_bar() -> dict[str, object]:
    return {
        "title": {"text": "value", "side": "right"},
        "tickvals": [0, 1],
        "ticktext": ["low", "high"],
        "thickness": 10,
    }


def _swarm(
    shares: NDArray[np.float32], values: NDArray[np.float32], row: int, name: str, paper: Paper
) -> list[go.Scatter]:
    """Return the dots of one feature, spread where many share a place; those without a value are grey."""
    bins = np.round(shares / max(float(np.ptp(shares)), 1e-9) * 60)
    _, inverse, counts = np.unique(bins, return_inverse=True, return_counts=True)
    rank = np.empty(len(shares))
    for place in range(len(counts)):
        members = np.flatnonzero(inverse == place)
        rank[members] = np.arange(len(members)) - (len(members) - 1) / 2
    offset = np.clip(rank / max(12, counts.max()) * 0.8, -0.4, 0.4)
    known = ~np.isnan(values)
    colored = {"color": values[known], "coloraxis": "coloraxis"}
    return [
        go.Scatter(
            x=100 * shares[part], y=row + offset[part], mode="markers", showlegend=False,
            marker={"size": 6, "opacity": 0.85, **color},
            hovertemplate=f"{name}: %{{x:+.1f}} percentage points<extra></extra>",
        )
        for part, color in ((known, colored), (~known, {"color": paper.muted}))
        if part.any()
    ]  # fmt: skip


def largest(names: Sequence[str], shares: NDArray[np.float64]) -> tuple[list[str], NDArray[np.float64]]:
    """Return the largest shares by size; the others are summed in a last one."""
    order = np.argsort(-np.abs(shares), kind="stable")
    if len(order) <= _MOST_FEATURES:
        return [names[i] for i in order], shares[order]
    kept, others = order[: _MOST_FEATURES - 1], order[_MOST_FEATURES - 1 :]
    joined = [*(names[i] for i in kept), f"{len(others)} other features"]
    return joined, np.append(shares[kept], shares[others].sum())


def wrapped(text: str, line_break: str) -> str:
    """Return a long name, or "name = value", on two lines; of one that is longer still the name is cut.

    A value that needs more than a line stands below its name, on up to three.
    """
    lines = textwrap.wrap(text, _LINE_LETTERS) or [""]
    return line_break.join(lines if len(lines) <= 2 else _cut(text))


def _cut(text: str) -> list[str]:
    name, sign, value = text.rpartition(" = ")
    ending = f"…{sign}{value if sign else ''}"
    if len(ending) <= _LINE_LETTERS:
        return textwrap.wrap(text, _LINE_LETTERS, max_lines=2, placeholder=ending)
    value_lines = textwrap.wrap(f"= {value}", _LINE_LETTERS, max_lines=3, placeholder="…")
    return [*textwrap.wrap(name, _LINE_LETTERS, max_lines=1, placeholder="…"), *value_lines]


def _row_px(names: Sequence[str]) -> int:
    """Return the height of a row in which the longest of wrapped names touches no other."""
    return max(_ROW_PX, 8 + _LINE_PX * max((1 + name.count("<br>") for name in names), default=1))
