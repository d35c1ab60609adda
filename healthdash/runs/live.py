"""How a run that trains stands, read from the file that the training writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from healthdash.training.live import Snapshot

__all__ = ["read"]

_MOST_BYTES = 1 << 20
_snapshot = TypeAdapter(Snapshot)


def read(path: Path) -> Snapshot | None:
    """Return how the training stood when it last wrote; None before it did, or where the file is damaged."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        stored: Any = json.loads(path.read_bytes())
        return _snapshot.validate_python(stored)
    except (OSError, ValueError, ValidationError):
        return None
