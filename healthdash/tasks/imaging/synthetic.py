"""Synthetic pictures from a conditional variational autoencoder, for samples without a patient.

    python -m healthdash.tasks.imaging.synthetic --data FOLDER [--out FOLDER] [--seed N]

FOLDER holds `chest_xray` and `lung_ct`, each with a manifest. Only finished pictures ship, with
a card that compares each with the training pictures (`sampling`, `likeness`).

The network is small because its first and last layer are fixed: the principal components of
the training pictures. What it learns is which mixtures of components are pictures of a label.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from .prepare import from_bytes

__all__ = ["Components", "Generator", "GeneratorPlan", "components", "fit", "main"]

_log = logging.getLogger(__name__)
Floats = NDArray[np.float32]

_FOR_COMPONENTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorPlan:
    """Shape and training of one generative network.

    Attributes
    ----------
    size : int
        Height and width of the pictures.
    components, hidden, latent : int
        Numbers of principal components, of a hidden layer, and that a picture is squeezed into.
    divergence_weight : float
        Weight of the latent divergence beside the squared error. Larger: smoother pictures, and
        fewer mixtures that are no picture.
    spread : float
        Share of the latent distribution's width that is drawn from; below 1: more typical.
    """

    size: int = 80
    components: int = 200
    hidden: int = 256
    latent: int = 48
    divergence_weight: float = 0.004
    spread: float = 0.85
    epochs: int = 40
    batch_size: int = 128
    learning_rate: float = 2e-3


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of pictures.

    Attributes
    ----------
    mean : float32 (pixels,)
    directions : float32 (k, pixels)
    scale : float
        Standard deviation along the first one.
    """

    mean: Floats
    directions: Floats
    scale: float

    def mixtures(self, pictures: Floats) -> Floats:
        """Return the mixture of each picture (n, side, side): float32 (n, k)."""
        flat = pictures.reshape(len(pictures), -1) - self.mean
        return np.asarray(flat @ self.directions.T / self.scale, np.float32)

    def pictures(self, mixtures: Floats) -> Floats:
        """Return the picture of each mixture: float32 (n, side, side), 0 to 1."""
        flat = mixtures * self.scale @ self.directions + self.mean
        side = round(len(self.mean) ** 0.5)
        return np.clip(flat, 0, 1).reshape(-1, side, side).astype(np.float32)


def components(pictures: Floats, count: int, *, seed: int) -> Components:
    """Find principal components, from at most 1,000 of the pictures (n, side, side)."""
    from sklearn.utils.extmath import randomized_svd

    rows = np.random.default_rng(seed).permutation(len(pictures))[:_FOR_COMPONENTS]
    flat = pictures[rows].reshape(len(rows), -1)
    mean = flat.mean(axis=0)
    _, sizes, directions = randomized_svd(flat - mean, count, n_iter=2, random_state=seed)
    return Components(mean, directions.astype(np.float32), float(sizes[0] / np.sqrt(len(rows))))


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


def _squared(truth: Any, made: Any) -> Any:
    """Return the squared error of the picture: components are orthonormal."""
    return ops.sum(ops.square(truth - made), axis=1)


def _encoder(plan: GeneratorPlan, labels: int) -> keras.Model:
    mixture, label = keras.Input((plan.components,)), keras.Input((labels,))
    x = _hidden(layers.Concatenate()([mixture, label]), plan)
    log_variance = ops.clip(layers.Dense(plan.latent)(x), -8, 4)
    return keras.Model([mixture, label], [layers.Dense(plan.latent)(x), log_variance], name="encoder")


def _decoder(plan: GeneratorPlan, labels: int) -> keras.Model:
    code, label = keras.Input((plan.latent,)), keras.Input((labels,))
    x = _hidden(layers.Concatenate()([code, label]), plan)
    return keras.Model([code, label], layers.Dense(plan.components)(x), name="decoder")


def _hidden(x: Any, plan: GeneratorPlan) -> Any:
    for _ in range(2):
        x = layers.Dense(plan.hidden, activation="silu")(x)
    return x


@dataclass(frozen=True, eq=False)
class Generator:
    """A trained decoder, with the latent distribution of each label.

    Attributes
    ----------
    means, factors : float32 (labels, latent), (labels, latent, latent)
        Mean and Cholesky factor of the codes of a label's training pictures.
    """

    plan: GeneratorPlan
    basis: Components
    decoder: keras.Model
    means: Floats
    factors: Floats

    def draw(self, label: int, count: int, *, seed: int) -> Floats:
        """Draw pictures of a label, float32 (count, size, size), 0 to 1."""
        rng = np.random.default_rng(seed)
        noise = self.plan.spread * rng.standard_normal((count, self.means.shape[1])).astype(np.float32)
        codes = self.means[label] + noise @ self.factors[label].T
        given = np.tile(np.eye(len(self.means), dtype=np.float32)[label], (count, 1))
        return self.basis.pictures(np.asarray(self.decoder.predict_on_batch([codes, given])))


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
    grey = from_bytes(pictures)
    basis = components(grey, plan.components, seed=seed)
    mixtures, count = basis.mixtures(grey), int(labels.max()) + 1
    given = np.eye(count, dtype=np.float32)[labels]
    encoder, decoder = _encoder(plan, count), _decoder(plan, count)
    mixture, label = keras.Input((plan.components,)), keras.Input((count,))
    code = _Draw(plan.divergence_weight, seed)(encoder([mixture, label]))
    whole = keras.Model([mixture, label], decoder([code, label]))
    steps = plan.epochs * -(-len(grey) // plan.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(plan.learning_rate, steps)
    whole.compile(keras.optimizers.AdamW(rate, weight_decay=1e-2), loss=_squared)
    report = keras.callbacks.LambdaCallback(on_epoch_end=_log_epoch)
    whole.fit(
        [mixtures, given],
        mixtures,
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        verbose=0,
        callbacks=[report],
    )
    codes = np.asarray(encoder.predict_on_batch([mixtures, given])[0], np.float64)
    means, factors = _distributions(codes, labels, count)
    return Generator(plan, basis, decoder, means, factors)


def _log_epoch(epoch: int, logs: Mapping[str, float]) -> None:
    _log.info("epoch %d, loss %.4f", epoch + 1, logs["loss"])


def _distributions(
    codes: NDArray[np.float64], labels: NDArray[np.int64], count: int
) -> tuple[Floats, Floats]:
    """Fit mean and shrunk covariance of each label's codes."""
    from sklearn.covariance import LedoitWolf

    means, factors = [], []
    for label in range(count):
        found = LedoitWolf().fit(codes[labels == label])
        means.append(found.location_)
        factors.append(np.linalg.cholesky(found.covariance_ + 1e-6 * np.eye(codes.shape[1])))
    return np.asarray(means, np.float32), np.asarray(factors, np.float32)


#: Plans of the two tasks: folder of the data, and what differs from the default.
PLANS: Mapping[str, tuple[str, GeneratorPlan]] = {
    "chest-xray": ("chest_xray", GeneratorPlan(epochs=20)),
    "lung-ct": ("lung_ct", GeneratorPlan(epochs=160, spread=0.6)),
}


def main(arguments: list[str] | None = None) -> int:
    """Train both generators and write the samples with their card."""
    from . import TASKS
    from .dataset import load_manifest
    from .sampling import choose, write

    parser = argparse.ArgumentParser(
        prog="healthdash.tasks.imaging.synthetic", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "samples")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    chosen = []
    for task in (task for task in TASKS if task.slug in PLANS):
        folder, plan = PLANS[task.slug]
        dataset = load_manifest(options.data / folder, plan.size, task.read_grey, tuple(task.labels))
        generator = fit(dataset.pictures, dataset.labels, plan, seed=options.seed)
        chosen.append(choose(task.slug, generator, dataset, seed=options.seed))
    write(chosen, options.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
