"""Three small tasks with known answers, one a kind of page; numpy only, so that pages are tested quickly.

Each reads JSON: ``{"pixels": [[...]]}``, ``{"signal": [...]}`` or ``{"rows": [[a, b], ...]}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from healthdash.bundles import BundleInfo, DataSource, OperatingPoint
from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.explain import ExplainRequest, Explanation
from healthdash.explain.choices import Column
from healthdash.fields import CategoryField, NumberField
from healthdash.task import Attribution, Example, Gate, Report, Sample, Task, Upload
from healthdash.training.evaluation import Confusion, Evaluation, MetricRow, Points, ReliabilityBin
from healthdash.views import (
    ClassBars,
    Grid,
    Marker,
    Picture,
    Sections,
    Trace,
    View,
    Waterfall,
    Window,
)


@dataclass(frozen=True, kw_only=True)
class Numbers(Sample):
    values: np.ndarray


class FakeForward:
    """Probability of "high": the logistic function of the sum of an item's two features."""

    shapes = {"features": (2,)}

    def __init__(self, strength: float = 1.0) -> None:
        self.strength = strength

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        p = 1 / (1 + np.exp(-self.strength * inputs["features"].sum(axis=1)))
        both = np.stack([1 - p, p], axis=1).astype(np.float32)
        return both, both

    def probabilities(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        return self(inputs)[1]

    def compiled(self, name: str, build: Any) -> Any:
        return build(SimpleNamespace(layers=()))

    def mixtures(self, item: Any, background: Any, rows: Any, keep: Any, target: int) -> np.ndarray:
        mixed = {name: np.where(keep[name], item[name], background[name][rows]) for name in self.shapes}
        return self.probabilities(mixed)[:, target]


class FakeTask(Task):
    """What the three have in common; `key` names the list in the file."""

    labels = {"low": "sum below 0", "high": "sum above 0"}
    methods = ("exact-shapley",)
    accepts = (".json",)
    key: str

    def recognises(self, upload: Upload) -> bool:
        return upload.data[:1] == b"{"

    def read(self, uploads: Sequence[Upload]) -> Numbers:
        try:
            values = np.array(json.loads(uploads[0].data)[self.key], np.float32)
        except (ValueError, KeyError) as error:
            raise UnreadableUpload("expected JSON with numbers", hint="Write JSON.") from error
        if np.abs(values).max() > 1000:
            raise InvalidInput(["the first problem", "the second problem"], hint="Use smaller numbers.")
        return Numbers(source=uploads[0].name, kind="table", format="JSON", values=values)

    def gate(self, sample: Sample, bundle: Any) -> Gate:
        assert isinstance(sample, Numbers)
        largest = np.abs(sample.values).max()
        if largest > 100:
            return Gate.of(refuse=["expected values within 100"], hint="Use other values.")
        return Gate.of(warn=["a value is above 50"] if largest > 50 else [])

    def prepare(self, sample: Sample, config: Mapping[str, Any]) -> dict[str, np.ndarray]:
        assert isinstance(sample, Numbers)
        return {"features": sample.values.reshape(-1, 2)[:1].astype(np.float32)}

    def explain(
        self, bundle: Any, inputs: Mapping[str, np.ndarray], request: ExplainRequest, on_progress: Any = None
    ) -> Explanation:
        label = list(self.labels).index(request.target)
        output = float(bundle.forward(inputs)[1][0, label])
        return Explanation(
            method="exact-shapley", target=request.target, base=0.5, output=output, samples=4, seconds=0.01,
            values={"features": np.full(2, (output - 0.5) / 2, np.float32)},
        )  # fmt: skip

    def attributions(self, report: Report) -> list[Attribution]:
        assert report.explanation is not None
        shares = report.explanation.values["features"]
        return [Attribution(n, 1.0, float(s)) for n, s in zip("ab", shares, strict=True)]

    def render(self, report: Report, bundle: Any, item: int = 0) -> Sections:
        assert report.prediction is not None
        assert report.sample is not None
        chances = report.prediction.probabilities(item)
        bars = ClassBars(
            title="Estimated probability", labels=tuple(chances), probabilities=tuple(chances.values()),
            threshold=0.5, threshold_label="high", predicted=report.prediction.label(item),
        )  # fmt: skip
        why: tuple[View, ...] = ()
        if report.explanation is not None:
            explanation = report.explanation
            why = (
                Waterfall(
                    title="Why", features=("a = 1", "b = 1"), attributions=explanation.values["features"],
                    base=explanation.base, output=explanation.output, residual=0.0, target=explanation.target,
                ),
            )  # fmt: skip
        return Sections(self.show(report.sample), (bars,), why)

    def examples(self) -> tuple[Example, ...]:
        return (
            Example("first", "First", "made up", lambda: [self.file(self.example)]),
            Example("second", "Second", "made up", lambda: [self.file(self.example)]),
        )

    def file(self, values: Any, name: str = "sample.json") -> Upload:
        return Upload(name, json.dumps({self.key: values}).encode())

    def load_dataset(self, path: Path, settings: Any) -> Any:
        raise NotImplementedError

    def train(self, dataset: Any, settings: Any, out: Path, on_epoch: Any) -> Any:
        raise NotImplementedError

    def evaluate(self, bundle: Any, dataset: Any) -> Any:
        raise NotImplementedError


class FakePicture(FakeTask):
    slug, title, summary = "fake-picture", "Fake picture", "A picture in, high or low out."
    kind, unit, key = "images", "image", "pixels"
    example = ((np.arange(64).reshape(8, 8) - 30) / 30).tolist()

    def show(self, sample: Sample) -> tuple[View, ...]:
        assert isinstance(sample, Numbers)
        windows = (Window(name="wide", center=0, width=4), Window(name="narrow", center=0, width=1))
        heat = np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8)
        return (Picture(title="Picture", pixels=sample.values, unit="HU", windows=windows, heat=heat),)


class FakeSignal(FakeTask):
    slug, title, summary = "fake-ecg", "Fake ECG", "A signal in, beats out."
    kind, unit, key = "ecg", "beat", "signal"
    example = np.sin(np.arange(5000) / 20).round(3).tolist()

    def group(self, uploads: Sequence[Upload]) -> list[list[Upload]]:
        stems = list(dict.fromkeys(Path(upload.name).stem for upload in uploads))
        return [[upload for upload in uploads if Path(upload.name).stem == stem] for stem in stems]

    def prepare(self, sample: Sample, config: Mapping[str, Any]) -> dict[str, np.ndarray]:
        assert isinstance(sample, Numbers)
        return {"features": np.array([[1, 1], [-1, -1], [0.5, -1]], np.float32)}

    def items(self, sample: Sample, config: Mapping[str, Any]) -> np.ndarray:
        return np.array([100, 1500, 4000])

    def show(self, sample: Sample) -> tuple[View, ...]:
        assert isinstance(sample, Numbers)
        signal = sample.values.reshape(-1, 1)
        markers = (
            Marker(label="N", samples=np.array([1500, 4000]), color="#009E73", description="normal"),
            Marker(label="V", samples=np.array([100, 4500]), color="#D55E00", description="ventricular"),
        )
        return (
            Trace(title="ECG", signal=signal, rate_hz=250.0, leads=("II",), markers=markers,
                  attribution=signal / 50),
        )  # fmt: skip


class FakeRows(FakeTask):
    slug, title, summary = "fake-rows", "Fake rows", "Two numbers in, high or low out."
    kind, unit, key = "records", "row", "rows"
    example = ((1.0, 1.0), (-1.0, 0.5), (2.0, -3.0))
    fields = (
        NumberField(name="a", label="First", unit="mm", low=-10, high=10, default=1.0),
        CategoryField(name="b", label="Second", choices={"0": "none", "1": "some"}),
    )

    def read(self, uploads: Sequence[Upload]) -> Numbers:
        if uploads[0].data[:1] == b"a":
            cells = uploads[0].data.decode().split()[1].split(",")
            values = np.array([[float(cell or 0) for cell in cells]], np.float32)
            return Numbers(source=uploads[0].name, kind="table", format="CSV", values=values)
        return _without_gaps(super().read(uploads))

    def prepare(self, sample: Sample, config: Mapping[str, Any]) -> dict[str, np.ndarray]:
        assert isinstance(sample, Numbers)
        return {"features": sample.values.astype(np.float32)}

    def items(self, sample: Sample, config: Mapping[str, Any]) -> np.ndarray:
        assert isinstance(sample, Numbers)
        return np.setdiff1d(np.arange(len(sample.values) + len(sample.refused)), list(sample.refused))

    def choices(self, bundle: Any) -> tuple[Column, ...]:
        number, category = self.fields
        return Column(number, low=-5, high=5), Column(category, {"0": 0.0, "1": 1.0})

    def show(self, sample: Sample) -> tuple[View, ...]:
        assert isinstance(sample, Numbers)
        return (Grid(title="Your table", frame=pd.DataFrame(sample.values, columns=["a", "b"])),)


def _without_gaps(table: Numbers) -> Numbers:
    """Refuse the rows that have a gap."""
    gaps = np.isnan(table.values).any(axis=1)
    refused = {int(row): ("column a: expected a number, got text",) for row in np.flatnonzero(gaps)}
    return replace(table, values=table.values[~gaps], refused=refused)


def fake_bundle(task: Task) -> Any:
    """Return what pages use of a bundle."""
    half = OperatingPoint(label="high", threshold=0.5, rule="half")
    info = BundleInfo(
        task=task.slug, name="fake", title=f"{task.title} model", labels=tuple(task.labels), preprocessing={},
        inputs={"features": (2,)}, operating_points=(half,),
        data=DataSource(name="none", source="nowhere", licence="CC0", rows=4, groups=4), sha256="0" * 64,
        intended_use="Tests.", limits=("Knows nothing.",),
    )  # fmt: skip
    line = Points(x=(0.0, 0.2, 1.0), y=(0.0, 0.9, 1.0))
    evaluation = Evaluation(
        split_rule="Split by nothing.", counts={"test": 4},
        metrics=(MetricRow(name="AUC", value=0.9, low=0.8, high=0.95, n=4, part="test"),),
        subgroups=(MetricRow(name="AUC", value=0.7, n=2, part="women"),),
        roc={"high": line}, precision_recall={"high": line},
        reliability={"high": (ReliabilityBin(predicted=0.2, observed=0.3, low=0.1, high=0.5, n=4),)},
        confusion=Confusion(labels=("low", "high"), counts=((3, 1), (0, 4))),
    )  # fmt: skip
    history = pd.DataFrame(
        {"run": ["one"] * 3, "epoch": [1, 2, 3], "loss": [0.9, 0.5, 0.4], "val_loss": [1.0, 0.6, 0.7]}
    )
    return SimpleNamespace(
        info=info, name="fake", path=Path(f"/nowhere/{task.slug}/fake"), forward=FakeForward(),
        background={"features": np.zeros((3, 2), np.float32)}, card="# Card\nOf the fake.",
        evaluation=evaluation, history=history,
    )  # fmt: skip


TASKS = (FakePicture(), FakeSignal(), FakeRows())
