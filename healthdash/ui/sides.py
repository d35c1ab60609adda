"""What is explained: one input, or two that differ in a single respect."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from healthdash import bundles, explain, pipeline
from healthdash.bundles import Bundle
from healthdash.explain import ExplainRequest
from healthdash.task import Gate, Report, Task
from healthdash.ui import among, asking, failures, kept, progress, state
from healthdash.ui.among import USUAL, Among

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
    "possible",
]

#: What may differ between the two sides.
COMPARISONS = {
    "none": "One explanation",
    "methods": "Two methods",
    "classes": "Two classes",
    "models": "Two models",
    "inputs": "Two inputs",
    "baselines": "Two baselines",
}
SAME = "same"
UNITS = {"row": "Row", "beat": "Beat", "window": "Window", "slice": "Slice"}
_OF_A_SIGNAL = ("beat", "window")


@dataclass(frozen=True)
class Side:
    """One question about one input of one model.

    Attributes
    ----------
    number : int
        Of the report in `work`.
    among : Among
        How the input is divided among players; `asked` holds the players that it makes of it.
    """

    task: Task
    bundle: Bundle
    work: state.Workspace
    number: int
    asked: ExplainRequest
    among: Among = USUAL

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
    def unit(self) -> str:
        """What an item of the input is: a row, a beat; of a volume a slice, where one picture is judged."""
        assert self.report.prediction is not None
        return self.report.prediction.unit

    @property
    def one(self) -> Mapping[str, np.ndarray]:
        """The network's inputs for the item, a batch of one."""
        assert self.report.inputs is not None
        item = self.asked.item
        return {name: values[item : item + 1] for name, values in self.report.inputs.items()}

    @property
    def target_words(self) -> str:
        """The explained class as people read it by itself."""
        return self.task.said(self.asked.target)

    @property
    def input_words(self) -> str:
        """Which input it is, for the reader who loaded it."""
        words = self.report.source if len(self.work.reports) > 1 else self.work.title
        return f"{words}, {self.item_words}".rstrip(", ")

    @property
    def item_words(self) -> str:
        """Which row or slice of the input it is, or which beat and when; empty for a picture."""
        if self.unit not in UNITS:
            return ""
        place = self.places[self.asked.item]
        if self.unit in _OF_A_SIGNAL:
            return f"{self.unit} {self.asked.item + 1} at {place:.2f} s"
        # Of a table with refused rows, the n-th analysed one is another row of the file.
        return f"{self.unit} {int(place) + 1}"

    @property
    def places(self) -> NDArray[np.float64]:
        """Where each item is in the input: number of the row or slice, from 0; s of a beat or window."""
        prediction = self.report.prediction
        assert prediction is not None
        rate_hz = getattr(self.report.sample, "rate_hz", 1.0) if self.unit in _OF_A_SIGNAL else 1.0
        return prediction.items / rate_hz


def first(task: Task, bundle: Bundle, work: state.Workspace) -> Side | None:
    """Let the reader choose item, class, method and budget; None: nothing can be explained."""
    place = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    chosen = choose_item(place, task, work, "left")
    if chosen is None:
        return None
    side = Side(task, bundle, work, chosen[0], ExplainRequest(item=chosen[1]))
    side = replace(side, among=asking.choose_among(side))
    fitting = asking.fitting_methods(side)
    if not fitting:
        st.info("No method of explanation fits this input.")
        return None
    return asking.method_and_budget(place, _with_target(place, side, "left"), fitting, "left")


def possible(side: Side) -> list[str]:
    """Return the comparisons that there is something for."""
    there = {
        "none": True,
        "methods": len(asking.fitting_methods(side)) > 1,
        "classes": len(side.bundle.info.labels) > 1,
        "models": len(bundles.available(side.task.slug)) > 1,
        "inputs": True,
        "baselines": explain.uses(side.asked.method or "", "baseline") and not among.is_table(side.one),
    }
    return [name for name in COMPARISONS if there[name]]


def explained(side: Side) -> Report:
    """Return the report with its explanation; a bar shows how far it is."""
    key = (side.number, side.asked)
    # Here in every run of the page, so that what follows keeps its place.
    with st.container():
        if key not in side.work.explained:
            anytime = explain.uses(side.asked.method or "", "tolerance")
            side.work.explained[key] = progress.run(
                "Explaining…",
                lambda told: pipeline.explain(side.task, side.report, side.bundle, side.asked, told),
                (side.task.slug, side.bundle.info.sha256, side.work.turn, *key),
                keeps=anytime,
                needs_error=True,
            )
    return side.work.explained[key]


def addressed(side: Side, other: Side | None, compared: str) -> dict[str, object]:
    """Return the choices as an address; an upload is never in it."""
    asked = side.asked
    told: dict[str, object] = {
        "task": side.task.slug, "model": side.bundle.name, "sample": side.work.sample,
        "input": side.number + 1 if len(side.work.reports) > 1 else None,
        "item": asked.item + 1 if side.unit in UNITS else None, "class": asked.target,
        "method": asked.method, **_precision(asked), **_division(side), "baseline": asked.baseline,
    }  # fmt: skip
    if other is not None:
        told |= {"compare": compared, **_differing(side, other, compared)}
    return told


def adopt(task: Task, work: state.Workspace, address: Mapping[str, str]) -> None:
    """Set the choices to those of an address; what does not fit is left out when it is drawn."""
    slug = task.slug
    if "method" in address:  # a whole view: what it leaves out is as usual, whatever was chosen before
        address = {"compare": "none", "players": "", "baseline": "", "tolerance": "0"} | dict(address)
        for kind in among.COUNTS:
            kept.put(f"{slug}:players:{kind}", 0)
    names = {
        "class": f"left:class:{work.turn}", "method": "left:method", "compare": "compare",
        "class2": "right:class", "method2": "right:method", "model2": "right:model", "sample2": "right:input",
        "players": "players", "baseline": "baseline", "baseline2": "right:baseline",
    }  # fmt: skip
    for name, widget in names.items():
        if name in address:
            kept.put(f"{slug}:{widget}", address[name])
    for name, method, side in (("samples", "method", "left"), ("samples2", "method2", "right")):
        if address.get(name, "").isdigit():
            drawn_by = address.get(method) or next(iter(task.methods), "")
            kept.put(f"{slug}:{side}:samples:{drawn_by}", int(address[name]))
    _adopt_division(slug, address)
    number = _count(address.get("input", "1"))
    kept.put(f"{slug}:left:number:{work.turn}", number)
    if "item" in address:
        kept.put(f"{slug}:left:item:{work.turn}:{number}", _count(address["item"]))
    if "item2" in address:
        kept.put(f"{slug}:right:item-asked", _count(address["item2"]))


def _adopt_division(slug: str, address: Mapping[str, str]) -> None:
    """Set number, groups and tolerance to those of an address."""
    if address.get("parts", "").isdigit():
        kept.put(f"{slug}:players:{address.get('players', '')}", int(address["parts"]))
    if "groups" in address:
        asking.set_groups(slug, among.groups_of_address(address["groups"]))
    for method, tolerance in (("method", "tolerance"), ("method2", "tolerance2")):
        scale = asking.tolerance_scale(address[method]) if address.get(method) in explain.METHODS else ""
        with suppress(ValueError):
            kept.put(f"{slug}:tolerance:{scale}", float(address.get(tolerance, "")))


def _precision(asked: ExplainRequest) -> dict[str, object]:
    sampled = explain.uses(asked.method or "", "samples")
    return {"samples": asked.samples if sampled else None, "tolerance": asked.tolerance or None}


def _division(side: Side) -> dict[str, object]:
    """Return how the input is divided, for an address; nothing where that is the usual way."""
    chosen, usual = side.among, among.kinds(side.task, side.bundle, side.one)[0]
    method, kind = side.asked.method or "", chosen.kind or usual
    if not explain.uses(method, "players"):
        return {}
    offered = among.counts(kind, method, side.one)
    is_usual = not offered or chosen.count in (0, among.usual_count(kind, offered))
    told: dict[str, object] = {} if is_usual else {"parts": chosen.count}
    if kind != usual or told:
        told["players"] = kind
    if kind == "groups":
        told["groups"] = among.as_address(chosen.groups)
    return told


def _count(text: str) -> int:
    """Return a number of an address, counted from 1, as one counted from 0."""
    return max(0, int(text) - 1) if text.isdigit() else 0


def _differing(side: Side, other: Side, compared: str) -> dict[str, object]:
    if compared == "methods":
        return {"method2": other.asked.method, **{f"{n}2": v for n, v in _precision(other.asked).items()}}
    if compared == "baselines":
        return {"baseline2": other.asked.baseline}
    if compared == "classes":
        return {"class2": other.asked.target}
    if compared == "models":
        return {"model2": other.bundle.name}
    item = other.asked.item + 1 if other.unit in UNITS else None
    return {"sample2": SAME if other.work is side.work else other.work.sample, "item2": item}


def choose_item(
    place: DeltaGenerator,
    task: Task,
    work: state.Workspace,
    which: str,
    first_one: int | None = None,
    *,
    beside: int | None = None,
) -> tuple[int, int] | None:
    """Let the reader choose one of many files, rows or beats; None: no file could be analysed.

    Parameters
    ----------
    beside : int or None
        Number of the file on the other side, of the same input: the one after it stands first here.
    """
    usable = [number for number, report in enumerate(work.reports) if report.prediction is not None]
    if beside is None:  # else the other side has told it: both look at the same files
        failures.left_out(work.reports)
    if not usable:
        return None
    number, name = usable[0], f"{task.slug}:{which}:number:{work.turn}"
    if len(usable) > 1:
        after = usable[(usable.index(beside) + 1) % len(usable)] if beside in usable else None
        number = kept.choose(
            place, "File", usable, name=name, words=lambda n: work.reports[n].source, default=after
        )
    prediction = work.reports[number].prediction
    assert prediction is not None
    if prediction.unit not in UNITS or len(prediction) < 2:
        return number, 0
    if first_one is None:
        first_one = task.default_item(prediction)
    first_one = kept.value(f"{task.slug}:{which}:item-asked", first_one)
    unit = "Analysed row" if work.reports[number].refusals else UNITS[prediction.unit]
    return number, kept.count(
        place, f"{unit}, 1 to {len(prediction):,}", len(prediction),
        name=f"{task.slug}:{which}:item:{work.turn}:{number}", default=first_one,
    )  # fmt: skip


def _with_target(place: DeltaGenerator, side: Side, which: str) -> Side:
    assert side.report.prediction is not None
    decided = side.report.prediction.label(side.asked.item)
    name = f"{side.task.slug}:{which}:class:{side.work.turn}"
    target = kept.choose(
        place, "Class", side.bundle.info.labels, name=name, default=decided, words=side.task.said
    )
    return replace(side, asked=replace(side.asked, target=target))
