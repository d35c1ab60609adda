"""How a task about pictures learns: from labelled files, by its recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, ModelMismatch
from healthdash.task import Example, Task, Upload
from healthdash.training import TrainSettings
from healthdash.training.paired import Answers
from healthdash.views import Window

from .prepare import INPUT
from .sample import ImageSample, model_view
from .volume import VolumeSample, middle_picture

if TYPE_CHECKING:
    from healthdash.bundles import Bundle
    from healthdash.training.evaluation import Evaluation
    from healthdash.training.history import EpochRow

    from .dataset import LabelledPictures
    from .plans import Recipe

__all__ = ["TrainedOnPictures"]


class TrainedOnPictures(Task):
    """The verbs of training, for a question about one picture.

    Class attributes
    ----------------
    trained_window : Window or None
        In which the training pictures of CT were shown.
    short_run : TrainSettings
        To try the training with a small set.
    is_split : bool
        Whether one part is left out for the test; else there are folds.
    """

    trained_window: Window | None = None
    short_run = TrainSettings(epochs=3, members=1)
    is_split = True

    def recipe(self) -> Recipe:
        """Return how this task is trained."""
        raise NotImplementedError

    def training_examples(self) -> tuple[Example, ...]:
        """Return distorted copies of the synthetic pictures, with their labels."""
        from .training_set import training_set

        return (training_set(self.slug, self.short_run),)

    def heeded(self, settings: TrainSettings) -> frozenset[str]:
        """Return the settings that the recipe takes: folds have one network each."""
        found = super().heeded(settings) | {"folds", "augment"}
        is_split = self.is_split if settings.folds is None else settings.folds <= 1
        return found | ({"members", "patience"} if is_split else set())

    def changed_versions(
        self, dataset: LabelledPictures, settings: TrainSettings, number: int, count: int
    ) -> NDArray[np.float32] | None:
        """Return a picture as the network sees it, then changed versions, (1 + count, size, size, 1)."""
        from .augment import changed
        from .prepare import from_bytes

        plan = self.recipe().fit.augmentation
        if plan is None:
            return None
        rng = np.random.default_rng(number)
        picture = dataset.pictures[rng.integers(len(dataset.pictures))]
        versions = [from_bytes(picture), *(changed(picture, plan, rng) for _ in range(count))]
        return np.stack(versions)[..., None]

    def load_dataset(self, path: Path, settings: TrainSettings) -> LabelledPictures:
        """Read a folder or zip archive with manifest.csv, or with one folder a label."""
        from healthdash.archive import opened

        from .dataset import load_manifest

        recipe = self.recipe()
        with opened(path) as folder:
            return load_manifest(folder, recipe.size, self.read_grey, recipe.order)

    def train(
        self,
        dataset: LabelledPictures,
        settings: TrainSettings,
        out: Path,
        on_epoch: Callable[[EpochRow], None],
    ) -> Bundle:
        """Train the networks of the recipe, average them, measure them and save the bundle."""
        from .recipe import train

        return train(self.recipe(), dataset, settings, out, on_epoch)

    def measured_again(self, bundle: Bundle, dataset: LabelledPictures) -> Evaluation:
        """Measure the test pictures of a split again; figures in folds stay."""
        if "test" not in bundle.evaluation.counts:
            return super().measured_again(bundle, dataset)
        from .in_folds import carried_over
        from .recipe import measured_again

        return carried_over(bundle.evaluation, measured_again(bundle, dataset))

    def evaluate(self, bundle: Bundle, dataset: LabelledPictures) -> Evaluation:
        """Measure a bundle on pictures that it was not trained on."""
        from .measuring import measure

        return measure(
            bundle.info,
            self.answers(bundle, dataset).probabilities,
            dataset.labels,
            dataset.groups,
            part="given data",
            split_rule="All pictures given; none was trained on, as far as the user knows.",
            counts={"pictures": len(dataset), "groups": len(np.unique(dataset.groups))},
            command=f"python -m healthdash evaluate {self.slug} --data FOLDER",
        )

    def answers(self, bundle: Bundle, dataset: LabelledPictures) -> Answers:
        """Return the probabilities of labelled pictures."""
        if dataset.names != bundle.info.labels:
            raise ModelMismatch(
                f"expected the labels {', '.join(bundle.info.labels)}, "
                f"the data have {', '.join(dataset.names)}",
                hint="Name the labels in the manifest as the model does.",
            )
        given = bundle.forward.probabilities({INPUT: dataset.inputs})
        return Answers(bundle.info.labels, dataset.labels, given, bundle.info.decide(given), dataset.groups)

    def read_grey(self, path: Path) -> NDArray[np.float32]:
        """Read a picture file as the model sees it, float32 (height, width), 0 to 1."""
        sample = self.read([Upload.from_path(path)])
        if not isinstance(sample, ImageSample | VolumeSample):
            raise InvalidInput("expected a picture, got a DICOM file without one", hint="Leave it out.")
        return model_view(middle_picture(sample), self.trained_window)
