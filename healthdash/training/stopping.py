"""What a card says of a training that does not stop early, and why."""

from __future__ import annotations

__all__ = ["NOT_BY_FOLDS", "TO_THE_END"]

NOT_BY_FOLDS = "off: no epoch may be chosen by the fold that measures it"
TO_THE_END = "off: the learning rate falls to nothing over the epochs"
