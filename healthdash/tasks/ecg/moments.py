"""Heartbeats with the waves that belong to them, and their moments to a fraction of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .waves.limits import Limits

__all__ = ["Beats", "aligned_s", "aligned_where_heard_s", "beats_of", "usual_intervals"]

Floats = NDArray[np.float64]
_FEWEST_BEATS = 2
#: A P wave that begins earlier before a complex belongs to no PR interval (first-degree block stays below).
_LONGEST_PR_S = 0.45
#: An interval this much shorter than the usual one around it ends in an early beat.
_EARLY = 0.8
_NEIGHBOURS = 5
#: Half the length of the piece that complexes are aligned by, and how far they may be moved.
_COMPLEX_S, _SHIFT_S = 0.06, 0.06


@dataclass(frozen=True, slots=True)
class Beats:
    """Complexes with the waves that belong to them; NaN where there is none.

    Attributes
    ----------
    p_onset_s, qrs_onset_s, qrs_offset_s, t_offset_s : float64 (m,), second
    at_s : float64 (m,), second
        Peak of each QRS complex, from which intervals between beats are taken.
    is_normal : bool (m,)
    gaps_s : sequence of (float, float), second
        Where the signal is missing: an interval across one is not known.
    """

    p_onset_s: Floats
    qrs_onset_s: Floats
    qrs_offset_s: Floats
    t_offset_s: Floats
    at_s: Floats
    is_normal: NDArray[np.bool_]
    gaps_s: Sequence[tuple[float, float]] = ()

    def __len__(self) -> int:
        return len(self.at_s)

    @property
    def between_s(self) -> Floats:
        """The interval before each beat but the first (m - 1,), second; NaN across a gap."""
        between = np.diff(self.at_s)
        for first, last in np.searchsorted(self.at_s, np.reshape(self.gaps_s, (-1, 2))).tolist():
            between[max(first - 1, 0) : last] = np.nan
        return between

    @property
    def is_nn(self) -> NDArray[np.bool_]:
        """Whether each of these intervals is known, and between two normal beats."""
        return np.asarray(self.is_normal[1:] & self.is_normal[:-1] & np.isfinite(self.between_s))


def beats_of(
    limits: Limits,
    is_normal: NDArray[np.bool_] | None = None,
    at_s: Floats | None = None,
    gaps_s: Sequence[tuple[float, float]] = (),
) -> Beats:
    """Put waves together: to each complex the last P wave before it and the first T wave after it.

    Parameters
    ----------
    is_normal : bool (number of QRS complexes,)
        Which beats are from the sinus node; None leaves out those that come early (`usual_intervals`).
    at_s : float64 (number of QRS complexes,)
        From where intervals between beats are taken (`aligned_s`); None takes the peaks.
    gaps_s : sequence of (float, float), second
        Where the signal is missing, in the order of time.
    """
    is_p, is_qrs, is_t = (limits.kind == number for number in (1, 2, 3))
    onset, offset = limits.onset_s[is_qrs], limits.offset_s[is_qrs]
    at = limits.peak_s[is_qrs] if at_s is None else at_s
    before = np.concatenate([[-np.inf], offset[:-1]])
    after = np.concatenate([onset[1:], [np.inf]])
    is_p, is_t = (of & np.isfinite(limits.onset_s) for of in (is_p, is_t))
    # NaN behind the last wave stands for none.
    p_waves = np.append(limits.onset_s[is_p], np.nan)
    t_waves, t_ends = (np.append(values[is_t], np.nan) for values in (limits.onset_s, limits.offset_s))
    p = p_waves[np.searchsorted(p_waves[:-1], onset) - 1]
    p_onset = np.where((p > before) & (onset - p <= _LONGEST_PR_S), p, np.nan)
    first = np.searchsorted(t_waves[:-1], offset - 0.02)
    t_offset = np.where(t_waves[first] < after, t_ends[first], np.nan)
    normal = usual_intervals(at) if is_normal is None else np.asarray(is_normal, bool)
    return Beats(p_onset, onset, offset, t_offset, at, normal, gaps_s)


def aligned_s(lead: NDArray[np.float32], rate_hz: float, at_s: Floats) -> Floats:
    """Return the moments of complexes by their likeness to the usual one, to a fraction of a sample.

    Which of two peaks is the higher changes from beat to beat; the shape as a whole does not, so that
    intervals between beats vary with the heart alone.

    Parameters
    ----------
    lead : float32 (n,)
        Drift taken out.
    at_s : float64 (m,), second
        About the middle of each complex; one that lies too near an end stays as it is.
    """
    half, reach = round(_COMPLEX_S * rate_hz), round(_SHIFT_S * rate_hz)
    at = np.rint(at_s * rate_hz).astype(np.int64)
    inside = np.flatnonzero((at >= half + reach) & (at + half + reach < len(lead)))
    if len(inside) < _FEWEST_BEATS:
        return at_s
    cut = np.asarray(lead[at[inside, None] + np.arange(-half - reach, half + reach + 1)], np.float64)
    usual = np.median(cut[:, reach:-reach], axis=0)
    moments = np.array(at_s, np.float64)
    for _ in range(2):  # once to the rough median, once to that of the aligned complexes
        windows = np.lib.stride_tricks.sliding_window_view(cut, len(usual), axis=1)
        centered = windows - windows.mean(axis=2, keepdims=True)
        alike = centered @ (usual - usual.mean())
        alike /= np.maximum(np.linalg.norm(centered, axis=2), 1e-9)
        best = alike.argmax(axis=1)
        usual = np.median(windows[np.arange(len(best)), best], axis=0)
    inner = np.clip(best, 1, 2 * reach - 1)
    rows = np.arange(len(best))
    before, here, after = alike[rows, inner - 1], alike[rows, inner], alike[rows, inner + 1]
    bend = before - 2 * here + after
    part = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, -1.0), 0.0)
    moments[inside] = (at[inside] + inner - reach + np.clip(part, -0.5, 0.5)) / rate_hz
    return moments


def aligned_where_heard_s(
    leads: NDArray[np.float32], is_heard: NDArray[np.bool_], rate_hz: float, at_s: Floats
) -> Floats:
    """Return the moments of complexes, each by the first lead (n, n_leads) with a signal; see `aligned_s`."""
    moments, left = np.array(at_s, np.float64), np.ones(len(at_s), bool)
    at = np.clip(np.rint(at_s * rate_hz).astype(np.int64), 0, len(leads) - 1)
    for lead, has_signal in zip(leads.T, is_heard.T, strict=True):
        chosen = left & has_signal[at]
        moments[chosen] = aligned_s(lead, rate_hz, at_s[chosen])
        left &= ~chosen
    return moments


def usual_intervals(at_s: Floats) -> NDArray[np.bool_]:
    """Say of each beat whether it comes in time: not a fifth earlier than the beats around it do."""
    if len(at_s) < 3:
        return np.ones(len(at_s), bool)
    gaps = np.diff(at_s)
    reach = _NEIGHBOURS // 2
    around = (
        np.lib.stride_tricks.sliding_window_view(np.pad(gaps, reach, mode="reflect"), _NEIGHBOURS)
        if (len(gaps) > reach)
        else np.tile(gaps, (len(gaps), 1))
    )
    usual = np.median(around, axis=1)
    return np.concatenate([[True], gaps >= _EARLY * usual])
