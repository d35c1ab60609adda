"""What would have to be otherwise: the smallest changes of a row that cross a threshold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from healthdash.explain.choices import Choice, Column
from healthdash.ui import draw, kept, problems, progress
from healthdash.ui.shown import Shown
from healthdash.ui.sides import Side
from healthdash.views import Grid, Way, Ways

if TYPE_CHECKING:
    from healthdash.explain.counterfactual import Counterfactual, Counterfactuals

__all__ = ["changes", "section", "ways_view"]

_EVEN = 0.5
_STEPS = tuple(n / 100 for n in range(5, 100, 5))


@st.fragment
def section(one: Shown) -> None:
    """Let the reader say what may change, and show small changes that carry the output across."""
    side = one.side
    columns = side.task.choices(side.bundle)
    if not columns:
        return
    st.subheader("What would be enough?", anchor=False)
    st.caption(
        "The smallest changes with which the model would decide otherwise, within the range of its training "
        "rows. They say how the model decides; they are no advice."
    )
    fields = {column.field.name: column.field for column in columns}
    names = list(fields)
    place = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    slug = f"{side.task.slug}:otherwise"
    threshold = _threshold(side, place, slug)
    count = kept.slide(place, "Different ways", (1, 2, 3, 4, 5), name=f"{slug}:count", default=3)
    most = kept.slide(
        place, "Values that change together, at most", (1, 2, 3, 4), name=f"{slug}:most", default=4
    )
    mutable = [name for name in names if fields[name].is_mutable]
    may = kept.several(
        "Values that may change", mutable, name=slug, default=mutable, words=lambda name: fields[name].label
    )
    fixed = ", ".join(fields[name].label for name in names if name not in mutable)
    if fixed:
        st.caption(f"What cannot be otherwise for one patient stays as it is: {fixed}.")
    key = (side.number, side.asked, tuple(may), threshold, count, most)
    words = f"Look for changes that cross {_share(threshold)}"
    if st.button(words, icon=":material/alt_route:", key=f"otherwise:{side.task.slug}"):
        with problems.shown():
            choices = _choices(side, columns, may)
            found = progress.run("Looking…", _search(side, choices, threshold, count, most), key)
            side.work.otherwise = (key, found)
    if side.work.otherwise is not None and side.work.otherwise[0] == key:
        _show(side, side.work.otherwise[1], columns)


def changes(found: Sequence[Counterfactual], table: Sequence[Column], target: str) -> pd.DataFrame:
    """Return what changes in each way that was found, in words and units."""
    lines = [
        {
            "Way": number,
            "Feature": table[change.column].field.label,
            "As given": table[change.column].with_unit(change.before),
            "Changed": table[change.column].with_unit(change.after),
            f"P({target}) then": one.output,
        }
        for number, one in enumerate(found, 1)
        for change in one.changes
    ]
    return pd.DataFrame(lines)


def ways_view(found: Sequence[Counterfactual], table: Sequence[Column], target: str) -> Ways:
    """Return the ways that were found, each change placed in the range of training."""
    return Ways(
        caption="Hollow: the value as given; filled: the changed one. One colour a way.",
        ways=tuple(_way(one, table) for one in found), target=target,
    )  # fmt: skip


def _way(one: Counterfactual, table: Sequence[Column]) -> Way:
    pairs = [(table[change.column], change) for change in one.changes]
    return Way(
        features=tuple(column.field.label for column, _ in pairs),
        before=tuple(column.with_unit(change.before) for column, change in pairs),
        after=tuple(column.with_unit(change.after) for column, change in pairs),
        start=np.array([column.place(change.before) for column, change in pairs]),
        end=np.array([column.place(change.after) for column, change in pairs]),
        output=one.output,
    )


def _threshold(side: Side, place: st.delta_generator.DeltaGenerator, slug: str) -> float:
    """Let the reader choose the threshold; the operating point to begin with."""
    usual = _operating_point(side)
    steps = sorted({*_STEPS, usual})

    def words(step: float) -> str:
        return _share(step) + (", the operating point" if step == usual and usual != _EVEN else "")

    label = f"Threshold of {problems.plain(side.target_words)}"
    return kept.slide(
        place, label, steps, name=f"{slug}:threshold:{side.asked.target}", default=usual, words=words
    )


def _share(threshold: float) -> str:
    """Return a threshold as people read it: steps are whole percent, an operating point seldom is."""
    return f"{100 * threshold:.4g}%"


def _operating_point(side: Side) -> float:
    """Return the operating point of the class; that of the other one of two turned round; or a half."""
    points = {point.label: point.threshold for point in side.bundle.info.operating_points}
    labels, target = side.bundle.info.labels, side.asked.target
    others = [label for label in labels if label != target and label in points]
    if target in points:
        return points[target]
    return 1 - points[others[0]] if len(labels) == 2 and others else _EVEN


def _choices(side: Side, columns: Sequence[Column], may: Sequence[str]) -> list[Choice]:
    """Return what each column may become: in the range of training, or else of the background."""
    ((name, background),) = side.bundle.background.items()
    row = side.one[name][0]
    return [
        column.ranged(np.append(background[:, place], row[place])).choice(float(row[place]))
        if column.field.name in may
        else Choice(column.field.label, float(row[place]), np.zeros(0, np.float32))
        for place, column in enumerate(columns)
    ]


def _search(
    side: Side, choices: Sequence[Choice], threshold: float, count: int, most: int
) -> Callable[[progress.Listener], Counterfactuals]:
    from healthdash.explain import counterfactual

    label = side.bundle.info.labels.index(side.asked.target)
    return lambda told: counterfactual.find(
        side.bundle.forward, side.one, choices, label, threshold, count=count, most_changes=most,
        on_progress=told,
    )  # fmt: skip


def _show(side: Side, found: Counterfactuals, table: Sequence[Column]) -> None:
    st.markdown(found.words)
    if not found.found:
        return
    key = f"otherwise:{side.task.slug}:{side.work.turn}:{side.asked.item}"
    draw.draw(ways_view(found.found, table, side.target_words), f"{key}:ways")
    frame = changes(found.found, table, side.target_words)
    draw.draw(Grid(frame=frame, percent=(frame.columns[-1],)), key)
