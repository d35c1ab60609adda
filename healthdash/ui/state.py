"""What one browser session holds: its inputs and results, and how they are removed.

Widgets lose their values when the page changes and uploads stay in memory until the session ends;
so inputs are copied here, under keys of our own, and the upload widget is emptied at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from healthdash import apart
from healthdash.bundles import Bundle
from healthdash.explain import ExplainRequest
from healthdash.task import Gate, Report, Task, Upload
from healthdash.ui import problems
from healthdash.ui.viewer import slabs

if TYPE_CHECKING:
    from healthdash.explain.counterfactual import Counterfactuals
    from healthdash.explain.interactions import Interactions
    from healthdash.explain.metric_loss import MetricLoss
    from healthdash.explain.players import Players
    from healthdash.explain.quality import Quality
    from healthdash.ui.among import Among
    from healthdash.ui.cohort_views import Cohort

__all__ = ["ExplanationKey", "Workspace", "forget", "fresh_key", "taken", "used_up", "workspace"]

_PREFIX = "work:"
_GENERATION = "generation"
#: The number of a report, and what was asked about which item of it.
ExplanationKey = tuple[int, ExplainRequest]


@dataclass
class Workspace:
    """The inputs of one task in one session, and what came of them.

    Attributes
    ----------
    origin : str
        Where the inputs came from: "upload", "form", "sample:slug"; empty when there are none.
    groups : list of lists of Upload
        The files of each input.
    model : str
        sha256 of the weights that gave `reports`; empty before the first run.
    wanted : tuple or None
        What the reader has asked to be explained, until it is.
    explained : dict
        Reports with an explanation, by what was asked.
    judged : dict
        How good each explanation is, by what was asked.
    players : dict
        Who shares an input out: its number and item, the model, how it is divided, the method.
    changed : tuple or None
        The last row of "what if", and what it was made of: its bytes, the question, the model.
    cohorts : dict
        Explanations of many rows, by where they come from, how many, and what was asked.
    losses : dict
        What a metric loses without each column, by the cohort and the metric.
    pairs : dict
        What pairs of players do together, by what was asked and who plays.
    otherwise : tuple or None
        The last search for changes that cross a threshold, and what was asked.
    table : DataFrame or None
        The results in a table, made when it is first shown.
    gates : dict
        Gates of the items of each report that was opened.
    turn : int
        Grows with every other input, so that choices about an input end with it.
    loads : int
        Grows with other inputs only; `turn` also when more was said of them.
    """

    origin: str = ""
    title: str = ""
    uploads: list[Upload] = field(default_factory=list)
    groups: list[list[Upload]] = field(default_factory=list)
    model: str = ""
    reports: list[Report] = field(default_factory=list)
    wanted: ExplanationKey | None = None
    explained: dict[ExplanationKey, Report] = field(default_factory=dict)
    judged: dict[ExplanationKey, Quality] = field(default_factory=dict)
    players: dict[tuple[int, int, str, Among, str], Players | None] = field(default_factory=dict)
    changed: tuple[tuple[bytes, ExplainRequest, str], Report] | None = None
    cohorts: dict[tuple[str, int, int, ExplainRequest], Cohort] = field(default_factory=dict)
    losses: dict[object, MetricLoss] = field(default_factory=dict)
    pairs: dict[object, Interactions] = field(default_factory=dict)
    otherwise: tuple[object, Counterfactuals] | None = None
    table: pd.DataFrame | None = None
    gates: dict[int, Sequence[Gate]] = field(default_factory=dict)
    turn: int = 0
    loads: int = 0

    def take(self, task: Task, uploads: Sequence[Upload], *, origin: str, title: str) -> None:
        """Begin anew with other inputs."""
        self._begin(uploads, apart.groups(task, uploads), origin, title)

    def follow(self, other: Workspace) -> None:
        """Hold the inputs of another workspace, with all that was said of them."""
        if (self.origin, self.groups) != (other.origin, other.groups):
            self._begin(other.uploads, other.groups, other.origin, other.title)

    def _begin(
        self, uploads: Sequence[Upload], groups: Sequence[list[Upload]], origin: str, title: str
    ) -> None:
        self.origin, self.title = origin, title
        self.turn += 1
        self.loads += 1
        slabs.forget()
        self.uploads, self.groups = list(uploads), list(groups)
        self.done("", [])

    def retold(self, number: int, **hints: str | float) -> None:
        """Say more about one input, which is then read anew; the results of all go."""
        self.turn += 1
        self.groups[number] = [
            replace(upload, hints={**upload.hints, **hints}) for upload in self.groups[number]
        ]
        self.done("", [])

    def done(self, model: str, reports: list[Report]) -> None:
        """Keep the reports of a model; explanations of earlier ones go."""
        self.model, self.reports, self.table = model, reports, None
        self.wanted = None
        self.changed, self.otherwise, self.cohorts, self.players = None, None, {}, {}
        self.losses, self.pairs = {}, {}
        self.explained, self.judged, self.gates = {}, {}, {}

    @property
    def sample(self) -> str:
        """The sample that is loaded; empty for anything else."""
        return self.origin.partition("sample:")[2]

    def joined(self, task: Task, uploads: Sequence[Upload]) -> list[Upload]:
        """Return new files, with earlier ones of the same input: x.hea and x.dat, not x.csv and x.xlsx."""
        stems = {PurePath(upload.name).stem for upload in uploads}
        names = {upload.name for upload in uploads}
        earlier = self.uploads if self.origin == "upload" else []
        kept = [u for u in earlier if PurePath(u.name).stem in stems and u.name not in names]
        if not kept:
            return [*uploads]
        inputs = ({u.name for u in files} for files in apart.groups(task, [*kept, *uploads]))
        wanted = set().union(*(files for files in inputs if files & names))
        return [*(u for u in kept if u.name in wanted), *uploads]

    def is_done_by(self, bundle: Bundle) -> bool:
        """Say whether the reports are those of a model."""
        return bool(self.reports) and self.model == bundle.info.sha256


def workspace(task: Task, place: str = "") -> Workspace:
    """Return this session's inputs of a task; `place` names further ones that are compared with them."""
    held: Workspace = st.session_state.setdefault(f"{_PREFIX}{task.slug}{place}", Workspace())
    return held


def fresh_key(name: str) -> str:
    """Return the key of a widget that can be emptied by `used_up`."""
    return f"{name}#{st.session_state.get(_GENERATION, 0)}.{st.session_state.get(f'turn:{name}', 0)}"


def used_up(name: str) -> None:
    """Empty the widget of a name: its next run is a new one."""
    st.session_state[f"turn:{name}"] = st.session_state.get(f"turn:{name}", 0) + 1


def taken(name: str, key: str) -> Any:
    """Return what was given to the widget of a name, once, and empty it; None: nothing is there, or no more.

    A browser that asks for something while the page still runs names its widgets as they were. Streamlit
    then tells once more that the one which was emptied has changed, and what came of it would be done anew.

    Parameters
    ----------
    key : str
        Of the widget that told of a change.
    """
    given = st.session_state.get(key)
    if not given or key != fresh_key(name):
        return None
    used_up(name)
    return given


def forget() -> None:
    """Remove everything that this session holds, running trainings included."""
    generation = st.session_state.get(_GENERATION, 0) + 1
    for held in list(st.session_state.values()):
        if callable(getattr(held, "close", None)):
            with problems.shown():  # what cannot be removed must not keep the rest
                held.close()
    st.session_state.clear()
    st.session_state[_GENERATION] = generation
    st.query_params.clear()
