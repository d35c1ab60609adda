"""A toy vertical with known answers: texts of numbers, one row a line; no TensorFlow.

The model: probability of "high" is the logistic function of the sum of the two columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from healthdash.bundles import BundleInfo, DataSource, OperatingPoint
from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.explain import ExplainRequest, Explanation
from healthdash.task import Attribution, Example, Gate, Report, Sample, Task, Upload
from healthdash.views import Grid, Sections


@dataclass(frozen=True, kw_only=True)
class Rows(Sample):
    values: np.ndarray
    rows: np.ndarray


class ToyForward:
    """The interface of `runtime.Forward` in numpy."""

    shapes = {"features": (2,)}

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        self.calls += 1
        p = 1 / (1 + np.exp(-inputs["features"].sum(axis=1)))
        both = np.stack([1 - p, p], axis=1).astype(np.float32)
        return both, both

    def probabilities(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        return self(inputs)[1]


def toy_info() -> BundleInfo:
    return BundleInfo(
        task="toy",
        name="sum",
        title="Sum of two numbers",
        labels=("low", "high"),
        preprocessing={"scale": 1.0},
        inputs={"features": (2,)},
        operating_points=(OperatingPoint(label="high", threshold=0.5, rule="half"),),
        data=DataSource(name="none", source="none", licence="CC0", rows=4, groups=4),
        intended_use="Tests.",
        limits=("Knows nothing.",),
    )


def toy_bundle() -> Any:
    info = toy_info()
    return SimpleNamespace(
        info=info, name=info.name, forward=ToyForward(), background={"features": np.zeros((3, 2), np.float32)}
    )


class ToyTask(Task):
    slug, title, summary = "toy", "Toy", "Two numbers in, high or low out."
    kind, unit = "records", "row"
    accepts = (".txt",)
    labels = {"low": "sum below 0", "high": "sum above 0"}

    def recognises(self, upload: Upload) -> bool:
        return upload.data[:1].isdigit() or upload.data[:1] == b"-"

    def read(self, uploads: Sequence[Upload]) -> Rows:
        try:
            lines = uploads[0].data.decode().split()
            # "!" stands for a row that cannot be used.
            kept = {row: line for row, line in enumerate(lines) if line != "!"}
            values = np.array([[float(n) for n in line.split(",")] for line in kept.values()], np.float32)
        except ValueError as error:
            raise UnreadableUpload("expected numbers", hint="Write numbers.") from error
        if uploads[0].data == b"7,7":
            raise RuntimeError("a hole in the reader")
        refused = {
            row: ("column a: expected a number, got text",) for row in range(len(lines)) if row not in kept
        }
        return Rows(
            source=uploads[0].name, kind="table", format="text", values=values,
            rows=np.array(list(kept), np.int64), refused=refused,
        )  # fmt: skip

    def validate(self, sample: Sample) -> None:
        assert isinstance(sample, Rows)
        if np.isnan(sample.values).any():
            raise InvalidInput(["first", "second"], hint="Fill the gaps.")

    def gate(self, sample: Sample, bundle: Any) -> Gate:
        assert isinstance(sample, Rows)
        if np.abs(sample.values).max() > 100:
            return Gate.of(refuse=["expected values within 100"], hint="Use other values.")
        return Gate()

    def prepare(self, sample: Sample, config: Mapping[str, Any]) -> dict[str, np.ndarray]:
        assert isinstance(sample, Rows)
        return {"features": sample.values * config["scale"]}

    def items(self, sample: Sample, config: Mapping[str, Any]) -> np.ndarray:
        assert isinstance(sample, Rows)
        return sample.rows

    def explain(
        self, bundle: Any, inputs: Mapping[str, np.ndarray], request: ExplainRequest, on_progress: Any = None
    ) -> Explanation:
        output = float(bundle.forward(inputs)[1][0, 1])
        half = np.full(2, (output - 0.5) / 2, np.float32)
        return Explanation(
            method="halves",
            target=request.target,
            values={"features": half},
            base=0.5,
            output=output,
            samples=1,
            seconds=0,
        )

    def attributions(self, report: Report) -> list[Attribution]:
        assert report.explanation is not None
        return [Attribution("a", 1.0, float(report.explanation.values["features"][0]))]

    def show(self, sample: Sample) -> tuple[Grid, ...]:
        return ()

    def render(self, report: Report, bundle: Any, item: int = 0) -> Sections:
        return Sections()

    def examples(self) -> tuple[Example, ...]:
        return ()

    def load_dataset(self, path: Path, settings: Any) -> Any:
        raise NotImplementedError

    def train(self, dataset: Any, settings: Any, out: Path, on_epoch: Any) -> Any:
        raise NotImplementedError

    def evaluate(self, bundle: Any, dataset: Any) -> Any:
        raise NotImplementedError
