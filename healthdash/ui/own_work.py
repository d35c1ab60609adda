"""What the sections of own data share: a session's work, groups, counts, findings with remedies, steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st

from healthdash.tables.cleaning import CleaningFile
from healthdash.tables.findings import Finding, Remedy, stopping
from healthdash.tables.steps import GroupBy, group_of
from healthdash.training import TrainSettings
from healthdash.training.studio.networks import learns_one_label
from healthdash.ui import problems, state

__all__ = ["FILE", "Chosen", "Work", "counts", "findings", "group", "of_session", "taken_steps"]

#: Name of the cleaning beside the data of a run.
FILE = "cleaning.json"

#: More are shown folded, or only counted.
_MOST_NOTES, _MOST_LABELS = 3, 6
#: A widget takes None as "nothing chosen".
_NO_GROUP = ""
_BOXES = {"error": st.error, "warning": st.warning, "note": st.info}
_ICONS = {"error": ":material/error:", "warning": ":material/warning:", "note": ":material/info:"}


@dataclass
class Work:
    """What was chosen about one set of data in this session, and what was computed for it.

    Attributes
    ----------
    data : str
        Names the data; other data begin anew.
    layout : dict
        How they are read.
    steps : list
        Cleaning steps, in their order.
    """

    data: str
    layout: dict[str, Any] = field(default_factory=dict)
    steps: list[Any] = field(default_factory=list)
    made: dict[str, Any] = field(default_factory=dict)

    def once(self, key: str, make: Callable[[], Any]) -> Any:
        """Return what was made under a key, and make it once; nothing older is kept."""
        name = key.split("|", 1)[0]
        if self.made.get(name, ("", None))[0] != key:
            self.made[name] = (key, make())
        return self.made[name][1]

    def key(self, name: str) -> str:
        """Return a widget's key: of other data, or another layout, it is another widget."""
        return state.fresh_key(f"own:{name}:{self.data[:8]}:{hash(str(self.layout))}")

    def take(self, remedy: Remedy[Any]) -> None:
        """Add the steps of a remedy; one column at most says whose an item is."""
        if any(isinstance(step, GroupBy) for step in remedy.steps):
            self.steps = [step for step in self.steps if not isinstance(step, GroupBy)]
        self.steps = [*self.steps, *(step for step in remedy.steps if step not in self.steps)]


W = TypeVar("W", bound=Work)


@dataclass(frozen=True, slots=True)
class Chosen(ABC):
    """What the reader chose about own data.

    Attributes
    ----------
    cleaning : CleaningFile
        How they are read, and steps; the column of what a split keeps whole is among them.
    findings : tuple of Finding
        Of their data report.
    """

    cleaning: CleaningFile
    findings: tuple[Finding[Any], ...]

    def is_ready(self, chosen: TrainSettings) -> bool:
        """Say whether the network that was chosen can be trained on them."""
        return not stopping(self.findings, one_is_enough=learns_one_label(chosen))

    @abstractmethod
    def settings(self, others: TrainSettings) -> TrainSettings:
        """Return settings of a run that has the cleaning beside its data."""

    @property
    def beside(self) -> dict[str, bytes]:
        """The file that goes beside the data of the run."""
        return {FILE: self.cleaning.model_dump_json(indent=1).encode()}


def of_session(name: str, data: str, make: Callable[[str], W]) -> W:
    """Return the session's work on data; other data begin anew."""
    held: W | None = st.session_state.get(name)
    if held is None or held.data != data:
        held = st.session_state[name] = make(data)
    return held


def group(work: Work, place: Any, names: Sequence[str], label: str, *, without: str, why: str) -> None:
    """Ask for the column of what a split keeps whole; it is one of the steps.

    Parameters
    ----------
    names : sequence of str
        Columns to choose from.
    label, without, why : str
        Of the widget, of the choice of no column, and of its help.
    """
    now, key = group_of(work.steps) or _NO_GROUP, work.key("group")
    if st.session_state.get(f"{key}:seen") != now:
        # A remedy changed it, or it is new.
        st.session_state[key] = st.session_state[f"{key}:seen"] = now if now in names else _NO_GROUP
    chosen = place.selectbox(
        label, [_NO_GROUP, *names], key=key, format_func=lambda name: name or without, help=why
    )
    if chosen != now:
        work.steps = [step for step in work.steps if not isinstance(step, GroupBy)]
        work.steps += [GroupBy(column=chosen)] if chosen else []
        st.rerun()


def counts(wholes: Mapping[str, int], labels: Mapping[str, int]) -> None:
    """Show how much there is, by the name of each whole, and how much of each of the first labels."""
    some = list(labels.items())[:_MOST_LABELS]
    with st.container(horizontal=True, gap="large"):
        for name, count in wholes.items():
            st.metric(name, f"{count:,}", width="content")
        for label, count in some:
            st.metric(problems.sentence(f"label {label}").rstrip("."), f"{count:,}", width="content")
    if len(labels) > _MOST_LABELS:
        st.caption(f"and {len(labels) - _MOST_LABELS:,} more labels")


def findings(work: Work, found: Sequence[Finding[Any]], settle: Callable[[], None]) -> None:
    """Show every finding with its remedies as buttons; `settle` takes all that need no decision."""
    if not found:
        st.success("Nothing odd was found.", icon=":material/check:")
        return
    if any(one.default for one in found):
        st.button(
            "Take every remedy that needs no decision", icon=":material/auto_fix_high:", type="primary",
            on_click=settle, key=work.key("settle"),
        )  # fmt: skip
    numbered = list(enumerate(found))
    notes = [(number, one) for number, one in numbered if one.severity == "note"]
    aside = notes if len(notes) > _MOST_NOTES else []
    for number, one in numbered:
        if (number, one) not in aside:
            _finding(work, one, number)
    if aside:
        with st.expander(f"{len(aside)} notes that are good to know", icon=_ICONS["note"]):
            for number, one in aside:
                _finding(work, one, number)


def taken_steps(work: Work, title: str) -> None:
    """Show the steps that were chosen, each with the way back."""
    if not work.steps:
        return
    st.markdown(title)
    for number, step in enumerate(work.steps):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{number + 1}. {problems.sentence(step.words)}")
            st.button(
                "Undo", key=work.key(f"undo:{number}:{len(work.steps)}"), type="tertiary",
                icon=":material/undo:", on_click=work.steps.remove, args=(step,),
            )  # fmt: skip


def _finding(work: Work, one: Finding[Any], number: int) -> None:
    # A sentence begins with a capital, the name of a column with its own letter.
    begins = bool(one.columns) and one.words.startswith(one.columns[0])
    begins &= not one.words.startswith("column ")
    noun = "column" if len(one.columns) == 1 else "columns"
    words = f"{noun} {one.words}" if begins else one.words
    _BOXES[one.severity](problems.sentence(words), icon=_ICONS[one.severity])
    _remedies(work, one, number)


def _remedies(work: Work, one: Finding[Any], number: int) -> None:
    if not one.remedies:
        return
    with st.container(horizontal=True):
        for which, remedy in enumerate(one.remedies):
            about = "/".join(one.columns)
            st.button(
                remedy.words, key=work.key(f"remedy:{number}:{which}:{one.code}:{about}"),
                on_click=work.take, args=(remedy,), help=f"About {about}." if about else None,
            )  # fmt: skip
