"""A conditional variational autoencoder: it makes items of a label from noise.

It makes the evidence lower bound large: E_q(z|x,y) log p(x|z,y) - KL(q(z|x,y) || N(0, 1)), with
q = N(mean, exp(log_variance)) from an encoder and z = mean + exp(log_variance / 2) noise.

References
----------
Kingma & Welling 2014, ICLR, Auto-encoding variational Bayes; Sohn, Lee & Yan 2015, NeurIPS, Learning
structured output representation using deep conditional generative models.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from healthdash.training import resumable
from healthdash.training.history import EpochRow
from healthdash.training.studio.generative.batches import MadeBatches
from healthdash.training.studio.generative.form import Form
from healthdash.training.studio.generative.maker import Maker, OnMade, one_hot
from healthdash.training.studio.generative.networks import Size, decoder, default_size, features
from healthdash.training.studio.generative.watching import watcher
from healthdash.training.studio.items import Prepared, Rows

__all__ = ["build", "fit_cvae"]

Floats = NDArray[np.float32]
_RATE, _BATCH, _LEAST_BATCHES = 1e-3, 32, 20
#: Bounds of the log variance of a code: wider ones only overflow.
_LEAST_LOG, _MOST_LOG = -8.0, 4.0
_MOST_SPREAD_ITEMS = 1000


def build(form: Form, size: Size, labels: int) -> tuple[keras.Model, keras.Model]:
    """Return the network that is trained and the decoder in it.

    Returns
    -------
    trained : keras.Model
        (coded item, one-hot label, noise) to (batch, d + 2 latent): the decoder's output as a vector,
        the means and the log variances of the code.
    made : keras.Model
        (noise, one-hot label) to (batch, *coded).
    """
    coded = keras.Input(form.coded, name="coded_item")
    label = keras.Input((labels,), name="label")
    noise = keras.Input((size.latent,), name="noise")
    found = layers.Concatenate()([features(form, size, coded, "encoder"), label])
    found = layers.LeakyReLU(0.2)(layers.Dense(64, name="encoder_joined")(found))
    mean = layers.Dense(size.latent, name="code_mean")(found)
    log_variance = ops.clip(layers.Dense(size.latent, name="code_spread")(found), _LEAST_LOG, _MOST_LOG)
    makes = decoder(form, size, labels, name="decoder")
    out = makes([mean + ops.exp(0.5 * log_variance) * noise, label])
    told = layers.Concatenate()([layers.Flatten()(out), mean, log_variance])
    return keras.Model([coded, label, noise], told), makes


def fit_cvae(
    form: Form,
    prepared: Prepared,
    truth: NDArray[np.int64],
    rows: Rows,
    labels: int,
    *,
    epochs: int,
    seed: int,
    on_epoch: Callable[[EpochRow], None],
    on_made: OnMade | None = None,
    run: str = "",
) -> Maker:
    """Train it on some rows and return what makes items.

    Every label is drawn equally often, so that the rare ones are not a blur of the others.

    Parameters
    ----------
    truth : int64 (n,)
        Label numbers of all items.
    rows : int64 (m,)
        The training items.
    on_made : function of an epoch and a `Maker`
        Told what it makes by now.
    """
    keras.utils.set_random_seed(seed)
    size = default_size(form)
    model, makes = build(form, size, labels)

    def make(batch: Rows, rng: np.random.Generator) -> tuple[Any, Floats]:
        coded = form.encode(prepared.inputs(batch))
        noise = rng.standard_normal((len(batch), size.latent)).astype(np.float32)
        return (coded, one_hot(truth[batch], labels), noise), coded

    batches = MadeBatches(rows, _BATCH, make, seed=seed, balanced=truth[rows], least=_LEAST_BATCHES)
    rate = keras.optimizers.schedules.CosineDecay(_RATE, epochs * len(batches))
    model.compile(
        keras.optimizers.Adam(rate, clipnorm=10.0), loss=_Bound(form, size.latent), jit_compile=False
    )
    maker = Maker(form, makes, labels)
    resumable.fit(
        model, batches, epochs=epochs, on_epoch=on_epoch, run=run,
        first=[watcher(on_made, maker, epochs)] if on_made else (),
    )  # fmt: skip
    return Maker(form, makes, labels, _spread(form, model, prepared, truth, rows, labels))


def _spread(
    form: Form,
    model: keras.Model,
    prepared: Prepared,
    truth: NDArray[np.int64],
    rows: Rows,
    labels: int,
) -> Floats | None:
    """Return how far rows lie from what is made of their codes; fields are shown without such noise."""
    if form.kind != "row":
        return None
    chosen = rows[:: max(1, len(rows) // _MOST_SPREAD_ITEMS)]
    coded, hot = form.encode(prepared.inputs(chosen)), one_hot(truth[chosen], labels)
    width = int(model.inputs[2].shape[-1])
    told = model([coded, hot, np.zeros((len(chosen), width), np.float32)], training=False)
    out = np.asarray(told, np.float32)[:, : coded.shape[1]]
    return form.residual_spread(coded, out)


class _Bound:
    """Minus the evidence lower bound of each item in nats, as a Keras loss; up to constants."""

    def __init__(self, form: Form, latent: int) -> None:
        self._form, self._latent = form, latent

    def __call__(self, coded: Any, told: Any) -> Any:
        places = math.prod(self._form.coded)
        out = ops.reshape(told[:, :places], (-1, *self._form.coded))
        mean = told[:, places : places + self._latent]
        log_variance = told[:, places + self._latent :]
        divergence = 0.5 * ops.sum(ops.square(mean) + ops.exp(log_variance) - log_variance - 1.0, axis=-1)
        return self._form.negative_log_likelihood(coded, out) + divergence

    @property
    def __name__(self) -> str:
        return "bound"
