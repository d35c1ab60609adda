"""What a trained generative network is to others: it makes items of a label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from healthdash.training.studio.generative.form import Form

__all__ = ["Maker", "one_hot"]

Floats = NDArray[np.float32]
_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Maker:
    """A decoder or generator with the form of its items.

    Attributes
    ----------
    network : keras.Model
        (noise (m, latent), one-hot label (m, labels)) to what `form.decode` takes.
    spread : float32 (*coded,) or None
        Standard deviation of the items around what the network makes of them, to be drawn too: a mean is
        less varied than the items that it is the mean of.
    """

    form: Form
    network: keras.Model
    labels: int
    spread: Floats | None = None

    def make(self, wanted: NDArray[np.int64], rng: np.random.Generator) -> Floats:
        """Return an item for each label number, float32 (m, *shape)."""
        latent = int(self.network.inputs[0].shape[-1])
        parts = []
        for start in range(0, len(wanted), _AT_ONCE):
            labels = wanted[start : start + _AT_ONCE]
            noise = rng.standard_normal((len(labels), latent)).astype(np.float32)
            hot = one_hot(labels, self.labels)
            # Called as a function: Keras would trace `predict` anew for every number of items.
            out = np.asarray(self.network([noise, hot], training=False), np.float32)
            if self.spread is not None:
                out = out + self.spread * rng.standard_normal(out.shape).astype(np.float32)
            parts.append(self.form.decode(out, rng))
        return np.concatenate(parts) if parts else np.zeros((0, *self.form.shape), np.float32)


#: Told an epoch and the network as it is, to show what it makes by now.
OnMade = Callable[[int, Maker], None]


def one_hot(labels: NDArray[np.int64], count: int) -> Floats:
    """Return label numbers (m,) as rows of an identity (m, count)."""
    return np.eye(count, dtype=np.float32)[labels]
