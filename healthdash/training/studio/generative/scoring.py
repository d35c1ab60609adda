"""From an autoencoder to a network that says how unusual an item is."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from healthdash.training.studio.generative.form import Form

__all__ = ["ERROR", "RESTORED", "SHARE", "error_network", "scored"]

#: Layers of a saved network: what was restored (coded), the error at each place, and the share it makes.
RESTORED, ERROR, SHARE = "restored", "error", "share"
#: Bends of the line from error to share; more would follow the noise of a few hundred items.
_MOST_KNOTS = 24
_SMALLEST_ERROR = 1e-8

Floats = NDArray[np.float32]


def error_network(form: Form, autoencoder: keras.Model, name: str) -> keras.Model:
    """Return the network from items (batch, *shape) to their mean errors (batch, 1)."""
    given = keras.Input(form.shape, name=name)
    coded = form.entry(given)
    restored = layers.Activation("linear", name=RESTORED)(autoencoder(coded))
    errors = layers.Activation("linear", name=ERROR)(form.errors(coded, restored))
    return keras.Model(given, ops.reshape(ops.mean(_flat(errors), axis=1), (-1, 1)))


def scored(network: keras.Model, usual_errors: NDArray[np.floating[Any]]) -> keras.Model:
    """Return a network with the logits of (usual, unusual), (batch, 2).

    The probability of "unusual" is the share of usual items with a smaller error, of items that the
    autoencoder was not fitted to.

    Parameters
    ----------
    network : keras.Model
        From items to errors, as `error_network` makes it.
    usual_errors : (n,)
        Errors of usual items that were left out.
    """
    share = _share_network(np.sort(np.asarray(usual_errors, np.float64)))
    return keras.Model(network.inputs[0], share(network.output))


def _share_network(errors: NDArray[np.float64]) -> keras.Model:
    """Return the network from an error to logits: a line with bends from log error to the logit of the share.

    The i-th smallest of n errors has the share i / (n + 1) (Weibull's plotting position), so that none is
    0 or 1; beyond the largest the line goes on, so that a larger error always gives a larger share.
    """
    knots, values = _knots(errors)
    slopes = np.diff(values) / np.diff(knots)
    # Of the two ends, over many errors: the last two alone are noise.
    middle = (values[-1] - values[0]) / (knots[-1] - knots[0])
    slopes = np.array([middle, *slopes, middle])
    given = keras.Input((1,), name="mean_error")
    log = ops.log(ops.maximum(given, _SMALLEST_ERROR))
    bends = layers.Dense(len(knots), activation="relu", name="bends")
    line = layers.Dense(1, name="line")
    logit = line(layers.Concatenate()([log, bends(log)]))
    bends.set_weights([np.ones((1, len(knots)), np.float32), -knots.astype(np.float32)])
    steps = np.concatenate([slopes[:1], np.diff(slopes)]).astype(np.float32)
    line.set_weights([steps[:, None], np.asarray([values[0] - slopes[0] * knots[0]], np.float32)])
    out = layers.Concatenate()([ops.zeros_like(logit), logit])
    return keras.Model(given, out, name=SHARE, trainable=False)


def _knots(errors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rising logs of errors and the logits of their shares, both (k,), k from 2."""
    n = len(errors)
    chosen = np.unique(np.linspace(0, n - 1, min(n, _MOST_KNOTS)).round().astype(int))
    logs = np.log(np.maximum(errors[chosen], _SMALLEST_ERROR))
    shares = (chosen + 1) / (n + 1)
    # Of equal errors the last: so many are not larger.
    last = np.append(np.diff(logs) > 1e-6, True)
    logs, shares = logs[last], shares[last]
    if len(logs) < 2:
        logs, shares = np.array([logs[0] - 1.0, logs[0]]), np.array([1 / (n + 1), shares[0]])
    return logs, np.log(shares / (1 - shares))


def _flat(errors: Any) -> Any:
    return layers.Flatten()(errors)
