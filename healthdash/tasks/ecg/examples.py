"""From annotated recordings to what a network is trained on: inputs, labels, and simulated copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .detect import find_beats
from .prepare import beat_inputs, sample_inputs, working_leads
from .retime import Rhythm, disturbed, fibrillating, turned, with_early_beats
from .runs import SUPRAVENTRICULAR, VENTRICULAR, with_runs
from .sample import Annotation, EcgSample

__all__ = ["LABELS", "TOLERANCE_S", "Part", "label_beats", "matched", "real_part", "simulated_parts"]

#: AAMI EC57 classes, in the network's order.
LABELS = ("N", "S", "V", "F", "Q")
#: ANSI/AAMI EC57: a found beat belongs to a reference beat within 150 ms.
TOLERANCE_S = 0.15
_IRREGULAR = 0.9
_SIMULATED_BEATS = 150
_EXCERPT_BEATS = 900
_TURNED_COPIES = 4
#: Without intervals there is no rhythm to change.
_FEWEST_BEATS = 3

Inputs = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Part:
    """Beats of one recording; label -1 is not trained on."""

    record: int
    inputs: Inputs
    labels: NDArray[np.int64]
    is_simulated: bool = False


def matched(reference: NDArray[np.int64], found: NDArray[np.int64], tolerance: float) -> NDArray[np.int64]:
    """Return for each reference beat the number of the found beat that belongs to it, or -1.

    Each pair is the nearest for both of its beats, so that none is counted twice.
    """
    if len(reference) == 0 or len(found) == 0:
        return np.full(len(reference), -1)
    nearest = _nearest(reference, found)
    back = _nearest(found, reference)
    mutual = back[nearest] == np.arange(len(reference))
    close = np.abs(found[nearest] - reference) <= tolerance
    return np.where(mutual & close, nearest, -1)


def _nearest(points: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.int64]:
    right = np.clip(np.searchsorted(among, points), 1, max(len(among) - 1, 1))
    right = np.minimum(right, len(among) - 1)
    left = np.maximum(right - 1, 0)
    return np.where(np.abs(among[left] - points) <= np.abs(among[right] - points), left, right)


def label_beats(found: NDArray[np.int64], annotation: Annotation, rate_hz: float) -> NDArray[np.int64]:
    """Return the label number of each found beat; -1 without a reference beat, -2 in ventricular flutter."""
    labels = np.full(len(found), -1)
    pairs = matched(annotation.samples, found, TOLERANCE_S * rate_hz)
    names = np.asarray([LABELS.index(label) for label in annotation.labels.tolist()], np.int64)
    labels[pairs[pairs >= 0]] = names[pairs >= 0]
    for start, stop in annotation.excluded:
        labels[(found >= start) & (found <= stop)] = -2
    return labels


def real_part(sample: EcgSample, record: int, config: Mapping[str, Any]) -> Part:
    """Return the beats that the detector finds, with the labels of the annotation."""
    assert sample.annotation is not None
    inputs = sample_inputs(sample, sample.beats, config)
    return Part(record, inputs, label_beats(sample.beats, sample.annotation, sample.rate_hz))


def simulated_parts(
    sample: EcgSample, part: Part, config: Mapping[str, Any], rng: np.random.Generator
) -> Iterator[Part]:
    """Yield beats of the recording with noise, in other leads, with runs, fibrillating, with early beats."""
    if len(sample.beats) < _FEWEST_BEATS:
        return
    rate = config["working_hz"]
    beats = np.rint(sample.beats * (rate / sample.rate_hz)).astype(np.int64)
    whole = Rhythm(working_leads(sample, config), rate, beats, part.labels)
    rhythm = _excerpt(whole, rng)
    makers: list[Callable[[], Rhythm]] = [lambda: _detected(disturbed(rhythm, rng))]
    makers += [lambda: turned(_excerpt(whole, rng), rng)] * _TURNED_COPIES
    for name, run in (("V", VENTRICULAR), ("S", SUPRAVENTRICULAR)):
        if (rhythm.labels == LABELS.index(name)).any():
            makers.append(partial(with_runs, rhythm, rng, label=LABELS.index(name), run=run))
    # A rhythm that is irregular already (fibrillation) has no P waves to move.
    if np.median(part.inputs["rhythm"][:, 1]) < _IRREGULAR:
        makers.append(lambda: fibrillating(rhythm, rng, keep=(0, 2)))
        makers.append(lambda: with_early_beats(rhythm, rng, normal=0, early=1))
    for make in makers:
        made = make()
        if not len(made.beats):  # the noise hides them
            continue
        chosen = _some_of_each(made.labels, rng)
        inputs = beat_inputs(made.leads_mv, rate, made.beats, config)
        yield Part(part.record, {n: v[chosen] for n, v in inputs.items()}, made.labels[chosen], True)


def _detected(rhythm: Rhythm) -> Rhythm:
    """Return the recording with the beats that the detector finds; those that are none get Q."""
    found = find_beats(rhythm.leads_mv, rhythm.rate_hz)
    labels = np.full(len(found), LABELS.index("Q"))
    pairs = matched(rhythm.beats, found, TOLERANCE_S * rhythm.rate_hz)
    labels[pairs[pairs >= 0]] = rhythm.labels[pairs >= 0]
    return Rhythm(rhythm.leads_mv, rhythm.rate_hz, found, labels)


def _excerpt(rhythm: Rhythm, rng: np.random.Generator) -> Rhythm:
    """Return a few hundred beats in a row: no more of a simulated recording are used."""
    n, margin = len(rhythm.beats), round(rhythm.rate_hz)
    start = int(rng.integers(0, max(1, n - _EXCERPT_BEATS)))
    rows = slice(start, start + _EXCERPT_BEATS)
    first = max(0, int(rhythm.beats[rows][0]) - margin)
    last = int(rhythm.beats[rows][-1]) + margin
    return Rhythm(
        rhythm.leads_mv[first:last], rhythm.rate_hz, rhythm.beats[rows] - first, rhythm.labels[rows]
    )


def _some_of_each(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    rows = rng.permutation(np.flatnonzero(labels >= 0))
    kept = [rows[labels[rows] == label][:_SIMULATED_BEATS] for label in range(len(LABELS))]
    return np.sort(np.concatenate(kept))
