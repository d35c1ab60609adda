"""Measuring a bundle on annotated recordings that it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from healthdash.training.paired import Answers

from .examples import label_beats
from .measure import count, evaluation
from .sample import EcgSample

if TYPE_CHECKING:
    from healthdash.bundles import Bundle
    from healthdash.task import Task
    from healthdash.training.evaluation import Evaluation

__all__ = ["answers", "evaluate"]


def evaluate(task: Task, bundle: Bundle, samples: Sequence[EcgSample]) -> Evaluation:
    """Return EC57 figures from the file to the label: own detector, own leads, 150 ms match."""
    records, truth, probabilities = [], [], []
    for number, sample in enumerate(samples, 1):
        assert sample.annotation is not None
        inputs = task.prepare(sample, bundle.info.preprocessing)
        prediction = task.predict(bundle, inputs, sample.beats)
        records.append(
            count(f"recording {number}", sample.annotation, sample.beats, prediction.decided, sample.rate_hz)
        )
        labels = label_beats(sample.beats, sample.annotation, sample.rate_hz)
        truth.append(labels[labels >= 0])
        probabilities.append(prediction.calibrated[labels >= 0])
    return evaluation(
        records,
        part="these recordings",
        split_rule="All recordings of the data set named; none should be one that the model was trained on.",
        truth=np.concatenate(truth),
        probabilities=np.concatenate(probabilities),
    )


def answers(task: Task, bundle: Bundle, samples: Sequence[EcgSample]) -> Answers:
    """Return what a bundle says of each found beat that matches an annotated one; a recording is a group."""
    truth, given, groups = [], [], []
    for number, sample in enumerate(samples):
        assert sample.annotation is not None
        prediction = task.predict(bundle, task.prepare(sample, bundle.info.preprocessing), sample.beats)
        labels = label_beats(sample.beats, sample.annotation, sample.rate_hz)
        truth.append(labels[labels >= 0])
        given.append(prediction.calibrated[labels >= 0])
        groups.append(np.full((labels >= 0).sum(), number))
    probabilities = np.concatenate(given)
    return Answers(
        bundle.info.labels,
        np.concatenate(truth),
        probabilities,
        bundle.info.decide(probabilities),
        np.concatenate(groups),
    )
