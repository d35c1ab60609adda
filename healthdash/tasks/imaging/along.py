"""Along the slices of a volume: how suspicious each one looks to a model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from healthdash.task import Prediction

__all__ = ["suspicion"]

_NORMAL = "normal"


def suspicion(prediction: Prediction) -> tuple[str, NDArray[np.float32]]:
    """Return what is looked for, and its estimated probability for each item, float32 (n,).

    That is everything but "normal" where there is such a label, else the last label.
    """
    labels = prediction.labels
    sought = [name for name in labels if name != _NORMAL] if _NORMAL in labels else [labels[-1]]
    columns = [labels.index(name) for name in sought]
    return " or ".join(sought), prediction.calibrated[:, columns].sum(axis=1, dtype=np.float32)
