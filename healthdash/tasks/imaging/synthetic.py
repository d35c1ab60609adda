"""Synthetic pictures from a conditional variational autoencoder, for samples without a patient.

    python -m healthdash.tasks.imaging.synthetic --data FOLDER [--out FOLDER] [--seed N]

FOLDER holds `chest_xray` and `lung_ct`, each with a manifest. Only finished pictures ship, with
a card that compares each with the training pictures (`sampling`, `likeness`).
"""

from __future__ import annotations

import argparse
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from .prepare import from_bytes

__all__ = ["Generator", "GeneratorPlan", "fit", "main"]

_log = logging.getLogger(__name__)
_SMALLEST = 5  # height and width of the innermost maps: 80 is 5 doubled four times


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorPlan:
    """Shape and training of one generative network.

    Attributes
    ----------
    size : int
        Height and width of the pictures.
    latent : int
        Numbers that a picture is squeezed into.
    widths : tuple of int
        Channels from the largest maps to the smallest.
    divergence_weight : float
        Weight of the latent divergence beside the mean errors of the picture. Small: sharp
        pictures; the latent distribution is fitted afterwards.
    """

    size: int = 80
    latent: int = 80
    widths: tuple[int, ...] = (24, 48, 64, 96)
    divergence_weight: float = 2e-4
    epochs: int = 8
    batch_size: int = 32
    learning_rate: float = 1.5e-3


class _Draw(layers.Layer):  # type: ignore[misc]
    """Draws from the latent normal distribution, and charges its divergence from the standard one."""

    def __init__(self, weight: float, seed: int, **named: Any) -> None:
        super().__init__(**named)
        self._weight = weight
        self._seeds = keras.random.SeedGenerator(seed)

    def call(self, both: tuple[Any, Any], training: bool = False) -> Any:
        mean, log_variance = both
        divergence = 0.5 * ops.sum(ops.square(mean) + ops.exp(log_variance) - 1 - log_variance, axis=1)
        self.add_loss(self._weight * ops.mean(divergence))
        if not training:
            return mean
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self._seeds)
        return mean + ops.exp(0.5 * log_variance) * noise


def difference(truth: Any, made: Any) -> Any:
    """Return how unlike two pictures are: grey values, edges at three scales, and structure.

    References
    ----------
    Wang, Bovik, Sheikh and Simoncelli 2004, IEEE TIP 13:600 (SSIM, here over 7 x 7 boxes).
    """
    truth, made = ops.cast(truth, "float32"), ops.cast(made, "float32")
    loss = ops.mean(ops.abs(truth - made))
    for _ in range(3):
        loss = loss + ops.mean(ops.abs(_across(truth) - _across(made)))
        loss = loss + ops.mean(ops.abs(_down(truth) - _down(made)))
        truth, made = _pooled(truth, 2, 2), _pooled(made, 2, 2)
        loss = loss + 0.1 * (1 - _similarity(truth, made))
    return loss


def _across(x: Any) -> Any:
    return x[:, :, 1:] - x[:, :, :-1]


def _down(x: Any) -> Any:
    return x[:, 1:] - x[:, :-1]


def _pooled(x: Any, width: int, step: int) -> Any:
    return ops.average_pool(x, width, step, padding="valid")


def _similarity(a: Any, b: Any) -> Any:
    mean_a, mean_b = _pooled(a, 7, 3), _pooled(b, 7, 3)
    variance_a = _pooled(a * a, 7, 3) - mean_a * mean_a
    variance_b = _pooled(b * b, 7, 3) - mean_b * mean_b
    covariance = _pooled(a * b, 7, 3) - mean_a * mean_b
    light = (2 * mean_a * mean_b + 1e-4) / (mean_a * mean_a + mean_b * mean_b + 1e-4)
    return ops.mean(light * (2 * covariance + 9e-4) / (variance_a + variance_b + 9e-4))


def _encoder(plan: GeneratorPlan, labels: int) -> keras.Model:
    picture, label = keras.Input((plan.size, plan.size, 1)), keras.Input((labels,))
    x = picture
    for width in plan.widths:
        x = layers.ReLU()(layers.Conv2D(width, 4, strides=2, padding="same")(x))
    x = layers.Concatenate()([layers.Flatten()(x), label])
    mean = layers.Dense(plan.latent, dtype="float32")(x)
    log_variance = layers.Dense(plan.latent, dtype="float32")(x)
    return keras.Model([picture, label], [mean, ops.clip(log_variance, -8, 4)], name="encoder")


def _decoder(plan: GeneratorPlan, labels: int) -> keras.Model:
    code, label = keras.Input((plan.latent,)), keras.Input((labels,))
    x = layers.Dense(_SMALLEST * _SMALLEST * plan.widths[-1])(layers.Concatenate()([code, label]))
    x = layers.Reshape((_SMALLEST, _SMALLEST, plan.widths[-1]))(x)
    for width in plan.widths[-2::-1]:
        x = layers.UpSampling2D(2)(layers.ReLU()(x))
        x = layers.Conv2D(width, 3, padding="same")(x)
        y = layers.Conv2D(width, 3, padding="same")(layers.ReLU()(x))
        x = layers.Add()([x, y])
    x = layers.Conv2D(4, 3, padding="same", dtype="float32")(layers.ReLU()(x))
    return keras.Model([code, label], ops.sigmoid(_unfolded(x, plan.size // 2)), name="decoder")


def _unfolded(x: Any, size: int) -> Any:
    """Turn four channels (n, size, size, 4) into one map of twice the size."""
    x = ops.reshape(x, (-1, size, size, 2, 2))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4)), (-1, 2 * size, 2 * size, 1))


@dataclass(frozen=True, eq=False)
class Generator:
    """A trained decoder, with the latent distribution of each label.

    Attributes
    ----------
    means, factors : float32 (labels, latent), (labels, latent, latent)
        Mean and Cholesky factor of the codes of a label's training pictures.
    """

    decoder: keras.Model
    means: NDArray[np.float32]
    factors: NDArray[np.float32]

    def draw(self, label: int, count: int, *, spread: float, seed: int) -> NDArray[np.float32]:
        """Draw pictures of a label, float32 (count, size, size), 0 to 1.

        `spread` below 1 draws more typical pictures.
        """
        rng = np.random.default_rng(seed)
        noise = spread * rng.standard_normal((count, self.means.shape[1])).astype(np.float32)
        codes = self.means[label] + noise @ self.factors[label].T
        given = np.tile(np.eye(len(self.means), dtype=np.float32)[label], (count, 1))
        return np.asarray(self.decoder.predict([codes, given], verbose=0, batch_size=32)[..., 0], np.float32)


def fit(
    pictures: NDArray[np.uint8], labels: NDArray[np.int64], plan: GeneratorPlan, *, seed: int
) -> Generator:
    """Train the autoencoder, and fit a normal distribution to the codes of each label.

    Parameters
    ----------
    pictures : uint8 (n, size, size)
    labels : int64 (n,)

    References
    ----------
    Kingma and Welling 2014, ICLR, Auto-encoding variational Bayes; Ghosh et al. 2020, ICLR,
    From variational to deterministic autoencoders (the distribution fitted afterwards).
    """
    keras.utils.set_random_seed(seed)
    count = int(labels.max()) + 1
    grey = from_bytes(pictures[..., None])
    given = np.eye(count, dtype=np.float32)[labels]
    encoder, decoder = _encoder(plan, count), _decoder(plan, count)
    picture, label = keras.Input(grey.shape[1:]), keras.Input((count,))
    code = _Draw(plan.divergence_weight, seed)(encoder([picture, label]))
    whole = keras.Model([picture, label], decoder([code, label]))
    steps = plan.epochs * math.ceil(len(grey) / plan.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps, warmup_target=plan.learning_rate, warmup_steps=100
    )
    whole.compile(keras.optimizers.AdamW(rate, weight_decay=1e-3, clipnorm=1.0), loss=difference)
    report = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: _log.info("epoch %d %s", epoch + 1, logs)
    )
    mirrored = _Batches(grey, given, plan.batch_size, seed)
    whole.fit(mirrored, epochs=plan.epochs, verbose=0, callbacks=[report])
    codes = np.asarray(encoder.predict([grey, given], verbose=0, batch_size=64)[0], np.float64)
    return _with_distribution(decoder, codes, labels, count)


class _Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Shuffled batches; each picture is moved and turned a little, so that none is learnt by heart."""

    def __init__(self, grey: NDArray[np.float32], given: NDArray[np.float32], size: int, seed: int) -> None:
        super().__init__()
        self._grey, self._given, self._size = grey, given, size
        self._rng = np.random.default_rng(seed)
        self.on_epoch_end()

    def on_epoch_end(self) -> None:
        self._order = self._rng.permutation(len(self._grey))

    def __len__(self) -> int:
        return math.ceil(len(self._grey) / self._size)

    def __getitem__(self, number: int) -> tuple[tuple[Any, Any], Any]:
        rows = self._order[number * self._size : (number + 1) * self._size]
        batch = np.stack([self._moved(self._grey[row]) for row in rows])
        return (batch, self._given[rows]), batch

    def _moved(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        most = picture.shape[0] // 28
        down, across = self._rng.integers(-most, most + 1, 2)
        padded = np.pad(picture, ((most, most), (most, most), (0, 0)), mode="edge")
        height, width = picture.shape[:2]
        return padded[most + down : most + down + height, most + across : most + across + width]


def _with_distribution(
    decoder: keras.Model, codes: NDArray[np.float64], labels: NDArray[np.int64], count: int
) -> Generator:
    """Fit mean and shrunk covariance of each label's codes."""
    from sklearn.covariance import LedoitWolf

    means, factors = [], []
    for label in range(count):
        found = LedoitWolf().fit(codes[labels == label])
        means.append(found.location_)
        factors.append(np.linalg.cholesky(found.covariance_ + 1e-6 * np.eye(codes.shape[1])))
    return Generator(decoder, np.asarray(means, np.float32), np.asarray(factors, np.float32))


#: Plans of the two tasks: folder of the data, and what differs from the default.
PLANS: Mapping[str, tuple[str, GeneratorPlan]] = {
    "chest-xray": ("chest_xray", GeneratorPlan(epochs=8)),
    "lung-ct": ("lung_ct", GeneratorPlan(epochs=40)),
}


def main(arguments: list[str] | None = None) -> int:
    """Train both generators and write the samples with their card."""
    from . import TASKS
    from .dataset import load_manifest
    from .sampling import choose, write

    parser = argparse.ArgumentParser(prog="healthdash.tasks.imaging.synthetic", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "samples")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--half", action="store_true", help="train in bfloat16, where that is fast")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if options.half:
        keras.config.set_dtype_policy("mixed_bfloat16")
    chosen = []
    for task in TASKS:
        folder, plan = PLANS[task.slug]
        dataset = load_manifest(options.data / folder, plan.size, task.read_grey, tuple(task.labels))
        generator = fit(dataset.pictures, dataset.labels, plan, seed=options.seed)
        chosen.append(choose(task.slug, generator, dataset, seed=options.seed))
    write(chosen, options.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
