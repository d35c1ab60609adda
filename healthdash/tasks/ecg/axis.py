"""The frontal axis of the QRS complex, where the heights of leads can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .measurements import Measurement, spread
from .moments import Beats

__all__ = ["axis"]

Floats = NDArray[np.float64]
_FEWEST_BEATS = 2
#: Leads that follow from each other may differ by this share of their size: noise, but no other gain.
_MOST_OFF = 0.1


def axis(
    leads: Mapping[str, NDArray[np.float32]], rate_hz: float, beats: Beats, trusted: bool
) -> Measurement:
    """Return the frontal axis of the QRS complex, degrees, from leads I and aVF.

    Parameters
    ----------
    leads : dict of float32 (n,)
        By `signals.leads.plain_name`; drift taken out, millivolt; NaN where a lead has no signal.
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
    reason = _why_no_axis(leads, trusted)
    if reason:
        return Measurement(**told, reason=reason)
    nets = [_net_heights(leads[name], rate_hz, beats) for name in ("I", "AVF")]
    known = np.isfinite(nets[0]) & np.isfinite(nets[1])
    if known.sum() < _FEWEST_BEATS:
        return Measurement(**told, reason="too few normal beats that I and aVF both show")
    angles = np.arctan2(2 * nets[1][known] / np.sqrt(3), nets[0][known])
    mean = np.angle(np.exp(1j * angles).mean())
    apart = np.degrees(np.angle(np.exp(1j * (angles - mean))))
    return Measurement(**told, value=float(np.degrees(mean)), spread=spread(apart), beats=int(known.sum()))


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


def _share(part: NDArray[np.floating[Any]], whole: NDArray[np.floating[Any]]) -> float:
    known = np.isfinite(part)
    if not known.any():
        return 0.0
    return float(np.std(part[known])) / max(float(np.std(whole[known])), 1e-9)


def _net_heights(lead: NDArray[np.float32], rate_hz: float, beats: Beats) -> Floats:
    """Return the highest plus the lowest value of each normal complex, counted from its onset."""
    net = np.full(len(beats), np.nan)
    for i in np.flatnonzero(beats.is_normal):
        start, stop = round(beats.qrs_onset_s[i] * rate_hz), round(beats.qrs_offset_s[i] * rate_hz) + 1
        if 0 <= start < stop <= len(lead):
            part = lead[start:stop] - lead[start]
            net[i] = float(part.max() + part.min())
    return net
