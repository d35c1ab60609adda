"""Which runs the page shows, and the tags by which their owner finds them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from healthdash.runs import Run, RunStore
from healthdash.runs.compare import MOST_TAGS, Filter, cleaned_tags, measures
from healthdash.ui import problems

__all__ = ["form", "kept", "tags"]

_HELD = "work:run-filter"
#: Fewer runs are seen at a glance.
_FEWEST = 2


def form(runs: Sequence[Run], states: Mapping[str, str], titles: Mapping[str, str]) -> None:
    """Ask which runs are wanted.

    Parameters
    ----------
    states, titles : dict
        Words for each state, and for each task.
    """
    if len(runs) < _FEWEST:
        st.session_state.pop(_HELD, None)
        return
    with st.expander("Filter", icon=":material/filter_alt:"):
        left, middle, right = st.columns(3)
        text = left.text_input("Name, tag or setting contains", key="train:filter:text")
        slugs = list(dict.fromkeys(run.task for run in runs))
        chosen = middle.multiselect("Tasks", slugs, format_func=titles.__getitem__, key="train:filter:tasks")
        found = list(dict.fromkeys(run.state for run in runs))
        wanted = right.multiselect("States", found, format_func=states.__getitem__, key="train:filter:states")
        known = sorted({tag for run in runs for tag in run.tags})
        tagged = left.multiselect("Tags, all of", known, key="train:filter:tags", disabled=not known)
        names = measures(runs)
        measure = middle.selectbox(
            "Figure", names, index=None, placeholder="Any", key="train:filter:measure", disabled=not names
        )
        least = right.number_input(
            "is at least", value=None, format="%.3f", key="train:filter:least", disabled=measure is None
        )
    st.session_state[_HELD] = Filter(
        text=text, tasks=tuple(chosen), states=tuple(wanted), tags=tuple(tagged), measure=measure or "",
        least=least,
    )  # fmt: skip


def kept(runs: Sequence[Run]) -> list[Run]:
    """Return the runs that the reader wants to see."""
    wanted: Filter = st.session_state.get(_HELD, Filter())
    return [run for run in runs if wanted.keeps(run)]


def tags(run: Run, store: RunStore) -> None:
    """Let the owner of a run put tags on it."""
    others = {tag for other in store.of(run.owner, run.place) for tag in other.tags}
    key = f"run:tags:{run.id}"

    @problems.shown()
    def save() -> None:
        store.tag(run.id, run.owner, cleaned_tags(st.session_state[key]))

    st.multiselect(
        "Tags", sorted(others | set(run.tags)), default=list(run.tags), accept_new_options=True,
        max_selections=MOST_TAGS, placeholder="Write a tag and press Enter", key=key, on_change=save,
    )  # fmt: skip
