"""Whether a made item is a training item in disguise: how near the nearest one is, against the usual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.training.studio.generative.form import Form
from healthdash.training.studio.items import Prepared, Rows

__all__ = ["COPY_BELOW", "Known"]

#: A made item this much nearer to a training item than training items are to each other is called its copy.
COPY_BELOW = 0.25
_AT_ONCE = 512

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Known:
    """The training items, to be compared with.

    Attributes
    ----------
    usual : float
        Median distance of a training item to the nearest one that differs from it.
    """

    form: Form
    nearest: Any
    usual: float

    @classmethod
    def of(cls, form: Form, prepared: Prepared, rows: Rows) -> Known:
        """Take the training items in."""
        from sklearn.neighbors import NearestNeighbors

        blocks = [rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE)]
        flat = np.concatenate([form.flat(prepared.inputs(block)) for block in blocks])
        different = np.unique(flat, axis=0)
        nearest = NearestNeighbors(n_neighbors=1).fit(different)
        if len(different) < 2:
            return cls(form, nearest, 0.0)
        distances, _ = nearest.kneighbors(different, n_neighbors=2)
        return cls(form, nearest, float(np.median(distances[:, 1])))

    def ratios(self, items: Floats) -> NDArray[np.float64]:
        """Return the distance of items (m, *shape) to the nearest training item, over the usual one, (m,)."""
        if not len(items):
            return np.zeros(0)
        distances, _ = self.nearest.kneighbors(self.form.flat(items))
        return np.asarray(distances[:, 0] / max(self.usual, np.finfo(np.float32).tiny), np.float64)

    def are_copies(self, items: Floats) -> NDArray[np.bool_]:
        """Say of each item (m, *shape) whether it all but equals a training item, (m,)."""
        return self.ratios(items) <= COPY_BELOW
