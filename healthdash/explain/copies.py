"""Copies of networks that may be changed: the bundle's own is shared by all sessions and never touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from healthdash import runtime

if TYPE_CHECKING:
    import keras

__all__ = ["copied", "leaves"]


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
