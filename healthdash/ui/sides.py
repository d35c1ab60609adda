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
from healthdash.task import Gate, Report, Task
from healthdash.ui import kept, problems, state

__all__ = [
    "COMPARISONS",
    "SAME",
    "UNITS",
    "Side",
    "addressed",
    "adopt",
    "choose_item",
    "explained",
    "first",
    "fitting_methods",
    "has_budget",
    "model_words",
    "possible",
    "with_method",
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
SAME = "same"
UNITS = {"row": "Row", "beat": "Beat"}


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
        return f"{unit} {number + 1}" if unit in UNITS else ""


def first(task: Task, bundle: Bundle, work: state.Workspace) -> Side | None:
    """Let the reader choose item, class, method and budget; None: nothing can be explained."""
    place = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    chosen = choose_item(place, task, work, "left")
    if chosen is None:
        return None
    side = Side(task, bundle, work, chosen[0], ExplainRequest(item=chosen[1]))
    fitting = fitting_methods(side)
    if not fitting:
        st.info("No method of explanation fits this input.")
        return None
    return with_method(place, _with_target(place, side, "left"), fitting, "left")


def possible(side: Side) -> list[str]:
    """Return the comparisons that there is something for."""
    there = {
        "none": True,
        "methods": len(fitting_methods(side)) > 1,
        "classes": len(side.bundle.info.labels) > 1,
        "models": len(bundles.available(side.task.slug)) > 1,
        "inputs": True,
    }
    return [name for name in COMPARISONS if there[name]]


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
        "item": asked.item + 1 if side.task.unit in UNITS else None, "class": asked.target,
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
    item = other.asked.item + 1 if side.task.unit in UNITS else None
    return {"sample2": SAME if other.work is side.work else _sample(other.work), "item2": item}


def _sample(work: state.Workspace) -> str:
    return work.origin.partition("sample:")[2]


def fitting_methods(side: Side) -> list[str]:
    """Return the methods that fit, those of the task first."""
    names = dict.fromkeys([*side.task.methods, *explain.METHODS])
    return [name for name in names if explain.reason_against(name, side.one, side.bundle.forward) is None]


def _tell_failures(work: state.Workspace, *, alone: bool) -> None:
    """Say which files could not be analysed, and why: fully where there is nothing else to show."""
    for report in work.reports:
        if report.error is not None and alone:
            problems.tell(report.error)
        elif report.error is not None:
            st.warning(problems.sentence(f"{report.source} is left out: {report.error.message}"))


def choose_item(
    place: DeltaGenerator, task: Task, work: state.Workspace, which: str, first_one: int | None = None
) -> tuple[int, int] | None:
    """Let the reader choose one of many files, rows or beats; None: no file could be analysed."""
    usable = [number for number, report in enumerate(work.reports) if report.prediction is not None]
    if which == "left":
        _tell_failures(work, alone=not usable)
    if not usable:
        return None
    number, name = usable[0], f"{task.slug}:{which}:number:{work.turn}"
    if len(usable) > 1:
        number = kept.choose(place, "File", usable, name=name, words=lambda n: work.reports[n].source)
    prediction = work.reports[number].prediction
    assert prediction is not None
    if task.unit not in UNITS or len(prediction) < 2:
        return number, 0
    if first_one is None:
        first_one = task.default_item(prediction)
    first_one = kept.value(f"{task.slug}:{which}:item-asked", first_one)
    unit = "Analysed row" if work.reports[number].refusals else UNITS[task.unit]
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


def with_method(place: DeltaGenerator, side: Side, fitting: Sequence[str], which: str) -> Side:
    """Let the reader choose the method of a side, and its budget."""
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


def model_words(bundle: Bundle) -> str:
    """Return what tells a model from others of its task."""
    own = settings.current().own_models in bundle.path.parents
    return f"{bundle.info.title} ({bundle.name}{', trained here' if own else ''})"


def _told(bar: DeltaGenerator, share: float) -> None:
    """Show how far an explanation is, and how exact where its method can say; any choice ends it."""
    done, error = min(1.0, float(share)), getattr(share, "error", float("nan"))
    exact = "" if math.isnan(error) else f", largest standard error {100 * error:.2g} points"
    bar.progress(done, f"Explaining… {done:.0%}{exact}. Choosing something else stops it.")
