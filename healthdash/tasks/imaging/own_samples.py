"""Synthetic pictures: a labelled set to try the training of own pictures with, and two for each model."""

from __future__ import annotations

import io
import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from healthdash import archive
from healthdash.task import Example, Upload
from healthdash.training import TrainSettings

from .prepare import INPUT

if TYPE_CHECKING:
    from healthdash.bundles import Bundle

__all__ = ["mean_pictures", "own_training_set"]

_SIDE, _PATIENTS, _PICTURES = 72, 90, 2
_FOLDER = "synthetic_pictures"
#: Label to the number of corners of the bright spot in it.
_SHAPES = {"round": 0, "star": 5}


def mean_pictures(bundle: Bundle) -> tuple[Example, ...]:
    """Return the first and the last mean picture that a bundle keeps: each of many, so of no patient."""

    def made(place: int) -> list[Upload]:
        mean = bundle.background[INPUT][place]
        stored = io.BytesIO()
        pixels = np.rint(255 * np.clip(mean, 0, 1)).astype(np.uint8)
        Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(stored, "PNG")
        return [Upload("synthetic-mean.png", stored.getvalue())]

    return tuple(
        Example(
            slug=slug,
            title=title,
            description="Synthetic: the mean of many pictures of the training, which shows no patient.",
            make=partial(made, place),
        )
        for slug, title, place in (("mean", "A mean picture", 0), ("other-mean", "Another mean picture", -1))
    )


def own_training_set() -> Example:
    """Return a zip archive of drawn pictures, one folder a label, two pictures a made-up patient."""
    return Example(
        slug="synthetic-spots",
        title=f"Synthetic set of {len(_SHAPES) * _PATIENTS * _PICTURES} pictures",
        description="Synthetic: bright spots, round or with corners, in a folder for each label.",
        make=lambda: [Upload(f"{_FOLDER}.zip", archive.pack(_files()))],
        settings=TrainSettings(epochs=10, folds=0, size=64),
    )


def _files() -> dict[str, bytes]:
    return {
        f"{_FOLDER}/{label}/synthetic-{label}-{patient:02d}-{number}.png": _picture(
            label, 100 * patient + number, tilt=2 * math.pi * patient / _PATIENTS
        )
        for label in _SHAPES
        for patient in range(_PATIENTS)
        for number in range(_PICTURES)
    }


def _picture(label: str, seed: int, *, tilt: float = 0.0) -> bytes:
    """Draw a spot with a place, size, brightness and grain of its own."""
    rng = np.random.default_rng([seed, len(label)])
    image = Image.new("L", (_SIDE, _SIDE), 0)
    x, y = rng.uniform(0.35, 0.65, 2) * _SIDE
    radius = rng.uniform(0.15, 0.25) * _SIDE
    corners = _SHAPES[label]
    count = 2 * corners or 60
    inner = 0.35 if corners else 1.0
    # A star is drawn larger, so that its area, and with it the brightness, says nothing.
    reach = radius * (1.6 if corners else 1.0)
    outline = [
        (
            x + reach * (inner if step % 2 else 1.0) * math.cos(tilt + 2 * math.pi * step / count),
            y + reach * (inner if step % 2 else 1.0) * math.sin(tilt + 2 * math.pi * step / count),
        )
        for step in range(count)
    ]
    ImageDraw.Draw(image).polygon(outline, fill=255)
    spot = np.asarray(image, np.float32) / 255
    grey = rng.uniform(0.15, 0.35) + rng.uniform(0.3, 0.5) * spot
    grey = grey + rng.normal(0, 0.05, grey.shape)
    stored = io.BytesIO()
    Image.fromarray(np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8)).save(stored, "PNG")
    return stored.getvalue()
