"""How much memory this process and its GPU hold."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["device_mb", "process_mb"]

_MEBI = 1 << 20
_STATM = Path("/proc/self/statm")


def process_mb() -> float | None:
    """Return the resident memory of this process in mebibytes; None where the system does not say."""
    try:
        # Second figure: resident pages, see proc(5).
        pages = int(_STATM.read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return round(pages * os.sysconf("SC_PAGE_SIZE") / _MEBI, 1)


def device_mb() -> float | None:
    """Return the memory in use of the first GPU in mebibytes; None without a GPU or without TensorFlow."""
    if "tensorflow" not in sys.modules:
        return None
    import tensorflow as tf

    if not tf.config.list_logical_devices("GPU"):
        return None
    return round(float(tf.config.experimental.get_memory_info("GPU:0")["current"]) / _MEBI, 1)
