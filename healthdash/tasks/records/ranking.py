"""How well a score ranks rows: as everywhere in training."""

from __future__ import annotations

from healthdash.training.ranking import auc, separation

__all__ = ["auc", "separation"]
