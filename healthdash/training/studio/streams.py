"""Batches that TensorFlow gathers by itself, for items that lie in memory and are only put in order.

A batch that Python makes waits for the interpreter, which in a small network takes as long as the step
itself. The order stays that of the epoch: it is a variable that is set before the epoch begins.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash import runtime

__all__ = ["Stream"]

_AHEAD = 4


class Stream:
    """Arrays in memory as a `tf.data.Dataset` of batches.

    Parameters
    ----------
    arrays : tuple of float32 (n, ...)
        Inputs, targets, weights.
    batch_size : int
        The last batch is smaller where the items do not divide.
    """

    def __init__(self, arrays: tuple[NDArray[np.float32], ...], batch_size: int) -> None:
        tf = runtime.tensorflow()
        count = len(arrays[0])
        with tf.device("CPU:0"):
            self._inputs = tf.Variable(arrays[0], trainable=False)
            others = tuple(tf.constant(values) for values in arrays[1:])
            self._order = tf.Variable(np.arange(count, dtype=np.int64), trainable=False)

        def batch(number: Any) -> tuple[Any, ...]:
            places = self._order[number * batch_size : (number + 1) * batch_size]
            return tuple(tf.gather(values, places) for values in (self._inputs, *others))

        self.dataset = tf.data.Dataset.range(-(-count // batch_size)).map(batch).prefetch(_AHEAD)

    def begin(self, order: NDArray[np.int64], inputs: NDArray[np.float32] | None = None) -> None:
        """Put the items in the order of an epoch, and perhaps others in their place."""
        self._order.assign(order)
        if inputs is not None:
            self._inputs.assign(inputs)

    @staticmethod
    def is_possible() -> bool:
        """Say whether a network is trained by this process alone: its variables are not spread."""
        return not runtime.tensorflow().distribute.has_strategy()
