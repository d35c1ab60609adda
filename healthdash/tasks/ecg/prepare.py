"""From a recording and its beats to the network's inputs: pure, vectorised, no labels.

What a beat is can rarely be said from the beat alone. Each one therefore comes with the difference
from the recording's own usual beat, and with the rhythm and shapes of its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from healthdash.signals.filters import band_pass
from healthdash.signals.leads import is_lead_two

from .alike import means_of_alike
from .detect import NOISE_CLARITY
from .resample import WORKING_HZ, resampled
from .usual import cut, local_usual, part_of_beat, running, shape_features, shifts, usual_beat

if TYPE_CHECKING:
    from .sample import EcgSample

__all__ = [
    "CONFIG",
    "INTERVALS",
    "P_WAVES",
    "RHYTHM",
    "SHAPES",
    "beat_inputs",
    "conditioned",
    "model_leads",
    "ordered_leads",
    "sample_inputs",
    "set_aside",
    "working_leads",
]

#: Constants of the preprocessing; a bundle stores the ones that it was trained with.
CONFIG: dict[str, Any] = {
    "working_hz": WORKING_HZ,
    "band_hz": [0.5, 40.0],
    "before_s": 0.44,
    "after_s": 0.52,
    "neighbours": 5,
    "qrs_s": [-0.10, 0.12],
    "p_s": [-0.28, -0.08],
    "t_s": [0.16, 0.44],
    "align_s": 0.064,
    "same_shape": 0.9,
    "local_beats": 41,
    "wide_beats": 301,
    "rival_share": 0.35,
    "block_beats": 80,
    "context_beats": 240,
    "block_medoids": 120,
    "medoid_beats": 500,
    "clip": 4.0,
    "alike_beats": 30,
    "alike_within": 1500,
    "alike_from": 0.8,
}

#: Of each beat and of its neighbours: its time, the same for both leads.
INTERVALS = (
    "interval before, against the local one",
    "interval before, against the one before it",
    "interval before",
    "interval before, against the recording's",
    "interval before, against the slowest around",
    "interval before, against the local irregularity",
)
#: Of each beat and of its neighbours: its shape, for each of two leads.
SHAPES = (
    "likeness of the QRS complex",
    "difference of the QRS complex",
    "likeness of the P wave",
    "difference of the P wave",
    "likeness of the T wave",
    "height",
    "width",
    "likeness to the beat before",
    "how common the shape is",
    "likeness to the recording's usual beat",
)
#: Of the minute around the beat.
RHYTHM = ("local heart rate", "local irregularity")
#: Of the minute around the beat, for each of two leads.
P_WAVES = ("local likeness of the P waves", "local difference of the P waves")

Floats = NDArray[np.float32]
Beats = NDArray[np.int64]


def ordered_leads(sample: EcgSample) -> list[int]:
    """Return the numbers of at most two leads for the model: II first where it is clear, then the clearest.

    Lead II shows the P wave best and is what most of the training recordings hold; the second lead is
    the clearest of the others.
    """
    if len(sample.leads) == 1:
        return [0]
    clear = sample.clarities
    named = [i for i in _named_ii(sample) if clear[i] >= NOISE_CLARITY]
    rest = sorted((i for i in range(len(clear)) if i not in named[:1]), key=lambda i: -clear[i])
    return [i for i in [*named[:1], *rest][:2] if clear[i] > 0] or [0]


def _named_ii(sample: EcgSample) -> list[int]:
    return [i for i, name in enumerate(sample.leads) if is_lead_two(name)]


def set_aside(sample: EcgSample) -> int | None:
    """Return the number of lead II where it is there, but a clearer lead is the model's first; else None."""
    named = _named_ii(sample)
    return named[0] if named and sample.model_leads[0] not in named else None


def model_leads(sample: EcgSample) -> Floats:
    """Return the leads that the model sees, float32 (n_samples, 1 or 2), millivolt."""
    return sample.signal_mv[:, sample.model_leads]


def beat_inputs(
    leads_mv: Floats, rate_hz: float, beats: Beats, config: Mapping[str, Any]
) -> dict[str, Floats]:
    """Return the network's inputs for every beat.

    Parameters
    ----------
    leads_mv : float32 (n_samples, 1 or 2), millivolt
        Finite; not changed. A single lead takes the place of both.
    rate_hz : float, hertz
    beats : int64 (n,)
        Sample numbers at `rate_hz`, ascending; at least one.
    config : mapping
        The keys of `CONFIG`.

    Returns
    -------
    dict
        "window": float32 (n, samples, 4), for each lead the beat and its difference from the usual beat
        around it, in units of the usual beat's height; time runs from -before_s, at working_hz.
        "intervals": float32 (n, 2 * neighbours + 1, len(INTERVALS)), the beat in the middle.
        "shapes": float32 (n, 2 * neighbours + 1, 2 * len(SHAPES)).
        "rhythm": float32 (n, len(RHYTHM) + 2 * len(P_WAVES)).
        "alike": float32 (n, len(INTERVALS) + len(SHAPES) + len(ALIKE)), the mean of beats that look alike.
    """
    working = [conditioned(lead, rate_hz, config) for lead in leads_mv.T[:2]]
    return _inputs(working, rate_hz, beats, config)


def sample_inputs(sample: EcgSample, beats: Beats, config: Mapping[str, Any]) -> dict[str, Floats]:
    """Return the network's inputs for beats of a recording; see `beat_inputs`."""
    return _inputs(working_leads(sample, config).T, sample.rate_hz, beats, config)


def working_leads(sample: EcgSample, config: Mapping[str, Any]) -> Floats:
    """Return the leads that the model sees, conditioned, float32 (n, 1 or 2), millivolt; computed once."""
    key = (config["working_hz"], *config["band_hz"])
    if key not in sample.conditioned:
        leads = sample.working_mv[:, sample.model_leads].T
        sample.conditioned[key] = np.stack([conditioned(lead, WORKING_HZ, config) for lead in leads], axis=1)
    return sample.conditioned[key]


def _inputs(
    working: Sequence[Floats] | Floats, rate_hz: float, beats: Beats, config: Mapping[str, Any]
) -> dict[str, Floats]:
    at = np.rint(beats * (config["working_hz"] / rate_hz)).astype(np.int64)
    interval = _intervals(at / config["working_hz"])
    leads = [_lead(lead, at, interval, config) for lead in working]
    first, second = leads[0], leads[-1]
    irregular = _irregularity(interval, first.members, config)
    times = _interval_features(interval, irregular, config)
    return {
        "window": np.concatenate([first.pair, second.pair], axis=-1),
        "intervals": _with_neighbours(times, config),
        "shapes": _with_neighbours(np.concatenate([first.shapes, second.shapes], axis=1), config),
        "rhythm": _rhythm(interval, irregular, [first.shapes, second.shapes], config),
        "alike": _alike(times, first, second, config),
    }


def _alike(times: Floats, first: _Lead, second: _Lead, config: Mapping[str, Any]) -> Floats:
    """Return what is usual among the beats of the same shape; shapes are the mean of both leads'."""
    qrs = part_of_beat(config, "qrs_s")
    complexes = np.concatenate([first.pair[:, qrs, 0], second.pair[:, qrs, 0]], axis=1)
    features = np.concatenate([times, (first.shapes + second.shapes) / 2], axis=1)
    return means_of_alike(complexes, np.clip(features, -config["clip"], config["clip"]), config)


@dataclass(frozen=True, slots=True)
class _Lead:
    """What one lead says: windows (n, samples, 2), shapes (n, f), who has the usual shape (n,)."""

    pair: Floats
    shapes: Floats
    members: NDArray[np.bool_]


def _lead(working: Floats, at: Beats, interval: NDArray[np.float64], config: Mapping[str, Any]) -> _Lead:
    rough = cut(working, at, config)
    common, _ = usual_beat(rough, interval, config, most=config["medoid_beats"])
    usual, members, height = local_usual(rough, interval, config)
    windows = cut(working, at + shifts(working, at, usual, config), config) / height
    usual = usual / height
    limit = config["clip"]
    pair = np.clip(np.stack([windows, windows - usual], axis=-1), -limit, limit).astype(np.float32)
    return _Lead(pair, shape_features(windows, usual, common, config), members)


def conditioned(lead_mv: Floats, rate_hz: float, config: Mapping[str, Any]) -> Floats:
    """Return a lead at the working rate without drift and mains hum, millivolt."""
    working = resampled(lead_mv[:, None], rate_hz, config["working_hz"])[:, 0]
    band = band_pass(2, *config["band_hz"], config["working_hz"])
    if len(working) < 30:
        return working
    return np.asarray(signal.sosfiltfilt(band, working), np.float32)


def _interval_features(
    interval: NDArray[np.float64], irregular: NDArray[np.float64], config: Mapping[str, Any]
) -> Floats:
    """Return INTERVALS of each beat, (n, 6)."""
    local = running(interval, config["local_beats"])
    wide = running(interval, config["wide_beats"], percentile=65)
    before = np.concatenate([interval[:1], interval[:-1]])
    against = [np.log(interval / reference) for reference in (local, before, np.median(interval), wide)]
    columns = [
        3 * against[0], 3 * against[1], 2 * np.log(interval / 0.8), 3 * against[2], 3 * against[3],
        0.5 * against[0] / (0.03 + irregular),
    ]  # fmt: skip
    return np.stack(columns, axis=1).astype(np.float32)


def _irregularity(
    interval: NDArray[np.float64], members: NDArray[np.bool_], config: Mapping[str, Any]
) -> NDArray[np.float64]:
    """Return the usual change from one interval to the next around each beat, as a logarithm.

    Only between beats of the usual shape, so that ventricular beats do not look like fibrillation.
    """
    change = np.abs(np.diff(np.log(interval), prepend=np.log(interval[:1])))
    usual = members & np.roll(members, 1) & np.roll(members, 2)
    if usual.sum() < 3:
        return running(change, config["local_beats"])
    where = np.flatnonzero(usual)
    smooth = running(change[where], config["local_beats"])
    return np.asarray(np.interp(np.arange(len(interval)), where, smooth))


def _intervals(times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the interval before each beat, seconds; the first is taken from the second."""
    if len(times_s) < 2:
        return np.full(len(times_s), 0.8)
    gaps = np.clip(np.diff(times_s), 0.15, 6.0)
    return np.concatenate([gaps[:1], gaps])


def _rhythm(
    interval: NDArray[np.float64],
    irregular: NDArray[np.float64],
    shapes: Sequence[Floats],
    config: Mapping[str, Any],
) -> Floats:
    """Return RHYTHM and P_WAVES around each beat, (n, 6)."""
    size = config["local_beats"]
    columns = [2 * np.log(running(interval, size) / 0.8), 10 * irregular]
    for lead in shapes:
        columns.extend([running(lead[:, 2], size), running(lead[:, 3], size)])
    return np.asarray(np.clip(np.stack(columns, axis=1), -4, 4), np.float32)


def _with_neighbours(features: Floats, config: Mapping[str, Any]) -> Floats:
    """Return (n, 2 * neighbours + 1, f): each beat between its neighbours; the ends repeat."""
    reach, limit = config["neighbours"], config["clip"]
    padded = np.pad(np.clip(features, -limit, limit), ((reach, reach), (0, 0)), mode="edge")
    stacked = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return np.ascontiguousarray(stacked.transpose(0, 2, 1), np.float32)
