"""Copies of networks that may be changed: the bundle's own is shared by all sessions and never touched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from healthdash import runtime

if TYPE_CHECKING:
    import keras

    from healthdash.runtime import Forward

__all__ = ["copied", "leaves", "shuffled"]

# State that is counted, not learnt.
_NOT_LEARNT = ("moving_mean", "moving_variance", "mean", "variance", "count", "seed_generator_state")


def copied(network: keras.Model) -> keras.Model:
    """Return a network of its own with the same layers and numbers."""
    runtime.tensorflow()
    import keras

    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    return copy


def leaves(network: keras.Model) -> Iterator[Any]:
    """Yield the layers of a network and of the networks and wrappers inside it, in their order."""
    for layer in getattr(network, "layers", ()):
        if getattr(layer, "layers", None):
            yield from leaves(layer)
        else:
            yield layer
            if hasattr(layer, "layer"):
                yield layer.layer


def shuffled(forward: Forward, shares: Sequence[float], repeats: int, seed: int) -> Iterator[Forward]:
    """Yield a network with its weights shuffled from the output on: each share in turn, again and again.

    Each array of weights keeps its numbers in another order. Layers are counted from the output; in
    averaged networks the same layer of each. The same copy is yielded each time, with other weights, so that
    it is compiled once.

    Parameters
    ----------
    shares : sequence of float
        Of the layers with weights, ascending.
    """
    copies: list[Any] = []

    def taken(network: keras.Model) -> keras.Model:
        copies.append(copied(network))
        return copies[0]

    other = forward.of(taken)
    placed = [layer for layer in _places(copies[0]) if _learnt(layer[1])]
    placed.sort(key=lambda one: -one[0])
    original = copies[0].get_weights()
    for repeat in range(repeats):
        copies[0].set_weights(original)
        rng, done = np.random.default_rng([seed, repeat]), 0
        for share in shares:
            until = max(1, round(share * len(placed)))
            for _, layer in placed[done:until]:
                _shuffle(layer, rng)
            done = max(done, until)
            yield other


def _places(network: keras.Model) -> Iterator[tuple[float, Any]]:
    """Yield layers with their place in the network that holds them, from 0 to 1."""
    layers = list(network.layers)
    for number, layer in enumerate(layers):
        if getattr(layer, "layers", None):
            yield from _places(layer)
        else:
            yield number / len(layers), layer


def _learnt(layer: Any) -> list[Any]:
    """Return the arrays of a layer that hold what it has learnt."""
    return [weight for weight in getattr(layer, "weights", ()) if weight.name not in _NOT_LEARNT]


def _shuffle(layer: Any, rng: np.random.Generator) -> None:
    for weight in _learnt(layer):
        numbers = np.asarray(weight)
        weight.assign(rng.permutation(numbers.ravel()).reshape(numbers.shape))
