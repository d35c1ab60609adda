"""Measuring a bundle on annotated recordings that it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
    """Return EC57 figures from the file to the label: own detector, own leads, 150 ms match.

    Where no beat is found, all annotated ones are missed.
    """
    records, truth, probabilities, recordings = [], [], [], []
    for number, sample in enumerate(samples, 1):
        assert sample.annotation is not None
        decided, calibrated = _predicted(task, bundle, sample)
        records.append(count(f"recording {number}", sample.annotation, sample.beats, decided, sample.rate_hz))
        labels = label_beats(sample.beats, sample.annotation, sample.rate_hz)
        truth.append(labels[labels >= 0])
        probabilities.append(calibrated[labels >= 0])
        recordings.append(np.full((labels >= 0).sum(), number))
    return evaluation(
        records,
        part="these recordings",
        split_rule="All recordings of the data set named; none should be one that the model was trained on.",
        truth=np.concatenate(truth),
        probabilities=np.concatenate(probabilities),
        recordings=np.concatenate(recordings),
    )


def answers(task: Task, bundle: Bundle, samples: Sequence[EcgSample]) -> Answers:
    """Return what a bundle says of each found beat that matches an annotated one; a recording is a group."""
    truth, given, groups = [], [], []
    for number, sample in enumerate(samples):
        assert sample.annotation is not None
        _, calibrated = _predicted(task, bundle, sample)
        labels = label_beats(sample.beats, sample.annotation, sample.rate_hz)
        truth.append(labels[labels >= 0])
        given.append(calibrated[labels >= 0])
        groups.append(np.full((labels >= 0).sum(), number))
    probabilities = np.concatenate(given)
    return Answers(
        bundle.info.labels,
        np.concatenate(truth),
        probabilities,
        bundle.info.decide(probabilities),
        np.concatenate(groups),
    )


def _predicted(
    task: Task, bundle: Bundle, sample: EcgSample
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return label and probabilities of each found beat: (n,), (n, labels); n may be 0."""
    if not len(sample.beats):
        return np.zeros(0, np.int64), np.zeros((0, len(bundle.info.labels)), np.float32)
    prediction = task.predict(bundle, task.prepare(sample, bundle.info.preprocessing), sample.beats)
    return prediction.decided, prediction.calibrated
