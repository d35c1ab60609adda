"""Keras callback that shows what a generative network makes while it learns."""

from __future__ import annotations

from typing import Any

import keras

from healthdash.training.studio.generative.maker import Maker, OnMade

__all__ = ["watcher"]

#: How often it is looked at in one training.
_LOOKS = 12


def watcher(on_made: OnMade, maker: Maker, epochs: int) -> keras.callbacks.Callback:
    """Return the callback; it looks after the first epoch, the last, and about ten between."""
    every = max(1, epochs // _LOOKS)

    class _Watcher(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 0 or (epoch + 1) % every == 0 or epoch + 1 == epochs:
                on_made(epoch + 1, maker)

    return _Watcher()
