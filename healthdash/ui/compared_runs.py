"""Several training runs beside each other: their curves on one pair of axes, and their figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from healthdash.runs import Run
from healthdash.ui import about
from healthdash.ui.draw import draw
from healthdash.views import Curve, Curves

__all__ = ["overlay", "section", "smoothed"]

_NO_CURVE = ("run", "epoch")


def section(runs: Sequence[tuple[Run, pd.DataFrame]]) -> None:
    """Offer to compare runs that have epochs; shows nothing where there are fewer than two."""
    drawn = {run.id: (run, history) for run, history in runs if len(history)}
    if len(drawn) < 2:
        return
    st.subheader("Compare", anchor=False)
    chosen = st.multiselect(
        "Runs to compare", list(drawn), format_func=lambda run_id: _name(drawn[run_id][0]), max_selections=8,
        key="train:compared", placeholder="Two or more",
    )  # fmt: skip
    if len(chosen) < 2:
        return
    some = [drawn[run_id] for run_id in chosen]
    left, right = st.columns(2)
    measure = left.selectbox("Measure", _measures([history for _, history in some]), key="train:measure")
    weight = right.slider(
        "Smoothing", 0.0, 0.95, 0.0, 0.05, key="train:smoothing",
        help="Weight of the epochs before in a running average; 0 shows every epoch as it is.",
    )  # fmt: skip
    named = [(_name(run), history) for run, history in some]
    draw(overlay(named, measure, weight), "train:overlay")
    st.dataframe(_figures([run for run, _ in some]), hide_index=True)


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
