"""Explanations drawn side by side, with the controls that all sides share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np
import pandas as pd
import streamlit as st

from healthdash.ui import charts, draw, ecg_paper, heatmap, kept, problems, recording, share_charts
from healthdash.ui.caliper import add_caliper, measured
from healthdash.ui.explaining import base_in_words, residual_in_words
from healthdash.ui.palette import AGAINST, FOR
from healthdash.ui.radiograph import Look, default_window, suited
from healthdash.ui.shown import Shown, has, scale_in_words
from healthdash.views import Grid, Picture, Trace, View, Waterfall

__all__ = ["adopt_look", "look_told", "show"]

_CONFIG = {"displaylogo": False, "scrollZoom": False}
_WATERFALL, _FORCE, _NUMBERS = "Waterfall", "One bar", "Numbers"
_LOOKED = "Shows what the model looked at, not where the disease is."
_OPACITY = 0.6
#: Longer recordings have the sheet with its own controls.
_WHOLE_S = 20.0


def show(shown: Sequence[Shown], key: str) -> Look | None:
    """Draw every side, and the controls once; return how pictures are seen."""
    every = [view for one in shown for view in one.views]
    look = _look(next(p for p in every if isinstance(p, Picture)), key) if has(every, Picture) else None
    style = _WATERFALL
    if has(every, Waterfall):
        style = kept.segments("Show shares as", (_WATERFALL, _FORCE, _NUMBERS), name="closer:style")
    caliper = _caliper(every, key)
    places = st.columns(len(shown), gap="large") if len(shown) > 1 else [st.container()]
    for number, (place, one) in enumerate(zip(places, shown, strict=True)):
        with place:
            _side(one, f"{key}/{number}", look, style, caliper)
    _words(shown, every)
    return look


def look_told() -> dict[str, str]:
    """Return how explanations are drawn, for an address; nothing where that is the usual way."""
    names = {"style": ("closer:style", _WATERFALL), "opacity": ("closer:opacity", _OPACITY),
             "hide": ("closer:threshold", 0.0)}  # fmt: skip
    held = {name: kept.value(widget, usual) for name, (widget, usual) in names.items()}
    return {name: str(value) for name, value in held.items() if value != names[name][1]}


def adopt_look(address: Mapping[str, str]) -> None:
    """Draw as an address says; what is no choice is left out when it is drawn."""
    if "style" in address:
        kept.put("closer:style", address["style"])
    for name, widget in (("opacity", "closer:opacity"), ("hide", "closer:threshold")):
        with suppress(ValueError):
            kept.put(widget, float(address.get(name, "")))


def _side(one: Shown, key: str, look: Look | None, style: str, caliper: tuple[float, float] | None) -> None:
    explanation = one.explanation
    if one.heading:
        st.subheader(problems.plain(one.heading), anchor=False)
    points = 100 * (explanation.output - explanation.base)
    moved = f"{points:+.1f} points from the {base_in_words(explanation)} output"
    st.metric(
        f"Estimated probability of {problems.plain(one.side.target_words)}",
        charts.percent(explanation.output), moved,
        delta_color="off", delta_arrow="off",
    )  # fmt: skip
    if one.doubt:
        st.warning(f"Shown greyed. {one.doubt}", icon=":material/warning:")
    with st.container(key=f"doubted-{key}".replace("/", "-") if one.doubt else None):
        _views_of(one, key, look, style, caliper)
    told = residual_in_words(explanation, problems.plain(one.side.target_words))
    st.caption(f"{told} {one.in_card}")


def _views_of(
    one: Shown, key: str, look: Look | None, style: str, caliper: tuple[float, float] | None
) -> None:
    for number, view in enumerate(one.views):
        place = f"{key}/{number}"
        if isinstance(view, Picture) and look is not None:
            figure = heatmap.figure(view, suited(look, view), draw.paper(), one.n_shares, one.regions)
            _plot(figure, place, view.heat_label or view.title)
        elif isinstance(view, Waterfall):
            _shares(view, style, place)
        elif isinstance(view, Trace):
            _trace(view, caliper, place)
        else:
            draw.draw(view, place)


def _shares(view: Waterfall, style: str, key: str) -> None:
    if style == _NUMBERS:
        points = 100 * np.asarray(view.attributions, np.float64)
        frame = pd.DataFrame({"Feature": view.features, "Share, percentage points": points.round(3)})
        draw.draw(Grid(frame=frame), key)
        return
    figure = (share_charts.waterfall if style == _WATERFALL else share_charts.force)(view, draw.paper())
    alt = f"How the features move the estimated probability of {view.target} from {view.base:.1%}"
    _plot(figure, f"{key}/{style}", f"{alt} to {view.output:.1%}")


def _trace(view: Trace, caliper: tuple[float, float] | None, key: str) -> None:
    duration_s = len(view.signal) / view.rate_hz
    if duration_s > _WHOLE_S or caliper is None:
        draw.draw(view, key)
        return
    figure = ecg_paper.figure(view, 0.0, duration_s, draw.paper())
    from_s, to_s = (min(max(at, 0.0), duration_s) + view.start_s for at in caliper)
    add_caliper(figure, from_s, to_s, draw.paper())
    if view.paper:
        figure.update_layout(width=None)
    _plot(figure, key, f"{view.title}, {duration_s:.1f} s")
    st.markdown(f":material/straighten: {measured(view, from_s, to_s)}")
    st.caption(view.caption)


def _look(view: Picture, key: str) -> Look:
    """Let the reader choose window, opacity and threshold."""
    names = [window.name for window in view.windows]
    place = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    window = default_window(view)
    if len(names) > 1:
        chosen = kept.choose(place, "Window", names, name=f"closer:window:{key.split('/')[0]}")
        window = view.windows[names.index(chosen)]
    steps = [n / 100 for n in range(0, 101, 5)]
    opacity = _percent(place, "Opacity of the explanation", steps, "closer:opacity", _OPACITY)
    threshold = _percent(
        place, "Hide below, of full colour", steps[:-1], "closer:threshold", 0.0,
        "Weak places stay clear: what is left are the places that count most.",
    )  # fmt: skip
    return Look(window, view.invert, opacity, threshold)


def _percent(
    place: st.delta_generator.DeltaGenerator, label: str, steps: list[float], name: str, default: float,
    tip: str | None = None,
) -> float:  # fmt: skip
    return kept.slide(place, label, steps, name=name, default=default, tip=tip, words="{:.0%}".format)


def _caliper(views: Sequence[View], key: str) -> tuple[float, float] | None:
    """Let the reader set the two legs of a caliper, in seconds from the left of the trace."""
    lengths = [len(v.signal) / v.rate_hz for v in views if isinstance(v, Trace)]
    if not lengths or max(lengths) > _WHOLE_S:
        return None
    most = round(max(lengths), 2)
    start = (round(0.45 * most, 2), round(0.55 * most, 2))
    chosen: tuple[float, float] = st.slider(
        "Caliper, s from the left", 0.0, most, start, 0.01, key=f"{key}/caliper"
    )
    return chosen


def _words(shown: Sequence[Shown], every: Sequence[View]) -> None:
    """Say what the colours mean, and whether the sides may be compared by them."""
    words = []
    if has(every, Picture) or has(every, Trace):
        orange, blue = recording.named("Orange", FOR), recording.named("blue", AGAINST)
        words.append(f"{orange} speaks for the class, {blue} against it.")
    scale = next((v.heat_scale for v in every if isinstance(v, Picture) and v.heat_scale), None)
    if len(shown) > 1:
        words.append(f"**{scale_in_words([one.report for one in shown])}**")
    if scale and shown[0].n_shares:
        words.append(
            f"Full colour is a share of {100 * scale:.2g} percentage points in one pixel of the network."
        )
    st.markdown(" ".join([*words, _LOOKED]))


def _plot(figure: object, key: str, alt: str) -> None:
    st.plotly_chart(figure, key=key, config=_CONFIG, alt=alt)
