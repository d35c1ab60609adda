"""One drawing for each view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import singledispatch
from typing import Literal

import plotly.graph_objects as go
import streamlit as st

from healthdash import DISCLAIMER
from healthdash.errors import ContractError
from healthdash.ui import charts, ecg_paper, header, many_charts, problems, recording, share_charts, viewer
from healthdash.ui.palette import AGAINST, DARK, FOR, LIGHT, Paper
from healthdash.ui.paper import sheet
from healthdash.ui.recording import point_at
from healthdash.views import (
    Beeswarm,
    ClassBars,
    Curves,
    Dependence,
    Grid,
    Header,
    Matrix,
    MeanShares,
    Metrics,
    Moved,
    Notice,
    PairShares,
    Picture,
    Responses,
    Trace,
    View,
    Volume,
    Waterfall,
    Ways,
)

__all__ = ["draw", "draw_all", "draw_beside", "paper", "point_at"]

_LOOKED = "Shows what the model looked at, not where the disease is."
_CONFIG = {"displaylogo": False, "scrollZoom": False}
_WHOLE_ROWS = 20
_ROW_PX = 35


def draw_all(views: Iterable[View], key: str) -> None:
    """Draw views one below the other; `key` tells their widgets from those of others."""
    for number, view in enumerate(views):
        draw(view, f"{key}/{number}")


def draw_beside(left: Sequence[View], right: Sequence[View], key: str) -> None:
    """Draw views in two columns; recordings and volumes are wide, and come one below the other."""
    if not left or not right or any(isinstance(view, Trace | Volume) for view in (*left, *right)):
        draw_all((*left, *right), key)
        return
    # A table of values has long words, and bars beside it need less.
    widths = [3, 5] if isinstance(left[0], ClassBars) and isinstance(right[0], Grid) else [5, 4]
    columns = st.columns(widths, gap="large")
    for column, side, views in zip(columns, ("left", "right"), (left, right), strict=True):
        with column:
            draw_all(views, f"{key}/{side}")


def draw(view: View, key: str) -> None:
    """Draw a view with its heading and its caption."""
    if view.folded:
        with st.expander(view.title):
            _draw(view, key)
            st.caption(view.caption)
        return
    if view.title:
        st.subheader(view.title, anchor=False)
    _draw(view, key)
    if view.caption:
        st.caption(view.caption)


def paper() -> Paper:
    """Return the colours of the theme that the browser shows."""
    return DARK if st.context.theme.type == "dark" else LIGHT


@singledispatch
def _draw(view: View, key: str) -> None:
    raise ContractError(f"there is no drawing for {type(view).__name__}")


@_draw.register
def _notice(view: Notice, key: str) -> None:
    boxes = {"info": st.info, "warning": st.warning, "error": st.error, "success": st.success}
    boxes[view.level](problems.unlinked(view.text))


@_draw.register
def _metrics(view: Metrics, key: str) -> None:
    with st.container(horizontal=True, gap="medium"):
        for item in view.items:
            st.metric(item.label, item.value, help=item.help or None, width="content")


@_draw.register
def _grid(view: Grid, key: str) -> None:
    config = {name: st.column_config.NumberColumn(format="percent") for name in view.percent}
    # A short table is shown whole: a second scroll bar inside the page hides rows.
    height: int | Literal["auto"] = "auto"
    if len(view.frame) <= _WHOLE_ROWS:
        height = _ROW_PX * (len(view.frame) + 1) + 3
    st.dataframe(
        view.frame, hide_index=view.frame.index.name is None, column_config=config, key=key, height=height,
        row_height=_ROW_PX, alt=view.title or "Table",
    )  # fmt: skip


@_draw.register
def _class_bars(view: ClassBars, key: str) -> None:
    pairs = zip(view.labels, view.probabilities, strict=True)
    words = ", ".join(f"{label} {charts.percent(p)}" for label, p in pairs)
    _plot(charts.class_bars(view, paper()), key, f"Estimated probability: {words}")


@_draw.register
def _waterfall(view: Waterfall, key: str) -> None:
    alt = f"How the features move the estimated probability of {view.target} from {view.base:.1%}"
    _plot(share_charts.waterfall(view, paper()), key, f"{alt} to {view.output:.1%}")


@_draw.register
def _beeswarm(view: Beeswarm, key: str) -> None:
    alt = f"Shares of each feature in the estimated probability of {view.target}, one dot an input"
    _plot(share_charts.beeswarm(view, paper()), key, alt)


@_draw.register
def _mean_shares(view: MeanShares, key: str) -> None:
    _plot(share_charts.mean_shares(view, paper()), key, f"For each feature: {view.x_label}")


@_draw.register
def _dependence(view: Dependence, key: str) -> None:
    alt = f"Share of {view.feature} in the estimated probability of {view.target} against its value"
    _plot(share_charts.dependence(view, paper()), key, alt)


@_draw.register
def _moved(view: Moved, key: str) -> None:
    alt = f"Shares in the estimated probability of {view.target}, as given and changed"
    _plot(share_charts.moved(view, paper()), key, alt)


@_draw.register
def _pairs(view: PairShares, key: str) -> None:
    alt = f"What pairs of features do together for the estimated probability of {view.target}"
    _plot(many_charts.pairs(view, paper()), key, alt)


@_draw.register
def _responses(view: Responses, key: str) -> None:
    _plot(many_charts.responses(view, paper()), key, f"{view.y_label} against {view.feature}, one line a row")


@_draw.register
def _ways(view: Ways, key: str) -> None:
    changed = "; ".join(", ".join(way.features) for way in view.ways)
    _plot(many_charts.ways(view, paper()), key, f"Changes that cross the threshold: {changed}")


@_draw.register
def _curves(view: Curves, key: str) -> None:
    _plot(charts.curves(view, paper()), key, f"{view.title}: {view.y_label} over {view.x_label}")


@_draw.register
def _matrix(view: Matrix, key: str) -> None:
    _plot(charts.matrix(view, paper()), key, view.title or "Confusion matrix")


@_draw.register
def _picture(view: Picture, key: str) -> None:
    viewer.show(view, key)
    if view.heat is not None and (words := _unless(view, _LOOKED)):
        st.markdown(words)


@_draw.register
def _header(view: Header, key: str) -> None:
    header.show(view, key)


@_draw.register
def _volume(view: Volume, key: str) -> None:
    viewer.show(view, key)


@_draw.register
def _trace(view: Trace, key: str) -> None:
    _trace_with_controls(view, key)


def _plot(figure: go.Figure, key: str, alt: str) -> None:
    st.plotly_chart(figure, key=key, config=_CONFIG, alt=alt)


def _legend(view: View, label: str) -> str:
    pair = f"{recording.named('Orange', FOR)} speaks for, {recording.named('blue', AGAINST)} against"
    words = f"{pair}: {label or 'the class'}."
    return f"{words} {_unless(view, _LOOKED)}"


def _unless(view: View, words: str) -> str:
    """Return words that the caption of a view does not say already."""
    return "" if words[-20:].casefold() in view.caption.casefold() else words


@st.fragment
def _trace_with_controls(view: Trace, key: str) -> None:
    """Draw a stretch of a recording, with a way to every other stretch."""
    duration_s = len(view.signal) / view.rate_hz
    if view.paper and view.unit in sheet.UNITS and view.attribution is None:
        recording.on_paper(view, duration_s, key, paper())
        return
    length_s, start_s = recording.stretch(view, duration_s, key)
    figure = ecg_paper.figure(view, start_s, length_s, paper())
    seen = (
        f"{', '.join(view.leads)}, {view.start_s + start_s:.1f} to {view.start_s + start_s + length_s:.1f} s"
    )
    # A figure as wide as its paper: a narrow screen scrolls it sideways instead of squeezing the squares.
    with st.container(key=f"paper-{_slug(key)}"):
        width: int | Literal["stretch"] = int(figure.layout.width) if figure.layout.width else "stretch"
        st.plotly_chart(
            figure, width=width, height=int(figure.layout.height), key=f"{key}/trace", config=_CONFIG,
            alt=f"{view.title or 'Recording'}: {seen}",
        )  # fmt: skip
    if duration_s > length_s * 1.01:
        strip = ecg_paper.overview(view, start_s, length_s, paper())
        _plot(strip, f"{key}/overview", f"The whole recording, {duration_s:.0f} s")
    legend = [f"{recording.named(m.label, m.color)} {m.description}" for m in view.markers]
    looked = [_legend(view, view.attribution_label)] if view.attribution is not None else []
    st.markdown("  \n".join(filter(None, [" · ".join(legend), *looked, f":small[{DISCLAIMER}]"])))


def _slug(key: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in key)
