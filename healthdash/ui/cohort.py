"""How a model uses its columns over many rows: sizes, directions, dependence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from healthdash import explain
from healthdash.task import Report
from healthdash.ui import analysis, columns, draw, kept, problems, state
from healthdash.ui.closer import Shown
from healthdash.ui.columns import Column
from healthdash.ui.sides import Side
from healthdash.views import Beeswarm, Curve, Curves, Dependence, MeanShares

if TYPE_CHECKING:
    from healthdash.explain.cohort import Shares

__all__ = ["Cohort", "beeswarm", "dependence", "mean_shares", "section"]

_SIZES = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
_START = 50
_THESE, _SYNTHETIC = "these", "synthetic"
_CALM = "It says how the model works, not what would happen to a patient whose value were changed."


@dataclass(frozen=True, eq=False)
class Cohort:
    """Explanations of many rows.

    Attributes
    ----------
    rows : float32 (n, p)
        The network's input.
    found : Shares
    columns : tuple of Column, length p
    """

    rows: NDArray[np.float32]
    found: Shares
    columns: tuple[Column, ...]
    target: str

    @property
    def labels(self) -> tuple[str, ...]:
        """What people call the columns."""
        return tuple(column.field.label for column in self.columns)

    @property
    def numbers(self) -> NDArray[np.float32]:
        """Values that have an order, (n, p); NaN for categories."""
        ordered = np.array([column.is_number for column in self.columns])
        return np.where(ordered, self.rows, np.float32(np.nan))


@st.fragment
def section(one: Shown) -> None:
    """Let the reader explain many rows at once, and show how the model uses each column."""
    side = one.side
    names = [line.feature for line in side.task.attributions(one.report)]
    known = {field.name for field in side.task.fields}
    if side.task.unit != "row" or not set(names) <= known:
        return
    st.subheader("Over many rows", anchor=False)
    place = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    name = f"{side.task.slug}:cohort"
    sources = (
        [_THESE, _SYNTHETIC] if one.report.prediction and len(one.report.prediction) > 1 else [_SYNTHETIC]
    )
    words = {_THESE: "The rows of this table", _SYNTHETIC: "The synthetic samples"}
    source = kept.choose(place, "Rows", sources, name=f"{name}:rows", words=words.__getitem__)
    with problems.shown():
        rows = _rows(side, source)
        steps = [size for size in _SIZES if size < len(rows)] + [min(len(rows), _SIZES[-1])]
        n = kept.slide(
            place, "How many", steps, name=f"{name}:size", default=_START if _START in steps else steps[-1]
        )
        key = (source, n, replace(side.asked, item=-1))
        if place.button(f"Explain {n:,} rows", icon=":material/groups:", key=f"{name}:go"):
            side.work.cohorts[key] = _explained(side, rows[:n], names)
        if key in side.work.cohorts:
            _show(side, side.work.cohorts[key], f"{name}/{side.work.turn}/{source}/{n}")


def mean_shares(cohort: Cohort) -> MeanShares:
    """Return how large the shares of each column are."""
    from healthdash.explain.cohort import importance

    found = importance(cohort.found)
    return MeanShares(
        caption=f"Mean over {found.rows:,} rows, with its 95 % interval for other rows of this kind.",
        features=cohort.labels, mean=found.mean, low=found.low, high=found.high, target=cohort.target,
    )  # fmt: skip


def beeswarm(cohort: Cohort) -> Beeswarm:
    """Return one dot a row and column."""
    values = cohort.numbers
    known = np.asarray(np.isfinite(values).any(axis=0))
    low, high = np.zeros(values.shape[1]), np.ones(values.shape[1])
    low[known], high[known] = np.nanmin(values[:, known], axis=0), np.nanmax(values[:, known], axis=0)
    scaled = (values - low) / np.where(high > low, high - low, 1)
    return Beeswarm(
        caption="One dot a row: right of the line it raised the estimated probability. Categories are grey.",
        features=cohort.labels, values=scaled.astype(np.float32), attributions=cohort.found.shares,
        target=cohort.target,
    )  # fmt: skip


def dependence(cohort: Cohort, number: int) -> Dependence:
    """Return the share of one column against its value, coloured by what changes it most."""
    from healthdash.explain.cohort import partner

    column = cohort.columns[number]
    other = partner(cohort.found, cohort.numbers, number)
    has_partner = other != number and bool(np.isfinite(cohort.numbers[:, other]).any())
    return Dependence(
        caption="One dot a row; the colour is the column that goes best with the spread at equal values.",
        feature=column.field.label, unit=column.unit,
        values=tuple(column.in_words(float(value)) for value in cohort.rows[:, number]),
        shares=cohort.found.shares[:, number].astype(np.float64), target=cohort.target,
        color=cohort.numbers[:, other].astype(np.float64) if has_partner else None,
        color_label=cohort.labels[other] if has_partner else "",
    )  # fmt: skip


def _rows(side: Side, source: str) -> NDArray[np.float32]:
    """Return the network's input of every row of the source."""
    if source == _THESE:
        return _inputs([side.report])
    work = state.workspace(side.task, ":cohort")
    if not work.groups:
        uploads = [upload for example in side.task.examples() for upload in example.make()]
        work.take(side.task, uploads, origin="samples", title="the synthetic samples")
    analysis.analyse(side.task, side.bundle, work)
    return _inputs(work.reports)


def _inputs(reports: Sequence[Report]) -> NDArray[np.float32]:
    return np.concatenate([next(iter(report.inputs.values())) for report in reports if report.inputs])


def _explained(side: Side, rows: NDArray[np.float32], names: Sequence[str]) -> Cohort:
    """Explain every row, with a bar."""
    from healthdash.explain import cohort

    (name,) = side.bundle.info.inputs
    bar = st.progress(0.0, "Explaining…")
    found = cohort.shares(
        side.asked.method or "", side.bundle.forward, {name: rows}, side.bundle.background,
        side.bundle.info.labels, replace(side.asked, item=0), lambda share: _told(bar, share, len(rows)),
    )  # fmt: skip
    bar.empty()
    return Cohort(rows, found, columns.of(side.task, side.bundle, names), side.asked.target)


def _show(side: Side, cohort: Cohort, key: str) -> None:
    sizes, dots, follows, alone = st.tabs(["Mean size", "Every row", "Dependence", "Partial dependence"])
    with sizes:
        draw.draw(mean_shares(cohort), f"{key}/mean")
    with dots:
        draw.draw(beeswarm(cohort), f"{key}/dots")
    order = np.argsort(-np.abs(cohort.found.shares).mean(axis=0), kind="stable").tolist()
    with follows:
        place, name = st.container(), f"{side.task.slug}:cohort"
        chosen = kept.choose(place, "Column", order, name=f"{name}:column", words=cohort.labels.__getitem__)
        draw.draw(dependence(cohort, chosen), f"{key}/dependence")
    with alone:
        numbers = [number for number in order if cohort.columns[number].is_number]
        if not numbers:
            st.info("No column of this table is a number.")
            return
        chosen = kept.choose(
            st.container(), "Column that is a number", numbers, name=f"{name}:number",
            words=cohort.labels.__getitem__,
        )  # fmt: skip
        draw.draw(_partial(side, cohort, chosen), f"{key}/partial")
    st.caption(f"{explain.title(side.asked.method or '')}, for {cohort.target}. {_CALM}")


def _partial(side: Side, cohort: Cohort, number: int) -> Curves:
    """Return the output as one column takes other values: its mean, and how rows differ."""
    from healthdash.explain.dependence import partial_dependence

    (name,) = side.bundle.info.inputs
    target = side.bundle.info.labels.index(cohort.target)
    found = partial_dependence(side.bundle.forward, {name: cohort.rows}, number, target)
    x, curves = found.values.astype(np.float64), found.curves.astype(np.float64)
    low, high = np.percentile(curves, [10, 90], axis=0)
    column = cohort.columns[number]
    return Curves(
        caption="The mean with its 95 % interval; dashed: one row in ten lies below, and one above.",
        curves=(
            Curve(
                name="mean of all rows", x=x, y=100 * found.mean, low=100 * found.low, high=100 * found.high
            ),
            Curve(name="10th percentile of rows", x=x, y=100 * low, dashed=True),
            Curve(name="90th percentile of rows", x=x, y=100 * high, dashed=True),
        ),
        x_label=f"{column.field.label}{f', {column.unit}' if column.unit else ''}",
        y_label=f"estimated probability of {cohort.target}, %",
    )


def _told(bar: DeltaGenerator, share: float, n: int) -> None:
    bar.progress(min(1.0, float(share)), f"{round(float(share) * n):,} of {n:,} rows")
