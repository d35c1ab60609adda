"""Two questions about pictures: a chest X-ray, and a slice of a lung CT."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, ModelMismatch
from healthdash.task import Arrays, Attribution, Example, Gate, Report, Sample, Task, Upload
from healthdash.training import TrainSettings
from healthdash.training.paired import Answers
from healthdash.views import Sections, View, Window

from . import gate as gating
from . import read, samples, views
from .gate import Scope
from .prepare import INPUT, to_square
from .sample import Document, ImageSample, model_view

if TYPE_CHECKING:
    from healthdash.bundles import Bundle
    from healthdash.training.evaluation import Evaluation
    from healthdash.training.history import EpochRow

    from .dataset import LabelledPictures
    from .plans import Recipe

__all__ = ["ChestXray", "ImageTask", "LungCt"]


class ImageTask(Task):
    """A question about one picture.

    Class attributes
    ----------------
    scope : Scope
        What the pictures are, for the gate.
    short_run : TrainSettings
        To try the training with a small set.
    """

    kind = "images"
    unit = "image"
    accepts = ("dcm", "dicom", "ima", "png", "jpg", "jpeg", "tif", "tiff", "webp", "bmp", "gif", "gz")
    methods = ("expected-gradients", "integrated-gradients", "kernel-shap", "occlusion", "grad-cam")
    scope: Scope
    trained_window: Window | None = None
    short_run = TrainSettings(epochs=3, members=1)
    is_split = True

    # -- reading -----------------------------------------------------------------------------

    def recognises(self, upload: Upload) -> bool:
        """Say whether the first bytes are a picture's."""
        return read.recognises(upload)

    def read(self, uploads: Sequence[Upload]) -> ImageSample | Document:
        """Read one picture, or name the DICOM document that was given instead."""
        return read.read(uploads)

    def validate(self, sample: Sample) -> None:
        """Refuse a document."""
        if isinstance(sample, Document):
            raise InvalidInput(
                f"expected a picture, got a DICOM file without one ({sample.content})",
                hint="Choose the picture's own file.",
            )

    def gate(self, sample: Sample, bundle: Bundle) -> Gate:
        """Refuse or warn about what is no picture of the model's kind."""
        picture = _as_picture(sample)
        config = bundle.info.preprocessing
        grey = model_view(picture, _window(config))
        return gating.judge(picture, grey, to_square(grey, _size(config)), bundle, self.scope)

    def describe(self, sample: Sample) -> dict[str, Any]:
        """Return what the file holds, before any window or rescale."""
        described = super().describe(sample)
        if not isinstance(sample, ImageSample):
            return described
        stored = sample.stored
        described["stored"] = {
            "shape": list(stored.shape),
            "dtype": stored.dtype,
            "min": _number(stored.minimum, stored.dtype),
            "max": _number(stored.maximum, stored.dtype),
        }
        if sample.spacing_mm is not None:
            described["spacing_mm"] = list(sample.spacing_mm)
        return described | ({"unit": sample.unit} if sample.unit == "HU" else {})

    # -- predicting --------------------------------------------------------------------------

    def prepare(self, sample: Sample, config: Mapping[str, Any]) -> Arrays:
        """Return the grey picture that the network sees: `picture` (1, size, size, 1), 0 to 1."""
        grey = model_view(_as_picture(sample), _window(config))
        return {INPUT: to_square(grey, _size(config))}

    def attributions(self, report: Report) -> list[Attribution]:
        """Return the explanation summed over 16 x 16 cells of the picture."""
        if report.explanation is None or report.inputs is None:
            return []
        heat = report.explanation.values[INPUT].sum(axis=-1)
        return views.cells(heat, report.inputs[INPUT][0].mean(axis=-1))

    # -- showing -----------------------------------------------------------------------------

    def show(self, sample: Sample) -> tuple[View, ...]:
        """Return the picture with its windows, and what the file says."""
        return views.show(sample, self.trained_window) if isinstance(sample, ImageSample) else ()

    def render(self, report: Report, bundle: Bundle, item: int = 0) -> Sections:
        """Return the picture, the model's output, and where the model looked."""
        return views.render(report, bundle, self.trained_window)

    def examples(self) -> tuple[Example, ...]:
        """Return the synthetic pictures that ship."""
        return samples.examples_of(self.slug)

    # -- training ----------------------------------------------------------------------------

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
        from .archive import opened
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

        command = (
            f"python -m healthdash train {self.slug} --data $HEALTHDASH_DATA/imaging/{dataset.title} "
            f"--out models/{self.slug}/{out.name} --seed {settings.seed}"
        )
        return train(self.recipe(), dataset, settings, out, on_epoch, command=command)

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
        self.validate(sample)
        return model_view(_as_picture(sample), self.trained_window)


class ChestXray(ImageTask):
    """Pneumonia in a child's chest X-ray, and its kind."""

    slug = "chest-xray"
    title = "Chest X-ray"
    summary = (
        "A frontal chest X-ray of a child in; the probability of normal lungs, bacterial and viral "
        "pneumonia out."
    )
    labels: Mapping[str, str] = {
        "normal": "No sign of pneumonia",
        "bacterial": "Bacterial pneumonia",
        "viral": "Viral pneumonia",
    }
    scope = Scope(
        name="a frontal chest X-ray",
        modalities=("CR", "DX", "RG", "RF", "XA"),
        body_parts=("CHEST", "THORAX", "LUNG", "RIB", "TRUNK", "CXR"),
        oldest_years=10,
    )

    def recipe(self) -> Recipe:
        """Return how this task is trained."""
        from .plans import CHEST_XRAY

        return CHEST_XRAY


class LungCt(ImageTask):
    """A nodule or tumour in one slice of a lung CT."""

    slug = "lung-ct"
    samples = {"expected-gradients": 400}  # noqa: RUF012  (200 miss the output by 2 percentage points)
    title = "Lung CT slice"
    summary = "One axial slice of a lung CT in; the probability of normal, benign and malignant findings out."
    labels: Mapping[str, str] = {
        "normal": "Slice of a person without a lung tumour",
        "benign": "Slice of a person with a benign lung tumour",
        "malignant": "Slice of a person with a malignant lung tumour",
    }
    scope = Scope(
        name="an axial lung CT slice",
        modalities=("CT",),
        body_parts=("CHEST", "THORAX", "LUNG", "TRUNK"),
        youngest_years=18,
        is_ct=True,
    )
    # The window in which the training pictures were shown; see `plans.LUNG_CT`.
    trained_window = Window(name="as the model sees it", center=-500, width=1500)
    short_run = TrainSettings(epochs=10, folds=3)
    is_split = False

    def recipe(self) -> Recipe:
        """Return how this task is trained."""
        from .plans import LUNG_CT

        return LUNG_CT


def _as_picture(sample: Sample) -> ImageSample:
    assert isinstance(sample, ImageSample)
    return sample


def _size(config: Mapping[str, Any]) -> int:
    return int(config["size"])


def _window(config: Mapping[str, Any]) -> Window | None:
    window = config.get("window")
    return Window(name="trained", center=window["center"], width=window["width"]) if window else None


def _number(value: float, dtype: str) -> int | float | None:
    """Return a whole number where the values are, and nothing where there is none in JSON."""
    if not np.isfinite(value):
        return None
    return float(value) if np.dtype(dtype).kind == "f" else int(value)
