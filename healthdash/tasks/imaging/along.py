"""Along the slices of a volume: how suspicious each one looks to a model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from healthdash.task import Prediction

__all__ = ["suspicion"]

#: How data sets call the class without a finding; letters and digits only, in lower case.
_NORMAL = frozenset(
    ("normal", "healthy", "control", "controls", "negative", "no", "none", "nofinding", "nofindings",
     "notumor", "notumour", "nodisease", "noevidenceofdisease", "absent", "正常")
)  # fmt: skip


def suspicion(prediction: Prediction) -> tuple[str, NDArray[np.float32]]:
    """Return what is looked for, and its estimated probability for each item, float32 (n,).

    That is everything but "normal", however it is called, where there is such a label, else the last label.
    """
    labels = prediction.labels
    found = [name for name in labels if not _is_normal(name)]
    sought = found if 0 < len(found) < len(labels) else [labels[-1]]
    columns = [labels.index(name) for name in sought]
    return " or ".join(sought), prediction.calibrated[:, columns].sum(axis=1, dtype=np.float32)


def _is_normal(label: str) -> bool:
    return "".join(mark for mark in label.lower() if mark.isalnum()) in _NORMAL
