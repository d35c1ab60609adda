"""How good an explanation is: every check asked for, each with its number and its sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from healthdash.errors import HealthdashError
from healthdash.explain import ExplainRequest
from healthdash.ui import draw, problems, progress
from healthdash.ui.shown import Shown
from healthdash.ui.sides import Side
from healthdash.views import Curve, Curves

if TYPE_CHECKING:
    from healthdash.explain import quality

__all__ = ["agreement_in_words", "curves_view", "section"]

_MEANING = (
    "These checks are about the explanation and the model. None says whether the model is right, "
    "nor where a disease is."
)


def section(shown: Sequence[Shown], key: str) -> None:
    """Offer the checks of each side, and show those that were made."""
    st.subheader("How good is this explanation?", anchor=False)
    agreement = agreement_in_words(shown) if len(shown) > 1 else ""
    if agreement:
        st.markdown(agreement)
    unchecked = [one for one in shown if one.quality is None]
    if unchecked:
        st.caption(
            "Explains the input again with a little noise, takes parts of it away, and shuffles the "
            "model's weights."
        )
        if st.button("Check it", icon=":material/rule:", key=f"{key}/check"):
            _check(unchecked)
            st.rerun()
    checked = [one for one in shown if one.quality is not None]
    places = st.columns(len(checked)) if checked else ()
    for number, (place, one) in enumerate(zip(places, checked, strict=True)):
        with place:
            _found(one, f"{key}/{number}")
    st.caption(_MEANING)


def agreement_in_words(shown: Sequence[Shown]) -> str:
    """Say how alike two explanations are; empty where they are of different questions."""
    from healthdash.explain import quality

    left, right = (one.side for one in shown)
    same = _question(left) == _question(right)
    another = left.asked.method != right.asked.method
    if left.work is not right.work or left.number != right.number or not (same and another):
        return ""
    try:
        return quality.agreement([one.explanation for one in shown]).words
    except HealthdashError as error:
        return error.message


def _question(side: Side) -> ExplainRequest:
    """Return what was asked whatever the method: the item, the class, the baseline."""
    return replace(side.asked, method=None, samples=0, tolerance=0.0, players=None)


def curves_view(curves: quality.Curves) -> Curves:
    """Return the output as parts are taken out and put in, beside random orders."""
    named = (
        ("taken out in its order", curves.deletion[None], False),
        ("taken out in random orders", curves.random_deletion, True),
        ("put in in its order", curves.insertion[None], False),
        ("put in in random orders", curves.random_insertion, True),
    )
    return Curves(
        curves=tuple(
            Curve(name=name, x=100 * curves.shares, y=100 * found.mean(axis=0), dashed=dashed)
            for name, found, dashed in named
            if len(found)
        ),
        x_label="parts taken out or put in, %",
        y_label="estimated probability, %",
    )


def _check(shown: Sequence[Shown]) -> None:
    """Make every check, with a bar; what cannot be checked is told."""
    from healthdash.explain import quality

    for one in shown:
        side, key = one.side, (one.side.number, one.side.asked)
        question = quality.Question(
            method=one.explanation.method, forward=side.bundle.forward, inputs=side.one,
            background=side.bundle.background, labels=side.bundle.info.labels, request=side.asked,
        )  # fmt: skip
        with problems.shown():
            side.work.judged[key] = progress.run(
                f"Checking {problems.plain(one.heading)}…" if one.heading else "Checking…",
                lambda told, one=one, question=question: quality.judge(question, one.explanation, told),  # type: ignore[misc]
                ("checks", side.task.slug, side.bundle.info.sha256, side.work.turn, *key),
            )


def _found(one: Shown, key: str) -> None:
    found = one.quality
    assert found is not None
    if one.heading:
        st.markdown(f"**{problems.plain(one.heading)}**")
    measures: list[
        tuple[str, str, quality.Additivity | quality.Stability | quality.Curves | quality.Randomisation]
    ] = [("Adds up", _residual(found.additivity.residual), found.additivity)]
    if found.stability is not None:
        measures.append(("Holds still", f"{found.stability.mean:.2f}", found.stability))
    measures.append(("Names what matters", _beaten(found.curves.beaten), found.curves))
    measures.append(
        ("Depends on the model", f"{found.randomisation.correlations[-1]:.2f}", found.randomisation)
    )
    for name, number, measure in measures:
        _line(name, number, measure.passed, measure.words)
    draw.draw(curves_view(found.curves), f"{key}/curves")


def _line(name: str, number: str, passed: bool | None, words: str) -> None:
    """Show one check: passed, doubtful, or one that does not apply."""
    icons = {
        True: (":material/check:", "green"),
        False: (":material/warning:", "orange"),
        None: (":material/remove:", "gray"),
    }
    icon, color = icons[passed]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(f"{name}: {number}", icon=icon, color=color)  # type: ignore[arg-type]
    st.markdown(words)


def _beaten(beaten: float) -> str:
    return "does not apply" if np.isnan(beaten) else f"{beaten:.0%}"


def _residual(residual: float) -> str:
    return "does not apply" if np.isnan(residual) else f"{100 * residual:+.2g} points"
