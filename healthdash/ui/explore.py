"""The page Explain: one explanation in full, or two side by side, from any model and input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from healthdash import bundles, explain, tasks
from healthdash.bundles import Bundle
from healthdash.task import Report, Task
from healthdash.ui import (
    about,
    address,
    analysis,
    asking,
    beside,
    closer,
    cohort,
    inputs,
    judged,
    kept,
    otherpage,
    otherwise,
    pairs,
    problems,
    results,
    shell,
    sides,
    state,
    takeaway,
    whatif,
)
from healthdash.ui.radiograph import Look
from healthdash.ui.shown import Shown
from healthdash.ui.shown import sides as sides_shown
from healthdash.ui.sides import Side

__all__ = ["page"]


@shell.framed
def page() -> None:
    """Show why a model gave what it gave, and let the reader compare."""
    st.title("Explain", anchor=False)
    st.markdown("See what moved a model's output, and compare methods, classes, models and inputs.")
    offered = [task for task in tasks.all_tasks() if bundles.available(task.slug)]
    if not offered:
        st.info("There is no model yet. Train one on the page Train.")
        return
    with problems.shown():
        opened = address.opened()
        task = inputs.choose_task("explain", offered)
        bundle = inputs.choose_model(task, opened.get("model", ""))
        assert bundle is not None  # only tasks that have one are offered
        task = task.bound(bundle)
        inputs.pose(task, bundle)
        work = state.workspace(task)
        inputs.offer(task, work)
        wanted = opened or address.awaited(task.slug, is_there=bool(work.groups))
        if wanted:
            sides.adopt(task, work, wanted)
            closer.adopt_look(wanted)
        if work.groups:
            analysis.analyse(task, bundle, work)
            otherpage.back(task, work.sample)
            _explain(task, bundle, work)
        else:
            address.wait(opened)
            if not wanted:
                address.show({"task": task.slug, "model": bundle.name})
            st.info("Choose a sample, or upload a file.", icon=":material/arrow_upward:")


def _explain(task: Task, bundle: Bundle, work: state.Workspace) -> None:
    """Show the explanation, beside another one where the reader wants to compare."""
    st.divider()
    side = sides.first(task, bundle, work)
    if side is None:
        return
    compared = kept.segments(
        "Compare", sides.possible(side), name=f"{task.slug}:compare", words=sides.COMPARISONS.__getitem__
    )
    other = beside.beside(side, compared) if compared != "none" else None
    side, other = _settled(side, other, compared)
    told = address.show(sides.addressed(side, other, compared))
    found = _found(side, other, compared)
    if not found:
        return
    shown = sides_shown(found)
    key = "/".join([task.slug, str(work.turn), *(str(hash(one.side.asked)) for one in shown)])
    _drawn(shown, key, told)
    judged.section(shown, key)
    if other:
        st.caption("What follows is about the left side.")
    pairs.section(shown[0])
    whatif.section(shown[0])
    otherwise.section(shown[0])
    cohort.section(shown[0])


def _settled(side: Side, other: Side | None, compared: str) -> tuple[Side, Side | None]:
    """Let the reader choose players, baseline and tolerance for both sides, and make the players."""
    chosen = asking.further(side, [other.asked.method or ""] if other else [])
    if other is not None:
        asked = other.asked
        if compared != "baselines":
            asked = replace(asked, baseline=chosen.asked.baseline)
        other = asking.settled(replace(other, asked=asked, among=chosen.among))
    return asking.settled(chosen), other


@st.fragment
def _drawn(shown: list[Shown], key: str, told: dict[str, str]) -> None:
    """Draw the explanations; their sliders run only this part again."""
    look = closer.show(shown, key)
    told = told | closer.look_told()
    _downloads(shown, look, told, key)
    with st.expander("Link to this view", icon=":material/link:"):
        st.code(address.link(told), language=None)
        if not shown[0].side.work.origin.startswith("sample:"):
            st.caption("The link holds the choices, not your file: open it, then load the file again.")


def _downloads(shown: list[Shown], look: Look | None, told: dict[str, str], key: str) -> None:
    """Offer what can be taken away; each is made when it is asked for."""
    name, link = f"{shown[0].side.task.slug}-explanation", address.link(told)
    offers: tuple[tuple[str, str, str, Callable[[], bytes]], ...] = (
        ("Values (CSV)", "csv", "text/csv", lambda: takeaway.csv(shown)),
        ("Picture (PNG)", "png", "image/png", lambda: takeaway.png(shown, look)),
        ("Report (HTML)", "html", "text/html", lambda: takeaway.html(shown, look, link)),
    )
    with st.container(horizontal=True):
        for label, kind, mime, make in offers:
            st.download_button(
                label, make, file_name=f"{name}.{kind}", mime=mime, icon=":material/download:",
                on_click="ignore", key=f"{key}/{kind}",
            )  # fmt: skip


def _found(side: Side, other: Side | None, compared: str) -> list[tuple[Side, str, Report]]:
    """Return each side with its heading and its explanation; what failed is told."""
    found = []
    for one in filter(None, (side, other)):
        results.told(one.gate)
        report = sides.explained(one)
        if report.explanation is not None:
            found.append((one, _heading(one, report, compared) if other else "", report))
        elif report.error is not None:
            problems.tell(report.error)
    return found


def _heading(side: Side, report: Report, compared: str) -> str:
    """Return what tells a side from the other one."""
    if compared == "methods":
        return explain.title(side.asked.method or "")
    if compared == "classes":
        return side.target_words
    if compared == "baselines":
        words = report.explanation.baseline if report.explanation else ""
        return f"Against {words}"
    if compared == "models":
        return f"{about.model_words(side.bundle)}, {side.item_words}".rstrip(", ")
    return side.input_words
