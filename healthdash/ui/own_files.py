"""Own pictures or signals before training: what they are, what is odd about them, and what to do about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from healthdash import archive
from healthdash.apart import leftovers
from healthdash.datasets.listing import FOLDER, LABEL, NAME, PATH, Listing, UnnamedLabel
from healthdash.datasets.looked import Looked
from healthdash.datasets.own import OwnFiles
from healthdash.datasets.report import ItemReport
from healthdash.datasets.steps import ItemCleaning
from healthdash.task import Upload
from healthdash.training import TrainSettings
from healthdash.ui import own_work, problems
from healthdash.ui.own_work import Chosen, Work
from healthdash.ui.server_data import OnServer

__all__ = ["CAPTIONS", "ChosenFiles", "section"]

CAPTIONS = {
    "images": "A zip file of pictures (PNG, JPEG, TIFF, WebP, DICOM): one folder for each label, or a table "
    "that names each file, its label and its patient.",
    "signals": "A zip file of recordings (WFDB, EDF, CSV): with beat or rhythm annotations, with one folder "
    "for each label, or with a table that names each file, its label and its patient.",
}
_WORK = "work:own-files"
_STEPS = "**Cleaning steps** (they are told in the card of the model)"


@dataclass(frozen=True, slots=True)
class ChosenFiles(Chosen):
    """What the reader chose about labelled files."""

    def settings(self, others: TrainSettings) -> TrainSettings:
        """Return settings of a run that has the cleaning beside its data."""
        return replace(others, target=None, group=None, cleaning=own_work.FILE)


def section(given: Upload, task: OwnFiles) -> ChosenFiles | None:
    """Show labelled files and their data report; return what was chosen, None while there is no label."""
    work = own_work.of_session(_WORK, f"{hashlib.sha256(given.data).hexdigest()}:{task.slug}", Work)
    target = work.layout.get("target")
    try:
        looked: Looked = work.once(f"looked|{target}", lambda: _looked(given, task, target))
    except UnnamedLabel as unnamed:
        _label(work, st.container(), unnamed.columns, None)
        st.info("Choose the column of the label: the data report follows.", icon=":material/arrow_upward:")
        return None
    for notice in looked.listing.notices:
        st.info(problems.sentence(notice), icon=":material/info:")
    left, right = st.columns(2)
    listing = looked.listing
    if listing.label_column in listing.columns:
        _label(work, left, listing.columns, listing.label_column)
    own_work.group(
        work, right, _group_names(listing), "Patient, by",
        without=f"each file is a patient (every {listing.unit} of it)",
        why="What comes from one patient stays in one part of the split.",
    )  # fmt: skip
    found = _report(work, looked)
    _overview(found)
    own_work.findings(work, found.findings, partial(_settle, work, looked))
    own_work.taken_steps(work, _STEPS)
    return ChosenFiles(ItemCleaning(target=target, steps=tuple(work.steps)), found.findings)


def _looked(given: Upload, task: OwnFiles, target: str | None) -> Looked:
    """Look at every file, with a bar that tells how far it is."""
    bar = st.progress(0.0, "Looking at the data…")
    with _folder(given) as folder:
        looked = task.look(folder, target, lambda share: bar.progress(share, "Looking at the data…"))
    bar.empty()
    return looked


@contextmanager
def _folder(given: Upload) -> Iterator[Path]:
    """Give the folder of labelled files; an archive that was uploaded is unpacked only for the look."""
    if isinstance(given, OnServer):
        with archive.opened(given.path) as folder:
            yield folder
    else:
        with leftovers.made() as made:
            yield archive.placed(given.name, given.data, made)


def _label(work: Work, place: Any, columns: Sequence[str], now: str | None) -> None:
    """Ask for the column of the label; another one means another look."""
    chosen = place.selectbox(
        "Column of the label", list(columns), index=columns.index(now) if now else None,
        placeholder="Choose what is to be predicted", key=work.key("label"),
    )  # fmt: skip
    if chosen is not None and chosen != now:
        work.layout, work.steps = {"target": chosen}, []
        st.rerun()


def _group_names(listing: Listing) -> list[str]:
    made = [name for name in listing.frame if name not in (PATH, LABEL) and name not in listing.columns]
    shown = [name for name in made if name in (FOLDER, NAME) or " " in str(name)]
    return [name for name in listing.columns if name != listing.label_column] + [str(n) for n in shown]


def _report(work: Work, looked: Looked) -> ItemReport:
    with st.spinner("Looking at the data…"):
        found: ItemReport = work.once(f"report|{work.layout}|{work.steps}", lambda: looked.report(work.steps))
    return found


def _settle(work: Work, looked: Looked) -> None:
    work.steps, found = looked.settled(work.steps)
    work.made["report"] = (f"report|{work.layout}|{work.steps}", found)


def _overview(found: ItemReport) -> None:
    st.subheader("Data report", anchor=False)
    items = problems.sentence(f"{found.items.unit}s").rstrip(".")
    own_work.counts({items: len(found.items), "Patients or sources": found.groups}, found.labels)
    with st.expander("What the files are like", icon=":material/folder_open:"):
        frame = pd.DataFrame(found.ranges.items(), columns=["property", "values"])
        st.dataframe(frame, hide_index=True, alt="Properties of the files and their values")
