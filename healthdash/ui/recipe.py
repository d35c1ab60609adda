"""The settings of a training, made from what each of them says of itself; empty means as the recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import streamlit as st

from healthdash import settings
from healthdash.task import Task
from healthdash.training import TrainSettings, flags
from healthdash.training.settings import About, Group, abouts
from healthdash.training.studio import networks
from healthdash.training.studio.items import ItemKind
from healthdash.training.studio.plans import DEFAULT_NETWORK

__all__ = ["KINDS", "chosen_so_far", "form", "key_of"]

#: What the items of a task are, by the kind of the task.
KINDS: Mapping[str, ItemKind] = {"records": "row", "images": "picture", "ecg": "signal"}
_RECIPE = "as the recipe"
_NAME_KEY = "train:name"
#: Settings that are chosen elsewhere on the page, or that name a file of the server.
_ELSEWHERE = frozenset({"network", "cleaning", "unlabelled"})
_HEADINGS: Mapping[Group, str] = {
    "data": "Data",
    "length": "How long",
    "optimiser": "How it learns",
    "balance": "Rare labels",
    "regularisation": "Against learning by heart",
    "network": "Network",
    "generative": "Invented and unlabelled items",
}
_COLUMNS = 3
#: What was set is there again after another page.
_LASTS: Final = "session"
Place = Any


def form(task: Task) -> tuple[TrainSettings, str]:
    """Let the reader choose the settings of a training and the name of its model.

    Only settings that the task heeds beside those that are chosen are offered; what was chosen and no longer
    means anything is left out.
    """
    st.session_state.setdefault(_NAME_KEY, "own")
    name = st.text_input("Name of the new model", max_chars=40, key=_NAME_KEY, persist_state="session")
    _network(task)
    heeded = task.heeded(chosen_so_far())
    offered = [one for one in abouts() if one in heeded and one not in _ELSEWHERE]
    if task.is_generic:
        # The report on the data asks for them.
        offered = [one for one in offered if one not in ("target", "group")]
    basic = [one for one in offered if abouts()[one].is_basic]
    with st.expander("Settings", icon=":material/tune:"):
        st.caption("What is left empty is taken as the recipe has it.")
        _widgets(basic)
    expert = [one for one in offered if one not in basic]
    if expert:
        with st.expander("More, for experts", icon=":material/science:"):
            for group, heading in _HEADINGS.items():
                some = [one for one in expert if abouts()[one].group == group]
                if some:
                    st.markdown(f"**{heading}**")
                    _widgets(some)
    chosen = chosen_so_far()
    return flags.without(chosen, task.heeded(chosen)), name


def key_of(name: str) -> str:
    """Return the key of a setting's widget."""
    return f"setting:{name}"


def chosen_so_far() -> TrainSettings:
    """Return what the widgets say, as far as they were shown."""
    default = TrainSettings()
    found: dict[str, Any] = {}
    for name in abouts():
        value = st.session_state.get(key_of(name))
        if value is not None and value != "":
            found[name] = value
    return replace(default, **found)


def _network(task: Task) -> None:
    """Offer the networks for the task's items, with a sentence on the chosen one."""
    if "network" not in task.heeded(TrainSettings()):
        return
    kind = KINDS.get(task.kind, "signal")
    fitting = {one.slug: one for one in networks.fitting(kind)}
    key = key_of("network")
    if st.session_state.get(key) not in fitting:
        st.session_state[key] = task.usual_network or DEFAULT_NETWORK[kind]
    slug = st.selectbox(
        "Network", list(fitting), format_func=lambda one: fitting[one].title, key=key, persist_state=_LASTS
    )
    st.caption(fitting[slug].words)


def _widgets(names: Sequence[str]) -> None:
    columns = st.columns(_COLUMNS)
    for number, name in enumerate(names):
        _widget(columns[number % _COLUMNS], name, abouts()[name])


def _widget(place: Place, name: str, about: About) -> None:
    """Show the widget of one setting; empty leaves it to the recipe."""
    key = key_of(name)
    if about.kind == "whole":
        # The seed is the one number that is never left open.
        value = getattr(TrainSettings(), name)
        if value is not None:
            st.session_state.setdefault(key, value)
        place.number_input(
            about.label, int(about.low), int(about.high), None, placeholder=_RECIPE, key=key,
            help=about.help, persist_state=_LASTS,
        )  # fmt: skip
    elif about.kind == "number":
        place.number_input(
            about.label, about.low, about.high, None, _step(about), "%.5g", placeholder=_RECIPE, key=key,
            help=about.help, persist_state=_LASTS,
        )  # fmt: skip
    elif about.kind == "flag":
        st.session_state.setdefault(key, True)
        place.toggle(about.label, key=key, help=about.help, persist_state=_LASTS)
    elif name == "weights_file" or about.kind == "choice":
        words = _weights() if name == "weights_file" else flags.choices(name)
        place.selectbox(
            about.label, list(words), index=None, format_func=lambda one: words.get(one, one), key=key,
            placeholder=_RECIPE if words else "no file is there", help=about.help, persist_state=_LASTS,
        )  # fmt: skip
    else:
        place.text_input(
            about.label, placeholder="as the task", key=key, help=about.help, persist_state=_LASTS
        )


def _step(about: About) -> float:
    """Return by how much a number's arrows change it."""
    return 0.0001 if about.low > 0 and about.high <= 1 else 0.05


def _weights() -> dict[str, str]:
    """Return the files from which a known network may begin."""
    folder = settings.current().weights
    found = sorted(folder.glob("*.weights.h5")) + sorted(folder.glob("*.keras")) if folder.is_dir() else []
    return {path.name: path.name for path in found}
