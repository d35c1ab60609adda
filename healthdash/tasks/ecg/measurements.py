"""What a reader measures on an ECG: rate, intervals, axis, and how the intervals between beats vary.

Every figure comes with its unit, the number of beats or intervals that it was taken from, how far these
spread, and the paper that defines it; or with the reason why it cannot be measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .moments import Beats

__all__ = ["Measurement", "intervals", "rate", "rr_statistics", "spread", "to_plain"]

Floats = NDArray[np.float64]
#: Fewer beats say nothing about the usual one; fewer intervals nothing about their variation.
_FEWEST_BEATS, _FEWEST_INTERVALS = 2, 5
#: Share of the complexes that need a P wave before them.
_LEAST_WITH_P = 0.5
#: Where the middle half of the PR intervals spreads further, atria and ventricles beat apart.
_MOST_PR_SPREAD_S = 0.08

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
    def rounded(self) -> float | None:
        """The figure to as many digits as people read."""
        return None if self.value is None else round(self.value, self._decimals)

    @property
    def words(self) -> str:
        """The figure as people read it."""
        if self.value is None:
            return "not measurable"
        return f"{self.value:.{self._decimals}f} {self.unit}"

    @property
    def _decimals(self) -> int:
        return 0 if self.value is None or abs(self.value) >= 10 else 1


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
    return np.asarray(beats.between_s[beats.is_nn])


def rr_statistics(beats: Beats) -> tuple[Measurement, ...]:
    """Return SDNN, RMSSD, pNN50 and the axes of the Poincare plot, of intervals between normal beats.

    References
    ----------
    Task Force 1996 for the first three; Brennan et al. 2001, IEEE TBME 48:1342 for SD1 and SD2:
    SD1^2 = var(differences) / 2, SD2^2 = 2 SDNN^2 - SD1^2.
    """
    both, between_ms = beats.is_nn, 1000 * beats.between_s
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


def rate(beats: Beats) -> Measurement:
    """Return the mean heart rate over all beats; its spread is that of single intervals."""
    told: dict[str, Any] = {
        "name": "rate",
        "title": "Heart rate",
        "unit": "/min",
        "source": "60 s over the mean interval of all beats",
    }
    between = beats.between_s[np.isfinite(beats.between_s)]
    if len(between) < 1:
        return Measurement(**told, reason="fewer than two complexes were found")
    each = 60 / between
    return Measurement(**told, value=float(60 / between.mean()), spread=spread(each), beats=len(beats))


def _pr(pr_s: Floats) -> Measurement:
    told: dict[str, Any] = {"name": "pr", "title": "PR interval", "unit": "ms", "source": AHA_CONDUCTION}
    known = pr_s[np.isfinite(pr_s)]
    if len(known) < _FEWEST_BEATS or len(known) < _LEAST_WITH_P * len(pr_s):
        reason = f"a P wave was found before {len(known)} of {len(pr_s)} complexes"
        return Measurement(**told, reason=reason, beats=len(known))
    spread_ms = 1000 * spread(known)
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
        spread=1000 * spread(known), beats=len(known),
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


def spread(values: Floats) -> float:
    """Return the width of the middle half of the values."""
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
