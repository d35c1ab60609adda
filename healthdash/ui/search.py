"""Random search on the page Train: what to draw from, and what came of the trials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from healthdash.errors import HealthdashError
from healthdash.runs import search as searches
from healthdash.runs.search import Search
from healthdash.task import Task
from healthdash.training import TrainSettings
from healthdash.training.settings import About, abouts
from healthdash.training.studio.networks import NETWORKS
from healthdash.training.studio.search.space import Among, Between, Space, default_space, posed
from healthdash.ui import owner, problems, runs
from healthdash.ui.recipe import KINDS

__all__ = ["Wanted", "form", "listed"]

Place = st.delta_generator.DeltaGenerator
#: Fewer than a command may ask for: here each trial keeps a copy of what was uploaded.
_MOST_TRIALS = 100
_EPOCHS = 15


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search as it was asked for.

    Attributes
    ----------
    drawn : list of TrainSettings
        Of each trial.
    names : list of str
        The settings that differ between them.
    prune : bool
        End trials early that are worse than half of the others.
    """

    drawn: list[TrainSettings]
    names: list[str]
    prune: bool


def form(task: Task, base: TrainSettings, *, is_ready: bool, start: Callable[[Wanted], None]) -> None:
    """Offer a search for settings; those that are not drawn are as the form above says."""
    with st.expander("Search for settings", icon=":material/search:"):
        st.markdown(
            "Settings are drawn at random, and each draw is trained as a trial of its own. The trials are "
            "compared by the validation part alone: the test part is not looked at until the best is trained."
        )
        try:
            shared = posed(KINDS[task.kind], _with_settings(base))
        except HealthdashError as error:
            problems.tell(error)
            return
        st.caption(f"The trials train: {NETWORKS[shared.network or ''].title.lower()}.")
        space = _space(default_space(KINDS[task.kind], shared))
        left, middle, right = st.columns(3, vertical_alignment="bottom")
        trials = left.number_input("Trials", 2, _MOST_TRIALS, 10, key="search:trials")
        epochs = _epochs(middle, "Most epochs of a trial", _EPOCHS, "search:epochs")
        prune = right.checkbox(
            "End hopeless trials early", key="search:prune",
            help="A trial ends when it is worse than half of the others were at the same epoch.",
        )  # fmt: skip
        if st.button("Search", icon=":material/search:", disabled=not (is_ready and space.ranges)):
            drawn = space.draw(replace(shared, epochs=epochs), int(trials), seed=shared.seed)
            start(Wanted(drawn, list(space.ranges), prune))


def _with_settings(base: TrainSettings) -> TrainSettings:
    """Return settings whose network has some to draw; one with a recipe of its own gives way to the usual."""
    network = NETWORKS.get(base.network or "")
    return replace(base, network=None) if network and not network.module else base


def _space(usual: Space) -> Space:
    """Let the reader change the ranges; one without room is not drawn from."""
    ranges: dict[str, Between | Among] = {}
    for name, one in usual.ranges.items():
        about = abouts()[name]
        if isinstance(one, Among):
            chosen = st.multiselect(about.label, list(one.values), list(one.values), key=f"search:{name}")
            if len(chosen) > 1:
                ranges[name] = Among(tuple(chosen))
            continue
        left, right = st.columns(2)
        asked = partial(_number, about)
        low = asked(left, f"{about.label} from", one.low, f"search:{name}:low")
        high = asked(right, "to", one.high, f"search:{name}:high")
        if low < high:
            ranges[name] = Between(low, high, one.log and low > 0)
    return Space(ranges)


def _number(about: About, place: Place, label: str, value: float, key: str) -> float:
    number = place.number_input(label, float(about.low), float(about.high), value, format="%.5f", key=key)
    return float(number)


def _epochs(place: Any, label: str, value: int | None, key: str) -> int | None:
    """Ask for a number of epochs; None leaves it to the recipe."""
    about = abouts()["epochs"]
    found: int | None = place.number_input(
        label, int(about.low), int(about.high), value, placeholder="as the recipe", key=key
    )
    return found


def listed() -> None:
    """Show the searches of this browser, each with its trials, the best first."""
    found = searches.searches(runs.queue(), owner.current().id)
    if not found:
        return
    st.subheader("Searches", anchor=False)
    active = any(not search.is_over for search in found)
    st.fragment(_tables, run_every=3.0 if active else None)(active)


@problems.shown()
def _tables(was_active: bool) -> None:
    found = searches.searches(runs.queue(), owner.current().id)
    if was_active and all(search.is_over for search in found):
        st.rerun()
    for search in found:
        _table(search)


def _table(search: Search) -> None:
    through = sum(run.is_over for _, run in search.trials)
    st.markdown(f"**{search.name}**: {through} of {len(search.trials)} trials are through")
    rows = [row | {"error": row["error"]["message"]} if "error" in row else row for row in search.rows()]
    frame = pd.DataFrame(rows).rename(columns=lambda name: _words(str(name)))
    st.dataframe(frame, hide_index=True, key=f"search:table:{search.id}")
    if search.judged:
        st.caption(
            "The best trial stands first. Its figures are of the part that it was chosen by, and so a little "
            "too good: what the model is worth says its card, measured on the test part."
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            epochs = _epochs(st, "Most epochs", None, f"search:full:{search.id}")
            if st.button("Train the best anew", icon=":material/trophy:", key=f"search:best:{search.id}"):
                run = searches.retrain(
                    runs.queue(), owner.current().id, search, _out(search), epochs, numbered=True
                )
                runs.open_run(run.id)
                st.rerun(scope="app")


def _out(search: Search) -> Path:
    """Return the bundle folder that was asked for."""
    return Path(search.trials[0][1].out).with_name(search.name)


def _words(name: str) -> str:
    about = abouts().get(name)
    return about.label.lower() if about else name
