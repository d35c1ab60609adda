"""What is explained: one input, or two that differ in a single respect."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from healthdash import bundles, explain, pipeline, settings
from healthdash.bundles import Bundle
from healthdash.explain import ExplainRequest
from healthdash.task import Gate, Report, Task, Upload
from healthdash.ui import analysis, kept, problems, state

__all__ = [
    "COMPARISONS",
    "Side",
    "addressed",
    "adopt",
    "beside",
    "explained",
    "first",
    "has_budget",
    "model_words",
    "possible",
]

#: What may differ between the two sides.
COMPARISONS = {
    "none": "One explanation",
    "methods": "Two methods",
    "classes": "Two classes",
    "models": "Two models",
    "inputs": "Two inputs",
}
SAMPLES = (50, 100, 200, 400, 800, 1600)
#: Methods that cost the same whatever is asked for.
_WITHOUT_BUDGET = ("exact-shapley", "occlusion", "grad-cam")
_BESIDE = ":beside"
_UPLOAD, _SAME = "upload", "same"
_UNITS = {"row": "Row", "beat": "Beat"}


@dataclass(frozen=True)
class Side:
    """One question about one input of one model.

    Attributes
    ----------
    number : int
        Of the report in `work`.
    """

    task: Task
    bundle: Bundle
    work: state.Workspace
    number: int
    asked: ExplainRequest

    @property
    def report(self) -> Report:
        """The report without an explanation."""
        return self.work.reports[self.number]

    @property
    def gate(self) -> Gate:
        """What the gate of the model says of the item."""
        if self.number not in self.work.gates:
            self.work.gates[self.number] = self.task.item_gates(self.report, self.bundle)
        return self.work.gates[self.number][self.asked.item]

    @property
    def one(self) -> Mapping[str, np.ndarray]:
        """The network's inputs for the item, a batch of one."""
        assert self.report.inputs is not None
        item = self.asked.item
        return {name: values[item : item + 1] for name, values in self.report.inputs.items()}

    @property
    def input_words(self) -> str:
        """Which input it is, for the reader who loaded it."""
        words = self.report.source if len(self.work.reports) > 1 else self.work.title
        return f"{words}, {self.item_words}".rstrip(", ")

    @property
    def item_words(self) -> str:
        """Which row or beat of the input it is; empty for a picture."""
        unit, prediction = self.task.unit, self.report.prediction
        assert prediction is not None
        # Of a table with refused rows, the n-th analysed one is another row of the file.
        number = int(prediction.items[self.asked.item]) if unit == "row" else self.asked.item
        return f"{unit} {number + 1}" if unit in _UNITS else ""


def first(task: Task, bundle: Bundle, work: state.Workspace) -> Side | None:
    """Let the reader choose item, class, method and budget; None: nothing can be explained."""
    place = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    chosen = _item(place, task, work, "left")
    if chosen is None:
        return None
    side = Side(task, bundle, work, chosen[0], ExplainRequest(item=chosen[1]))
    fitting = _fitting(side)
    if not fitting:
        st.info("No method of explanation fits this input.")
        return None
    return _with_method(place, _with_target(place, side, "left"), fitting, "left")


def possible(side: Side) -> list[str]:
    """Return the comparisons that there is something for."""
    there = {
        "none": True,
        "methods": len(_fitting(side)) > 1,
        "classes": len(side.bundle.info.labels) > 1,
        "models": len(bundles.available(side.task.slug)) > 1,
        "inputs": True,
    }
    return [name for name in COMPARISONS if there[name]]


def beside(side: Side, compared: str) -> Side | None:
    """Let the reader choose what differs on the right; None: there is nothing yet."""
    place = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    if compared == "methods":
        return _with_method(place, side, _others(_fitting(side), side.asked.method), "right")
    if compared == "classes":
        name, others = f"{side.task.slug}:right:class", _others(side.bundle.info.labels, side.asked.target)
        target = kept.choose(place, "Class on the right", others, name=name)
        return replace(side, asked=replace(side.asked, target=target))
    return _other_model(place, side) if compared == "models" else _other_input(place, side)


def explained(side: Side) -> Report:
    """Return the report with its explanation; a bar shows how far it is."""
    key = (side.number, side.asked)
    if key not in side.work.explained:
        bar = st.progress(0.0, "Explaining…")
        side.work.explained[key] = pipeline.explain(
            side.task, side.report, side.bundle, side.asked, lambda share: _told(bar, share)
        )
        bar.empty()
    return side.work.explained[key]


def addressed(side: Side, other: Side | None, compared: str) -> dict[str, object]:
    """Return the choices as an address; an upload is never in it."""
    asked = side.asked
    told: dict[str, object] = {
        "task": side.task.slug, "model": side.bundle.name, "sample": _sample(side.work),
        "input": side.number + 1 if len(side.work.reports) > 1 else None,
        "item": asked.item + 1 if side.task.unit in _UNITS else None, "class": asked.target,
        "method": asked.method, "samples": asked.samples if has_budget(asked.method) else None,
    }  # fmt: skip
    if other is not None:
        told |= {"compare": compared, **_differing(side, other, compared)}
    return told


def adopt(task: Task, work: state.Workspace, address: Mapping[str, str]) -> None:
    """Set the choices to those of an address; what does not fit is left out when it is drawn."""
    slug = task.slug
    names = {
        "class": f"left:class:{work.turn}", "method": "left:method", "compare": "compare",
        "class2": "right:class", "method2": "right:method", "model2": "right:model", "sample2": "right:input",
    }  # fmt: skip
    for name, widget in names.items():
        if name in address:
            kept.put(f"{slug}:{widget}", address[name])
    for name, side in (("samples", "left"), ("samples2", "right")):
        if address.get(name, "").isdigit():
            kept.put(f"{slug}:{side}:samples", int(address[name]))
    number = _count(address.get("input", "1"))
    kept.put(f"{slug}:left:number:{work.turn}", number)
    if "item" in address:
        kept.put(f"{slug}:left:item:{work.turn}:{number}", _count(address["item"]))
    if "item2" in address:
        kept.put(f"{slug}:right:item-asked", _count(address["item2"]))


def has_budget(method: str | None) -> bool:
    """Say whether a method is sampled, so that more samples make it more exact."""
    return method not in _WITHOUT_BUDGET


def _count(text: str) -> int:
    """Return a number of an address, counted from 1, as one counted from 0."""
    return max(0, int(text) - 1) if text.isdigit() else 0


def _differing(side: Side, other: Side, compared: str) -> dict[str, object]:
    if compared == "methods":
        budget = other.asked.samples if has_budget(other.asked.method) else None
        return {"method2": other.asked.method, "samples2": budget}
    if compared == "classes":
        return {"class2": other.asked.target}
    if compared == "models":
        return {"model2": other.bundle.name}
    item = other.asked.item + 1 if side.task.unit in _UNITS else None
    return {"sample2": _SAME if other.work is side.work else _sample(other.work), "item2": item}


def _sample(work: state.Workspace) -> str:
    return work.origin.partition("sample:")[2]


def _others(names: Sequence[str], current: str | None) -> list[str]:
    """Return names with the current one last: what is compared first is another one."""
    return sorted(names, key=lambda name: name == current)


def _fitting(side: Side) -> list[str]:
    """Return the methods that fit, those of the task first."""
    names = dict.fromkeys([*side.task.methods, *explain.METHODS])
    return [name for name in names if explain.reason_against(name, side.one, side.bundle.forward) is None]


def _item(
    place: DeltaGenerator, task: Task, work: state.Workspace, which: str, first_one: int | None = None
) -> tuple[int, int] | None:
    """Let the reader choose one of many files, rows or beats; None: no file could be analysed."""
    usable = [number for number, report in enumerate(work.reports) if report.prediction is not None]
    for report in work.reports:
        if report.error is not None and not usable:
            problems.tell(report.error)
    if not usable:
        return None
    number, name = usable[0], f"{task.slug}:{which}:number:{work.turn}"
    if len(usable) > 1:
        number = kept.choose(place, "File", usable, name=name, words=lambda n: work.reports[n].source)
    prediction = work.reports[number].prediction
    assert prediction is not None
    if task.unit not in _UNITS or len(prediction) < 2:
        return number, 0
    if first_one is None:
        first_one = task.default_item(prediction)
    first_one = kept.value(f"{task.slug}:{which}:item-asked", first_one)
    unit = "Analysed row" if work.reports[number].refusals else _UNITS[task.unit]
    return number, kept.count(
        place, f"{unit}, 1 to {len(prediction):,}", len(prediction),
        name=f"{task.slug}:{which}:item:{work.turn}:{number}", default=first_one,
    )  # fmt: skip


def _with_target(place: DeltaGenerator, side: Side, which: str) -> Side:
    assert side.report.prediction is not None
    decided = side.report.prediction.label(side.asked.item)
    name = f"{side.task.slug}:{which}:class:{side.work.turn}"
    target = kept.choose(place, "Class", side.bundle.info.labels, name=name, default=decided)
    return replace(side, asked=replace(side.asked, target=target))


def _with_method(place: DeltaGenerator, side: Side, fitting: Sequence[str], which: str) -> Side:
    label = "Method" if which == "left" else "Method on the right"
    name = f"{side.task.slug}:{which}"
    usual = side.task.methods

    def words(method: str) -> str:
        return explain.title(method) + ("" if method in usual else ", slow or unusual here")

    method = kept.choose(place, label, fitting, name=f"{name}:method", words=words)
    samples = SAMPLES[2]
    if has_budget(method):
        samples = kept.slide(
            place, "Samples", SAMPLES, name=f"{name}:samples", default=samples,
            tip="More samples are more exact and take longer.",
        )  # fmt: skip
    return replace(side, asked=replace(side.asked, method=method, samples=samples))


def _other_model(place: DeltaGenerator, side: Side) -> Side | None:
    found = {bundle.name: bundle for bundle in bundles.available(side.task.slug)}
    others = _others(list(found), side.bundle.name)
    chosen = kept.choose(
        place, "Model on the right", others, name=f"{side.task.slug}:right:model",
        words=lambda name: model_words(found[name]),
    )  # fmt: skip
    work = state.workspace(side.task, _BESIDE)
    if work.uploads != side.work.uploads:
        work.take(side.task, side.work.uploads, origin=side.work.origin, title=side.work.title)
    other = replace(side, bundle=found[chosen], work=work)
    return _analysed(other, side.number, side.asked.item)


def model_words(bundle: Bundle) -> str:
    """Return what tells a model from others of its task."""
    own = settings.current().own_models in bundle.path.parents
    return f"{bundle.info.title} ({bundle.name}{', trained here' if own else ''})"


def _other_input(place: DeltaGenerator, side: Side) -> Side | None:
    """Let the reader choose another item, sample or upload."""
    task, unit = side.task, _UNITS.get(side.task.unit, "")
    examples = {example.slug: example for example in task.examples()}
    words = {slug: f"Synthetic: {example.title}" for slug, example in examples.items()}
    prediction = side.report.prediction
    if len(side.work.reports) > 1 or (unit and prediction is not None and len(prediction) > 1):
        words = {_SAME: f"Another {unit.lower() or 'file'} of these", **words}
    words[_UPLOAD] = "An upload"
    chosen = kept.choose(
        place, "Input on the right", list(words), name=f"{task.slug}:right:input", words=lambda k: words[k]
    )
    if chosen == _SAME:
        return _asked_of(side, place, side.asked.item + 1)
    work = state.workspace(task, _BESIDE)
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


def _asked_of(side: Side, place: DeltaGenerator, first_one: int | None = None) -> Side | None:
    chosen = _item(place, side.task, side.work, "right", first_one)
    return None if chosen is None else _of(side, *chosen)


def _analysed(side: Side, number: int, item: int) -> Side | None:
    """Run another model over the same input."""
    analysis.analyse(side.task, side.bundle, side.work)
    number = min(number, len(side.work.reports) - 1)
    report = side.work.reports[number]
    if report.prediction is None:
        if report.error is not None:
            problems.tell(report.error)
        return None
    return _of(side, number, min(item, len(report.prediction) - 1))


def _of(side: Side, number: int, item: int) -> Side | None:
    made = replace(side, number=number, asked=replace(side.asked, item=item))
    if made.asked.target not in made.bundle.info.labels:
        st.info(f"The model on the right has no class {made.asked.target}.")
        return None
    return made


def _upload(place: DeltaGenerator, task: Task, work: state.Workspace) -> None:
    name = f"upload{_BESIDE}:{task.slug}"
    key = state.fresh_key(name)
    place.file_uploader(
        "Upload for the right side", accept_multiple_files=True, key=key,
        max_upload_size=settings.current().max_upload_mb, on_change=_take, args=(task, name, key),
        help="Files stay in the memory of this machine and are forgotten with the session.",
    )  # fmt: skip


def _take(task: Task, name: str, key: str) -> None:
    files = st.session_state.get(key) or []
    if files:
        work = state.workspace(task, _BESIDE)
        uploads = work.joined([Upload(file.name, file.getvalue()) for file in files])
        work.take(task, uploads, origin="upload", title=uploads[0].name)
        state.used_up(name)


def _told(bar: DeltaGenerator, share: float) -> None:
    """Show how far an explanation is, and how exact where its method can say; any choice ends it."""
    done, error = min(1.0, float(share)), getattr(share, "error", float("nan"))
    exact = "" if math.isnan(error) else f", largest standard error {100 * error:.2g} points"
    bar.progress(done, f"Explaining… {done:.0%}{exact}. Choosing something else stops it.")
