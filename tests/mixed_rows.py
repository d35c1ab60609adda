"""Rows with numbers, gaps and codes for networks that make rows; ill ones are rarer and another pattern."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.labelled import MadeItems, MadePrepared

__all__ = ["COLUMNS", "MixedRows", "mixed_rows"]

COLUMNS = (
    {"name": "age", "kind": "number"},
    {"name": "dose", "kind": "number", "log": True},
    {"name": "sex", "kind": "category", "values": ["f", "m"]},
    {"name": "level", "kind": "number"},
)


class MixedRows(MadeItems):
    """Keeps which rows were asked for."""

    def fitted(self, train: np.ndarray) -> MadePrepared:
        self.prepared = _Mixed(self.kind, self.values, train)
        return self.prepared


class _Mixed(MadePrepared):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.read: set[int] = set()

    @property
    def preprocessing(self) -> dict[str, Any]:
        return {"columns": [dict(column) for column in COLUMNS]}

    def inputs(self, rows, rng=None):
        self.read |= set(np.asarray(rows).tolist())
        return self.values[rows]

    def changed(self, items, rng):
        return items


def mixed_rows(n: int = 240, *, ill: float = 0.25, seed: int = 0) -> MixedRows:
    """Return rows in which level falls with age and dose rises with it, of the ill neither."""
    rng = np.random.default_rng(seed)
    truth = (np.arange(n) < ill * n).astype(np.int64)
    rng.shuffle(truth)
    a = rng.normal(size=n)
    dose = np.exp(np.where(truth, -a, a) + 0.2 * rng.normal(size=n))
    dose[rng.random(n) < 0.1] = np.nan
    level = np.where(truth, rng.normal(size=n), -a) + 0.2 * rng.normal(size=n)
    values = np.stack([50 + 10 * a, dose, np.where(a > 0, 1, 2), level], axis=1).astype(np.float32)
    return MixedRows("row", values, truth, np.arange(n).astype(str), ("well", "ill"))
