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
#: What so many groups have alike, as rows of codes, is nobody's own: to make it again copies no one.
_FEWEST_SHARING = 5
_AT_ONCE = 512

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Known:
    """The training items, to be compared with, without those that five groups or more have alike.

    Attributes
    ----------
    nearest : NearestNeighbors or None
        Of the items that a made one may not equal; None where there are none.
    usual : float
        Median distance of a training item to the nearest one that differs from it.
    """

    form: Form
    nearest: Any
    usual: float

    @classmethod
    def of(cls, form: Form, prepared: Prepared, rows: Rows, groups: NDArray[np.str_] | None = None) -> Known:
        """Take the training items in.

        Parameters
        ----------
        rows : int64 (m,)
        groups : str array (m,) or None
            Whose they are; None where each is of another.
        """
        from sklearn.neighbors import NearestNeighbors

        blocks = [rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE)]
        flat = np.concatenate([form.flat(prepared.inputs(block)) for block in blocks])
        different, which = np.unique(flat, axis=0, return_inverse=True)
        rare = different[
            _sharing(which, np.arange(len(rows)) if groups is None else groups) < _FEWEST_SHARING
        ]
        nearest = NearestNeighbors(n_neighbors=1).fit(rare) if len(rare) else None
        if len(different) < 2:
            return cls(form, nearest, 0.0)
        distances, _ = NearestNeighbors(n_neighbors=2).fit(different).kneighbors(different)
        return cls(form, nearest, float(np.median(distances[:, 1])))

    def ratios(self, items: Floats) -> NDArray[np.float64]:
        """Return the distance of items (m, *shape) to the nearest training item, over the usual one, (m,).

        It is infinite where every training item is one that many have.
        """
        if self.nearest is None or not len(items):
            return np.full(len(items), np.inf)
        distances, _ = self.nearest.kneighbors(self.form.flat(items))
        return np.asarray(distances[:, 0] / max(self.usual, np.finfo(np.float32).tiny), np.float64)

    def are_copies(self, items: Floats) -> NDArray[np.bool_]:
        """Say of each item (m, *shape) whether it all but equals a training item, (m,)."""
        return self.ratios(items) <= COPY_BELOW


def _sharing(which: NDArray[np.int64], groups: NDArray[Any]) -> NDArray[np.int64]:
    """Return of how many groups the items of each number in `which` are."""
    codes = np.unique(groups, return_inverse=True)[1]
    return np.bincount(np.unique(np.stack([which, codes]), axis=1)[0])
