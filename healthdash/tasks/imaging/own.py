"""The task images: any labelled pictures of a user's; labels, size and colours come from the bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from healthdash.datasets.own import OwnFiles
from healthdash.task import Example, Gate, Sample
from healthdash.training import TrainSettings
from healthdash.training.paired import Answers

from . import slices
from .gate import of_document
from .own_gate import judge_own
from .own_samples import mean_pictures, own_training_set
from .prepare import INPUT, from_bytes, to_square
from .sample import Document, ImageSample, model_view
from .task import ImageTask
from .volume import VolumeSample

if TYPE_CHECKING:
    from healthdash.bundles import Bundle
    from healthdash.datasets.looked import Looked
    from healthdash.datasets.survey import OnProgress

    from .own_set import OwnPictures

__all__ = ["OwnImages", "PosedImages", "own_input"]


class OwnImages(OwnFiles, ImageTask):
    """Whatever labelled pictures of a user's ask."""

    slug = "images"
    title = "Own pictures"
    summary = "A picture like those of your own that you trained with in, the chance of each label out."
    labels = {}  # noqa: RUF012  (those of the bundle)
    item_kind = "picture"

    def bound(self, bundle: Bundle) -> PosedImages:
        """Return the task as a bundle poses it."""
        return PosedImages(bundle)

    def gate(self, sample: Sample, bundle: Bundle) -> Gate:
        """Refuse or warn about what is unlike the pictures of the training."""
        if isinstance(sample, VolumeSample):
            return slices.gate_of(sample, lambda one: self.judge(one, None, bundle))
        if isinstance(sample, Document):
            return of_document(sample)
        assert isinstance(sample, ImageSample)
        return self.judge(sample, None, bundle)

    def judge(self, picture: ImageSample, seen: NDArray[np.float32] | None, bundle: Bundle) -> Gate:
        """Return the gate of one picture; `seen` is its network's input where that was prepared already."""
        prepared = own_input(picture, bundle.info.preprocessing) if seen is None else seen
        return judge_own(picture, prepared, bundle)

    def prepare_one(self, picture: ImageSample, config: Mapping[str, Any]) -> NDArray[np.float32]:
        """Return one picture as the network sees it, (1, size, size, channels)."""
        return own_input(picture, config)

    def examples(self) -> tuple[Example, ...]:
        """Return nothing: only a bundle knows what its pictures are like."""
        return ()

    # -- training ----------------------------------------------------------------------------

    def training_examples(self) -> tuple[Example, ...]:
        """Return drawn pictures of two labels in a zip archive."""
        return (own_training_set(),)

    def look(self, folder: Path, target: str | None, on_progress: OnProgress | None = None) -> Looked:
        """Look at every file of labelled pictures once."""
        from .own_check import look_at_pictures

        return look_at_pictures(folder, target, on_progress)

    def load_dataset(self, path: Path, settings: TrainSettings) -> Any:
        """Read labelled pictures and mend them."""
        from .own_set import load_pictures

        return load_pictures(path, settings)

    def answers(self, bundle: Bundle, dataset: Any) -> Answers:
        """Return the probabilities of labelled pictures, those of other labels left out."""
        pictures: OwnPictures = dataset.labelled_as(bundle.info.labels)
        blocks = np.array_split(np.arange(len(pictures)), max(1, len(pictures) // 64))
        given = np.concatenate(
            [bundle.forward.probabilities({INPUT: pictures.inputs(block)}) for block in blocks]
        )
        return Answers(bundle.info.labels, pictures.truth, given, bundle.info.decide(given), pictures.groups)


class PosedImages(OwnImages):
    """The task as one bundle poses it.

    Parameters
    ----------
    bundle : Bundle
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self.labels = {label: f"The label {label} of the training data." for label in bundle.info.labels}

    def examples(self) -> tuple[Example, ...]:
        """Return two mean pictures; none is one of a patient."""
        return mean_pictures(self._bundle)


def own_input(sample: ImageSample, config: Mapping[str, Any]) -> NDArray[np.float32]:
    """Return a picture as training saw it.

    Parameters
    ----------
    config : mapping
        `size`, and `channels`: 1 for grey, 3 for colour; a grey picture is the same in all three.

    Returns
    -------
    float32 (1, size, size, channels), 0 to 1
    """
    size, channels = int(config["size"]), int(config["channels"])
    if channels == 3 and sample.colours is not None:
        from .own_survey import colour_square

        return from_bytes(colour_square(sample.colours, size)[None])
    # Through bytes, as the pictures of the training were kept.
    grey = np.rint(to_square(model_view(sample), size) * 255).astype(np.uint8)
    return from_bytes(np.repeat(grey, channels, axis=-1))
