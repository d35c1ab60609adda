"""Fitting the delineator: one network, a fixed number of epochs, the validation patients only watched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from healthdash.training import TrainSettings, resumable
from healthdash.training.history import EpochRow

from .batches import LeadBatches, leads_of
from .limits import Annotated
from .network import delineator

__all__ = ["RECIPE", "fit"]

#: What the settings leave open.
RECIPE: dict[str, Any] = {
    "epochs": 60,
    "batch_size": 24,
    "learning_rate": 3e-3,
    "weight_decay": 0.01,
    "dropout": 0.1,
    "stretch": 1536,
}


def fit(
    training: Sequence[Annotated],
    validation: Sequence[Annotated],
    config: Mapping[str, Any],
    recipe: Mapping[str, Any],
    settings: TrainSettings,
    on_epoch: Callable[[EpochRow], None],
) -> Any:
    """Return a delineator fitted to the leads of the training patients.

    It ends after its epochs and not where the validation patients are answered best, so that their
    figures stay figures of patients that nothing was fitted to.
    """
    keras.utils.set_random_seed(settings.seed)
    rate_hz = config["rate_hz"]
    shared = {"samples": recipe["stretch"], "batch_size": recipe["batch_size"], "seed": settings.seed}
    batches = LeadBatches(leads_of(training, rate_hz), config, augment=settings.augment, **shared)
    watched = LeadBatches(leads_of(validation, rate_hz), config, augment=False, **shared)
    network = delineator(dropout=recipe["dropout"])
    steps = len(batches) * recipe["epochs"]
    warm = max(1, steps // 12)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4, max(1, steps - warm), warmup_target=recipe["learning_rate"], warmup_steps=warm, alpha=0.005
    )
    network.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=recipe["weight_decay"], clipnorm=1.0),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    resumable.fit(network, batches, epochs=recipe["epochs"], on_epoch=on_epoch, validation_data=watched)
    # Without loss and optimizer, which a bundle must not hold.
    bare = delineator(dropout=recipe["dropout"])
    bare.set_weights(network.get_weights())
    return bare
