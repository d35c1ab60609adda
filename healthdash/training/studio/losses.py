"""What a network is trained to make small, and what an item of a rare label counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FOCUS", "class_weights", "loss_of"]

#: How strongly the focal loss looks away from items that are right (Lin et al. 2017, section 5.1).
FOCUS = 2.0


def loss_of(name: str) -> Callable[[Any, Any], Any]:
    """Return a loss by its name: of targets (n, k), which sum to 1, and logits (n, k), one number an item.

    References
    ----------
    Lin et al. 2017, ICCV, Focal loss for dense object detection, equation 4: -(1 - p)^g log p of the true
    label; here weighted by the targets, which mixing and smoothing may spread over several labels.
    """
    from keras import ops

    def cross_entropy(targets: Any, logits: Any) -> Any:
        return -ops.sum(targets * ops.log_softmax(ops.cast(logits, "float32"), axis=-1), axis=-1)

    def focal(targets: Any, logits: Any) -> Any:
        log_p = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
        return -ops.sum(targets * (1.0 - ops.exp(log_p)) ** FOCUS * log_p, axis=-1)

    return {"cross-entropy": cross_entropy, "focal": focal}[name]


def class_weights(truth: NDArray[np.int64], labels: int) -> NDArray[np.float32]:
    """Return what an item of each label counts, (labels,): all labels together weigh the same.

    n / (k n_c), with a mean of 1 over the items; a label without items weighs nothing.

    References
    ----------
    King & Zeng 2001, Political Analysis 9:137, equation 5.
    """
    counts = np.bincount(truth, minlength=labels)
    present = int((counts > 0).sum())
    weights = len(truth) / (present * np.maximum(counts, 1.0))
    return np.where(counts > 0, weights, 0.0).astype(np.float32)
