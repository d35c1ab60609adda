"""Two questions about pictures: a chest X-ray, and a slice of a lung CT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from healthdash.task import (
    Arrays,
    Attribution,
    Example,
    Gate,
    Prediction,
    Report,
    Sample,
    Unit,
    Upload,
)
from healthdash.training import TrainSettings
from healthdash.views import Sections, View, Window

from . import gate as gating
from . import read, samples, slices, views
from .along import suspicion
from .gate import Scope
from .prepare import INPUT, to_square
from .sample import Document, ImageSample, model_view
from .trained import TrainedOnPictures
from .volume import VolumeSample

if TYPE_CHECKING:
    from healthdash.bundles import Bundle

    from .plans import Recipe

__all__ = ["ChestXray", "ImageTask", "LungCt"]


class ImageTask(TrainedOnPictures):
    """A question about one picture.

    Class attributes
    ----------------
    scope : Scope
        What the pictures are, for the gate.
    """

    kind = "images"
    unit = "image"
    accepts = (
        "dcm", "dicom", "ima", "png", "jpg", "jpeg", "tif", "tiff", "webp", "bmp", "gif", "gz", "zip",
        "nii", "hdr", "img", "mgh", "mgz", "mnc",
    )  # fmt: skip
    methods = ("expected-gradients", "integrated-gradients", "kernel-shap", "occlusion", "grad-cam")
    scope: Scope

    # -- reading -----------------------------------------------------------------------------

    def recognises(self, upload: Upload) -> bool:
        """Say whether the first bytes are a picture's."""
        return read.recognises(upload)

    def group(self, uploads: Sequence[Upload]) -> list[list[Upload]]:
        """Put the slices of a series and the halves of a pair together; zip archives are opened."""
        return read.grouped(uploads)

    def companions(self, path: Path) -> Sequence[Path]:
        """Return the voxels (.img) beside the header (.hdr) of a volume, and the other way round."""
        return read.companions(path)

    def read(self, uploads: Sequence[Upload]) -> ImageSample | VolumeSample | Document:
        """Read a picture or volume, or the DICOM document that was given instead."""
        return read.read(uploads)

    def gate(self, sample: Sample, bundle: Bundle) -> Gate:
        """Refuse or warn about what is no picture of the model's kind; of a volume look at some slices."""
        if isinstance(sample, Document):
            return gating.of_document(sample)
        if isinstance(sample, VolumeSample):
            return gating.of_volume(sample, self.scope) or slices.gate_of(
                sample, lambda one: self.judge(one, None, bundle)
            )
        return self.judge(_as_picture(sample), None, bundle)

    def item_gates(self, report: Report, bundle: Bundle) -> Sequence[Gate]:
        """Return the gate of each slice: a volume may reach beyond what the model knows."""
        sample, prediction = report.sample, report.prediction
        if not isinstance(sample, VolumeSample) or prediction is None or report.inputs is None:
            return super().item_gates(report, bundle)
        numbers = prediction.items.tolist()
        return slices.gates_of(
            sample, report.inputs[INPUT], numbers, lambda one, seen: self.judge(one, seen, bundle)
        )

    def judge(self, picture: ImageSample, seen: NDArray[np.float32] | None, bundle: Bundle) -> Gate:
        """Return the gate of one picture; `seen` is its network's input where that was prepared already."""
        config = bundle.info.preprocessing
        if seen is not None:
            return gating.judge(picture, seen[0, ..., 0], seen, bundle, self.scope)
        grey = model_view(picture, _window(config))
        return gating.judge(picture, grey, _squared(picture, config, grey), bundle, self.scope)

    def describe(self, sample: Sample) -> dict[str, Any]:
        """Return what the file holds, before any window or rescale."""
        described = super().describe(sample)
        if isinstance(sample, Document):
            return described | {"content": sample.content} | ({"text": sample.text} if sample.text else {})
        if not isinstance(sample, ImageSample | VolumeSample):
            return described
        stored = sample.stored
        described["stored"] = {
            "shape": list(stored.shape),
            "dtype": stored.dtype,
            "min": _number(stored.minimum, stored.dtype),
            "max": _number(stored.maximum, stored.dtype),
        }
        if isinstance(sample, VolumeSample):
            described |= slices.described(sample)
        elif sample.spacing_mm is not None:
            described["spacing_mm"] = list(sample.spacing_mm)
        if sample.distances:
            described["distances"] = sample.distances.strip("()")
        return described | ({"unit": sample.unit} if sample.unit != "grey value" else {})

    # -- predicting --------------------------------------------------------------------------

    def prepare(self, sample: Sample, config: Mapping[str, Any]) -> Arrays:
        """Return what the network sees: `image` (n, size, size, 1), 0 to 1; n is 1, or the slices."""
        if isinstance(sample, VolumeSample):
            return {INPUT: slices.prepared(sample, lambda one: self.prepare_one(one, config))}
        return {INPUT: self.prepare_one(_as_picture(sample), config)}

    def prepare_one(self, picture: ImageSample, config: Mapping[str, Any]) -> NDArray[np.float32]:
        """Return one grey picture as the network sees it, (1, size, size, 1)."""
        return _squared(picture, config)

    def unit_of(self, sample: Sample) -> Unit:
        """Return what an item of a sample is: a slice of a volume, or the picture."""
        return "slice" if isinstance(sample, VolumeSample) else self.unit

    def default_item(self, prediction: Prediction) -> int:
        """Return the most suspicious slice of a volume."""
        return int(suspicion(prediction)[1].argmax()) if len(prediction) > 1 else 0

    def first_item(self, report: Report, bundle: Bundle) -> int:
        """Return the most suspicious of the slices that the model may judge."""
        assert report.prediction is not None
        if report.prediction.unit != "slice":
            return 0
        refused = [gate.verdict == "refuse" for gate in self.item_gates(report, bundle)]
        return int(np.where(refused, -1.0, suspicion(report.prediction)[1]).argmax())

    def attributions(self, report: Report) -> list[Attribution]:
        """Return the explanation summed over 16 x 16 cells of the picture."""
        if report.explanation is None or report.inputs is None:
            return []
        heat = report.explanation.values[INPUT].sum(axis=-1)
        return views.cells(heat, report.inputs[INPUT][report.explained_item].mean(axis=-1))

    # -- showing -----------------------------------------------------------------------------

    def show(self, sample: Sample) -> tuple[View, ...]:
        """Return the picture or volume with its windows, and what the file says; of a report its text."""
        if isinstance(sample, Document):
            return views.of_document(sample)
        if isinstance(sample, ImageSample | VolumeSample):
            return views.show(sample, self.trained_window)
        return ()

    def render(self, report: Report, bundle: Bundle, item: int = 0) -> Sections:
        """Return the picture, the model's output for one item, and where the model looked."""
        return views.render(report, bundle, self.trained_window, item)

    def examples(self) -> tuple[Example, ...]:
        """Return the synthetic pictures that ship."""
        return samples.examples_of(self.slug)


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


def _squared(
    picture: ImageSample, config: Mapping[str, Any], grey: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Return the network's input, (1, size, size, 1); computed once, for the gate and the network."""
    size, window = _size(config), _window(config)
    if (size, window) not in picture.squares:
        picture.squares[size, window] = to_square(model_view(picture, window) if grey is None else grey, size)
    return picture.squares[size, window]


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
