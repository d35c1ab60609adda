"""HL7 Annotated ECG (ANSI/HL7 V3 aECG R1-2004): leads as digits with an origin and a scale.

Implementation guide for aECG R1 (Brown and Badilini 2005), "Sequence sets": the first sequence is the time
(GLIST_PQ or GLIST_TS: head and increment), the others are leads (SLIST_PQ: origin, scale, digits).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload

from .leads import tidy_unit, to_millivolt
from .limits import checked_rate, checked_scale, checked_size
from .recording import Recording, channels_of
from .xml_tree import named, numbers, parsed, root_name

__all__ = ["is_aecg", "read_aecg"]

_WHAT = "HL7 aECG XML"
_LEAD = "MDC_ECG_LEAD_"
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "": 1.0}
#: IEEE 11073-10102 writes augmented leads in capitals.
_NAMES = {"AVR": "aVR", "AVL": "aVL", "AVF": "aVF"}


def is_aecg(data: bytes) -> bool:
    """Say whether bytes begin like an annotated ECG of HL7."""
    return root_name(data) == "AnnotatedECG"


def read_aecg(uploads: Sequence[Upload]) -> Recording:
    """Read the first series of rhythm; derived beats are left out.

    Leads that were recorded one after another keep their times: NaN before and after.

    Raises
    ------
    UnreadableUpload
        The XML is damaged.
    InvalidInput
        It holds no leads, or none of one rate.
    """
    root = parsed(uploads[0].data, _WHAT)
    series = [s for s in named(root, "series") if _code(s) in ("RHYTHM", "")] or list(named(root, "series"))
    if not series:
        raise InvalidInput(
            "expected a series of waveforms in the annotated ECG, got none",
            hint="Export it with its waveforms.",
        )
    sets = [_set(each) for each in _own_sets(series[0])]
    sets = [each for each in sets if each.leads]
    if not sets:
        raise InvalidInput("expected leads in the annotated ECG, got none", hint="Export it again.")
    rates = {each.rate_hz for each in sets}
    if len(rates) > 1:
        raise InvalidInput(
            "expected leads of one rate in the annotated ECG, got several",
            hint="Export the rhythm only, every lead at the same rate.",
        )
    leads = _joined(sets)
    rows = list(leads.values())
    has_gaps = any(np.isnan(row).any() for row in rows)
    return Recording(
        format="HL7 aECG",
        channels=channels_of(list(leads), ["uV"] * len(leads), rates.pop(), rows),
        stored_dtype="text",
        calibration="by the origin and scale of each lead",
        gaps=("leads recorded one after another",) if has_gaps else (),
        facts=tuple(_filters(series[0])),
        time_of_day=f"{sets[0].clock:%H:%M:%S}" if sets[0].clock else "",
    )


class _Set:
    """The sequences of one set: their common start and rate, and each lead in microvolt."""

    def __init__(self, start_s: float, clock: datetime | None, rate_hz: float) -> None:
        self.start_s, self.clock, self.rate_hz = start_s, clock, rate_hz
        self.leads: dict[str, NDArray[np.float32]] = {}


def _code(element: Element) -> str:
    found = next((child for child in element if child.tag.rsplit("}", 1)[-1] == "code"), None)
    return "" if found is None else found.get("code", "")


def _own_sets(series: Element) -> list[Element]:
    """Return the sets of a series itself, not those of beats derived from it."""
    derived = {id(each) for d in named(series, "derivation") for each in named(d, "sequenceSet")}
    return [each for each in named(series, "sequenceSet") if id(each) not in derived]


def _set(element: Element) -> _Set:
    sequences = list(named(element, "sequence"))
    times = [s for s in sequences if _code(s).startswith("TIME_")]
    if not times:
        raise UnreadableUpload(
            "expected a time in each set of the annotated ECG, got none",
            hint="Export it with the time of its samples.",
        )
    found = _time(times[0])
    for sequence in sequences:
        code = _code(sequence)
        if code.startswith(_LEAD):
            short = code.removeprefix(_LEAD)
            found.leads[_NAMES.get(short, short)] = _microvolts(sequence)
            checked_size(max(map(len, found.leads.values())), len(found.leads))
    return found


def _time(sequence: Element) -> _Set:
    """Return start and rate from the head and the increment of a time."""
    head, step = next(named(sequence, "head"), None), next(named(sequence, "increment"), None)
    if step is None:
        raise UnreadableUpload(
            "expected the increment of time in the annotated ECG, got none",
            hint="Export it with the sampling interval of its leads.",
        )
    unit = _SECONDS.get(step.get("unit", ""))
    interval = numbers(step.get("value", ""), "the increment of time")
    if unit is None or len(interval) != 1 or interval[0] <= 0:
        raise UnreadableUpload(
            "expected a time step in s or ms in the annotated ECG, got another unit or number",
            hint="Export it with a time step in seconds or milliseconds.",
        )
    rate_hz = checked_rate(1 / (float(interval[0]) * unit))
    text = "" if head is None else head.get("value", "")
    if _code(sequence) == "TIME_ABSOLUTE":
        clock = _moment(text)
        return _Set(clock.timestamp() if clock else 0.0, clock, rate_hz)
    relative = numbers(text, "the head of time")
    scale = _SECONDS.get("" if head is None else head.get("unit", ""), 1.0)
    return _Set(float(relative[0]) * scale if len(relative) else 0.0, None, rate_hz)


def _moment(text: str) -> datetime | None:
    """Return a moment of HL7: YYYYMMDDHHMMSS[.fff], whatever follows left out."""
    whole, _, part = text.partition(".")
    try:
        moment = datetime.strptime(whole[:14].ljust(14, "0"), "%Y%m%d%H%M%S")
    except ValueError:
        return None
    digits = "".join(c for c in part if c.isdigit())[:6]
    return moment + timedelta(microseconds=int(digits.ljust(6, "0"))) if digits else moment


def _microvolts(sequence: Element) -> NDArray[np.float32]:
    origin, scale = next(named(sequence, "origin"), None), next(named(sequence, "scale"), None)
    digits = next(named(sequence, "digits"), None)
    if scale is None or digits is None:
        raise UnreadableUpload(
            "expected digits with a scale for each lead of the annotated ECG, got none",
            hint="Export each lead as digits, with their scale.",
        )
    values = numbers(digits.text or "", "the digits of a lead")
    factor = checked_scale(_volts(scale), "scale")
    start = _volts(origin) if origin is not None else 0.0
    with np.errstate(over="ignore"):
        found = (start + factor * values).astype(np.float32)
    if np.isinf(found).any():
        raise UnreadableUpload("the annotated ECG holds values that are no voltage", hint="Export it again.")
    return found


def _volts(element: Element) -> float:
    """Return a quantity in microvolt."""
    value = numbers(element.get("value", "0"), "a scale")
    unit = to_millivolt(tidy_unit(element.get("unit", "uV")))
    if unit is None or len(value) != 1:
        raise UnreadableUpload(
            "expected a scale in uV, mV or V in the annotated ECG, got another unit or number",
            hint="Export it in microvolt or millivolt.",
        )
    return float(value[0]) * unit * 1000


def _joined(sets: list[_Set]) -> dict[str, NDArray[np.float32]]:
    """Put leads of several sets on one time axis."""
    if len(sets) == 1 and len({len(v) for v in sets[0].leads.values()}) == 1:
        return sets[0].leads
    first = min(each.start_s for each in sets)
    places = [(each, round((each.start_s - first) * each.rate_hz)) for each in sets]
    length = max(at + max(map(len, each.leads.values())) for each, at in places)
    names = list(dict.fromkeys(name for each in sets for name in each.leads))
    checked_size(length, len(names))
    whole = {name: np.full(length, np.nan, np.float32) for name in names}
    for each, at in places:
        for name, values in each.leads.items():
            whole[name][at : at + len(values)] = values
    return whole


def _filters(series: Element) -> list[tuple[str, str]]:
    """Return the filters of the recorder, by the codes of IEEE 11073-10102."""
    found = []
    for control in named(series, "controlVariable"):
        code = _code(control)
        values = [v for v in named(control, "value") if v.get("value")]
        if code.startswith("MDC_ECG_CTL_VBL_ATTR_FILTER_") and "CUTOFF" not in code and values:
            name = code.removeprefix("MDC_ECG_CTL_VBL_ATTR_FILTER_").lower().replace("_", " ")
            found.append((f"{name} filter", f"{values[0].get('value')} {values[0].get('unit', '')}".strip()))
    return found
