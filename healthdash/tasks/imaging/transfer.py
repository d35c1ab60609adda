"""A linear head on the pooled features of a network that was trained on photographs.

For data sets too small to train convolutions on: the encoder stays as it is, and only the
head is fitted. Means of linear heads are linear heads, so folds are averaged without loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from healthdash.training.history import EpochRow, reporter
from healthdash.training.stopping import NOT_BY_FOLDS

from .augment import Augmentation, changed
from .dataset import LabelledPictures
from .network import NetworkPlan, stage_ends
from .prepare import INPUT

__all__ = [
    "Head",
    "HeadPlan",
    "described_head",
    "encoder",
    "fit_head",
    "heads_by_folds",
    "mean_head",
    "pooled",
    "training_features",
    "with_head",
]

Floats = NDArray[np.float32]
_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadPlan:
    """How a head is fitted.

    Attributes
    ----------
    copies : int
        Randomly changed copies of each training picture, beside the picture itself.
    penalty : float
        Of the squared weights on standardised features.
    """

    epochs: int = 60
    batch_size: int = 128
    learning_rate: float = 1e-3
    penalty: float = 0.1
    copies: int = 4
    augmentation: Augmentation | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """Logits = features @ kernel + bias; float32 (d, labels) and (labels,)."""

    kernel: Floats
    bias: Floats


def encoder(plan: NetworkPlan) -> keras.Model:
    """Return the network from a picture to pooled features (n, d), as ImageNet left it."""
    whole = plan.folded(plan.fresh(), "encoder")
    parts = [part for stage in stage_ends(whole) for part in _statistics(stage)]
    return keras.Model(whole.input, layers.Concatenate(name="features")(parts), name="encoder")


def pooled(network: keras.Model, pictures: Floats) -> Floats:
    """Return the features (n, d) of pictures (n, size, size, 1), each averaged with its mirror image's."""
    both = (pictures, pictures[:, :, ::-1])
    return np.asarray(np.mean([_in_batches(network, one) for one in both], axis=0), np.float32)


def fit_head(
    train: tuple[Floats, NDArray[np.int64]],
    validation: tuple[Floats, NDArray[np.int64]],
    plan: HeadPlan,
    on_epoch: Callable[[EpochRow], None],
    *,
    labels: int,
    seed: int,
    run: str,
) -> Head:
    """Fit a linear head on features; every label counts alike.

    Parameters
    ----------
    train, validation : (float32 (n, d), int64 (n,))
        Features and labels; nothing is chosen on the validation part.
    """
    keras.utils.set_random_seed(seed)
    centre, spread = train[0].mean(axis=0), train[0].std(axis=0) + 1e-3
    model = _linear(train[0].shape[1], labels, plan)
    counts = np.maximum(np.bincount(train[1], minlength=labels), 1)
    model.fit(
        (train[0] - centre) / spread,
        np.eye(labels, dtype=np.float32)[train[1]],
        sample_weight=(len(train[1]) / (labels * counts))[train[1]],
        validation_data=((validation[0] - centre) / spread, np.eye(labels, dtype=np.float32)[validation[1]]),
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        verbose=0,
        callbacks=[reporter(on_epoch, run=run)],
    )
    kernel, bias = model.layers[-1].get_weights()
    kernel = kernel / spread[:, None]
    return Head(np.asarray(kernel, np.float32), np.asarray(bias - centre @ kernel, np.float32))


def mean_head(heads: Sequence[Head]) -> Head:
    """Return the head whose logits are the mean of the heads'."""
    kernels, biases = [head.kernel for head in heads], [head.bias for head in heads]
    return Head(np.mean(kernels, axis=0, dtype=np.float32), np.mean(biases, axis=0, dtype=np.float32))


def with_head(network: keras.Model, head: Head) -> keras.Model:
    """Return the whole network: a picture and its mirror image, pooled features, logits."""
    picture = keras.Input(network.input_shape[1:], name=INPUT)
    both = layers.Average()([network(picture), network(ops.flip(picture, axis=2))])
    logits = layers.Dense(len(head.bias), name="logits")
    whole = keras.Model(picture, logits(both))
    logits.set_weights([head.kernel, head.bias])
    return whole


def heads_by_folds(
    dataset: LabelledPictures,
    versions: Sequence[Floats],
    plan: HeadPlan,
    folds: Sequence[NDArray[np.int64]],
    on_epoch: Callable[[EpochRow], None],
    *,
    seed: int,
) -> tuple[Head, Floats]:
    """Fit a head without each fold.

    Parameters
    ----------
    versions : sequence of float32 (n, d)
        Features of the pictures as they are, then of changed copies; see `training_features`.

    Returns
    -------
    Head
        The mean of the heads.
    float32 (n, labels)
        Logits of every picture by the head that did not see its fold.
    """
    labels, names = dataset.labels, dataset.names
    logits, heads = np.zeros((len(labels), len(names)), np.float32), []
    for number, fold in enumerate(folds):
        rest = np.setdiff1d(np.arange(len(labels)), fold)
        train = np.concatenate([one[rest] for one in versions]), np.tile(labels[rest], len(versions))
        watched, run = (versions[0][fold], labels[fold]), f"fold {number + 1}"
        head = fit_head(train, watched, plan, on_epoch, labels=len(names), seed=seed + number, run=run)
        heads.append(head)
        logits[fold] = versions[0][fold] @ head.kernel + head.bias
    return mean_head(heads), logits


def described_head(plan: HeadPlan, network: NetworkPlan) -> Mapping[str, Any]:
    """Return the plan as the bundle's recipe, for people to read."""
    return {
        "network": f"EfficientNet-Lite0 without its last stage, {network.size} px, as ImageNet left it; "
        "mean, largest value and spread of each stage; a linear head",
        "epochs": plan.epochs,
        "batch size": plan.batch_size,
        "learning rate": f"{plan.learning_rate:g}",
        "early stopping": NOT_BY_FOLDS,
        "penalty of squared weights": f"{plan.penalty:g}",
        "class weights": "every label counts alike",
        "changed copies of each picture": plan.copies if plan.augmentation else 0,
        "augmentation": "off" if plan.augmentation is None else str(plan.augmentation),
    }


def training_features(
    network: keras.Model, dataset: LabelledPictures, plan: HeadPlan, seed: int
) -> list[Floats]:
    """Return the features of all pictures as they are, then of changed copies: (n, d) each."""
    rng = np.random.default_rng(seed)
    found = [pooled(network, dataset.inputs)]
    if plan.augmentation is not None:
        for _ in range(plan.copies):
            copies = np.stack([changed(picture, plan.augmentation, rng) for picture in dataset.pictures])
            found.append(pooled(network, copies[..., None]))
    return found


def _statistics(stage: Any) -> list[Any]:
    mean = ops.mean(stage, axis=(1, 2))
    variance = ops.mean(ops.square(stage), axis=(1, 2)) - ops.square(mean)
    return [mean, ops.max(stage, axis=(1, 2)), ops.sqrt(ops.relu(variance) + 1e-6)]


def _linear(width: int, labels: int, plan: HeadPlan) -> keras.Model:
    penalty = keras.regularizers.L2(plan.penalty)
    dense = layers.Dense(labels, kernel_initializer="zeros", kernel_regularizer=penalty)
    model = keras.Sequential([keras.Input((width,)), dense])
    model.compile(
        keras.optimizers.Adam(plan.learning_rate),
        keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        jit_compile=False,
    )
    return model


def _in_batches(network: keras.Model, pictures: Floats) -> Floats:
    starts = range(0, len(pictures), _BATCH)
    return np.concatenate([np.asarray(network.predict_on_batch(pictures[s : s + _BATCH])) for s in starts])
