"""The right side of a comparison: the same question, otherwise in one respect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from healthdash import bundles, settings
from healthdash.explain import baselines
from healthdash.task import Task, Upload
from healthdash.ui import about, analysis, asking, hints, kept, problems, state
from healthdash.ui.sides import SAME, UNITS, Side, choose_item

__all__ = ["beside", "same_item"]

#: ANSI/AAMI EC57: marks within 150 ms belong to one beat; no two rows or slices are so near.
_SAME_BEAT_S = 0.15
#: Where the right side has its inputs: what another model was asked of is no upload of the reader's.
_OTHER_MODEL, _OTHER_INPUT = ":beside:models", ":beside:inputs"
_UPLOAD = "upload"


def beside(side: Side, compared: str) -> Side | None:
    """Let the reader choose what differs on the right; None: there is nothing yet."""
    place = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    if compared == "methods":
        others = _others(asking.fitting_methods(side), side.asked.method)
        return asking.method_and_budget(place, side, others, "right")
    if compared == "classes":
        name, others = f"{side.task.slug}:right:class", _others(side.bundle.info.labels, side.asked.target)
        target = kept.choose(place, "Class on the right", others, name=name, words=side.task.said)
        return replace(side, asked=replace(side.asked, target=target))
    if compared == "baselines":
        return _other_baseline(place, side)
    return _other_model(place, side) if compared == "models" else _other_input(place, side)


def _other_baseline(place: DeltaGenerator, side: Side) -> Side:
    # Zero first: no method takes it by itself, so that the two sides differ from the start.
    others = _others(list(reversed(baselines.TITLES)), side.asked.baseline)
    chosen = kept.choose(
        place, "Baseline on the right", others, name=f"{side.task.slug}:right:baseline",
        words=asking.baseline_words,
    )  # fmt: skip
    return replace(side, asked=replace(side.asked, baseline=chosen))


def _other_model(place: DeltaGenerator, side: Side) -> Side | None:
    found = {bundle.name: bundle for bundle in bundles.available(side.task.slug)}
    others = _others(list(found), side.bundle.name)
    chosen = kept.choose(
        place, "Model on the right", others, name=f"{side.task.slug}:right:model",
        words=lambda name: about.model_words(found[name]),
    )  # fmt: skip
    work = state.workspace(side.task, _OTHER_MODEL)
    work.follow(side.work)
    model = found[chosen]
    return _analysed(replace(side, task=side.task.bound(model), bundle=model, work=work), side)


def _other_input(place: DeltaGenerator, side: Side) -> Side | None:
    """Let the reader choose another item, sample or upload."""
    task, unit = side.task, UNITS.get(side.unit, "")
    examples = {example.slug: example for example in task.examples()}
    words = {slug: f"Synthetic: {example.title}" for slug, example in examples.items()}
    prediction = side.report.prediction
    if len(side.work.reports) > 1 or (unit and prediction is not None and len(prediction) > 1):
        words = {SAME: f"Another {unit.lower() or 'file'} of these", **words}
    words[_UPLOAD] = "An upload"
    chosen = kept.choose(
        place, "Input on the right", list(words), name=f"{task.slug}:right:input", words=lambda k: words[k]
    )
    if chosen == SAME:
        return _asked_of(side, place, side.asked.item + 1, beside=side.number)
    work = state.workspace(task, _OTHER_INPUT)
    if chosen == _UPLOAD:
        _upload(place, task, work)
    elif work.origin != f"sample:{chosen}":
        example = examples[chosen]
        work.take(task, example.make(), origin=f"sample:{chosen}", title=example.title)
    if not work.groups or (chosen == _UPLOAD) != (work.origin == "upload"):
        st.info("Upload what is shown on the right.", icon=":material/upload_file:")
        return None
    with problems.shown():
        analysis.analyse(task, side.bundle, work)
        return _asked_of(replace(side, work=work), place)
    return None


def _asked_of(
    side: Side, place: DeltaGenerator, first_one: int | None = None, *, beside: int | None = None
) -> Side | None:
    chosen = choose_item(place, side.task, side.work, "right", first_one, beside=beside)
    return None if chosen is None else _of(side, *chosen)


def _analysed(side: Side, left: Side) -> Side | None:
    """Run another model over the same input, and take the same row, beat or window of it."""
    analysis.analyse(side.task, side.bundle, side.work)
    report = side.report
    if report.prediction is None:
        if report.error is not None:
            problems.tell(report.error)
        return None
    item = same_item(left, side)
    if item is None:
        refused = report.refusals.get(int(left.places[left.asked.item])) if left.unit == "row" else None
        why = "; ".join(refused.problems) if refused else f"it finds no {left.unit} there"
        st.info(problems.sentence(f"the other model cannot judge {left.item_words}: {why}"))
        return None
    return _of(side, side.number, item)


def same_item(left: Side, right: Side) -> int | None:
    """Return which item of the right side is that of the left one; None: the right one has it not.

    Models refuse rows and find beats each by itself, so that the n-th item of one may be another patient's.
    """
    if left.unit != right.unit or not len(right.places):
        return None
    apart = np.abs(right.places - left.places[left.asked.item])
    nearest = int(apart.argmin())
    return nearest if apart[nearest] <= _SAME_BEAT_S else None


def _of(side: Side, number: int, item: int) -> Side | None:
    made = replace(side, number=number, asked=replace(side.asked, item=item))
    if made.asked.target not in made.bundle.info.labels:
        st.info(f"The model on the right has no class {problems.plain(made.target_words)}.")
        return None
    return made


def _upload(place: DeltaGenerator, task: Task, work: state.Workspace) -> None:
    name = f"upload{_OTHER_INPUT}:{task.slug}"
    key = state.fresh_key(name)
    place.file_uploader(
        "Upload for the right side", accept_multiple_files=True, key=key,
        max_upload_size=settings.current().max_upload_mb, on_change=_take, args=(task, name, key),
        help="Files stay in the memory of this machine and are forgotten with the session.",
    )  # fmt: skip
    if task.kind == "ecg" and work.origin == "upload":
        told = hints.ask(work.uploads, f"right:hints:{task.slug}:{work.loads}")
        if told is not None:
            work.take(task, told, origin="upload", title=work.title)


def _take(task: Task, name: str, key: str) -> None:
    files = state.taken(name, key)
    if files:
        work = state.workspace(task, _OTHER_INPUT)
        uploads = work.joined(task, [Upload(file.name, file.getvalue()) for file in files])
        work.take(task, uploads, origin="upload", title=uploads[0].name)


def _others(names: Sequence[str], current: str | None) -> list[str]:
    """Return names with the current one last: what is compared first is another one."""
    return sorted(names, key=lambda name: name == current)
