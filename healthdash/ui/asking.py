"""How an input is asked about: the method, its budget, who shares the output out, and against what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from healthdash import explain
from healthdash.explain import baselines
from healthdash.ui import among, kept
from healthdash.ui.among import Among, Groups

if TYPE_CHECKING:
    from healthdash.ui.sides import Side

__all__ = [
    "BASELINES",
    "baseline_words",
    "choose_among",
    "fitting_methods",
    "further",
    "method_and_budget",
    "set_groups",
    "settled",
    "tolerance_scale",
]

_SAMPLES = (50, 100, 200, 400, 800, 1600, 3200)
#: Largest standard error of a player's share, or of that of a pixel or sample, which is far smaller.
_TOLERANCES = {
    "players": (0.0, 0.02, 0.01, 0.005, 0.002, 0.001),
    "values": (0.0, 0.002, 0.001, 0.0005, 0.0002, 0.0001, 0.00005),
}
_WHOSE = {"players": "", "values": " of a pixel or sample"}
#: The method's own choice, then every other one.
BASELINES = ("", *baselines.TITLES)
_MOST_LETTERS = 40


def fitting_methods(side: Side) -> list[str]:
    """Return the methods that fit the input and its players, those of the task first."""
    names = dict.fromkeys([*side.task.methods_of(side.bundle), *explain.METHODS])
    grouped = None
    if side.among.kind == "groups":
        grouped = among.made(side.among, side.task, side.bundle, side.one, "")
    return [
        name
        for name in names
        if explain.reason_against(
            name, side.one, side.bundle.forward, grouped if explain.uses(name, "players") else None
        )
        is None
    ]


def method_and_budget(place: DeltaGenerator, side: Side, fitting: Sequence[str], which: str) -> Side:
    """Let the reader choose the method of a side, and how many samples it may draw."""
    label = "Method on the right" if which == "right" else "Method"
    name, usual = f"{side.task.slug}:{which}", side.task.methods_of(side.bundle)

    def words(method: str) -> str:
        return explain.title(method) + ("" if method in usual else ", slow or unusual here")

    method = kept.choose(place, label, fitting, name=f"{name}:method", words=words)
    samples = side.task.usual_samples(method)
    if explain.uses(method, "samples"):
        samples = kept.slide(
            place, "Samples", _SAMPLES, name=f"{name}:samples:{method}", default=samples,
            tip="More samples are more exact and take longer.",
        )  # fmt: skip
    return replace(side, asked=replace(side.asked, method=method, samples=samples))


def further(side: Side, others: Sequence[str] = ()) -> Side:
    """Let the reader choose players, baseline and tolerance; others are methods beside that of the side.

    Only what one of the methods heeds is offered.
    """
    methods = [side.asked.method or "", *others]

    def heeded(name: str) -> bool:
        return any(explain.uses(method, name) for method in methods)

    table = among.is_table(side.one)
    with st.expander("More choices: players, baseline, precision", icon=":material/tune:"):
        if heeded("players"):
            side = replace(side, among=_players(side))
        if heeded("baseline") and not table:
            side = replace(side, asked=replace(side.asked, baseline=_baseline(side)))
        elif table:
            st.caption(
                f"A value that is left out becomes that of {baselines.TITLES['background']}, one after the "
                "other. Tables have no other baseline: the mean of codes is no code."
            )
        for scale in dict.fromkeys(tolerance_scale(method) for method in methods):
            if scale:
                _tolerance(side.task.slug, scale)
        if not any(heeded(name) for name in ("players", "baseline", "tolerance")):
            st.caption("This method has no other choices.")
    return side


def tolerance_scale(method: str) -> str:
    """Return whose errors a method's tolerance bounds, "players" or "values"; empty: it has none."""
    if not explain.uses(method, "tolerance"):
        return ""
    return "players" if explain.uses(method, "players") else "values"


def choose_among(side: Side) -> Among:
    """Return the division that is chosen for this kind of data, before its widgets are drawn."""
    name, offered = f"{side.task.slug}:players", among.kinds(side.task, side.bundle, side.one)
    kind = kept.value(name, offered[0])
    kind = kind if kind in offered else offered[0]
    count = kept.value(f"{name}:{kind}", 0)
    return Among(kind, int(count), _groups(side) if kind == "groups" else ())


def settled(side: Side) -> Side:
    """Return the side with the players that its choice makes of its input, and without what is not heeded."""
    method = side.asked.method or ""
    players = None
    if explain.uses(method, "players"):
        held, table = side.work.players, among.is_table(side.one)
        where = (0, 0) if table else (side.number, side.asked.item)
        key = (*where, side.bundle.info.sha256, side.among, method)
        if key not in held:
            held[key] = among.made(side.among, side.task, side.bundle, side.one, method)
        players = held[key]
    baseline = side.asked.baseline if explain.uses(method, "baseline") else ""
    scale = tolerance_scale(method)
    tolerance = float(kept.value(f"{side.task.slug}:tolerance:{scale}", 0.0)) if scale else 0.0
    return replace(side, asked=replace(side.asked, players=players, baseline=baseline, tolerance=tolerance))


def _players(side: Side) -> Among:
    offered = among.kinds(side.task, side.bundle, side.one)
    name = f"{side.task.slug}:players"
    kind = offered[0]
    if len(offered) > 1:
        kind = kept.segments(
            "Who shares the output out", offered, name=name, words=partial(among.title, side.task)
        )
    if kind == "groups":
        return Among(kind, 0, _edited_groups(side))
    numbers = among.counts(kind, side.asked.method or "", side.one)
    if not numbers:
        return Among(kind)
    labels = {"superpixels": "Regions at most", "grid": "Squares along each edge", "stretches": "Stretches"}
    count = kept.slide(
        st.container(), labels[kind], numbers, name=f"{name}:{kind}",
        default=among.usual_count(kind, numbers),
        tip="More are finer; each then has a smaller share, and the method more to do.",
    )  # fmt: skip
    return Among(kind, count)


def _baseline(side: Side) -> str:
    return kept.choose(
        st.container(), "What stands in for what is left out", BASELINES, name=f"{side.task.slug}:baseline",
        words=baseline_words, tip="Another baseline is another question, and gives another explanation.",
    )  # fmt: skip


def baseline_words(name: str) -> str:
    """Return what a baseline is, for people."""
    words = baselines.TITLES.get(name, "the usual one of the method")
    return f"{words[:1].upper()}{words[1:]}"


def _tolerance(slug: str, scale: str) -> None:
    def words(tolerance: float) -> str:
        return f"± {100 * tolerance:g} points" if tolerance else "all samples are drawn"

    kept.slide(
        st.container(), f"Stop when the largest standard error{_WHOSE[scale]} is within", _TOLERANCES[scale],
        name=f"{slug}:tolerance:{scale}", default=0.0, words=words,
        tip="Of sampled methods: percentage points of probability.",
    )  # fmt: skip


def _groups(side: Side) -> Groups:
    """Return the reader's groups; those of the task to begin with."""
    held: Groups = kept.value(f"{side.task.slug}:groups", tuple(side.task.column_groups.items()))
    return held


def _edited_groups(side: Side) -> Groups:
    """Draw each group with its name and its columns, and ways to add and to remove one."""
    groups, labels = _groups(side), among.labels_of(side.task, side.bundle)
    turn = kept.value(f"{side.task.slug}:groups:turn", 0)
    found: list[tuple[str, tuple[str, ...]]] = []
    for number, (name, members) in enumerate(groups):
        left, middle, right = st.columns([3, 7, 2], vertical_alignment="bottom")
        key = f"{side.task.slug}:group:{turn}:{number}"
        called = kept.text(
            left, f"Name of group {number + 1}", name=f"{key}:name", default=name, most=_MOST_LETTERS
        )
        elsewhere = {column for n, (_, own) in enumerate(groups) if n != number for column in own}
        free = [column for column in labels if column not in elsewhere]
        own = kept.several(
            f"Columns of group {number + 1}", free, name=f"{key}:columns", default=members,
            words=labels.__getitem__, place=middle,
        )  # fmt: skip
        right.button(
            "Remove", key=f"{key}:remove", icon=":material/close:", type="tertiary", on_click=set_groups,
            args=(side.task.slug, (*groups[:number], *groups[number + 1 :])),
        )  # fmt: skip
        found.append((_plain(called) or f"group {number + 1}", tuple(own)))
    edited = tuple(found)
    if edited != groups:
        kept.put(f"{side.task.slug}:groups", edited)
    _add_and_count(side, edited, turn)
    return edited


def _add_and_count(side: Side, groups: Groups, turn: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Add a group", icon=":material/add:", key=f"{side.task.slug}:group:{turn}:add",
            on_click=set_groups, args=(side.task.slug, (*groups, (f"group {len(groups) + 1}", ()))),
        )  # fmt: skip
        players = among.made(Among("groups", 0, groups), side.task, side.bundle, side.one, "")
        if players is None:
            st.caption("No group has a column yet: each column plays alone.")
        else:
            st.caption(f"{len(players)} share the output out; columns of no group play alone.")


def set_groups(slug: str, groups: Groups) -> None:
    """Begin anew with other groups: their widgets are new ones."""
    kept.put(f"{slug}:groups", groups)
    kept.put(f"{slug}:groups:turn", kept.value(f"{slug}:groups:turn", 0) + 1)


def _plain(name: str) -> str:
    """Return a name without the signs that an address uses."""
    return " ".join(name.replace(":", " ").replace(";", " ").replace(",", " ").split())
