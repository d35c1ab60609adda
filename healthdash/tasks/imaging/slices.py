"""A volume before a model of pictures: slice by slice, each with its own gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.task import Gate

from .sample import ImageSample
from .volume import VolumeSample

__all__ = ["described", "gate_of", "gates_of", "prepared"]

Floats = NDArray[np.float32]
# So many slices, spread evenly, tell whether the volume is of the model's kind at all. Single ones of another
# organ may look alike by chance (one in ten of a brain MR does), neighbours seldom.
_LOOKED_AT = 17
_FEWEST_WITH_NEIGHBOURS = 4
#: What a network sees of so many slices takes 200 MB (160 x 160 pixels); a small file can hold any number.
_MOST_SLICES = 2000


def prepared(volume: VolumeSample, prepare: Callable[[ImageSample], Floats]) -> Floats:
    """Return the network's input of every slice, (slices, size, size, channels); one at a time in memory.

    Parameters
    ----------
    prepare : function
        Of one picture, to (1, size, size, channels).
    """
    first = prepare(volume.slice(0))
    inputs = np.empty((len(volume), *first.shape[1:]), np.float32)
    inputs[0] = first[0]
    for number in range(1, len(volume)):
        inputs[number] = prepare(volume.slice(number))[0]
    return inputs


def gate_of(volume: VolumeSample, judge: Callable[[ImageSample], Gate]) -> Gate:
    """Refuse a volume of which no two neighbours may be seen; else warn of what holds for all that may.

    Single slices beyond the part of the body that the model knows are refused one by one later.
    """
    if len(volume) > _MOST_SLICES:
        many = f"Expected at most {_MOST_SLICES:,} slices or frames, got {len(volume):,}"
        return Gate.of(refuse=[many], hint="Export a part of the volume.")
    looked = np.unique(np.linspace(0, len(volume) - 1, _LOOKED_AT).astype(int)).tolist()
    gates = [judge(volume.slice(number)) for number in looked]
    fits = [gate.verdict != "refuse" for gate in gates]
    in_a_row = len(fits) < _FEWEST_WITH_NEIGHBOURS or any(map(all, pairwise(fits)))
    if not (any(fits) and in_a_row):
        refused = [gate for gate in gates if gate.verdict == "refuse"]
        return refused[len(refused) // 2]
    passed = [gate for gate, fit in zip(gates, fits, strict=True) if fit]
    shared = [reason for reason in passed[0].reasons if all(reason in gate.reasons for gate in passed)]
    return Gate.of(warn=shared, hint=passed[0].hint if shared else "")


def gates_of(
    volume: VolumeSample, inputs: Floats, numbers: Sequence[int], judge: Callable[[ImageSample, Floats], Gate]
) -> list[Gate]:
    """Return the gate of each predicted slice.

    Parameters
    ----------
    inputs : float32 (n, size, size, channels)
        The network's, one a slice.
    numbers : sequence of int, length n
        Of the slices.
    judge : function
        Of a slice and its input (1, size, size, channels).
    """
    return [judge(volume.slice(int(n)), inputs[i : i + 1]) for i, n in enumerate(numbers)]


def described(volume: VolumeSample) -> dict[str, Any]:
    """Return what `inspect` adds for a volume: its spacing, as far as it is known."""
    told: dict[str, Any] = {}
    if volume.stored_spacing_mm is not None:
        told["spacing_mm"] = list(volume.stored_spacing_mm)
    elif volume.spacing_mm is not None:
        known = volume.spacing_mm if volume.spacing_mm[0] > 0 else volume.spacing_mm[1:]
        told["spacing_mm"] = list(known)
    if volume.plane:
        told["plane"] = volume.plane
    if volume.frame_time_ms:
        told["frame_time_ms"] = round(volume.frame_time_ms, 3)
    if volume.notices:
        told["notices"] = list(volume.notices)
    return told
