"""The usual beat of a recording, and how each beat differs from it.

"Usual" is found without labels: the commonest shape around a beat, and among shapes that are nearly as
common the narrower one that comes later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["cut", "local_usual", "part_of_beat", "running", "shape_features", "shifts", "usual_beat"]

Floats = NDArray[np.float32]
Beats = NDArray[np.int64]
_CHUNK = 8192
# Beats that are aligned at once: so many fit into the caches with all their shifts.
_ALIGNED = 512
# Samples by which a window may lie outside the recording, beyond its own length.
_SPARE = 16


def part_of_beat(config: Mapping[str, Any], name: str) -> slice:
    """Return where a part of the beat lies in a window."""
    start, stop = (round((config["before_s"] + s) * config["working_hz"]) for s in config[name])
    return slice(start, stop)


def cut(working: Floats, at: Beats, config: Mapping[str, Any]) -> Floats:
    """Return windows (n, samples) around working-rate positions; the ends repeat the last value."""
    every = _every_window(working, config)
    return every[_number(at, every)]


def _every_window(working: Floats, config: Mapping[str, Any]) -> Floats:
    """Return the window around every sample, and around some before and after the recording; a view."""
    before = round(config["before_s"] * config["working_hz"])
    after = round(config["after_s"] * config["working_hz"])
    padded = np.pad(working, (before + _SPARE, after + _SPARE), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, before + after)


def _number(at: Beats, every: Floats) -> Beats:
    """Return which of all windows lie around working-rate positions."""
    return np.clip(at + _SPARE, 0, len(every) - 1)


def _unit(rows: Floats) -> Floats:
    """Return rows without their mean, of length 1."""
    centred = rows - rows.mean(axis=-1, keepdims=True)
    return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=-1, keepdims=True), 1e-6), np.float32)


def usual_beat(
    windows: Floats, interval: NDArray[np.float64], config: Mapping[str, Any], *, most: int
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the median of the recording's usual shape, and which beats have it.

    Usual is the commonest shape; but where two are nearly as common (bigeminy), the narrower one that
    comes later, for ventricular beats are wide and early.
    """
    units = _unit(windows[:, part_of_beat(config, "qrs_s")])
    step = max(1, -(-len(units) // most))
    some = units[::step]
    early = np.log(interval / running(interval, config["local_beats"]))[::step]
    close = (some @ some.T > config["same_shape"]).astype(np.float32)
    width = _width(windows[::step], config)
    best, best_score, largest, left = 0, -np.inf, 0.0, np.ones(len(some), np.float32)
    for _ in range(3):
        size = (close @ left) * left
        medoid = int(size.argmax())
        largest = max(largest, float(size[medoid]))
        if size[medoid] < max(1.0, config["rival_share"] * largest):
            break
        cluster = (close[medoid] * left) > 0
        score = (
            size[medoid] / largest - 40 * float(np.median(width[cluster])) + float(np.mean(early[cluster]))
        )
        if score > best_score:
            best, best_score = medoid, score
        left[cluster] = 0
    members = units @ some[best] > config["same_shape"]
    if not members.any():  # a flat stretch: no shape is like any other
        return np.median(windows, axis=0), members
    return np.median(windows[members][:: max(1, int(members.sum()) // 5000)], axis=0), members


def local_usual(
    windows: Floats, interval: NDArray[np.float64], config: Mapping[str, Any]
) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Return the usual beat around each beat (n, samples), who has its shape (n,), its height (n, 1).

    Local, for the usual shape turns with posture and with the conduction of the moment.
    """
    usual, members = np.empty_like(windows), np.zeros(len(windows), bool)
    block, context = config["block_beats"], config["context_beats"]
    around = slice(0)
    for start in range(0, len(windows), block):
        middle = start + block // 2
        wanted = slice(max(0, middle - context // 2), min(middle + context // 2, len(windows)))
        if wanted != around:  # blocks of a short recording have the same surroundings
            around = wanted
            beat, same = usual_beat(windows[around], interval[around], config, most=config["block_medoids"])
        inside = slice(start, min(start + block, len(windows)))
        usual[inside] = beat
        members[inside] = same[start - around.start :][: inside.stop - start]
    height = np.ptp(usual[:, part_of_beat(config, "qrs_s")], axis=1, keepdims=True)
    floor = max(0.2 * float(np.median(height)), 1e-3)
    return usual, members, np.maximum(height, floor)


def shifts(working: Floats, at: Beats, usual: Floats, config: Mapping[str, Any]) -> Beats:
    """Return by how much each beat must move for its QRS complex to lie on the usual one's."""
    reach = round(config["align_s"] * config["working_hz"])
    where = part_of_beat(config, "qrs_s")
    template = _unit(usual[:, where])
    every, shift = _every_window(working, config), np.empty(len(at), np.int64)
    for start in range(0, len(at), _ALIGNED):
        rows = slice(start, start + _ALIGNED)
        moved = at[rows, None] + np.arange(-reach, reach + 1)
        score = (_unit(every[_number(moved, every), where]) * template[rows, None]).sum(axis=-1)
        # An upside-down fit is right for some ventricular beats, but a wave beside the QRS gives one too.
        shift[rows] = np.where(score > 0, score, -0.6 * score).argmax(axis=1) - reach
    return shift


def _likeness(windows: Floats, usual: Floats, where: slice) -> tuple[Floats, Floats]:
    """Return correlation with the usual beat, and size of the difference, over a part."""
    part, expected = windows[:, where], usual[:, where]
    correlation = (_unit(part) * _unit(expected)).sum(axis=1)
    difference = (part - part.mean(axis=1, keepdims=True)) - (expected - expected.mean(axis=1, keepdims=True))
    return correlation, np.sqrt(np.square(difference).mean(axis=1))


def _best_likeness(windows: Floats, beat: Floats, where: slice) -> Floats:
    """Return the correlation with one beat, at the best of a few shifts."""
    template = _unit(beat[None, where])[0]
    shifted = [slice(where.start + by, where.stop + by) for by in range(-4, 5)]
    return np.asarray(np.max([_unit(windows[:, part]) @ template for part in shifted], axis=0), np.float32)


def _width(windows: Floats, config: Mapping[str, Any]) -> Floats:
    """Return the second moment of the QRS complex's energy about its middle, in seconds."""
    where = part_of_beat(config, "qrs_s")
    slope = np.abs(np.diff(windows[:, where], axis=1))
    weight = slope / np.maximum(slope.sum(axis=1, keepdims=True), 1e-6)
    time = np.arange(slope.shape[1]) / config["working_hz"]
    middle = weight @ time
    return np.asarray(np.sqrt(np.maximum(weight @ time**2 - middle**2, 0)), np.float32)


def shape_features(windows: Floats, usual: Floats, common_beat: Floats, config: Mapping[str, Any]) -> Floats:
    """Return SHAPES of each beat in one lead, (n, 10)."""
    qrs, p, t = (part_of_beat(config, name) for name in ("qrs_s", "p_s", "t_s"))
    like_qrs, off_qrs = _likeness(windows, usual, qrs)
    like_p, off_p = _likeness(windows, usual, p)
    like_t, _ = _likeness(windows, usual, t)
    units = _unit(windows[:, qrs])
    before = np.concatenate([[1.0], (units[1:] * units[:-1]).sum(axis=1)])
    step = max(1, -(-len(units) // config["medoid_beats"]))
    common = np.concatenate(
        [
            (units[i : i + _CHUNK] @ units[::step].T > config["same_shape"]).mean(axis=1)
            for i in range(0, len(units), _CHUNK)
        ]
    )
    columns = [
        like_qrs, 4 * off_qrs, like_p, 10 * off_p, like_t,
        np.log(np.maximum(np.ptp(windows[:, qrs], axis=1), 0.02)),
        20 * _width(windows, config) - 1, before, common,
        _best_likeness(windows, common_beat, qrs),
    ]  # fmt: skip
    return np.stack(columns, axis=1).astype(np.float32)


def running(values: NDArray[np.floating[Any]], beats: int, *, percentile: float = 50) -> NDArray[np.float64]:
    """Return the running percentile over so many beats."""
    size = max(1, min(beats, len(values)))
    return np.asarray(ndimage.percentile_filter(values, percentile, size=size, mode="nearest"))
