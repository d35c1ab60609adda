"""Synthetic items of a task, on which a bundle's explanations are judged; never a patient's."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np

from healthdash import archive, pipeline
from healthdash.bundles import Bundle
from healthdash.errors import ModelMismatch
from healthdash.task import Arrays, Report, Task, Upload

__all__ = ["Item", "synthetic_items"]


@dataclass(frozen=True, eq=False)
class Item:
    """One input to be explained: an item of a report."""

    report: Report
    number: int

    @property
    def inputs(self) -> Arrays:
        """The network's inputs, a batch of one."""
        assert self.report.inputs is not None
        return {name: values[self.number : self.number + 1] for name, values in self.report.inputs.items()}

    @property
    def is_given(self) -> bool:
        """Whether it came as a file of the task, and not from the bundle's background."""
        return self.report.sample is not None


def synthetic_items(task: Task, bundle: Bundle, count: int, *, seed: int = 0) -> list[Item]:
    """Return at most `count` items, in turn from each of the task's examples.

    Where its examples have too few, its synthetic training set gives more; where the model takes none of
    them (it was trained on other columns), the rows of its stored background stand in, which are centroids
    or synthetic.

    Raises
    ------
    ModelMismatch
        There is nothing that the model takes.
    """
    rng = np.random.default_rng(seed)
    examples = [group for example in task.examples() for group in task.group(example.make())]
    reports: list[Report] = []
    for number, uploads in enumerate(chain(examples, _training_set(task, rng))):
        if number >= len(examples) and sum(len(r.prediction or ()) for r in reports) >= count:
            break
        report = pipeline.run(task, uploads, bundle)
        if report.prediction:
            reports.append(report)
    turns = zip_longest(*(_order(task, report, rng) for report in reports or [_stored(task, bundle)]))
    return [item for turn in turns for item in turn if item is not None][:count]


def _training_set(task: Task, rng: np.random.Generator) -> Iterator[list[Upload]]:
    """Yield the inputs in the task's synthetic training set, in a drawn order."""
    for example in task.training_examples()[:1]:
        with tempfile.TemporaryDirectory(prefix="healthdash-") as folder:
            upload = example.make()[0]
            placed = archive.placed(upload.name, upload.data, Path(folder))
            files = [placed] if placed.is_file() else sorted(f for f in placed.rglob("*") if f.is_file())
            groups = task.group([Upload.from_path(file) for file in files])
        yield from (groups[number] for number in rng.permutation(len(groups)))


def _stored(task: Task, bundle: Bundle) -> Report:
    """Return a report of the bundle's background, as if it had been given."""
    if not len(next(iter(bundle.background.values()), ())):
        raise ModelMismatch("the model takes none of the task's examples", hint="Give the task examples.")
    return Report(
        source="background",
        task=task.slug,
        model=bundle.name,
        sha256=bundle.info.sha256,
        inputs=bundle.background,
        prediction=task.predict(bundle, bundle.background),
    )


def _order(task: Task, report: Report, rng: np.random.Generator) -> list[Item]:
    """Return the items of a report: the one that is shown first, then the others as drawn."""
    assert report.prediction is not None
    first = task.default_item(report.prediction)
    drawn = rng.permutation(len(report.prediction)).tolist()
    return [Item(report, number) for number in [first, *(n for n in drawn if n != first)]]
