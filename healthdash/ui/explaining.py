"""Why the model gave what it gave: asked for, never computed unasked."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from healthdash import explain
from healthdash.bundles import Bundle
from healthdash.explain import ExplainRequest, Explanation, baselines
from healthdash.task import Report, Task
from healthdash.ui import address, asking, cohort, cohort_views, kept, problems, progress, sides, state
from healthdash.ui.charts import percent
from healthdash.ui.draw import draw, draw_beside
from healthdash.ui.sides import Side

__all__ = ["base_in_words", "residual_in_words", "section"]

_MOST_ROWS = 100


def section(task: Task, bundle: Bundle, work: state.Workspace, number: int, item: int) -> None:
    """Offer the explanation of one item, and show those that were asked for."""
    report = work.reports[number]
    assert report.prediction is not None
    st.subheader("Why?", anchor=False)
    side = _chosen(Side(task, bundle, work, number, ExplainRequest(item=item)))
    if side is None:
        st.info("No method of explanation fits this input.")
        return
    key = (number, side.asked)
    if work.wanted != key:
        # Never computed unasked: what was wanted before another choice is wanted no more.
        work.wanted = None
    words = "Explain" if key not in work.explained else "Explained"
    place = f"{task.slug}/{work.title}/{number}/{item}"
    with st.container(horizontal=True, vertical_alignment="center"):
        # Kept, not only heard: a run of the page that ends the one with the click must not lose it.
        st.button(
            words, type="primary", icon=":material/psychology:", key=f"explain:{place}",
            disabled=key in work.explained, on_click=_want, args=(work, key),
        )  # fmt: skip
        st.caption("Shows what the model looked at, not where the disease is.")
        _closer(side)
    if work.wanted == key:
        sides.explained(side)
        work.wanted = None
        st.rerun()
    if key in work.explained:
        _show(side, work.explained[key], place)
    if len(report.prediction) > 1 and task.choices(bundle):
        _many(side)


def _want(work: state.Workspace, key: state.ExplanationKey) -> None:
    work.wanted = key


def _closer(side: Side) -> None:
    """Hand this input over to the page that compares explanations."""
    # Exactly the address that the page itself writes: another one would be one more step of the way back.
    told = address.words(sides.addressed(side, None, "none"))
    st.page_link("pages/explain.py", label="Look closer", icon=":material/zoom_in:", query_params=told)


def _chosen(side: Side) -> Side | None:
    """Let the reader choose the class, the method and its budget; None: nothing fits."""
    task, report = side.task, side.report
    assert report.prediction is not None
    fitting = [
        method for method in task.methods_of(side.bundle) if explain.reason_against(method, side.one) is None
    ]
    if not fitting:
        return None
    place = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    decided = report.prediction.label(side.asked.item)
    name = f"{task.slug}:why:class:{side.work.turn}:{side.number}:{side.asked.item}"
    target = kept.choose(
        place, "Class", report.prediction.labels, name=name, default=decided, words=task.said
    )
    side = replace(side, asked=replace(side.asked, target=target))
    return asking.method_and_budget(place, side, fitting, "why")


def _show(side: Side, report: Report, place: str) -> None:
    if report.explanation is None:
        if report.error is not None:
            problems.tell(report.error)
        return
    explanation = report.explanation
    views = side.task.render(report, side.bundle, side.asked.item).explanation
    draw_beside(views[:1], views[1:], f"{place}/{explanation.target}/why")
    st.caption(residual_in_words(explanation, problems.plain(side.target_words)))


def base_in_words(explanation: Explanation) -> str:
    """Say what the base is: the average over the stored background, or the output of another baseline."""
    is_average = explanation.baseline in ("", baselines.TITLES["background"]) or not _leaves_out(explanation)
    return "average" if is_average else "baseline"


def _leaves_out(explanation: Explanation) -> bool:
    """Say whether a method puts a baseline in the place of anything."""
    return explain.uses(explanation.method, "baseline")


def residual_in_words(explanation: Explanation, target: str) -> str:
    """Say what the shares start from, what they sum to, and what they miss; the class as people read it."""
    missed, title = abs(explanation.residual), explain.title(explanation.method)
    evaluations = "model evaluation" if explanation.samples == 1 else "model evaluations"
    spent = f"{explanation.samples:,} {evaluations} in {explanation.seconds:.1f} s."
    if explanation.shares_error is not None:
        spent += f" Largest standard error {100 * explanation.largest_error:.2g} points."
    if explanation.baseline and _leaves_out(explanation):
        spent += f" What was left out became: {explanation.baseline}."
    if not explanation.is_additive:
        return f"{title}: its values rank what counts, they are no shares of the probability. {spent}"
    words = "exactly" if missed < 5e-5 else f"but for {100 * missed:.2f} percentage points"
    return (
        f"{title}: from the {base_in_words(explanation)} output {percent(explanation.base)} to "
        f"{percent(explanation.output)} for {target}; the shares add up {words}. {spent}"
    )


def _many(side: Side) -> None:
    """Explain many rows at once and show how each feature works over all of them."""
    assert side.report.inputs is not None
    (rows,) = side.report.inputs.values()
    n, target = min(len(rows), _MOST_ROWS), side.target_words
    key = ("result", side.number, n, replace(side.asked, item=-1))
    run = ("cohort", side.bundle.info.sha256, *key)
    st.subheader("Over many rows", anchor=False)
    wanted = st.button(
        f"Explain the first {n} rows for {problems.plain(target)}", key=f"many:{side.task.slug}:{side.number}"
    )
    if wanted or progress.is_wanted(run):
        with problems.shown():
            side.work.cohorts[key] = cohort.explained(side, rows[:n], None, run)
    if key in side.work.cohorts:
        found = side.work.cohorts[key]
        title = f"What moved the output towards {target}, over {len(found.rows)} rows"
        view = replace(cohort_views.beeswarm(found), title=title)
        draw(view, f"{side.task.slug}/{side.number}/swarm/{target}")
