"""What two features do together: the interactions of one input, as a square and in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from healthdash.explain import players
from healthdash.explain.players import Players
from healthdash.ui import among, draw, kept, problems, progress
from healthdash.ui.shown import Shown, is_grouped
from healthdash.ui.sides import Side
from healthdash.views import PairShares

if TYPE_CHECKING:
    from healthdash.explain.interactions import Interactions

__all__ = ["in_words", "pairs_view", "section", "with_rest"]

_REST = "all others"
#: Columns that play alone to begin with: 2^9 coalitions take a moment.
_START = 8
_STRONGEST = 3
#: A pair that moves the output by less is not worth a sentence.
_LEAST = 0.0005


@st.fragment
def section(one: Shown) -> None:
    """Let the reader ask what pairs of features do together."""
    side = one.side
    st.subheader("Which features work together?", anchor=False)
    st.caption(
        "Two features can move the output together by more, or by less, than one by one. All coalitions of "
        "at most 12 are run."
    )
    with problems.shown():
        chosen = _players(one)
        if chosen is None:
            return
        key = (side.number, replace(side.asked, players=None, method=None, samples=0), chosen.names)
        run = ("pairs", side.task.slug, side.bundle.info.sha256, side.work.turn, *key)
        if st.button("Look at all pairs", icon=":material/grid_on:", key=f"pairs:{side.task.slug}"):
            side.work.pairs[key] = progress.run("Asking the model…", _asker(side, chosen), run)
        if key in side.work.pairs:
            _show(
                side.work.pairs[key],
                side.target_words,
                f"pairs/{side.task.slug}/{side.work.turn}/{side.asked.item}",
            )


def in_words(found: Interactions) -> list[str]:
    """Say what the strongest pairs do together, one sentence each; empty where none does anything."""
    told = []
    for first, second, index in found.strongest(_STRONGEST):
        if abs(index) >= _LEAST:
            way = "more" if index > 0 else "less"
            names = f"**{problems.plain(first)}** and **{problems.plain(second)}**"
            told.append(f"{names}: together {100 * abs(index):.1f} points {way} than one by one.")
    return told


def pairs_view(found: Interactions, target: str) -> PairShares:
    """Return the square of all pairs, for the class as people read it."""
    return PairShares(
        caption="Orange: together they raise the output by more than one by one, or lower it by less; "
        "blue the other way round. On the diagonal the share of each. Percentage points.",
        features=found.players.names, index=found.index, shares=found.shares, target=target,
    )  # fmt: skip


def with_rest(whole: Players, alone: Sequence[str]) -> Players:
    """Return some players as they are and all others as one."""
    kept_names = [name for name in whole.names if name in alone]
    names = (*kept_names, _REST) if len(kept_names) < len(whole) else tuple(kept_names)
    number = np.array([names.index(name) if name in alone else len(names) - 1 for name in whole.names])
    owner = {key: np.where(of < 0, of, number[of]) for key, of in whole.owner.items()}
    return Players(names, owner, whole.title)


def _players(one: Shown) -> Players | None:
    """Return at most 12 players, chosen by the reader where there are more; None: too few are chosen."""
    from healthdash.explain.interactions import MOST_PLAYERS

    side = one.side
    whole = _whole(one)
    if len(whole) <= MOST_PLAYERS:
        st.caption(f"{len(whole)} {whole.title}, as chosen above." if side.among.kind != "columns" else "")
        return whole
    by_size = _by_size(one, whole)
    name = f"{side.task.slug}:pairs:{whole.title}"
    alone = kept.several(
        f"Who plays alone, at most {MOST_PLAYERS - 1}; the others play as one", by_size, name=name,
        default=by_size[:_START], most=MOST_PLAYERS - 1,
    )  # fmt: skip
    if len(alone) < 2:
        st.info("Choose at least two.")
        return None
    return with_rest(whole, alone)


def _whole(one: Shown) -> Players:
    """Return the players of the explanation; where they are many or none, columns, or few regions."""
    from healthdash.explain.interactions import MOST_PLAYERS

    side, found = one.side, one.explanation.players
    is_table = among.is_table(side.one)
    if found is not None and (is_grouped(one.explanation) or (not is_table and len(found) <= MOST_PLAYERS)):
        return found
    if is_table:
        labels = list(among.labels_of(side.task, side.bundle).values())
        ((name, row),) = side.one.items()
        return Players.columns(name, labels or [f"column {i + 1}" for i in range(row.shape[1])])
    few = among.made(replace(side.among, count=0), side.task, side.bundle, side.one, "exact-shapley")
    few = few or side.task.players(side.one, side.bundle.info.preprocessing)
    return few or players.of_inputs(side.one, _START)


def _by_size(one: Shown, whole: Players) -> list[str]:
    """Return the names of players, those with the largest shares first."""
    sums = np.abs(whole.sums(one.explanation.values))
    return [whole.names[i] for i in np.argsort(-sums, kind="stable")]


def _asker(side: Side, among_these: Players) -> Callable[[progress.Listener], Interactions]:
    from healthdash.explain import interactions

    label = side.bundle.info.labels.index(side.asked.target)
    asked = replace(side.asked, players=among_these)
    return lambda told: interactions.explain(
        side.bundle.forward, side.one, side.bundle.background, label, asked, told
    )


def _show(found: Interactions, target: str, key: str) -> None:
    told = in_words(found)
    st.markdown("  \n".join(told) or "No pair does anything together that each does not do alone.")
    draw.draw(pairs_view(found, target), key)
    st.caption(
        f"{found.samples:,} model evaluations in {found.seconds:.1f} s; exact. It says what the model does."
    )
