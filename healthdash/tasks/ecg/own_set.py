"""Labelled signals of a user's as the studio takes them: read once, kept on the disk, cut when wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from healthdash import archive
from healthdash.datasets.facts import facts_of, notes_of
from healthdash.datasets.items import with_needed
from healthdash.datasets.own import numbered_as
from healthdash.datasets.report import ItemReport, checked, report, settled
from healthdash.datasets.steps import ItemCleaning, ItemStep
from healthdash.tables.outcome import ordered_labels
from healthdash.tables.steps import dumped
from healthdash.training import TrainSettings
from healthdash.training.studio.items import ItemKind
from healthdash.training.studio.networks import learns_one_label

from .own_augment import changed
from .own_cut import MOST_WINDOWS, Shape, shape_of, starts, stored
from .own_familiar import centroids, features, fit_familiarity
from .own_leads import QUESTIONS
from .own_listing import list_signals
from .own_survey import survey_signals
from .own_windows import INPUT, SignalStore

if TYPE_CHECKING:
    import keras

__all__ = ["OwnSignals", "PreparedSignals", "load_signals"]

_BLOCK, _MOST_FOR_CENTROIDS, _MOST_FOR_GATE = 1024, 300, 5000
_SMALLEST_SPREAD = 1e-4
_WARN_ABOVE, _REFUSE_ABOVE = 1.5, 3.0


@dataclass(frozen=True, eq=False)
class OwnSignals:
    """Labelled windows of signals; see `studio.items.Labelled`.

    Attributes
    ----------
    numbers, starts : int64 (n,)
        The signal in the store, and where in it the window begins.
    whole : int64 (n,)
        Number of the recording, or annotated stretch, that a window is part of.
    """

    store: SignalStore
    shape: Shape
    numbers: NDArray[np.int64]
    starts: NDArray[np.int64]
    truth: NDArray[np.int64]
    labels: tuple[str, ...]
    groups: NDArray[np.str_]
    whole: NDArray[np.int64]
    found: ItemReport
    steps: tuple[ItemStep, ...] = ()
    strength: float = 1.0
    task: str = "signals"
    kind: ItemKind = "signal"
    unit: str = "recording"
    notes: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.truth)

    def fitted(self, train: NDArray[np.int64]) -> PreparedSignals:
        """Return the windows as a network takes them; their height is scaled as the training's."""
        return PreparedSignals(self, train)

    def inputs(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return windows as they are, float32 (m, samples, leads), millivolt."""
        return self.store.windows(self.numbers[rows], self.starts[rows], self.shape.samples)

    def labelled_as(self, labels: tuple[str, ...]) -> OwnSignals:
        """Return the windows that have one of a model's labels, numbered as the model does."""
        kept, truth = numbered_as(self.labels, self.truth, labels)
        chosen = {name: getattr(self, name)[kept] for name in ("numbers", "starts", "groups", "whole")}
        return replace(self, truth=truth, labels=labels, **chosen)

    def facts(self) -> Mapping[str, Any]:
        """Return title, data, intended use and limits."""
        shown = ", ".join(self.labels) if len(self.labels) <= 6 else f"{len(self.labels)} labels"
        return facts_of(self.found, f"{shown} from {self.unit}s of a signal (own data)")


@dataclass(frozen=True, eq=False)
class PreparedSignals:
    """Windows as network inputs; see `studio.items.Prepared`."""

    signals: OwnSignals
    train: NDArray[np.int64]
    name: str = INPUT

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples and leads."""
        shape = self.signals.shape
        return (shape.samples, len(shape.leads))

    @property
    def preprocessing(self) -> Mapping[str, Any]:
        """What `prepare` needs, and the steps that were taken."""
        shape = self.signals.shape
        return {
            "form": shape.form,
            "leads": list(shape.leads),
            "rate_hz": shape.rate_hz,
            "samples": shape.samples,
            "most_windows": MOST_WINDOWS,
            "steps": dumped(self.signals.steps),
        }

    def inputs(self, rows: NDArray[np.int64], rng: np.random.Generator | None = None) -> NDArray[np.float32]:
        """Return windows, float32 (m, samples, leads), millivolt; with `rng` changed at random."""
        found = self.signals.inputs(rows)
        return found if rng is None else self.changed(found, rng)

    def changed(self, windows: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return windows shifted, stretched, and made louder, softer or noisier at random."""
        strength = self.signals.strength
        return changed(windows, strength, rng) if strength > 0 else windows

    def inputs_of(self, path: Path) -> NDArray[np.float32]:
        """Return windows of other recordings, with or without labels."""
        from healthdash.datasets.unlabelled import inputs_of

        from .own import OwnSignals as Task

        return inputs_of(Task(), path, self.preprocessing, self.name)

    def entry(self) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Return the network's input, and it without its mean, each lead in spreads of the training."""
        import keras
        from keras import ops

        given = keras.Input(self.shape, name=self.name)
        centred = given - ops.mean(given, axis=1, keepdims=True)
        variance = self._variance.tolist()
        scaled = keras.layers.Normalization(mean=[0.0] * len(variance), variance=variance, name="scaled")
        return given, scaled(centred)

    def background(self, rows: NDArray[np.int64], seed: int) -> Mapping[str, NDArray[np.float32]]:
        """Return mean windows of clusters, and the gate's arrays; none is of fewer than five groups."""
        rng = np.random.default_rng(seed)
        truth = self.signals.truth
        drawn = [
            rng.permutation(rows[truth[rows] == label])[:_MOST_FOR_CENTROIDS]
            for label in np.unique(truth[rows])
        ]
        some = np.sort(np.concatenate(drawn))
        looked_at = np.sort(rng.permutation(rows)[:_MOST_FOR_GATE])
        blocks = [looked_at[start : start + _BLOCK] for start in range(0, len(looked_at), _BLOCK)]
        found = np.concatenate([features(self.signals.inputs(block)) for block in blocks])
        means = centroids(self.signals.inputs(some), truth[some], self.signals.groups[some], seed)
        return {self.name: means, **fit_familiarity(found)}

    def gate(self, rows: NDArray[np.int64]) -> Mapping[str, Any]:
        """Return limits of strangeness."""
        return {"warn_above": _WARN_ABOVE, "refuse_above": _REFUSE_ABOVE}

    @cached_property
    def _variance(self) -> NDArray[np.float64]:
        """Mean over the training windows of each lead's variance in time."""
        total = np.zeros(self.shape[-1])
        for start in range(0, len(self.train), _BLOCK):
            total += (
                self.signals.inputs(self.train[start : start + _BLOCK]).astype(float).var(axis=1).sum(axis=0)
            )
        return np.maximum(total / max(1, len(self.train)), _SMALLEST_SPREAD**2)


def load_signals(path: Path, settings: TrainSettings) -> OwnSignals:
    """Read labelled signals from a folder or a zip archive.

    The cleaning that `settings.cleaning` names is done as it is written; without it every remedy that
    needs no decision is taken.

    Raises
    ------
    InputError
        There is no such folder or archive, or it holds no labelled signals.
    TooLittleData
        A label has too few items or groups.
    """
    given = ItemCleaning.from_file(settings.cleaning) if settings.cleaning else None
    cleaning = (given or ItemCleaning()).grouped(settings.group)
    with archive.opened(path) as folder:
        own = list_signals(folder, settings.target or cleaning.target)
        survey = survey_signals(own)
        steps = [*cleaning.steps] if given else settled(own.listing, survey, cleaning.steps, QUESTIONS)[0]
        steps = with_needed(own.listing, survey, steps)
        found = checked(
            report(own.listing, survey, steps, QUESTIONS), one_is_enough=learns_one_label(settings)
        )
        shape = shape_of(own, found.items, tuple(steps), settings)
        store, places = stored(own, found.items, shape)
    return _labelled(found, tuple(steps), shape, store, places, settings)


def _labelled(
    found: ItemReport,
    steps: tuple[ItemStep, ...],
    shape: Shape,
    store: SignalStore,
    places: Mapping[int, tuple[int, float]],
    settings: TrainSettings,
) -> OwnSignals:
    items = found.items
    text = items.frame["label"].to_numpy(str)
    labels = ordered_labels(tuple(sorted(set(text))))
    truth = np.asarray([labels.index(label) for label in text], np.int64)
    signals = np.asarray([places[int(number)][0] for number in items.files], np.int64)
    begin = [starts(items, row, shape, store, places) for row in range(len(items))]
    counts = np.asarray([len(one) for one in begin], np.int64)
    which = np.repeat(np.arange(len(items)), counts)
    return OwnSignals(
        store=store,
        shape=shape,
        numbers=signals[which],
        starts=np.concatenate(begin),
        truth=truth[which],
        labels=labels,
        groups=items.groups[which],
        whole=which,
        found=found,
        steps=steps,
        strength=1.0 if settings.augmentation is None else settings.augmentation,
        unit={"beats": "beat", "rhythms": "stretch", "recordings": "recording"}[shape.form],
        notes=notes_of(found, list(steps)) | _notes(shape),
    )


def _notes(shape: Shape) -> dict[str, str]:
    return {
        "leads": ", ".join(shape.leads),
        "windows": f"{shape.samples / shape.rate_hz:g} s at {shape.rate_hz:g} Hz"
        + (", those of one recording averaged" if shape.form != "beats" else ", the beat in the middle"),
    }
