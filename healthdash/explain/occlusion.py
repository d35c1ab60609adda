"""Occlusion: what the probability loses when a patch of the input is covered.

A patch slides over a picture, a window along a signal. These losses do not add up to the output:
what two patches do together counts in both, or in neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.explain import baselines
from healthdash.explain.game import default_baseline
from healthdash.explain.method import explaining, probability_of
from healthdash.explain.players import Players
from healthdash.explain.types import Arrays, ExplainRequest, Found, OnProgress, Progress

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["TITLE", "USES", "explain", "patches", "reason_against"]

TITLE = "Occlusion (a sliding patch)"
USES = ("baseline",)
#: A patch covers this share of each axis, and slides by half of itself.
_PATCH = 1 / 8
# Mask values put together at once.
_MASKS_AT_ONCE = 1 << 24

Patch = tuple[str, tuple[slice, ...]]


def reason_against(
    inputs: Arrays, forward: Forward | None = None, players: Players | None = None
) -> str | None:
    """Say why a patch cannot slide over the inputs, or None."""
    if players is not None:
        return "expected no players: patches overlap"
    if all(values.ndim == 2 for values in inputs.values()):
        return "expected a picture or a signal; for a table Shapley values say more"
    return None


@explaining("occlusion")
def explain(
    forward: Forward,
    inputs: Arrays,
    background: Arrays,
    target_index: int,
    request: ExplainRequest,
    on_progress: OnProgress,
) -> Found:
    """Give each value the mean loss of probability over the patches that cover it.

    Parameters
    ----------
    inputs : dict of float32 (1, ...)
    background : dict of float32 (m, ...)
    request : ExplainRequest
        `baseline` is what a patch is covered with, by each of its rows in turn.
    on_progress : function of Progress
        Told the share done.

    References
    ----------
    Zeiler and Fergus 2014, ECCV, Visualizing and understanding convolutional networks.
    """
    baseline = request.baseline or default_baseline(inputs)
    covers = baselines.rows(baseline, inputs, background)
    item = {name: values[0] for name, values in inputs.items()}
    output = probability_of(forward, inputs, target_index)
    places = list(patches({name: values.shape for name, values in item.items()}))
    m = len(next(iter(covers.values())))
    at_once = max(1, _MASKS_AT_ONCE // (m * max(values.size for values in item.values())))
    sums = {name: np.zeros((2, *values.shape)) for name, values in item.items()}
    for start in range(0, len(places), at_once):
        block = places[start : start + at_once]
        rows = np.tile(np.arange(m, dtype=np.int32), len(block))
        keep = {name: np.repeat(mask, m, axis=0) for name, mask in _uncovered(item, block).items()}
        left = forward.mixtures(item, covers, rows, keep, target_index)
        for (name, place), loss in zip(block, output - left.reshape(-1, m).mean(axis=1), strict=True):
            total, count = sums[name]
            total[place] += loss
            count[place] += 1
        on_progress(Progress((start + len(block)) / len(places)))
    return Found(
        values={name: (total / count).astype(np.float32) for name, (total, count) in sums.items()},
        base=probability_of(forward, covers, target_index),
        output=output,
        samples=len(places) * m,
        is_additive=False,
        baseline=baselines.TITLES[baseline],
    )


def patches(shapes: dict[str, tuple[int, ...]]) -> Iterator[Patch]:
    """Yield where the patch lies: over all axes but the last; over an input of one axis, each value."""
    for name, shape in shapes.items():
        spatial = shape[:-1] if len(shape) > 1 else shape
        sides = [max(1, round(_PATCH * length)) if len(shape) > 1 else 1 for length in spatial]
        for corner in np.ndindex(*[_stops(n, side) for n, side in zip(spatial, sides, strict=True)]):
            starts = [
                min(n - side, number * max(1, side // 2))
                for n, side, number in zip(spatial, sides, corner, strict=True)
            ]
            yield name, tuple(slice(at, at + side) for at, side in zip(starts, sides, strict=True))


def _stops(length: int, side: int) -> int:
    """Return how often a patch of a side stops on its way along an axis."""
    return -(-(length - side) // max(1, side // 2)) + 1


def _uncovered(item: Arrays, block: list[Patch]) -> dict[str, NDArray[np.bool_]]:
    masks = {name: np.ones((len(block), *values.shape), bool) for name, values in item.items()}
    for number, (name, place) in enumerate(block):
        masks[name][number][place] = False
    return masks
