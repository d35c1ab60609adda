"""Fitting one picture network: the loop that every recipe of this folder shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from healthdash.training import resumable
from healthdash.training.history import EpochRow
from healthdash.training.stopping import TO_THE_END

from .augment import Augmentation, AugmentedPictures
from .dataset import LabelledPictures
from .network import NetworkPlan
from .prepare import from_bytes

__all__ = ["FitPlan", "Part", "described", "fit", "part_of", "predict_logits"]

_LARGEST_GRADIENT = 1.0
_FIRST_RATE_SHARE, _LAST_RATE_SHARE = 0.01, 0.01
#: How many times the span of the running average fits into the training at least.
_LEAST_SPANS = 10
_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Pictures uint8 (n, size, size), labels int64 (n,), and how often each is drawn (n,)."""

    pictures: NDArray[np.uint8]
    labels: NDArray[np.int64]
    weights: NDArray[np.float32] | None = None

    @property
    def inputs(self) -> NDArray[np.float32]:
        """The pictures as network input, float32 (n, size, size, 1)."""
        return from_bytes(self.pictures[..., None])


def part_of(
    dataset: LabelledPictures, rows: NDArray[np.int64], weights: NDArray[np.float32] | None = None
) -> Part:
    """Return some rows of a data set."""
    return Part(pictures=dataset.pictures[rows], labels=dataset.labels[rows], weights=weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class FitPlan:
    """How a network is fitted.

    Attributes
    ----------
    epochs : int
        The learning rate falls to nothing over these.
    patience : int or None
        Epochs without a lower validation loss before the fit stops and goes back to the best.
        None: no early stopping, for folds that must not choose.
    average_momentum : float
        Of the running average of the weights, which is what is kept.
    half_precision : bool
        Compute in bfloat16; weights stay float32.
    """

    epochs: int
    batch_size: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    average_momentum: float = 0.98
    patience: int | None = 6
    half_precision: bool = True
    augmentation: Augmentation | None = field(default_factory=Augmentation)


def fit(
    network: NetworkPlan,
    plan: FitPlan,
    train: Part,
    validation: Part,
    on_epoch: Callable[[EpochRow], None],
    *,
    seed: int,
    run: str = "",
) -> keras.Model:
    """Train one network and return it with plain convolutions, in float32.

    Parameters
    ----------
    on_epoch : function
        Gets a row an epoch; may raise `TrainingStopped`.
    run : str
        Tells members and folds apart in the history.
    """
    keras.utils.set_random_seed(seed)
    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy("mixed_bfloat16" if plan.half_precision else "float32")
    try:
        model = network.fresh()
        _train(model, plan, train, validation, on_epoch, seed=seed, run=run)
    finally:
        keras.mixed_precision.set_global_policy(before)
    return network.folded(model, run.replace(" ", "_") or "member")


def predict_logits(network: keras.Model, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the network's output, float32 (n, labels), in small batches."""
    parts = [inputs[start : start + _BATCH] for start in range(0, len(inputs), _BATCH)]
    return np.concatenate([np.asarray(network.predict_on_batch(part), np.float32) for part in parts])


def _train(
    model: keras.Model,
    plan: FitPlan,
    train: Part,
    validation: Part,
    on_epoch: Callable[[EpochRow], None],
    *,
    seed: int,
    run: str,
) -> None:
    labels = model.output_shape[-1]
    batches = AugmentedPictures(
        train.pictures,
        train.labels,
        plan.augmentation,
        label_count=labels,
        batch_size=min(plan.batch_size, len(train.labels)),
        seed=seed,
        weights=train.weights,
    )
    accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(_optimizer(plan, len(batches)), loss, metrics=[accuracy], jit_compile=False)
    resumable.fit(
        model,
        batches,
        epochs=plan.epochs,
        on_epoch=on_epoch,
        run=run,
        # The running average is swapped in for each validation: the figures are those of what is kept.
        first=[keras.callbacks.SwapEMAWeights(swap_on_epoch=True)],
        stopping=_stopping(plan),
        validation_data=(validation.inputs, np.eye(labels, dtype=np.float32)[validation.labels]),
        validation_batch_size=_BATCH,
    )


def _stopping(plan: FitPlan) -> keras.callbacks.EarlyStopping | None:
    if plan.patience is None:
        return None
    return keras.callbacks.EarlyStopping(
        patience=plan.patience, restore_best_weights=True, start_from_epoch=1
    )


def _optimizer(plan: FitPlan, steps: int) -> keras.optimizers.Optimizer:
    rate = keras.optimizers.schedules.CosineDecay(
        _FIRST_RATE_SHARE * plan.learning_rate,
        max(1, steps * (plan.epochs - 1)),
        alpha=_LAST_RATE_SHARE,
        warmup_target=plan.learning_rate,
        warmup_steps=steps,
    )
    # A running average must not reach back to the first steps: with few, it is shorter.
    longest = max(0.0, 1 - _LEAST_SPANS / max(1, steps * plan.epochs))
    optimizer = keras.optimizers.AdamW(
        rate,
        weight_decay=plan.weight_decay,
        clipnorm=_LARGEST_GRADIENT,
        use_ema=True,
        ema_momentum=min(plan.average_momentum, longest),
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gain", "gamma", "beta"])
    return optimizer


def described(plan: FitPlan, network: NetworkPlan) -> Mapping[str, Any]:
    """Return the plan as the bundle's recipe, for people to read."""
    changes = plan.augmentation
    return {
        "network": network.words,
        "epochs": plan.epochs,
        "early stopping": TO_THE_END if plan.patience is None else f"{plan.patience} epochs of no lower loss",
        "batch size": plan.batch_size,
        "learning rate": f"{plan.learning_rate:g}, one epoch of warm-up, then a cosine to nothing",
        "weight decay": plan.weight_decay,
        "weights kept": f"running average with momentum {plan.average_momentum:g}",
        "class weights": "every label is drawn equally often",
        "augmentation": "off" if changes is None else str(changes),
    }
