"""A small labelled set of synthetic pictures, to try the training with.

The synthetic pictures that ship, each turned, stretched, shifted and regrained for every made-up
patient. A network that learns them has learnt one drawing of each label and nothing of medicine.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator

import numpy as np
from PIL import Image

from healthdash import archive
from healthdash.task import Example, Upload
from healthdash.training import TrainSettings

from .samples import pictures_of

__all__ = ["training_set"]

_FOLDER = "synthetic_training_set"
_PATIENTS, _PICTURES = 20, 2
_README = (
    "SYNTHETIC pictures: distorted copies of drawings by a generative network. They show no patient.\n"
    "A model trained on them is worth nothing. For trying the training, and as a pattern for own data:\n"
    "manifest.csv has a row a picture, with its path, its label and its group (the patient).\n"
)


def training_set(task: str, settings: TrainSettings) -> Example:
    """Return a zip archive of pictures with a manifest, for the picture task of a name, and a short run."""
    return Example(
        slug="synthetic",
        title="Synthetic pictures",
        description=f"Synthetic: {_PICTURES} distorted copies of the drawn picture of each label for each of "
        f"{_PATIENTS} made-up patients, with manifest.csv.",
        make=lambda: [Upload(f"{_FOLDER}.zip", archive.pack(dict(_files(task))))],
        settings=settings,
    )


def _files(task: str) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of each file of the archive."""
    rng = np.random.default_rng(7)
    lines = ["path,label,group"]
    for label, picture in pictures_of(task).items():
        for patient in range(1, _PATIENTS + 1):
            own = _distorted(picture, rng, strength=1.0)
            for number in range(1, _PICTURES + 1):
                name = f"synthetic-{label}-{patient:02d}-{number}.jpg"
                lines.append(f"{name},{label},synthetic-{label}-{patient:02d}")
                yield f"{_FOLDER}/{name}", _jpeg(_distorted(own, rng, strength=0.3))
    yield f"{_FOLDER}/manifest.csv", "\n".join([*lines, ""]).encode()
    yield f"{_FOLDER}/README.txt", _README.encode()


def _distorted(picture: Image.Image, rng: np.random.Generator, *, strength: float) -> Image.Image:
    """Return a grey picture turned by up to 8 degrees, stretched, shifted, regraded and with grain."""
    turn = math.radians(8 * strength * rng.uniform(-1, 1))
    wide, high = np.exp(0.12 * strength * rng.uniform(-1, 1, 2))
    matrix = np.array(
        [[math.cos(turn) * wide, -math.sin(turn) * high], [math.sin(turn) * wide, math.cos(turn) * high]]
    )
    middle = (np.array(picture.size) - 1) / 2
    offset = middle * (1 + 0.1 * strength * rng.uniform(-1, 1, 2)) - matrix @ middle
    moved = picture.transform(
        picture.size,
        Image.Transform.AFFINE,
        (*matrix[0], offset[0], *matrix[1], offset[1]),
        resample=Image.Resampling.BILINEAR,
    )
    grey = (np.asarray(moved, np.float32) / 255) ** math.exp(0.25 * strength * rng.uniform(-1, 1))
    grain = 0.02 * strength * rng.standard_normal(grey.shape, dtype=np.float32)
    return Image.fromarray(np.rint(255 * np.clip(grey + grain, 0, 1)).astype(np.uint8))


def _jpeg(picture: Image.Image) -> bytes:
    stored = io.BytesIO()
    picture.save(stored, "JPEG", quality=90, comment="SYNTHETIC picture; it shows no patient")
    return stored.getvalue()
