"""From a recording to its waves: what each sample is, lead by lead, and over all leads together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .condition import conditioned, filtered
from .limits import LABELS, Limits

if TYPE_CHECKING:
    from healthdash.bundles import Bundle

    from ..sample import EcgSample

__all__ = [
    "Delineation",
    "Delineator",
    "Found",
    "as_plain",
    "compiled",
    "delineate",
    "delineated_leads",
    "delineator_of",
    "found_in",
    "of_samples",
]

Floats = NDArray[np.float32]
#: From stretches of leads (n, time, 1) to the probabilities of their samples (n, time, 4), as tensors.
Delineator = Callable[[Any], Any]
#: Stretches that the network sees at once, and how far their edges are left to the neighbours, samples.
#: 16 divides both, as the network's levels need.
_BLOCK, _MARGIN, _STEP = 8192, 512, 16
_BATCH = 12
#: Recordings longer than this are delineated in one lead only: a day of twelve would take an hour.
_LONG_S = 600.0
#: A wave that is interrupted for less is one, and one that is shorter is none, second. The shortest P waves
#: and QRS complexes of LUDB's training patients last 40 and 50 ms, T waves 80 ms.
_GAP_S = 0.03
_SHORTEST_S = {1: 0.028, 2: 0.032, 3: 0.05}


@dataclass(frozen=True, slots=True)
class Found:
    """Waves that were found, in the order of time.

    Attributes
    ----------
    limits : Limits
    probability : float64 (m,)
        Mean probability of the wave's label from its onset to its end.
    """

    limits: Limits
    probability: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.probability)


@dataclass(frozen=True, slots=True)
class Delineation:
    """The waves of a recording.

    Attributes
    ----------
    leads : tuple of str
        Those that were delineated.
    found : tuple of Found
        One a lead.
    together : Found
        Of all usable leads: limits where the mean of their probabilities changes its label, which is about
        where they change in the middle one of the leads. A lead takes part where it has a signal.
    left_out : tuple of str
        Leads that took no part in `together`: no QRS complex was found in them, or far fewer than in others.
    """

    leads: tuple[str, ...]
    found: tuple[Found, ...] = field(repr=False)
    together: Found = field(repr=False)
    left_out: tuple[str, ...] = ()


def delineator_of(bundle: Bundle) -> Delineator:
    """Return a bundle's inner network, compiled once for the process."""
    call: Delineator = bundle.forward.compiled("delineator", compiled)
    return call


def delineate(sample: EcgSample, call: Delineator, config: Mapping[str, Any]) -> Delineation:
    """Return the waves of a recording; a recording of more than ten minutes is delineated in one lead."""
    numbers = delineated_leads(sample)
    leads = sample.signal_mv[:, numbers]
    probability = of_samples(call, leads, sample.rate_hz, config)
    is_heard = sample.heard(config["rate_hz"])[:, numbers]
    # Whatever is read out of a straight line is none.
    probability[~is_heard.T] = np.eye(len(LABELS), dtype=np.float32)[0]
    heights = filtered(leads, sample.rate_hz, config)
    found = tuple(
        found_in(one, height, config["rate_hz"]) for one, height in zip(probability, heights.T, strict=True)
    )
    used = _usable(found, is_heard)
    names = tuple(sample.leads[i] for i in numbers)
    return Delineation(
        names,
        found,
        found[used[0]]
        if len(used) == 1
        else _together(probability[used], heights[:, used], is_heard[:, used], config["rate_hz"]),
        tuple(name for i, name in enumerate(names) if i not in used),
    )


def _together(probability: Floats, heights: Floats, is_heard: NDArray[np.bool_], rate_hz: float) -> Found:
    """Return the waves of some leads (n_leads, n, 4), each where it has a signal."""
    taking_part = is_heard | ~is_heard.any(axis=1, keepdims=True)
    mean = probability.mean(axis=0, where=taking_part.T[:, :, None])
    spread = np.sqrt(np.mean(np.square(heights), axis=1, where=taking_part))
    return found_in(mean, spread, rate_hz)


def delineated_leads(sample: EcgSample) -> list[int]:
    """Return which leads are delineated: all, or of a long recording the one that beats use."""
    return list(range(len(sample.leads))) if sample.duration_s <= _LONG_S else sample.model_leads[:1]


def _usable(found: Sequence[Found], is_heard: NDArray[np.bool_]) -> list[int]:
    """Return leads with at least half as many QRS complexes as the median lead, in as long; at least one."""
    counts = np.array([(one.limits.kind == 2).sum() for one in found])
    often = counts / np.maximum(is_heard.sum(axis=0), 1)
    usual = float(np.median(often[counts > 0])) if (counts > 0).any() else 0.0
    return np.flatnonzero((counts > 0) & (often >= usual / 2)).tolist() or [0]


def of_samples(call: Delineator, leads: Floats, rate_hz: float, config: Mapping[str, Any]) -> Floats:
    """Return what each sample of each lead is, float32 (n_leads, n at the network's rate, 4)."""
    seen = conditioned(leads, rate_hz, config)
    out = np.empty((seen.shape[1], len(seen), len(LABELS)), np.float32)
    for rows, batch in _batches(seen):
        given = call(batch).numpy()
        for (lead, start, stop, skipped), one in zip(rows, given, strict=True):
            out[lead, start:stop] = one[skipped : skipped + stop - start]
    return out


def compiled(network: Any) -> Delineator:
    """Return the inner network as a function of a lead's stretches (n, time, 1) to probabilities."""
    from healthdash.runtime import tensorflow

    from .network import DELINEATOR

    tf, inner = tensorflow(), network.get_layer(DELINEATOR)

    def probabilities(stretch: Any) -> Any:
        return tf.nn.softmax(tf.cast(inner(stretch, training=False), tf.float32))

    signature = tf.TensorSpec((None, None, 1), tf.float32)
    traced: Delineator = tf.function(probabilities, autograph=False).get_concrete_function(signature)
    return traced


Row = tuple[int, int, int, int]


def _batches(seen: Floats) -> Iterator[tuple[list[Row], Any]]:
    """Yield stretches of leads, each with (lead, start, stop, samples of its margin)."""
    from healthdash.runtime import tensorflow

    length = len(seen)
    whole = length <= _BLOCK
    size = -(-length // _STEP) * _STEP if whole else _BLOCK
    inner = size if whole else _BLOCK - 2 * _MARGIN
    margin = 0 if whole else _MARGIN
    padded = np.pad(seen, ((margin, size), (0, 0)))
    rows = [
        (lead, start, min(start + inner, length), margin)
        for lead in range(seen.shape[1])
        for start in range(0, length, inner)
    ]
    for first in range(0, len(rows), _BATCH):
        part = rows[first : first + _BATCH]
        stretches = np.stack([padded[start : start + size, lead] for lead, start, _, _ in part])
        yield part, tensorflow().convert_to_tensor(stretches[:, :, None])


def found_in(probability: Floats, height: Floats, rate_hz: float) -> Found:
    """Return the waves of one lead.

    Parameters
    ----------
    probability : float32 (n, 4)
        Of each of `LABELS` at each sample.
    height : float32 (n,)
        The lead without drift: a wave's peak is where it is farthest from the line between its limits.
    """
    label = probability.argmax(axis=1)
    waves = sorted(
        (start, stop, kind) for kind in (1, 2, 3) for start, stop in _runs(label == kind, kind, rate_hz)
    )
    if not waves:
        nothing = np.zeros(0)
        return Found(Limits(np.zeros(0, np.int64), nothing, nothing, nothing), nothing)
    kind = np.array([wave[2] for wave in waves], np.int64)
    onset = np.array([wave[0] for wave in waves])
    offset = np.array([wave[1] - 1 for wave in waves])
    peak = np.array([_peak(height, start, stop) for start, stop, _ in waves])
    sure = np.array([probability[start:stop, which].mean() for start, stop, which in waves], np.float64)
    return Found(Limits(kind, onset / rate_hz, peak / rate_hz, offset / rate_hz), sure)


def _runs(is_wave: NDArray[np.bool_], kind: int, rate_hz: float) -> list[tuple[int, int]]:
    """Return (start, stop) of stretches of one label, short gaps closed; short and cut ones left out."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_wave, [False]]).astype(np.int8)))
    starts, stops = edges[::2], edges[1::2]
    if len(starts) == 0:
        return []
    apart = starts[1:] - stops[:-1] > _GAP_S * rate_hz
    starts, stops = starts[np.concatenate([[True], apart])], stops[np.concatenate([apart, [True]])]
    # A wave that the recording cuts off has no limit there.
    whole = (starts > 0) & (stops < len(is_wave))
    long = whole & (stops - starts >= _SHORTEST_S[kind] * rate_hz)
    return list(zip(starts[long].tolist(), stops[long].tolist(), strict=True))


def _peak(height: Floats, start: int, stop: int) -> int:
    part = height[start:stop]
    line = np.linspace(part[0], part[-1], len(part))
    return start + int(np.abs(part - line).argmax())


def as_plain(found: Found, lead: str) -> list[Mapping[str, Any]]:
    """Return waves as JSON objects."""
    limits = found.limits
    columns = (limits.kind, limits.onset_s, limits.peak_s, limits.offset_s, found.probability)
    return [
        {
            "wave": LABELS[int(kind)],
            "lead": lead,
            "onset_s": round(float(onset), 3),
            "peak_s": round(float(peak), 3),
            "offset_s": round(float(offset), 3),
            "probability": round(float(sure), 4),
        }
        for kind, onset, peak, offset, sure in zip(*columns, strict=True)
    ]
