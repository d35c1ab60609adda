"""A denoising autoencoder: it learns to restore items of which a part is hidden.

References
----------
Vincent et al. 2008, ICML, Extracting and composing robust features with denoising autoencoders.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from healthdash.training import TrainSettings, resumable
from healthdash.training.history import EpochRow
from healthdash.training.studio.generative.batches import MadeBatches
from healthdash.training.studio.generative.form import Form, some_of, to_restore
from healthdash.training.studio.generative.networks import Size, default_size, features, made
from healthdash.training.studio.items import Prepared, Rows

__all__ = ["AutoencoderPlan", "build", "fit_autoencoder"]

Floats = NDArray[np.float32]
#: Batches of an epoch at least: a hundred rows are gone through several times in one.
_LEAST_BATCHES = 20


class AutoencoderPlan:
    """What people did not choose.

    Attributes
    ----------
    hidden : float
        Share of each training item that is hidden.
    """

    epochs = 60
    batch_size = 32
    learning_rate = 2e-3
    patience = 10
    hidden = 0.25


def build(form: Form, size: Size) -> keras.Model:
    """Return the network from coded items to restored ones, both (batch, *coded)."""
    coded = keras.Input(form.coded, name="coded_item")
    found = features(form, size, coded, "encoder")
    code = layers.Dense(size.latent, name="code")(found)
    return keras.Model(coded, made(form, size, code, "decoder"), name="autoencoder")


def fit_autoencoder(
    form: Form,
    prepared: Prepared,
    train: Rows,
    validation: Rows,
    settings: TrainSettings,
    on_epoch: Callable[[EpochRow], None],
    *,
    run: str = "",
) -> keras.Model:
    """Train an autoencoder and return it with the best weights on the validation items.

    Parameters
    ----------
    train, validation : int64 (m,)
        Items to learn, and others to stop by.
    """
    plan, seed = AutoencoderPlan, settings.seed
    keras.utils.set_random_seed(seed)
    model = build(form, default_size(form))

    def make(rows: Rows, rng: np.random.Generator) -> tuple[Floats, Floats]:
        seen, whole = to_restore(form.kind, prepared, rows, rng if settings.augment else None)
        return form.corrupted(form.encode(seen), plan.hidden, rng), form.encode(whole)

    batch_size = settings.batch_size or plan.batch_size
    batches = MadeBatches(train, batch_size, make, seed=seed, least=_LEAST_BATCHES)
    epochs = settings.epochs or plan.epochs
    rate = settings.learning_rate or plan.learning_rate
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, epochs * len(batches))),
                  loss=_Errors(form), jit_compile=False)  # fmt: skip
    seen = _validation(form, prepared, validation, plan.hidden, seed)
    stopping = keras.callbacks.EarlyStopping(
        patience=settings.patience or plan.patience, restore_best_weights=True
    )
    resumable.fit(
        model, batches, epochs=epochs, on_epoch=on_epoch, run=run, stopping=stopping,
        validation_data=seen, validation_batch_size=batch_size,
    )  # fmt: skip
    # Anew, for a network that holds its optimizer is refused when it is loaded.
    plain = build(form, default_size(form))
    plain.set_weights(model.get_weights())
    return plain


def _validation(form: Form, prepared: Prepared, rows: Rows, share: float, seed: int) -> tuple[Floats, Floats]:
    """Return validation items that fit into memory, hidden in the same places every epoch."""
    coded = form.encode(prepared.inputs(some_of(rows, prepared.shape, seed=seed)))
    return form.corrupted(coded, share, np.random.default_rng(seed)), coded


class _Errors:
    """The mean error over the places of each item, as a Keras loss."""

    def __init__(self, form: Form) -> None:
        self._form = form

    def __call__(self, coded: Any, out: Any) -> Any:
        places = tuple(range(1, len(self._form.shape) + 1))
        return keras.ops.mean(self._form.errors(coded, out), axis=places)

    @property
    def __name__(self) -> str:
        return "errors"
