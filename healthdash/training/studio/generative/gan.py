"""A generative adversarial network for items of a label, held stable by a penalty on the critic's slope.

The critic D makes softplus(-D(x)) + softplus(D(G(z))) + gamma / 2 |grad_x D(x)|^2 small, the generator G
makes softplus(-D(G(z))) small (the non-saturating game), both in the same step: with the penalty on real
items (R1) such steps converge near the solution. Labels enter the critic as one output for each.

References
----------
Goodfellow et al. 2014, NeurIPS, Generative adversarial nets; Mescheder, Geiger & Nowozin 2018, ICML, Which
training methods for GANs do actually converge?; Yazici et al. 2019, ICLR (running average of the generator).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from healthdash.runtime import tensorflow
from healthdash.training import resumable
from healthdash.training.history import EpochRow
from healthdash.training.studio.generative.batches import MadeBatches
from healthdash.training.studio.generative.form import Form
from healthdash.training.studio.generative.maker import Maker, OnMade, one_hot
from healthdash.training.studio.generative.networks import Size, decoder, default_size, features
from healthdash.training.studio.generative.watching import watcher
from healthdash.training.studio.items import Prepared, Rows

__all__ = ["fit_gan"]

Floats = NDArray[np.float32]
_RATE, _BATCH, _LEAST_BATCHES = 1e-3, 32, 20
_AVERAGE_MOMENTUM = 0.995
#: gamma of the penalty: that of the paper for pictures; of a few dozen columns the slopes are smaller.
_PENALTY = {"picture": 10.0, "signal": 10.0, "row": 1.0}


def fit_gan(
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
    """Train it on some rows and return what makes items; arguments as those of `cvae.fit_cvae`."""
    keras.utils.set_random_seed(seed)
    size = default_size(form)
    generator = decoder(form, size, labels, name="generator")
    model = _game(form, size, labels, generator)

    def make(batch: Rows, rng: np.random.Generator) -> tuple[Any, Floats]:
        coded = form.encode(prepared.inputs(batch))
        noise = rng.standard_normal((len(batch), size.latent)).astype(np.float32)
        return (noise, one_hot(truth[batch], labels), coded), coded

    batches = MadeBatches(rows, _BATCH, make, seed=seed, balanced=truth[rows], least=_LEAST_BATCHES)
    # Without momentum, as in the paper; the running average of the weights is what is kept.
    optimizer = keras.optimizers.Adam(
        _RATE, beta_1=0.0, beta_2=0.99, use_ema=True, ema_momentum=_AVERAGE_MOMENTUM
    )
    model.compile(optimizer, jit_compile=False)
    looks = [watcher(on_made, Maker(form, generator, labels), epochs)] if on_made else []
    resumable.fit(
        model, batches, epochs=epochs, on_epoch=on_epoch, run=run,
        first=[keras.callbacks.SwapEMAWeights(swap_on_epoch=True), *looks],
    )  # fmt: skip
    return Maker(form, generator, labels)


def _critic(form: Form, size: Size, labels: int) -> keras.Model:
    """Return the network from (item, one-hot label) to how real it looks, (batch, 1)."""
    item = keras.Input(form.coded, name="item")
    label = keras.Input((labels,), name="label")
    found = features(form, size, item, "critic")
    found = layers.LeakyReLU(0.2)(layers.Dense(64, name="critic_joined")(found))
    each = layers.Dense(labels, name="critic_labels")(found)
    return keras.Model([item, label], ops.sum(each * label, axis=-1, keepdims=True), name="critic")


def _game(form: Form, size: Size, labels: int, generator: keras.Model) -> keras.Model:
    """Return both networks as one, whose step moves both."""
    tf, critic, gamma = tensorflow(), _critic(form, size, labels), _PENALTY[form.kind]

    class _Game(keras.Model):  # type: ignore[misc]
        def train_step(self, data: Any) -> dict[str, Any]:
            (noise, label, real), _ = data
            with tf.GradientTape(persistent=True) as tape:
                made = form.soft(generator([noise, label], training=True))
                looks = critic([made, label], training=True)
                with tf.GradientTape() as inner:
                    inner.watch(real)
                    known = critic([real, label], training=True)
                slope = tf.reshape(inner.gradient(known, real), (tf.shape(real)[0], -1))
                penalty = 0.5 * gamma * tf.reduce_mean(tf.reduce_sum(tf.square(slope), axis=1))
                told_apart = tf.reduce_mean(tf.nn.softplus(-known)) + tf.reduce_mean(tf.nn.softplus(looks))
                critic_loss = told_apart + penalty
                loss = tf.reduce_mean(tf.nn.softplus(-looks))
            parts = [(loss, generator), (critic_loss, critic)]
            moved = [v for _, network in parts for v in network.trainable_variables]
            gradients = [g for one, network in parts for g in tape.gradient(one, network.trainable_variables)]
            self.optimizer.apply(gradients, moved)
            return {"loss": loss, "critic_loss": critic_loss}

    noise, label, real = (
        keras.Input(shape, name=name)
        for name, shape in (("noise", (size.latent,)), ("label", (labels,)), ("real", form.coded))
    )
    # As one functional network, so that a checkpoint finds all weights.
    return _Game([noise, label, real], [generator([noise, label]), critic([real, label])])
