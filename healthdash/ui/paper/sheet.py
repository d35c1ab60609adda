"""Where everything lies on a sheet of ECG paper, in millimetres; the browser only draws it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.signals.decimate import min_max
from healthdash.signals.filters import bridged, filtered
from healthdash.signals.leads import STANDARD, plain_name
from healthdash.signals.simplify import simplified
from healthdash.ui.palette import Paper
from healthdash.views import Trace

from .lines import Numbers, path, unbroken
from .strip import strip

__all__ = ["GRID", "GRID_S", "MOST_POINTS", "UNITS", "Choice", "of", "places"]

#: Points sent for one sheet at most, over all leads and the strip of the whole recording.
MOST_POINTS = 5000
#: Of one lane before it is simplified; what is left out then is thinner than half the line that is drawn.
_LANE_POINTS, _TOLERANCE_MM = 4000, 0.06
_MARKED = 300
#: AHA/ACC/HRS 2007 (Kligfield et al., Circulation 115:1306): four columns of three leads, and a rhythm strip.
GRID = (("I", "AVR", "V1", "V4"), ("II", "AVL", "V2", "V5"), ("III", "AVF", "V3", "V6"))
_RHYTHM = "II"
#: As readers write it, where a file says "avr" or "ECG V1".
_AS_WRITTEN = {name.upper(): name for name in STANDARD}
GRID_S = 10.0
#: Leads in a row where each shows the same moments.
_BESIDE = 4
#: Room for the calibration pulse (1 mV for 0.2 s) and at the edges, mm; below stand the seconds and, at the
#: left, where it is in sight on every screen, the scale.
_LEFT, _RIGHT, _TOP, _BOTTOM = 12.0, 2.0, 5.0, 8.0
_PULSE_S = 0.2
#: Height of a lane over and under its middle, mV.
_LEAST_MV, _MOST_MV = 0.75, 2.5
#: Units that paper can hold, in millivolt.
UNITS = {"mV": 1.0, "uV": 0.001, "µV": 0.001, "V": 1000.0}


@dataclass(frozen=True, slots=True)
class Choice:
    """How a reader wants the paper.

    Attributes
    ----------
    layout : str
        "stacked": one lead under another; "grid": 3 x 4 and a rhythm strip; "beside": four in a row, all of
        the same moments.
    filters : tuple of str
        Of `signals.filters.FILTERS`.
    """

    layout: str = "stacked"
    mm_per_s: float = 25.0
    mm_per_mv: float = 10.0
    filters: tuple[str, ...] = ()
    waves: bool = True


@dataclass(frozen=True, slots=True)
class _Lane:
    """One lead's place: its stretch of time, where that begins on the sheet, and the height of its middle."""

    lead: int
    start_s: float
    stop_s: float
    x: float
    y: float


def places(leads: Sequence[str]) -> list[list[int]] | None:
    """Return the lead numbers of the 3 x 4 sheet, row by row; None where one of the twelve is missing."""
    names = [plain_name(name) for name in leads]
    if not all(name in names for row in GRID for name in row):
        return None
    return [[names.index(name) for name in row] for row in GRID]


def of(view: Trace, start_s: float, length_s: float, choice: Choice, paper: Paper) -> dict[str, Any]:
    """Return a sheet as JSON, lengths in millimetres.

    Parameters
    ----------
    start_s, length_s : float, second
        The stretch, counted from the first sample of the view. The 3 x 4 sheet takes ten seconds.
    """
    first, signal = _stretch(view, start_s, length_s, choice)
    half = _half_mv(signal)
    lanes = list(_lanes(view, start_s, length_s, choice, half))
    width = max(lane.x + (lane.stop_s - lane.start_s) * choice.mm_per_s for lane in lanes) + _RIGHT
    height = max(lane.y for lane in lanes) + half * choice.mm_per_mv + _BOTTOM
    below = strip(view, start_s, length_s)
    budget = MOST_POINTS - (below["points"] if below else 0)
    return {
        "width": round(width, 2),
        "height": round(height, 2),
        "mmPerS": choice.mm_per_s,
        "mmPerMv": choice.mm_per_mv,
        "left": _LEFT,
        "startS": view.start_s + start_s,
        "paper": asdict(paper),
        "label": f"{view.title or 'Recording'}, {view.start_s + start_s:.1f} to "
        f"{view.start_s + start_s + length_s:.1f} s, {choice.mm_per_s:g} mm/s, {choice.mm_per_mv:g} mm/mV",
        "scale": f"{choice.mm_per_s:g} mm/s, {choice.mm_per_mv:g} mm/mV, "
        + (", ".join(choice.filters) or "no filter"),
        "lanes": _drawn(view, lanes, first, signal, choice, half, budget),
        "pulses": _pulses(lanes, choice),
        "spans": list(_spans(view, lanes, choice, half)) if choice.waves else [],
        "marks": list(_marks(view, start_s, length_s, choice)),
        "seconds": _seconds(view, start_s, length_s, choice),
        "strip": below,
    }


def _stretch(view: Trace, start_s: float, length_s: float, choice: Choice) -> tuple[int, NDArray[np.float32]]:
    """Return the number of the first sample and the stretch in mV, filters begun five seconds before.

    What was not recorded stays NaN: on paper it is no line, and not a flat one.
    """
    rate, factor = view.rate_hz, np.float32(UNITS.get(view.unit, 1.0))
    first = max(0, round(start_s * rate))
    last = min(len(view.signal), first + max(2, round(length_s * rate) + 1))
    if not choice.filters:
        return first, view.signal[first:last] * factor
    before, after = max(0, first - round(5 * rate)), min(len(view.signal), last + round(5 * rate))
    given = view.signal[before:after] * factor
    part = np.where(np.isnan(given), np.nan, filtered(bridged(given), rate, choice.filters))
    return first, part[first - before : last - before].astype(np.float32)


def _half_mv(signal: NDArray[np.float32]) -> float:
    """Return half the height of a lane, mV: what the stretch needs, in steps of a quarter."""
    if not signal.size:
        return _LEAST_MV
    away = np.nan_to_num(np.abs(signal - _middle(signal)))
    spread = float(np.percentile(away.max(axis=0), 90))
    return float(np.clip(np.ceil(spread * 1.1 * 4) / 4, _LEAST_MV, _MOST_MV))


def _middle(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median of each lead, 0 where it holds no value."""
    known = np.isfinite(signal).any(axis=0)
    middle = np.zeros(signal.shape[1], np.float32)
    middle[known] = np.nanmedian(signal[:, known], axis=0)
    return middle


def _lanes(view: Trace, start_s: float, length_s: float, choice: Choice, half: float) -> Iterator[_Lane]:
    pitch = 2 * half * choice.mm_per_mv
    top = _TOP + pitch / 2
    if choice.layout == "beside":
        for lead in range(len(view.leads)):
            row, column = divmod(lead, _BESIDE)
            x = _LEFT + column * length_s * choice.mm_per_s
            yield _Lane(lead, start_s, start_s + length_s, x, top + row * pitch)
        return
    rows = places(view.leads) if choice.layout == "grid" else None
    if rows is None:
        for lead in range(len(view.leads)):
            yield _Lane(lead, start_s, start_s + length_s, _LEFT, top + lead * pitch)
        return
    column_s = length_s / len(rows[0])
    for number, leads in enumerate(rows):
        for column, lead in enumerate(leads):
            begin = start_s + column * column_s
            x = _LEFT + column * column_s * choice.mm_per_s
            yield _Lane(lead, begin, begin + column_s, x, top + number * pitch)
    rhythm = [plain_name(name) for name in view.leads].index(_RHYTHM)
    yield _Lane(rhythm, start_s, start_s + length_s, _LEFT, top + len(rows) * pitch)


def _drawn(
    view: Trace,
    lanes: Sequence[_Lane],
    first: int,
    signal: NDArray[np.float32],
    choice: Choice,
    half: float,
    budget: int,
) -> list[dict[str, Any]]:
    """Return every lane with its line as an SVG path, each lead about the middle of its values."""
    middle = _middle(signal)
    lines: list[tuple[Numbers, Numbers]] = []
    owners: list[int] = []
    for number, lane in enumerate(lanes):
        start, stop = (max(0, round(at * view.rate_hz) - first) for at in (lane.start_s, lane.stop_s))
        kept, values = min_max(signal[start : stop + 1, lane.lead], _LANE_POINTS)
        seconds = (first + start + kept) / view.rate_hz - lane.start_s
        y = lane.y - (values.astype(np.float64) - middle[lane.lead]) * choice.mm_per_mv
        whole = unbroken(lane.x + seconds * choice.mm_per_s, y)
        lines += whole
        owners += [number] * len(whole)
    kept_of = simplified(lines, budget, _TOLERANCE_MM)
    parts = [(x[kept], y[kept]) for (x, y), kept in zip(lines, kept_of, strict=True)]
    of_lane = [[part for part, own in zip(parts, owners, strict=True) if own == n] for n in range(len(lanes))]
    return [
        {
            "name": _AS_WRITTEN.get(plain_name(view.leads[lane.lead]), view.leads[lane.lead]),
            "flag": view.flags[lane.lead] if view.flags else "",
            "x": round(lane.x, 2),
            "y": round(lane.y, 2),
            "top": round(lane.y - half * choice.mm_per_mv, 2),
            "points": sum(len(x) for x, _ in drawn),
            "path": "".join(path(x, y) for x, y in drawn),
        }
        for lane, drawn in zip(lanes, of_lane, strict=True)
    ]


def _pulses(lanes: Sequence[_Lane], choice: Choice) -> list[str]:
    """Return 1 mV for 0.2 s before each row, as a recorder draws it."""
    wide, high = _PULSE_S * choice.mm_per_s, choice.mm_per_mv
    foot = max(0.5, (_LEFT - 1 - wide) / 2)
    paths = []
    for y in dict.fromkeys(lane.y for lane in lanes):
        x = np.array([0.5, 0.5 + foot, 0.5 + foot, 0.5 + foot + wide, 0.5 + foot + wide, _LEFT - 0.5])
        paths.append(path(np.maximum.accumulate(x), y + np.array([0, 0, -high, -high, 0, 0])))
    return paths


def _spans(view: Trace, lanes: Sequence[_Lane], choice: Choice, half: float) -> Iterator[dict[str, Any]]:
    """Yield the waves of each lane; those of one lead that go over the lane's end are cut there."""
    for lane in lanes:
        for span in view.spans:
            if span.lead != lane.lead:
                continue
            inside = np.flatnonzero((span.stop_s > lane.start_s) & (span.start_s < lane.stop_s))
            for i in inside[:_MARKED].tolist():
                start = max(float(span.start_s[i]), lane.start_s)
                stop = min(float(span.stop_s[i]), lane.stop_s)
                yield {
                    "x": round(lane.x + (start - lane.start_s) * choice.mm_per_s, 2),
                    "width": round((stop - start) * choice.mm_per_s, 2),
                    "y": round(lane.y - half * choice.mm_per_mv, 2),
                    "height": round(2 * half * choice.mm_per_mv, 2),
                    "color": span.color,
                    "label": span.label,
                    "title": f"{span.label}, {1000 * float(span.stop_s[i] - span.start_s[i]):.0f} ms",
                }


def _marks(view: Trace, start_s: float, length_s: float, choice: Choice) -> Iterator[dict[str, Any]]:
    """Yield each beat's letter above the sheet."""
    first, last = start_s * view.rate_hz, (start_s + length_s) * view.rate_hz
    for marker in view.markers:
        inside = marker.samples[(marker.samples >= first) & (marker.samples < last)]
        for sample in inside[:_MARKED].tolist():
            yield {
                "x": round(_LEFT + (sample / view.rate_hz - start_s) * choice.mm_per_s, 2),
                "label": marker.label,
                "color": marker.color,
                "title": marker.description or marker.label,
            }


def _seconds(view: Trace, start_s: float, length_s: float, choice: Choice) -> list[dict[str, Any]]:
    if choice.layout == "beside":
        return []
    whole = np.arange(np.ceil(view.start_s + start_s), np.floor(view.start_s + start_s + length_s) + 1)
    return [
        {"x": round(_LEFT + (s - view.start_s - start_s) * choice.mm_per_s, 2), "label": f"{s:g}"}
        for s in whole.tolist()
    ]
