"""Labelled pictures of a user's as the studio takes them: read once, kept on the disk, changed at random."""

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

from .augment import Augmentation, changed
from .familiarity import centroids, fit_thumbnails, thumbnails
from .own_survey import SIZE, list_pictures, survey_pictures
from .prepare import INPUT, from_bytes

if TYPE_CHECKING:
    import keras

    from .own_store import PictureStore

__all__ = ["MILDER", "OwnPictures", "PreparedPictures", "load_pictures"]

#: Changes that keep what most kinds of pictures show; those of the X-rays break far more.
MILDER = Augmentation(
    rotation_degrees=8, shear=0.04, shift=0.06, zoom=1.12, aspect=1.1, tone=0.12, field=0.1, noise=0.03,
    smallest_scale=0.6, patches=0.1, mirror=False, mixup=0.0, calm=0.3, smoothing=0.0,
)  # fmt: skip
_BLOCK, _MOST_FOR_CENTROIDS, _CENTROIDS_PER_LABEL = 256, 300, 8
# In multiples of the 99th percentile of groups left out of the fit, as for the shipped pictures.
_WARN_ABOVE, _REFUSE_ABOVE = 1.25, 1.6
_SMALLEST_SPREAD = 0.02


@dataclass(frozen=True, eq=False)
class OwnPictures:
    """Labelled pictures; see `studio.items.Labelled`."""

    store: PictureStore
    numbers: NDArray[np.int64]
    truth: NDArray[np.int64]
    labels: tuple[str, ...]
    groups: NDArray[np.str_]
    found: ItemReport
    steps: tuple[ItemStep, ...] = ()
    strength: float = 1.0
    task: str = "images"
    kind: ItemKind = "picture"
    unit: str = "picture"
    notes: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.truth)

    def fitted(self, train: NDArray[np.int64]) -> PreparedPictures:
        """Return the pictures as a network takes them; brightness is scaled as the training's."""
        return PreparedPictures(self, train)

    def inputs(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return pictures as they are, float32 (m, size, size, channels), 0 to 1."""
        return from_bytes(self.store.take(self.numbers[rows]))

    def labelled_as(self, labels: tuple[str, ...]) -> OwnPictures:
        """Return the pictures that have one of a model's labels, numbered as the model does."""
        kept, truth = numbered_as(self.labels, self.truth, labels)
        return replace(self, truth=truth, labels=labels, numbers=self.numbers[kept], groups=self.groups[kept])

    def facts(self) -> Mapping[str, Any]:
        """Return title, data, intended use and limits."""
        return facts_of(self.found, f"{_joined(self.labels)} from pictures (own data)")


@dataclass(frozen=True, eq=False)
class PreparedPictures:
    """Pictures as network inputs; see `studio.items.Prepared`."""

    pictures: OwnPictures
    train: NDArray[np.int64]
    name: str = INPUT

    @property
    def shape(self) -> tuple[int, ...]:
        """Height, width and channels."""
        store = self.pictures.store
        return (store.size, store.size, store.channels)

    @property
    def preprocessing(self) -> Mapping[str, Any]:
        """What `prepare` needs, and the steps that were taken."""
        size, _, channels = self.shape
        return {"size": size, "channels": channels, "steps": dumped(self.pictures.steps)}

    def inputs(self, rows: NDArray[np.int64], rng: np.random.Generator | None = None) -> NDArray[np.float32]:
        """Return pictures, float32 (m, size, size, channels), 0 to 1; with `rng` changed at random."""
        found = self.pictures.inputs(rows)
        return found if rng is None else self.changed(found, rng)

    def changed(self, pictures: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return pictures moved, stretched, toned and covered at random."""
        if self.pictures.strength <= 0:
            return pictures
        plan = MILDER.scaled(self.pictures.strength)
        taken = np.rint(255 * np.clip(pictures, 0, 1)).astype(np.uint8)
        is_grey = taken.shape[-1] == 1
        made = [changed(one[..., 0] if is_grey else one, plan, rng) for one in taken]
        return np.stack(made).reshape(taken.shape)

    def inputs_of(self, path: Path) -> NDArray[np.float32]:
        """Return other pictures as network inputs, with or without labels."""
        from healthdash.datasets.unlabelled import inputs_of

        from .own import OwnImages

        return inputs_of(OwnImages(), path, self.preprocessing, self.name)

    def entry(self) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Return the network's input, and it with mean 0 and variance 1 over the training pictures."""
        import keras

        mean, variance = self._moments
        given = keras.Input(self.shape, name=self.name)
        scaled = keras.layers.Normalization(mean=mean.tolist(), variance=variance.tolist(), name="scaled")
        return given, scaled(given)

    def background(self, rows: NDArray[np.int64], seed: int) -> Mapping[str, NDArray[np.float32]]:
        """Return mean pictures of clusters, and the gate's arrays; none is of fewer than five groups."""
        rng = np.random.default_rng(seed)
        truth, groups, chosen = self.pictures.truth, self.pictures.groups, []
        for label in np.unique(truth[rows]):
            own = rows[truth[rows] == label]
            chosen.append(np.sort(rng.permutation(own)[:_MOST_FOR_CENTROIDS]))
        some = np.concatenate(chosen)
        means = centroids(
            self.inputs(some), truth[some], groups[some], per_label=_CENTROIDS_PER_LABEL, seed=seed
        )
        return {self.name: means, **fit_thumbnails(self._thumbnails(rows), groups[rows], seed)}

    def gate(self, rows: NDArray[np.int64]) -> Mapping[str, Any]:
        """Return limits of strangeness, and what the files were like."""
        traits = self.pictures.found.items.survey.traits.iloc[self.pictures.numbers[rows]]
        height, width = traits["height"].astype(float), traits["width"].astype(float)
        return {
            "warn_above": _WARN_ABOVE,
            "refuse_above": _REFUSE_ABOVE,
            "modalities": sorted(str(one) for one in traits["modality"].unique() if one != "not told"),
            "smallest_side": float(np.quantile(np.minimum(height, width), 0.01)),
            "aspect": float((height / width).median()),
        }

    @cached_property
    def _moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and variance of each channel over the training pictures."""
        total = np.zeros((2, self.shape[-1]))
        for start in range(0, len(self.train), _BLOCK):
            block = self.inputs(self.train[start : start + _BLOCK]).astype(np.float64)
            total += np.stack([block.mean(axis=(1, 2)), np.square(block).mean(axis=(1, 2))]).sum(axis=1)
        mean, square = total / max(1, len(self.train))
        return mean, np.maximum(square - mean**2, _SMALLEST_SPREAD**2)

    def _thumbnails(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        blocks = [rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)]
        return np.concatenate([thumbnails(self.inputs(block)) for block in blocks])


def load_pictures(path: Path, settings: TrainSettings) -> OwnPictures:
    """Read labelled pictures from a folder or a zip archive.

    The cleaning that `settings.cleaning` names is done as it is written; without it every remedy that
    needs no decision is taken.

    Raises
    ------
    InputError
        There is no such folder or archive, or it holds no labelled pictures.
    TooLittleData
        A label has too few pictures or groups.
    """
    given = ItemCleaning.from_file(settings.cleaning) if settings.cleaning else None
    cleaning = (given or ItemCleaning()).grouped(settings.group)
    with archive.opened(path) as folder:
        listing = list_pictures(folder, settings.target or cleaning.target)
        listing, survey, store = survey_pictures(listing, settings.size or SIZE)
    steps = [*cleaning.steps] if given else settled(listing, survey, cleaning.steps)[0]
    steps = with_needed(listing, survey, steps)
    found = checked(report(listing, survey, steps), one_is_enough=learns_one_label(settings))
    return _labelled(store, found, steps, settings)


def _labelled(
    store: PictureStore, found: ItemReport, steps: list[ItemStep], settings: TrainSettings
) -> OwnPictures:
    items = found.items
    text = items.frame["label"].to_numpy(str)
    labels = ordered_labels(tuple(sorted(set(text))))
    return OwnPictures(
        store=store,
        numbers=items.files,
        truth=np.asarray([labels.index(label) for label in text], np.int64),
        labels=labels,
        groups=items.groups,
        found=found,
        steps=tuple(steps),
        strength=1.0 if settings.augmentation is None else settings.augmentation,
        notes=notes_of(found, steps),
    )


def _joined(labels: tuple[str, ...]) -> str:
    return f"{', '.join(labels[:-1])} or {labels[-1]}" if len(labels) <= 6 else f"{len(labels)} labels"
