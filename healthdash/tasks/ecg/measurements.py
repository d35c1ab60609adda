"""What a reader measures on an ECG: rate, intervals, axis, and how the intervals between beats vary.

Every figure comes with its unit, the number of beats or intervals that it was taken from, how far these
spread, and the paper that defines it; or with the reason why it cannot be measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .waves.limits import Limits

__all__ = [
    "Beats",
    "Measurement",
    "aligned_s",
    "axis",
    "beats_of",
    "intervals",
    "rate",
    "rr_statistics",
    "to_plain",
    "usual_intervals",
]

Floats = NDArray[np.float64]
#: Fewer beats say nothing about the usual one; fewer intervals nothing about their variation.
_FEWEST_BEATS, _FEWEST_INTERVALS = 2, 5
#: A P wave that begins earlier before a complex belongs to no PR interval (first-degree block stays below).
_LONGEST_PR_S = 0.45
#: Share of the complexes that need a P wave before them.
_LEAST_WITH_P = 0.5
#: Where the middle half of the PR intervals spreads further, atria and ventricles beat apart.
_MOST_PR_SPREAD_S = 0.08
#: An interval this much shorter than the usual one around it ends in an early beat.
_EARLY = 0.8
_NEIGHBOURS = 5
#: Leads that follow from each other may differ by this share of their size: noise, but no other gain.
_MOST_OFF = 0.1
#: Half the length of the piece that complexes are aligned by, and how far they may be moved.
_COMPLEX_S, _SHIFT_S = 0.06, 0.06

TASK_FORCE = "Task Force of the ESC and NASPE 1996, Circulation 93:1043"
AHA_QT = "Rautaharju et al. 2009, J Am Coll Cardiol 53:982 (AHA/ACCF/HRS, part IV)"
AHA_CONDUCTION = "Surawicz et al. 2009, J Am Coll Cardiol 53:976 (AHA/ACCF/HRS, part III)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One figure.

    Attributes
    ----------
    value : float or None
        In `unit`; None where it cannot be measured, for the `reason` given.
    spread : float or None
        Of an interval the width of the middle half of the beats' values, in `unit`.
    beats : int
        How many beats (of variation: intervals) it was taken from.
    source : str
        Where the formula is from.
    """

    name: str
    title: str
    unit: str
    value: float | None = None
    spread: float | None = None
    beats: int = 0
    reason: str = ""
    source: str = ""

    @property
    def words(self) -> str:
        """The figure as people read it."""
        if self.value is None:
            return "not measurable"
        return f"{self.value:.{0 if abs(self.value) >= 10 else 1}f} {self.unit}"


@dataclass(frozen=True, slots=True)
class Beats:
    """Complexes with the waves that belong to them; NaN where there is none.

    Attributes
    ----------
    p_onset_s, qrs_onset_s, qrs_offset_s, t_offset_s : float64 (m,), second
    at_s : float64 (m,), second
        Peak of each QRS complex, from which intervals between beats are taken.
    is_normal : bool (m,)
    """

    p_onset_s: Floats
    qrs_onset_s: Floats
    qrs_offset_s: Floats
    t_offset_s: Floats
    at_s: Floats
    is_normal: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.at_s)


def beats_of(limits: Limits, is_normal: NDArray[np.bool_] | None = None, at_s: Floats | None = None) -> Beats:
    """Put waves together: to each complex the last P wave before it and the first T wave after it.

    Parameters
    ----------
    is_normal : bool (number of QRS complexes,)
        Which beats are from the sinus node; None leaves out those that come early (`usual_intervals`).
    at_s : float64 (number of QRS complexes,)
        From where intervals between beats are taken (`aligned_s`); None takes the peaks.
    """
    is_p, is_qrs, is_t = (limits.kind == number for number in (1, 2, 3))
    onset, offset = limits.onset_s[is_qrs], limits.offset_s[is_qrs]
    at = limits.peak_s[is_qrs] if at_s is None else at_s
    before = np.concatenate([[-np.inf], offset[:-1]])
    after = np.concatenate([onset[1:], [np.inf]])
    p_onset = np.full(len(onset), np.nan)
    t_offset = np.full(len(onset), np.nan)
    for i in range(len(onset)):
        p = limits.onset_s[is_p & (limits.onset_s > before[i]) & (limits.onset_s < onset[i])]
        if len(p) and onset[i] - p[-1] <= _LONGEST_PR_S:
            p_onset[i] = p[-1]
        t = limits.offset_s[is_t & (limits.onset_s >= offset[i] - 0.02) & (limits.onset_s < after[i])]
        if len(t):
            t_offset[i] = t[0]
    normal = usual_intervals(at) if is_normal is None else np.asarray(is_normal, bool)
    return Beats(p_onset, onset, offset, t_offset, at, normal)


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


def intervals(beats: Beats) -> tuple[Measurement, ...]:
    """Return rate, PR, QRS, QT and QTc of a recording: medians over its normal beats."""
    normal = beats.is_normal
    rr = normal_intervals(beats)
    pr = (beats.qrs_onset_s - beats.p_onset_s)[normal]
    qt = (beats.t_offset_s - beats.qrs_onset_s)[normal]
    qrs = (beats.qrs_offset_s - beats.qrs_onset_s)[normal]
    found_qt = _median("qt", "QT interval", qt, AHA_QT, "no T wave was found after a complex")
    return (
        rate(beats),
        _pr(pr),
        _median("qrs", "QRS duration", qrs, AHA_CONDUCTION, "no QRS complex was found"),
        found_qt,
        _corrected("qtc_bazett", "QTc, Bazett", found_qt, rr, 1 / 2, "Bazett 1920, Heart 7:353"),
        _corrected(
            "qtc_fridericia", "QTc, Fridericia", found_qt, rr, 1 / 3, "Fridericia 1920, Acta Med Scand 53:469"
        ),
    )


def normal_intervals(beats: Beats) -> Floats:
    """Return the intervals between neighbouring normal beats, seconds."""
    between = np.diff(beats.at_s)
    return between[beats.is_normal[1:] & beats.is_normal[:-1]]


def rr_statistics(beats: Beats) -> tuple[Measurement, ...]:
    """Return SDNN, RMSSD, pNN50 and the axes of the Poincare plot, of intervals between normal beats.

    References
    ----------
    Task Force 1996 for the first three; Brennan et al. 2001, IEEE TBME 48:1342 for SD1 and SD2:
    SD1^2 = var(differences) / 2, SD2^2 = 2 SDNN^2 - SD1^2.
    """
    both = beats.is_normal[1:] & beats.is_normal[:-1]
    between_ms = 1000 * np.diff(beats.at_s)
    nn = between_ms[both]
    changes = np.diff(between_ms)[both[1:] & both[:-1]]
    names = [
        ("mean_nn", "Mean NN interval", "ms", TASK_FORCE),
        ("sdnn", "SDNN", "ms", TASK_FORCE),
        ("rmssd", "RMSSD", "ms", TASK_FORCE),
        ("pnn50", "pNN50", "%", TASK_FORCE),
        ("sd1", "Poincare SD1", "ms", "Brennan et al. 2001, IEEE TBME 48:1342"),
        ("sd2", "Poincare SD2", "ms", "Brennan et al. 2001, IEEE TBME 48:1342"),
    ]
    if len(nn) < _FEWEST_INTERVALS or len(changes) < _FEWEST_INTERVALS - 1:
        reason = f"{len(nn)} intervals between normal beats; at least {_FEWEST_INTERVALS} are needed"
        return tuple(
            Measurement(name=n, title=t, unit=u, source=s, reason=reason, beats=len(nn))
            for n, t, u, s in names
        )
    sdnn = float(np.std(nn, ddof=1))
    sd1 = float(np.std(changes, ddof=1) / np.sqrt(2))
    sd2 = float(np.sqrt(max(2 * sdnn**2 - sd1**2, 0.0)))
    values = (
        float(nn.mean()), sdnn, float(np.sqrt(np.mean(changes**2))),
        float(100 * np.mean(np.abs(changes) > 50)), sd1, sd2,
    )  # fmt: skip
    return tuple(
        Measurement(name=n, title=t, unit=u, source=s, value=value, beats=len(nn))
        for (n, t, u, s), value in zip(names, values, strict=True)
    )


def axis(
    leads: Mapping[str, NDArray[np.float32]], rate_hz: float, beats: Beats, trusted: bool
) -> Measurement:
    """Return the frontal axis of the QRS complex, degrees, from leads I and aVF.

    Parameters
    ----------
    leads : dict of float32 (n,)
        By name; drift taken out, millivolt.
    trusted : bool
        Whether the file states its unit.

    References
    ----------
    Novosel et al. 1999, Croat Med J 40:77: angle = atan2(2 aVF / sqrt(3), I), for augmented leads are
    smaller than bipolar ones. Net height: the highest plus the lowest value of the complex, from its onset.
    """
    told: dict[str, Any] = {
        "name": "qrs_axis", "title": "Frontal QRS axis", "unit": "°",
        "source": "Novosel et al. 1999, Croat Med J 40:77",
    }  # fmt: skip
    by_name = {name.strip().upper().removeprefix("LEAD").strip(): lead for name, lead in leads.items()}
    reason = _why_no_axis(by_name, trusted)
    if reason:
        return Measurement(**told, reason=reason)
    nets = [_net_heights(by_name[name], rate_hz, beats) for name in ("I", "AVF")]
    known = np.isfinite(nets[0]) & np.isfinite(nets[1])
    if known.sum() < _FEWEST_BEATS:
        return Measurement(**told, reason="too few normal beats")
    angles = np.arctan2(2 * nets[1][known] / np.sqrt(3), nets[0][known])
    mean = np.angle(np.exp(1j * angles).mean())
    apart = np.degrees(np.angle(np.exp(1j * (angles - mean))))
    return Measurement(**told, value=float(np.degrees(mean)), spread=_spread(apart), beats=int(known.sum()))


def _why_no_axis(leads: Mapping[str, NDArray[np.float32]], trusted: bool) -> str:
    missing = [name for name in ("I", "AVF") if name not in leads]
    if missing:
        return "needs the leads I and aVF"
    if not trusted:
        return "the file does not state its unit, so that heights may not be true"
    if "II" in leads and "III" in leads:
        # Einthoven 1913: I + III = II at every moment, whatever the heart does.
        second = leads["II"]
        off = leads["I"] + leads["III"] - second
        # Goldberger 1942: aVF is the mean of II and III.
        augmented = leads["AVF"] - (second + leads["III"]) / 2
        if max(_share(off, second), _share(augmented, leads["AVF"])) > _MOST_OFF:
            return "the leads do not add up (I + III is not II): they have gains of their own, or are swapped"
    return ""


def _share(part: NDArray[np.float32], whole: NDArray[np.float32]) -> float:
    return float(np.std(part)) / max(float(np.std(whole)), 1e-9)


def _net_heights(lead: NDArray[np.float32], rate_hz: float, beats: Beats) -> Floats:
    """Return the highest plus the lowest value of each normal complex, counted from its onset."""
    net = np.full(len(beats), np.nan)
    for i in np.flatnonzero(beats.is_normal):
        start, stop = round(beats.qrs_onset_s[i] * rate_hz), round(beats.qrs_offset_s[i] * rate_hz) + 1
        if 0 <= start < stop <= len(lead):
            part = lead[start:stop] - lead[start]
            net[i] = float(part.max() + part.min())
    return net


def rate(beats: Beats) -> Measurement:
    """Return the mean heart rate over all beats; its spread is that of single intervals."""
    told: dict[str, Any] = {
        "name": "rate",
        "title": "Heart rate",
        "unit": "/min",
        "source": "60 s over the mean interval of all beats",
    }
    between = np.diff(beats.at_s)
    if len(between) < 1:
        return Measurement(**told, reason="fewer than two complexes were found")
    each = 60 / between
    return Measurement(**told, value=float(60 / between.mean()), spread=_spread(each), beats=len(beats))


def _pr(pr_s: Floats) -> Measurement:
    told: dict[str, Any] = {"name": "pr", "title": "PR interval", "unit": "ms", "source": AHA_CONDUCTION}
    known = pr_s[np.isfinite(pr_s)]
    if len(known) < _FEWEST_BEATS or len(known) < _LEAST_WITH_P * len(pr_s):
        reason = f"a P wave was found before {len(known)} of {len(pr_s)} complexes"
        return Measurement(**told, reason=reason, beats=len(known))
    spread_ms = 1000 * _spread(known)
    if spread_ms > 1000 * _MOST_PR_SPREAD_S:
        reason = f"it changes from beat to beat (middle half over {spread_ms:.0f} ms)"
        return Measurement(**told, reason=reason, beats=len(known), spread=spread_ms)
    return Measurement(**told, value=1000 * float(np.median(known)), spread=spread_ms, beats=len(known))


def _median(name: str, title: str, values_s: Floats, source: str, why_not: str) -> Measurement:
    known = values_s[np.isfinite(values_s)]
    if len(known) < _FEWEST_BEATS:
        reason = why_not if len(known) == 0 else f"only {len(known)} beat can be measured"
        return Measurement(name=name, title=title, unit="ms", source=source, reason=reason, beats=len(known))
    return Measurement(
        name=name, title=title, unit="ms", source=source, value=1000 * float(np.median(known)),
        spread=1000 * _spread(known), beats=len(known),
    )  # fmt: skip


def _corrected(
    name: str, title: str, qt: Measurement, rr_s: Floats, power: float, source: str
) -> Measurement:
    """Return QT / RR^power with the median QT and the median interval between normal beats."""
    told: dict[str, Any] = {"name": name, "title": title, "unit": "ms", "source": source, "beats": qt.beats}
    if qt.value is None:
        return Measurement(**told, reason=qt.reason)
    if len(rr_s) == 0:
        return Measurement(**told, reason="no interval between two normal beats")
    by = float(np.median(rr_s)) ** power
    return Measurement(**told, value=qt.value / by, spread=None if qt.spread is None else qt.spread / by)


def _spread(values: Floats) -> float:
    low, high = np.percentile(values, [25, 75])
    return float(high - low)


def to_plain(found: Sequence[Measurement]) -> list[dict[str, Any]]:
    """Return measurements as JSON objects."""
    return [
        {
            "name": one.name,
            "title": one.title,
            "value": None if one.value is None else round(one.value, 2),
            "unit": one.unit,
            "spread": None if one.spread is None else round(one.spread, 2),
            "beats": one.beats,
            "source": one.source,
            **({"reason": one.reason} if one.reason else {}),
        }
        for one in found
    ]
