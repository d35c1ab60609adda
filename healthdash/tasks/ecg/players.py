"""Who shares the output for a beat out: the parts of its trace, its timing, its shape, its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from healthdash.explain.players import Players
from healthdash.task import Arrays

__all__ = ["PARTS_S", "parts_of_a_beat"]

#: Parts of a beat's trace: name, start and end, seconds from the place of steepest slope in the QRS complex.
PARTS_S = (
    ("before the P wave", -9.0, -0.28),
    ("P wave and PR", -0.28, -0.08),
    ("QRS complex", -0.08, 0.12),
    ("ST and T wave", 0.12, 9.0),
)


def parts_of_a_beat(inputs: Arrays, config: Mapping[str, Any]) -> Players:
    """Return ten players: few enough for exact Shapley values.

    Parameters
    ----------
    inputs : dict of float32 (n, ...)
        As `prepare.beat_inputs` gives them; the two leads of a part play together.
    config : mapping
        Constants of the preprocessing.
    """
    shapes = {name: values.shape[1:] for name, values in inputs.items()}
    time_s = np.arange(shapes["window"][0]) / config["working_hz"] - config["before_s"]
    parts: dict[str, dict[str, Any]] = {
        f"trace, {name}": {"window": (time_s >= start) & (time_s < stop)} for name, start, stop in PARTS_S
    }
    is_beat = np.arange(2 * config["neighbours"] + 1) == config["neighbours"]
    parts |= {
        "intervals of the beat": {"intervals": is_beat},
        "intervals of the neighbours": {"intervals": ~is_beat},
        "shape of the beat": {"shapes": is_beat},
        "shapes of the neighbours": {"shapes": ~is_beat},
        "the minute around": {"rhythm": slice(None)},
        "beats that look alike": {"alike": slice(None)},
    }
    return Players.of(shapes, parts, title="parts of the beat")
