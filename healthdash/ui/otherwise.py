"""What would have to be otherwise: the smallest changes of a row that cross a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from healthdash.ui import columns, draw, kept, problems
from healthdash.ui.closer import Shown
from healthdash.ui.columns import Column
from healthdash.ui.sides import Side
from healthdash.views import Grid

if TYPE_CHECKING:
    from healthdash.explain.choices import Choice
    from healthdash.explain.counterfactual import Counterfactual, Counterfactuals

__all__ = ["changes", "section"]

_EVEN = 0.5


@st.fragment
def section(one: Shown) -> None:
    """Let the reader say what may change, and show small changes that carry the output across."""
    side = one.side
    names = [line.feature for line in side.task.attributions(one.report)]
    fields = {field.name: field for field in side.task.fields}
    if side.task.unit != "row" or not set(names) <= set(fields):
        return
    st.subheader("What would be enough?", anchor=False)
    st.caption(
        "The smallest changes with which the model would decide otherwise. They say how the model decides; "
        "they are no advice."
    )
    threshold = _threshold(side)
    mutable = [name for name in names if fields[name].is_mutable]
    may = kept.several(
        "Values that may change", names, name=f"{side.task.slug}:otherwise", default=mutable,
        words=lambda name: fields[name].label,
    )  # fmt: skip
    key = (side.number, side.asked, tuple(may))
    words = f"Look for changes that cross {threshold:.0%}"
    if st.button(words, icon=":material/alt_route:", key=f"otherwise:{side.task.slug}"):
        with problems.shown():
            side.work.otherwise = (key, _found(side, names, may, threshold))
    if side.work.otherwise is not None and side.work.otherwise[0] == key:
        _show(side, *side.work.otherwise[1])


def changes(found: Sequence[Counterfactual], table: Sequence[Column], target: str) -> pd.DataFrame:
    """Return what changes in each way that was found, in words and units."""
    lines = [
        {
            "Way": number,
            "Feature": table[change.column].field.label,
            "As given": _with_unit(table[change.column], change.before),
            "Changed": _with_unit(table[change.column], change.after),
            f"P({target}) then": one.output,
        }
        for number, one in enumerate(found, 1)
        for change in one.changes
    ]
    return pd.DataFrame(lines)


def _threshold(side: Side) -> float:
    """Return the operating point of the class; that of the other one of two turned round; or a half."""
    points = {point.label: point.threshold for point in side.bundle.info.operating_points}
    labels, target = side.bundle.info.labels, side.asked.target
    others = [label for label in labels if label != target and label in points]
    if target in points:
        return points[target]
    return 1 - points[others[0]] if len(labels) == 2 and others else _EVEN


def _found(
    side: Side, names: Sequence[str], may: Sequence[str], threshold: float
) -> tuple[Counterfactuals, tuple[Column, ...]]:
    """Search, with a bar."""
    from healthdash.explain import counterfactual

    table = columns.of(side.task, side.bundle, names)
    ((name, background),) = side.bundle.background.items()
    choices = [
        _choice(column, float(side.one[name][0, place]), background[:, place], names[place] in may)
        for place, column in enumerate(table)
    ]
    bar = st.progress(0.0, "Looking…")
    found = counterfactual.find(
        side.bundle.forward, side.one, choices, side.bundle.info.labels.index(side.asked.target), threshold,
        on_progress=lambda share: _told(bar, share),
    )  # fmt: skip
    bar.empty()
    return found, table


def _choice(column: Column, current: float, background: NDArray[np.float32], may: bool) -> Choice:
    """Return what a column may become: known codes, or numbers within those of the stored background."""
    from healthdash.explain.choices import Choice

    if not may:
        return Choice(column.field.label, current, np.zeros(0, np.float32))
    known = np.append(background[np.isfinite(background)], [] if np.isnan(current) else [current])
    limits = (
        {"low": float(known.min()), "high": float(known.max())} if len(known) and column.is_number else {}
    )
    return Choice.of(column.field, current, codes=column.distinct or None, **limits)


def _show(side: Side, found: Counterfactuals, table: Sequence[Column]) -> None:
    st.markdown(found.words)
    if found.found:
        frame = changes(found.found, table, side.asked.target)
        key = f"otherwise:{side.task.slug}:{side.work.turn}:{side.asked.item}"
        draw.draw(Grid(frame=frame, percent=(frame.columns[-1],)), key)


def _with_unit(column: Column, value: float) -> str:
    words = column.in_words(value)
    return f"{words:g} {column.unit}".strip() if isinstance(words, float) else words


def _told(bar: DeltaGenerator, share: float) -> None:
    bar.progress(min(1.0, float(share)), "Looking…")
