"""Whether a recording is an ECG that the model may see, and why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from healthdash.task import Gate

from .prepare import CONFIG, set_aside, working_leads
from .sample import EcgSample, lead_kind

__all__ = ["GATE", "gate"]

#: Constants of the gate; a bundle stores them.
GATE: dict[str, Any] = {
    "shortest_s": 5.0,
    "short_s": 30.0,
    # QRS complexes of surface leads are 0.1 to 5 mV from peak to peak (Kligfield 2007, Circulation 115:1306).
    "smallest_mv": 0.03,
    "largest_mv": 20.0,
    "lowest_bpm": 20.0,
    "highest_bpm": 300.0,
    # Measured: the 22 training recordings stand out 10.9-fold and more in their first lead, and 75 % of
    # their beats and more are alike; EEG at most 4.4-fold with 18 %, noise and sines at most 2-fold.
    "least_clarity": 2.1,
    "usual_clarity": 4.5,
    "least_likeness": 0.3,
    "usual_likeness": 0.5,
    "most_gaps": 0.2,
    "slowest_hz": 90.0,
}
_HINT = "Upload a surface ECG of at least half a minute, in millivolt, with its sampling rate."


def gate(sample: EcgSample, constants: Mapping[str, Any]) -> Gate:
    """Refuse what is no ECG or cannot be judged; warn of what is doubtful."""
    c = GATE | dict(constants)
    refuse = [*_wrong_signal(sample), *_wrong_length(sample, c)] or _wrong_values(sample, c)
    if refuse:
        return Gate.of(refuse=refuse, hint=_HINT)
    refuse, warn = _beats(sample, c)
    warn = [*warn, *_doubts(sample, c)]
    return Gate.of(refuse=refuse, warn=warn, hint=_HINT if refuse or warn else "")


def _wrong_signal(sample: EcgSample) -> list[str]:
    if all(lead_kind(lead) == "other" for lead in sample.leads):
        return [
            "Expected ECG leads; by their names the channels are another signal, such as EEG or pressure."
        ]
    return []


def _wrong_length(sample: EcgSample, c: Mapping[str, Any]) -> list[str]:
    if sample.duration_s < c["shortest_s"]:
        return [f"Expected at least {c['shortest_s']:g} s of ECG, got {sample.duration_s:.1f} s."]
    return []


def _wrong_values(sample: EcgSample, c: Mapping[str, Any]) -> list[str]:
    height = _height_mv(sample)
    if height == 0:
        return ["The signal is flat: no lead changes."]
    if height < c["smallest_mv"]:
        return [
            f"Expected waves of at least {c['smallest_mv']:g} mV, the largest have {height:.2g} mV: "
            "the signal is flat, or in another unit than stated."
        ]
    if height > c["largest_mv"]:
        return [
            f"Expected waves of at most {c['largest_mv']:g} mV, got {height:.4g} mV: "
            "the values are probably microvolts or raw converter steps. State the unit."
        ]
    return []


def _height_mv(sample: EcgSample) -> float:
    """Return the height from peak to peak of the higher lead that the model sees, drift taken out, mV."""
    working = working_leads(sample, CONFIG)
    half, center = round(300 * CONFIG["working_hz"]), len(working) // 2  # ten minutes say enough of a day
    part = working[max(0, center - half) : center + half]
    low, high = np.percentile(part, [0.3, 99.7], axis=0)
    return float((high - low).max())


def _beats(sample: EcgSample, c: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return reasons to refuse and to warn that the beats give."""
    n = len(sample.beats)
    per_minute = 60 * n / sample.known_s if sample.known_s > 0 else 0.0
    if n < 3 or per_minute < c["lowest_bpm"] / 2:
        return [f"No heartbeat can be found: {n} complexes in {sample.duration_s:.0f} s."], []
    best = max(sample.clarities[i] for i in sample.model_leads)
    alike = likeness(sample)
    measured = f"complexes stand out {best:.1f}-fold, {alike:.0%} of them are alike"
    poor = best < c["usual_clarity"] and alike < c["usual_likeness"]
    if poor or best < c["least_clarity"] or alike < c["least_likeness"]:
        return [f"The signal does not look like an ECG: {measured}."], []
    if best < c["usual_clarity"] or alike < c["usual_likeness"]:
        return [], [f"The signal is disturbed or unusual for an ECG: {measured}."]
    if not c["lowest_bpm"] <= per_minute <= c["highest_bpm"]:
        return [], [f"A heart rate of {per_minute:.0f} a minute is unusual: check the sampling rate."]
    return [], []


def likeness(sample: EcgSample) -> float:
    """Return the share of beats whose complex resembles that of many others, in the first lead used."""
    rate = CONFIG["working_hz"]
    working = working_leads(sample, CONFIG)[:, 0]
    at = np.rint(sample.beats * (rate / sample.rate_hz)).astype(np.int64)
    step = max(1, len(at) // 400)
    reach = round(0.1 * rate)
    at = np.clip(at[::step], reach, max(reach, len(working) - reach - 1))
    cut = working[at[:, None] + np.arange(-reach, reach + 1)]
    cut = cut - cut.mean(axis=1, keepdims=True)
    cut /= np.maximum(np.linalg.norm(cut, axis=1, keepdims=True), 1e-9)
    near = (cut @ cut.T > 0.8).mean(axis=1)
    return float((near > min(0.08 + 1 / len(at), 0.5)).mean())


def _doubts(sample: EcgSample, c: Mapping[str, Any]) -> Sequence[str]:
    found = []
    if sample.duration_s < c["short_s"]:
        found.append(f"Only {sample.duration_s:.0f} s: the usual beat and rhythm are known poorly.")
    if not sample.unit_stated:
        found.append("The unit of the signal is not stated; it was assumed, and the heights may be wrong.")
    aside = set_aside(sample)
    if aside is not None:
        found.append(
            f"Complexes hardly stand out in lead {sample.leads[aside]} ({sample.clarities[aside]:.1f}-fold): "
            f"{sample.leads[sample.model_leads[0]]} takes its place."
        )
    if sample.gap_share > c["most_gaps"]:
        found.append(f"{sample.gap_share:.0%} of the signal are missing.")
    if sample.rate_hz < c["slowest_hz"]:
        found.append(f"At {sample.rate_hz:g} Hz the shape of the QRS complex is coarse.")
    return found
