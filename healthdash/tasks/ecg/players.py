"""Who shares the output for a beat out: the parts of its trace, its timing, its shape, its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from healthdash.explain.players import Players
from healthdash.task import Arrays

from .prepare import P_WAVES, RHYTHM, SHAPES

__all__ = ["DIVISIONS", "PARTS_S", "beats_around", "leads", "parts_of_a_beat"]

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
    }
    return Players.of(shapes, parts | _AROUND, title="parts of the beat")


def beats_around(inputs: Arrays, config: Mapping[str, Any]) -> Players:
    """Return this beat, every neighbour and the minute around as players; arguments as above.

    A neighbour plays with its interval and its shape, this beat with its trace too.
    """
    shapes = {name: values.shape[1:] for name, values in inputs.items()}
    reach = config["neighbours"]
    beats: dict[str, dict[str, Any]] = {
        _place(number - reach): {"intervals": [number], "shapes": [number]} for number in range(2 * reach + 1)
    }
    beats[_place(0)]["window"] = slice(None)
    return Players.of(shapes, beats | _AROUND, title="beats")


def leads(inputs: Arrays, config: Mapping[str, Any]) -> Players:
    """Return what each of the two leads says, and what both say alike, as players; arguments as above.

    A recording of one lead has it in both places.
    """
    shapes = {name: values.shape[1:] for name, values in inputs.items()}
    of_lead = {
        f"{name} lead": {
            "window": np.s_[:, 2 * number : 2 * number + 2],
            "shapes": np.s_[:, number * len(SHAPES) : (number + 1) * len(SHAPES)],
            "rhythm": np.s_[len(RHYTHM) + number * len(P_WAVES) : len(RHYTHM) + (number + 1) * len(P_WAVES)],
        }
        for number, name in enumerate(("first", "second"))
    }
    both: dict[str, dict[str, Any]] = {
        "intervals, of both leads": {"intervals": slice(None)},
        "heart rate around, of both leads": {"rhythm": np.s_[: len(RHYTHM)]},
        "beats that look alike, of both leads": {"alike": slice(None)},
    }
    return Players.of(shapes, of_lead | both, title="leads")


def _place(number: int) -> str:
    if number == 0:
        return "this beat"
    beats = "beat" if abs(number) == 1 else "beats"
    return f"{abs(number)} {beats} {'later' if number > 0 else 'before'}"


_AROUND: dict[str, dict[str, Any]] = {
    "the minute around": {"rhythm": slice(None)},
    "beats that look alike": {"alike": slice(None)},
}
DIVISIONS: Mapping[str, Callable[[Arrays, Mapping[str, Any]], Players]] = {
    "parts": parts_of_a_beat,
    "beats": beats_around,
    "leads": leads,
}
