"""Several training runs beside each other: their curves on one pair of axes, and their figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from healthdash.runs import Run, compare
from healthdash.ui import about, parallel
from healthdash.ui.draw import draw, paper
from healthdash.views import Curve, Curves

__all__ = ["overlay", "section", "smoothed"]

_NO_CURVE = ("run", "epoch")


def section(runs: Sequence[tuple[Run, pd.DataFrame]], others: Mapping[str, pd.DataFrame]) -> None:
    """Offer to compare trainings that have epochs; shows nothing where there are fewer than two.

    Parameters
    ----------
    runs : sequence of (Run, table)
        With the history of each.
    others : dict of tables
        Histories of trainings elsewhere, by name.
    """
    own = {run.id: run for run, history in runs if len(history)}
    drawn = {run.id: history for run, history in runs if len(history)} | dict(others)
    if len(drawn) < 2:
        return
    st.subheader("Compare", anchor=False)
    chosen = st.multiselect(
        "Runs to compare", list(drawn), format_func=lambda key: _name(own[key]) if key in own else key,
        max_selections=8, key="train:compared", placeholder="Two or more",
    )  # fmt: skip
    if len(chosen) >= 2:
        _curves({_name(own[key]) if key in own else key: drawn[key] for key in chosen})
        told = _figures([own[key] for key in chosen if key in own])
        if len(told):
            st.dataframe(told, hide_index=True)
    _settings(list(own.values()))


def _curves(named: Mapping[str, pd.DataFrame]) -> None:
    """Draw one measure of several trainings, smoothed as the reader wants it."""
    left, right = st.columns(2)
    measure = left.selectbox("Measure", _measures(list(named.values())), key="train:measure")
    weight = right.slider(
        "Smoothing", 0.0, 0.95, 0.0, 0.05, key="train:smoothing",
        help="Weight of the epochs before in a running average; 0 shows every epoch as it is.",
    )  # fmt: skip
    draw(overlay(list(named.items()), measure, weight), "train:overlay")


def _settings(runs: Sequence[Run]) -> None:
    """Draw the settings in which finished runs differ against a figure."""
    names = compare.measures(runs)
    if not names:
        return
    with st.expander("Settings against results", icon=":material/ssid_chart:"):
        measure = st.selectbox("Figure", names, key="train:parallel:measure")
        table = compare.settings_against(runs, measure)
        if len(table) < 2 or len(table.columns) < 2:
            st.info("Here two or more finished runs appear that differ in a setting.")
            return
        alt = f"Settings of {len(table)} runs against {measure}, a line a run"
        st.plotly_chart(parallel.figure(table, paper()), key="train:parallel", alt=alt)
        st.caption("A line is a run, coloured by the figure. Draw along an axis to keep a part of the lines.")


def overlay(runs: Sequence[tuple[str, pd.DataFrame]], measure: str, weight: float = 0.0) -> Curves:
    """Return one curve a run; members and folds of a run are averaged.

    Parameters
    ----------
    runs : sequence of (str, table)
        Name and history; one without the measure is left out.
    weight : float, 0 to below 1
        Of the smoothing.
    """
    curves = []
    for name, history in runs:
        if measure in history and history[measure].notna().any():
            mean = history.groupby("epoch")[measure].mean().dropna()
            y = smoothed(mean.to_numpy(float), weight)
            curves.append(Curve(name=name, x=mean.index.to_numpy(float), y=y))
    words = measure.replace("val_", "validation ").replace("_", " ")
    caption = f"Smoothed: a running average with weight {weight:g} on the epochs before." if weight else ""
    return Curves(
        title=words.capitalize(), caption=caption, curves=tuple(curves), x_label="epoch", y_label=words
    )


def smoothed(values: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """Return the running average of values (n,), without the pull of a beginning at zero.

    Each value is the mean of all up to it, those before weighted by `weight` a step (the bias
    correction of Kingma and Ba 2015, arXiv:1412.6980, section 3).
    """
    total, seen = 0.0, 0.0
    out = np.empty(len(values))
    for place, value in enumerate(values):
        total, seen = weight * total + value, weight * seen + 1.0
        out[place] = total / seen
    return out


def _measures(histories: Sequence[pd.DataFrame]) -> list[str]:
    """Return what can be drawn, the validation loss first."""
    columns = dict.fromkeys(c for history in histories for c in history.columns if c not in _NO_CURVE)
    return sorted(columns, key=lambda name: (name != "val_loss", not name.startswith("val_")))


def _figures(runs: Sequence[Run]) -> pd.DataFrame:
    """Return settings that were chosen and figures, a row a run."""
    rows = []
    for run in runs:
        chosen = {name.replace("_", " "): v for name, v in run.settings.items() if v is not None}
        measured = {f"{name}, {row['part']}": about.number(row["value"]) for name, row in run.metrics.items()}
        rows.append({"run": _name(run), **measured, **{name: str(value) for name, value in chosen.items()}})
    return pd.DataFrame(rows).fillna("")


def _name(run: Run) -> str:
    return f"{run.name}, {datetime.fromtimestamp(run.created):%d %b %H:%M:%S}"
