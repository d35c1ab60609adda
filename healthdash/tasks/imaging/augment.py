"""Random changes of training pictures, made to break what tells hospitals apart, not patients.

On the chest X-rays, twenty statistics of brightness, contrast, sharpness and aspect alone tell
pneumonia from normal with an AUC of 0.97: every one of them is scrambled here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from healthdash.training.resumable import batch_rng

from .prepare import from_bytes

__all__ = ["Augmentation", "AugmentedPictures", "changed"]

Grey = NDArray[np.uint8]
Picture = NDArray[np.float32]

_MIXED_BATCHES = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How much pictures are changed.

    Attributes
    ----------
    rotation_degrees, shear, shift : float
        Largest values, either way; shift is a share of the width.
    zoom, aspect : float
        Largest factors, either way.
    tone : float
        Largest change of the tone curve, a share of the grey range.
    field, noise : float
        Largest slow change of brightness over the picture, and standard deviation of noise.
    smallest_scale : float
        Lowest resolution that a picture is taken through, a share of its size.
    patches : float
        How likely a border, a marker or a blank rectangle is put in.
    mirror : bool
        Mirror half of the pictures left to right.
    mixup : float
        Parameter of the beta distribution that mixes pairs in a quarter of the batches; 0 mixes none.
    calm : float
        Share of the pictures that are only moved, and only half as far.
    smoothing : float
        Share of each target that is spread over all labels.
    """

    rotation_degrees: float = 12.0
    shear: float = 0.08
    shift: float = 0.08
    zoom: float = 1.2
    aspect: float = 1.3
    tone: float = 0.25
    field: float = 0.25
    noise: float = 0.06
    smallest_scale: float = 0.4
    patches: float = 0.3
    mirror: bool = True
    mixup: float = 0.2
    calm: float = 0.3
    smoothing: float = 0.05

    def scaled(self, strength: float) -> Augmentation:
        """Return the same changes, so many times as strong."""
        times = ("rotation_degrees", "shear", "shift", "tone", "field", "noise")
        powers = ("zoom", "aspect", "smallest_scale")
        return replace(
            self,
            **{name: strength * getattr(self, name) for name in times},
            **{name: getattr(self, name) ** strength for name in powers},
            patches=min(1.0, strength * self.patches),
        )


class AugmentedPictures(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of changed pictures, every label equally often.

    Parameters
    ----------
    pictures : uint8 (n, size, size)
    labels : int64 (n,)
    weights : float32 (n,) or None
        How often each picture is drawn beside others of its label; None: all alike.
    plan : Augmentation or None
        None gives unchanged pictures.
    """

    def __init__(
        self,
        pictures: Grey,
        labels: NDArray[np.int64],
        plan: Augmentation | None,
        *,
        label_count: int,
        batch_size: int,
        seed: int,
        weights: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__()
        self._pictures, self._labels, self._plan = pictures, labels, plan
        self._weights = weights
        self._targets = np.eye(label_count, dtype=np.float32)
        self._batch_size, self._seed = batch_size, seed
        self.begin(0)

    def __len__(self) -> int:
        return max(1, len(self._labels) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[Picture, Picture]:
        rows = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        targets = self._targets[self._labels[rows]]
        if self._plan is None:
            return from_bytes(self._pictures[rows, ..., None]), targets
        rng = batch_rng(self._seed, self._epoch, index)
        pictures = np.stack([changed(self._pictures[row], self._plan, rng) for row in rows])[..., None]
        return _mixed(pictures, targets, self._plan, rng)

    def identity(self) -> list[NDArray[Any]]:
        """Return the labels of all pictures, and how often each is drawn."""
        return [self._labels] if self._weights is None else [self._labels, self._weights]

    def begin(self, epoch: int) -> None:
        """Draw an epoch, counted from 0; it and its changes depend on the seed and its number only."""
        self._epoch = epoch
        self._order = self._drawn(batch_rng(self._seed, epoch))

    def _drawn(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return as many rows as there are, each label equally often, in random order."""
        present = np.unique(self._labels)
        share = math.ceil(len(self._labels) / len(present))
        drawn = [self._filled(np.flatnonzero(self._labels == label), share, rng) for label in present]
        return rng.permutation(np.concatenate(drawn))

    def _filled(self, rows: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        if self._weights is not None:
            chance = self._weights[rows].astype(np.float64)
            return np.asarray(rng.choice(rows, count, p=chance / chance.sum()))
        rounds = [rng.permutation(rows) for _ in range(math.ceil(count / len(rows)))]
        return np.concatenate(rounds)[:count]


def changed(picture: Grey, plan: Augmentation, rng: np.random.Generator) -> Picture:
    """Return a randomly changed copy of a picture.

    Parameters
    ----------
    picture : uint8 (size, size), or (size, size, 3) in colour

    Returns
    -------
    float32 of the same shape, 0 to 1
    """
    if rng.random() < plan.calm:
        return from_bytes(np.array(_moved(Image.fromarray(picture), plan, rng, strength=0.5)))
    image = Image.fromarray(_toned(picture, plan, rng))
    if rng.random() < 0.5:
        side = round(picture.shape[0] * rng.uniform(plan.smallest_scale, 1.0))
        image = image.resize((side, side), Image.Resampling.BOX)
    result = from_bytes(np.array(_moved(image, plan, rng, size=picture.shape[0])))
    _put_in(result, plan, rng)
    return np.clip(_textured(result, plan, rng), 0, 1)


def _moved(
    image: Image.Image, plan: Augmentation, rng: np.random.Generator, *, size: int = 0, strength: float = 1.0
) -> Image.Image:
    """Turn, stretch, shift and mirror a picture, and bring it to `size`."""
    size = size or image.width
    affine = _affine(plan, rng, size, image.width / size, strength)
    grey = int(rng.integers(0, 256)) if rng.random() < 0.3 * strength else 0
    return image.transform(
        (size, size),
        Image.Transform.AFFINE,
        affine,
        resample=Image.Resampling.BILINEAR,
        fillcolor=grey if image.mode == "L" else (grey, grey, grey),
    )


def _toned(picture: Grey, plan: Augmentation, rng: np.random.Generator) -> Grey:
    """Apply a random rising tone curve, clipped at both ends: exposure, film and window."""
    knots = np.linspace(0, 1, 5)
    curve = knots ** np.exp(rng.uniform(-2 * plan.tone, 2 * plan.tone))
    steps = np.diff(curve) * np.exp(rng.uniform(-2 * plan.tone, 2 * plan.tone, 4))
    low, high = rng.uniform(-plan.tone, plan.tone, 2) * 0.5
    curve = low + (1 + high - low) * np.concatenate([[0], np.cumsum(steps) / steps.sum()])
    table = np.interp(np.arange(256) / 255, knots, curve)
    return np.asarray((np.clip(table, 0, 1) * 255).astype(np.uint8)[picture])


def _affine(
    plan: Augmentation, rng: np.random.Generator, size: int, scale: float, strength: float
) -> Sequence[float]:
    """Return the six numbers that lead from a place in the result to one in the picture."""
    angle = math.radians(strength * rng.uniform(-plan.rotation_degrees, plan.rotation_degrees))
    zoom = math.exp(strength * rng.uniform(-1, 1) * math.log(plan.zoom))
    aspect = math.exp(strength * rng.uniform(-0.5, 0.5) * math.log(plan.aspect))
    mirror = -1.0 if plan.mirror and rng.random() < 0.5 else 1.0
    shear = strength * rng.uniform(-plan.shear, plan.shear)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    stretch = np.array([[mirror * zoom * aspect, shear], [0.0, zoom / aspect]])
    matrix = turn @ stretch * scale
    middle = (size - 1) / 2
    reach = strength * plan.shift * size
    offset = scale * (middle + rng.uniform(-reach, reach, 2)) - matrix @ [middle, middle]
    return (*matrix[0], offset[0], *matrix[1], offset[1])


def _put_in(picture: Picture, plan: Augmentation, rng: np.random.Generator) -> None:
    """Put borders, markers and blank rectangles into the picture."""
    size = picture.shape[0]
    if rng.random() < plan.patches:  # collimator edges or the frame of a scanned film
        grey = rng.choice([0.0, 1.0, rng.random()])
        top, bottom, left, right = (rng.integers(0, size // 8, 4) * (rng.random(4) < 0.5)).astype(int)
        for part in (picture[:top], picture[size - bottom :], picture[:, :left], picture[:, size - right :]):
            part[...] = grey
    if rng.random() < plan.patches:  # a letter: bright strokes near an edge
        height, width = rng.integers(size // 24, size // 8, 2)
        strokes = np.kron(rng.random((4, 3)) < 0.6, np.ones((height // 4 + 1, width // 3 + 1)))[
            :height, :width
        ]
        y, x = rng.integers(0, size - height), rng.choice([rng.integers(0, size // 5), size - width])
        place = picture[y : y + height, x : x + width]
        place[strokes[:, : place.shape[1]] > 0] = rng.uniform(0.6, 1)
    if rng.random() < plan.patches:  # part of the picture is unreadable
        height, width = rng.integers(size // 12, size // 3, 2)
        y, x = rng.integers(0, size - height), rng.integers(0, size - width)
        picture[y : y + height, x : x + width] = rng.random()


def _textured(picture: Picture, plan: Augmentation, rng: np.random.Generator) -> Picture:
    """Sharpen or blur, brighten slowly over the picture, and add noise."""
    size = picture.shape[0]
    if rng.random() < 0.5:
        picture = picture + np.float32(rng.uniform(-0.8, 1.5)) * (picture - _smooth(picture))
    if rng.random() < 0.5:
        coarse = Image.fromarray(rng.uniform(-plan.field, plan.field, (4, 4)).astype(np.float32))
        factors = np.exp(np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC)))
        picture = picture * factors.reshape(size, size, *[1] * (picture.ndim - 2))
    if rng.random() < 0.5:
        noise = rng.standard_normal(picture.shape, dtype=np.float32)
        picture = picture + np.float32(rng.uniform(0, plan.noise)) * noise
    return picture


def _smooth(picture: Picture) -> Picture:
    """Return a picture taken through half its resolution, each channel by itself."""
    if picture.ndim == 3:
        return np.stack([_smooth(picture[..., channel]) for channel in range(picture.shape[-1])], axis=-1)
    size = picture.shape[0]
    small = Image.fromarray(np.ascontiguousarray(picture)).resize(
        (size // 2, size // 2), Image.Resampling.BOX
    )
    return np.asarray(small.resize((size, size), Image.Resampling.BILINEAR))


def _mixed(
    pictures: Picture, targets: Picture, plan: Augmentation, rng: np.random.Generator
) -> tuple[Picture, Picture]:
    """Mix some of the batches pairwise, and smooth the targets."""
    targets = (1 - plan.smoothing) * targets + plan.smoothing / targets.shape[1]
    if plan.mixup <= 0 or rng.random() > _MIXED_BATCHES:
        return pictures, targets
    shares = rng.beta(plan.mixup, plan.mixup, len(pictures)).astype(np.float32)
    shares = np.maximum(shares, 1 - shares)
    partner = rng.permutation(len(pictures))
    weight = shares[:, None, None, None]
    mixed = weight * pictures + (1 - weight) * pictures[partner]
    return mixed, shares[:, None] * targets + (1 - shares[:, None]) * targets[partner]
