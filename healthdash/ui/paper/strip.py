"""The strip of a whole recording below a sheet, with the stretch that the sheet shows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.signals.decimate import min_max
from healthdash.views import Trace

from .lines import path, unbroken

__all__ = ["strip"]

_STRIP_POINTS, _TICKED = 1200, 400


def strip(view: Trace, start_s: float, length_s: float) -> dict[str, Any] | None:
    """Return the whole recording in 1000 by 100 parts; None where all of it is seen on the sheet."""
    duration_s = len(view.signal) / view.rate_hz
    if duration_s <= length_s * 1.01:
        return None
    kept, values = min_max(view.signal[:, 0], _STRIP_POINTS)
    low, high = _range(values[np.isfinite(values)])
    y = 95 - 80 * (np.clip(values.astype(np.float64), low, high) - low) / max(high - low, 1e-9)
    return {
        "path": "".join(path(*piece) for piece in unbroken(1000 * kept / len(view.signal), y)),
        "points": len(kept),
        "from": round(1000 * start_s / duration_s, 2),
        "width": round(max(1000 * length_s / duration_s, 1.5), 2),
        "durationS": duration_s,
        "startS": start_s,
        "lengthS": length_s,
        "events": [
            {
                "x": [round(1000 * s / len(view.signal), 2) for s in _thinned(marker.samples).tolist()],
                "color": marker.color,
                "label": marker.label,
            }
            for marker in view.markers
            if marker.label != "N" and len(marker.samples)
        ],
    }


def _range(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return the values between which a strip is drawn: one spike of an electrode must not flatten a day."""
    if not len(values):
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(values, [0.5, 99.5]))
    room = 2 * (high - low) or float("inf")
    return max(low - room, float(values.min())), min(high + room, float(values.max()))


def _thinned(samples: NDArray[np.int64]) -> NDArray[np.int64]:
    return samples[:: max(1, -(-len(samples) // _TICKED))]
