"""How a model uses its columns over many rows: sizes, directions, dependence, and what it would lose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from healthdash import explain, settings
from healthdash.task import Report, Task, Upload
from healthdash.ui import analysis, cohort_views, draw, kept, problems, progress, state
from healthdash.ui.cohort_views import Cohort
from healthdash.ui.sides import Side

if TYPE_CHECKING:  # which leads here again
    from healthdash.ui.shown import Shown

__all__ = ["explained", "section"]

_SIZES = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
_START = 50
_THESE, _SYNTHETIC, _DRAWN, _UPLOAD = "these", "synthetic", "drawn", "upload"
_CALM = "It says how the model works, not what would happen to a patient whose value were changed."
_REPEATS = 10
#: Rows whose curves are asked for: more change neither mean nor picture.
_MOST_CURVES = 1000


@st.fragment
def section(one: Shown) -> None:
    """Let the reader explain many rows at once, and show how the model uses each column."""
    side = one.side
    if not side.task.choices(side.bundle):
        return
    st.subheader("Over many rows", anchor=False)
    place = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    name = f"{side.task.slug}:cohort"
    words = _sources(side)
    source = kept.choose(place, "Rows", list(words), name=f"{name}:rows", words=words.__getitem__)
    with problems.shown():
        reports = _reports(side, source, place)
        if not reports:
            st.info("Upload the table of the cohort.", icon=":material/upload_file:")
            return
        rows = np.concatenate([next(iter(report.inputs.values())) for report in reports if report.inputs])
        steps = [size for size in _SIZES if size < len(rows)] + [min(len(rows), _SIZES[-1])]
        n = kept.slide(
            place, "How many", steps, name=f"{name}:size", default=_START if _START in steps else steps[-1]
        )
        # Another file is other rows, on either side of this choice.
        turn = side.number if source == _THESE else _loaded(side.task, source).turn
        key = (source, turn, n, replace(side.asked, item=-1))
        run = ("cohort", side.bundle.info.sha256, *key)
        wanted = place.button(f"Explain {n:,} rows", icon=":material/groups:", key=f"{name}:go")
        # In a place of its own: tabs that a bar moves down begin at the first one again.
        with st.container():
            if wanted or progress.is_wanted(run):
                side.work.cohorts[key] = explained(side, rows[:n], _truth(side.task, reports, n), run)
        if key in side.work.cohorts:
            _show(side, side.work.cohorts[key], f"{name}/{side.work.turn}/{source}/{turn}/{n}")


def _sources(side: Side) -> dict[str, str]:
    """Return where rows can come from, in words."""
    words = {_THESE: "The rows of this table", _SYNTHETIC: "The synthetic samples"}
    if side.report.prediction is None or len(side.report.prediction) < 2:
        del words[_THESE]
    if side.task.training_examples():
        words[_DRAWN] = "A synthetic cohort with outcomes"
    return words | {_UPLOAD: "A table to upload"}


def _reports(side: Side, source: str, place: DeltaGenerator) -> list[Report]:
    """Return the analysed files of a source; empty where there are none yet."""
    if source == _THESE:
        return [side.report]
    work = _loaded(side.task, source)
    if source == _UPLOAD:
        _uploader(place, side.task, work)
    elif not work.groups:
        examples = side.task.examples() if source == _SYNTHETIC else side.task.training_examples()[:1]
        uploads = [upload for example in examples for upload in example.make()]
        work.take(side.task, uploads, origin="samples", title="the synthetic samples")
    if not work.groups:
        return []
    analysis.analyse(side.task, side.bundle, work)
    for report in work.reports:
        if report.error is not None:
            problems.tell(report.error)
    return [report for report in work.reports if report.inputs]


def _loaded(task: Task, source: str) -> state.Workspace:
    """Return where the rows of a source are kept, which are not those of the table itself."""
    return state.workspace(task, f":cohort:{source}")


def _uploader(place: DeltaGenerator, task: Task, work: state.Workspace) -> None:
    name = f"upload:cohort:{task.slug}"
    key = state.fresh_key(name)
    place.file_uploader(
        "Table with one patient a row, with the outcome if it is known", key=key,
        max_upload_size=settings.current().max_upload_mb, on_change=_take, args=(task, name, key),
        help="Files stay in the memory of this machine and are forgotten with the session.",
    )  # fmt: skip
    if work.groups:
        place.caption(f"{problems.plain(work.title)} is loaded.")


def _take(task: Task, name: str, key: str) -> None:
    file = state.taken(name, key)
    if file is not None:
        work = _loaded(task, _UPLOAD)
        upload = Upload(file.name, file.getvalue())
        work.take(task, [upload], origin="upload", title=upload.name)


def _truth(task: Task, reports: Sequence[Report], n: int) -> NDArray[np.int64] | None:
    """Return the true labels of the first n rows, -1 where one is not known; None: nobody knows any."""
    found = []
    for report in reports:
        assert report.sample is not None
        assert report.prediction is not None
        truth = task.truth_in(report.sample)
        found.append(np.full(len(report.prediction), -1, np.int64) if truth is None else truth)
    joined = np.concatenate(found)[:n]
    return joined if (joined >= 0).any() else None


def explained(
    side: Side, rows: NDArray[np.float32], truth: NDArray[np.int64] | None, run: tuple[object, ...]
) -> Cohort:
    """Explain every row, with a bar; stopped early, the rows so far."""
    from healthdash.explain import cohort

    (name,) = side.bundle.info.inputs
    found = progress.run(
        "Explaining…",
        lambda told: cohort.shares(
            side.asked.method or "", side.bundle.forward, {name: rows}, side.bundle.background,
            side.bundle.info.labels, replace(side.asked, item=0), told,
        ),
        run,
        keeps=True,
        items=len(rows),
    )  # fmt: skip
    done = len(found.shares)
    columns = side.task.choices(side.bundle)
    known = truth[:done] if truth is not None else None
    return Cohort(rows[:done], known, found, columns, side.asked.players, side.target_words)


def _show(side: Side, cohort: Cohort, key: str) -> None:
    names = ["Mean size", "Every row", "Dependence", "Partial dependence", "Loss of the metric"]
    sizes, dots, follows, alone, lost = st.tabs(names)
    name = f"{side.task.slug}:cohort"
    with sizes:
        draw.draw(cohort_views.mean_shares(cohort), f"{key}/mean")
    with dots:
        draw.draw(cohort_views.beeswarm(cohort), f"{key}/dots")
    with follows:
        _dependence(cohort, name, key)
    with alone:
        _partial(side, cohort, name, key)
    with lost:
        _losses(side, cohort, name, key)
    st.caption(f"{explain.title(side.asked.method or '')}, for {problems.plain(cohort.target)}. {_CALM}")


def _dependence(cohort: Cohort, name: str, key: str) -> None:
    """Let the reader choose a column, and the one that colours it."""
    single = [player for player in cohort.order if cohort.column_of[player] is not None]
    if not single:
        st.info("Every column plays in a group: let some play alone.")
        return
    place = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    words = cohort.labels.__getitem__
    player = kept.choose(place, "Column", single, name=f"{name}:column", words=words)
    numbers = [other for other in single if other != player and np.isfinite(cohort.numbers[:, other]).any()]
    color = kept.choose(
        place, "Colour", [-1, *numbers], name=f"{name}:color",
        words=lambda other: "what goes best with the spread" if other < 0 else words(other),
    )  # fmt: skip
    view = cohort_views.dependence(cohort, player, None if color < 0 else color)
    draw.draw(view, f"{key}/dependence")


def _partial(side: Side, cohort: Cohort, name: str, key: str) -> None:
    """Let the reader choose a column, and show the output as it takes other values."""
    from healthdash.explain.dependence import partial_dependence

    alone = [cohort.column_of[player] for player in cohort.order]
    by_size = [number for number in alone if number is not None]
    order = [*by_size, *(number for number in range(len(cohort.columns)) if number not in by_size)]
    place = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    number = kept.choose(
        place, "Column that takes other values", order, name=f"{name}:number",
        words=lambda number: cohort.columns[number].field.label,
    )  # fmt: skip
    centred = kept.tick(
        place, "Every line begins at 0", name=f"{name}:centred",
        tip="Shows whether rows follow the column alike, whatever their level.",
    )  # fmt: skip
    column, (input_name,) = cohort.columns[number], side.bundle.info.inputs
    target = side.bundle.info.labels.index(side.asked.target)
    rows = cohort.rows[:: max(1, -(-len(cohort.rows) // _MOST_CURVES))]
    codes = None if column.is_number else np.array(sorted(column.codes.values()), np.float32)
    if codes is not None and not len(codes):
        st.info("The model knows no values of this column.")
        return
    with st.spinner("Asking the model…"):
        found = partial_dependence(side.bundle.forward, {input_name: rows}, number, target, values=codes)
    draw.draw(cohort_views.partial(column, found, cohort.target, centred=centred), f"{key}/partial")


def _losses(side: Side, cohort: Cohort, name: str, key: str) -> None:
    """Let the reader ask what a metric loses without each column, where the outcomes are known."""
    from healthdash.explain.metric_loss import METRICS, metric_loss

    if cohort.truth is None:
        st.info("These rows come without their outcomes: take a table that has them.")
        return
    place = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    metric = kept.choose(place, "Metric", list(METRICS), name=f"{name}:metric")
    held, run = side.work.losses, ("losses", key, id(cohort), metric)
    if place.button("Measure", icon=":material/trending_down:", key=f"{name}:measure"):
        known, (input_name,) = cohort.truth >= 0, side.bundle.info.inputs
        label = side.bundle.info.labels.index(side.asked.target)
        rows, truth = cohort.rows[known], cohort.truth[known]
        with problems.shown():
            held[run] = progress.run(
                "Measuring…",
                lambda told: metric_loss(
                    side.bundle.forward, {input_name: rows}, truth, METRICS[metric], label,
                    players=cohort.players, repeats=_REPEATS, on_progress=told,
                ),
                run,
            )  # fmt: skip
    if run in held:
        draw.draw(cohort_views.losses(cohort, held[run], metric), f"{key}/losses")
