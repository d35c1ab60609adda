"""What is seen of a delineated recording: its waves, measurements, and one window's reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.explain.players import Players
from healthdash.signals.leads import plain_name
from healthdash.task import Arrays, Attribution, Report
from healthdash.views import ClassBars, Grid, Metric, Metrics, Notice, Sections, Span, Trace, View

from ..axis import axis
from ..measurements import Measurement, intervals, rr_statistics, to_plain
from ..moments import Beats, aligned_where_heard_s, beats_of
from ..rhythm_views import rhythm_views
from ..sample import EcgSample
from ..views import measurement_table, median_beats, trace_of
from .condition import CONFIG, INPUT, filtered
from .delineate import Delineation, Found, as_plain, delineate, delineated_leads, delineator_of
from .limits import LABELS

if TYPE_CHECKING:
    from healthdash.bundles import Bundle

__all__ = ["COLORS", "attributions", "figures", "measured", "plain", "sections", "stretches"]

#: Told apart by colour-blind readers too (Okabe & Ito 2008).
COLORS = {"P": "#009e73", "QRS": "#0072b2", "T": "#d55e00"}
#: Measurements that stand in one line a recording, by what their column is called beside the unit.
_IN_A_LINE = {
    "rate": "heart rate",
    "pr": "PR",
    "qrs": "QRS",
    "qt": "QT",
    "qtc_bazett": "QTc Bazett",
    "qtc_fridericia": "QTc Fridericia",
}
_STRETCHES = 8
_MOST_ROWS = 2000


def delineation_of(sample: EcgSample, bundle: Bundle) -> Delineation:
    """Return the waves of a recording, found once for each model."""
    kept = sample.delineations
    if bundle.info.sha256 not in kept:
        kept[bundle.info.sha256] = delineate(sample, delineator_of(bundle), bundle.info.preprocessing)
    found: Delineation = kept[bundle.info.sha256]
    return found


def beats_in(sample: EcgSample, found: Delineation) -> Beats:
    """Return the complexes of all leads together, their moments by the shape in the model's first lead."""
    limits = found.together.limits
    is_qrs = limits.kind == LABELS.index("QRS")
    middle = (limits.onset_s[is_qrs] + limits.offset_s[is_qrs]) / 2
    numbers = _aligning(sample)
    leads = filtered(sample.signal_mv[:, numbers], sample.rate_hz, CONFIG)
    is_heard = sample.heard(CONFIG["rate_hz"])[:, numbers]
    at_s = aligned_where_heard_s(leads, is_heard, CONFIG["rate_hz"], middle)
    used = [i for i in delineated_leads(sample) if sample.leads[i] not in found.left_out]
    return beats_of(limits, at_s=at_s, gaps_s=sample.silent_s(used))


def _aligning(sample: EcgSample) -> list[int]:
    """Return the lead whose shape tells the moments; before the others, where it is lost for a time."""
    first, *_ = sample.model_leads
    if all(lead != first for lead, _, _ in sample.lead_losses):
        return [first]
    return [first, *sorted(set(range(len(sample.leads))) - {first}, key=lambda i: -sample.clarities[i])]


def measured(sample: EcgSample, beats: Beats, found: Delineation) -> tuple[Measurement, ...]:
    """Return what is measured on the waves of all leads together."""
    wanted = [i for i, name in enumerate(sample.leads) if plain_name(name) in ("I", "II", "III", "AVF")]
    leads: dict[str, NDArray[np.float32]] = {}
    if len(found.leads) > 1 and len(wanted) > 1:
        heights = filtered(sample.signal_mv[:, wanted], sample.rate_hz, CONFIG)
        heights[~sample.heard(CONFIG["rate_hz"])[:, wanted]] = np.nan
        leads = {plain_name(sample.leads[i]): heights[:, n] for n, i in enumerate(wanted)}
    return (
        *intervals(beats),
        axis(leads, CONFIG["rate_hz"], beats, sample.unit_stated),
        *rr_statistics(beats),
    )


def plain(report: Report, bundle: Bundle) -> dict[str, Any]:
    """Return waves and measurements as JSON values."""
    assert isinstance(report.sample, EcgSample)
    found = delineation_of(report.sample, bundle)
    by_lead = [
        wave for lead, one in zip(found.leads, found.found, strict=True) for wave in as_plain(one, lead)
    ]
    together = as_plain(found.together, "all") if len(found.leads) > 1 else []
    return {
        "waves": sorted(by_lead, key=lambda wave: (found.leads.index(wave["lead"]), wave["onset_s"])),
        "waves_of_all_leads": together,
        "leads_left_out": list(found.left_out),
        "measurements": to_plain(measured(report.sample, beats_in(report.sample, found), found)),
    }


def figures(report: Report, bundle: Bundle) -> dict[str, float | None]:
    """Return what a reader wants of a recording in one line, of all leads together."""
    assert isinstance(report.sample, EcgSample)
    found = delineation_of(report.sample, bundle)
    beats = beats_in(report.sample, found)
    taken = {one.name: one for one in measured(report.sample, beats, found)}
    kinds = found.together.limits.kind
    waves = {f"{wave} waves": int((kinds == LABELS.index(wave)).sum()) for wave in ("P", "T")}
    told = {f"{title}, {taken[name].unit}": taken[name].rounded for name, title in _IN_A_LINE.items()}
    return {**told, "beats": len(beats), **waves}


def sections(report: Report, bundle: Bundle, item: int) -> Sections:
    """Return the trace with its waves, the measurements, and one window's output and reasons."""
    assert isinstance(report.sample, EcgSample)
    sample = report.sample
    found = delineation_of(sample, bundle)
    notices = [Notice(level="info", text=text) for text in (*sample.notices, *_told(sample, found))]
    beats = beats_in(sample, found)
    figures = measured(sample, beats, found)
    return Sections(
        input=(*notices, trace_of(sample, spans=_spans(sample, found))),
        result=(
            _summary(figures),
            measurement_table(figures),
            *rhythm_views(sample, beats),
            *median_beats(sample, beats),
            _window(report, bundle, item),
            _waves(found),
        ),
        explanation=_reasons(report, bundle.info.preprocessing),
    )


def _told(sample: EcgSample, found: Delineation) -> list[str]:
    told = []
    if len(found.leads) < len(sample.leads):
        told.append(f"The recording is longer than ten minutes: waves are sought in {found.leads[0]} only.")
    if found.left_out:
        told.append(
            f"Left out of the measurements, for no complexes are seen there: {', '.join(found.left_out)}."
        )
    return told


def _spans(sample: EcgSample, found: Delineation) -> tuple[Span, ...]:
    """Return the waves of each lead as coloured stretches."""
    return tuple(
        Span(
            label=LABELS[number],
            color=COLORS[LABELS[number]],
            start_s=one.limits.onset_s[one.limits.kind == number],
            stop_s=one.limits.offset_s[one.limits.kind == number],
            lead=sample.leads.index(lead),
        )
        for lead, one in zip(found.leads, found.found, strict=True)
        for number in (1, 2, 3)
    )


def _summary(figures: Sequence[Measurement]) -> Metrics:
    shown = [
        one
        for one in figures
        if one.name in ("rate", "pr", "qrs", "qt", "qtc_bazett", "qtc_fridericia", "qrs_axis")
    ]
    return Metrics(
        title="Measurements",
        items=tuple(
            Metric(label=one.title, value=one.words, help=one.reason or f"{one.beats} beats; {one.source}")
            for one in shown
        ),
        caption="Medians over the beats that do not come early, of all leads together. Model output, not a "
        "diagnosis.",
    )


def _window(report: Report, bundle: Bundle, item: int) -> ClassBars:
    assert report.prediction is not None
    assert isinstance(report.sample, EcgSample)
    config = bundle.info.preprocessing
    at_s = report.prediction.items[item] / report.sample.rate_hz
    core_s = config["core"] / config["rate_hz"]
    return ClassBars(
        title=f"Window {item + 1}: {at_s:.2f} to {at_s + core_s:.2f} s of {_lead(report)}",
        caption="Share of these two seconds that lies in each wave.",
        labels=report.prediction.labels,
        probabilities=tuple(report.prediction.probabilities(item).values()),
        predicted=report.prediction.label(item),
    )


def _lead(report: Report) -> str:
    assert isinstance(report.sample, EcgSample)
    return report.sample.leads[report.sample.model_leads[0]]


def _waves(found: Delineation) -> Grid:
    rows = [
        wave for lead, one in zip(_names(found), _founds(found), strict=True) for wave in as_plain(one, lead)
    ]
    cut = f"The first {_MOST_ROWS:,} of {len(rows):,}." if len(rows) > _MOST_ROWS else ""
    columns = ["wave", "lead", "onset_s", "peak_s", "offset_s", "probability"]
    frame = pd.DataFrame(rows[:_MOST_ROWS], columns=columns)
    return Grid(title="Every wave", folded=True, caption=cut, frame=frame, percent=("probability",))


def _names(found: Delineation) -> list[str]:
    return [*(["all leads"] if len(found.leads) > 1 else []), *found.leads]


def _founds(found: Delineation) -> list[Found]:
    return [*([found.together] if len(found.leads) > 1 else []), *found.found]


def stretches(inputs: Arrays, config: Mapping[str, Any]) -> Players:
    """Return stretches of equal length of the window, named by their seconds."""
    samples = inputs[INPUT].shape[1]
    owner = np.minimum(np.arange(samples) * _STRETCHES // samples, _STRETCHES - 1).astype(np.intp)
    return Players(_stretch_names(config), {INPUT: owner[:, None]}, "stretches of the window")


def _stretch_names(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Name stretches by where they lie from the beginning of the window's middle part."""
    length_s = config["samples"] / config["rate_hz"]
    margin_s = (config["samples"] - config["core"]) / 2 / config["rate_hz"]
    edges = np.linspace(0, length_s, _STRETCHES + 1) - margin_s
    return tuple(f"{a:+.2f} to {b:+.2f} s" for a, b in pairwise(edges))


def attributions(report: Report) -> list[Attribution]:
    """Return the explanation by stretch; shares sum to that of all samples."""
    if report.explanation is None or report.inputs is None:
        return []
    found = report.explanation
    if found.players is not None and found.shares is not None:
        pairs = zip(found.players.names, found.shares, strict=True)
        return [Attribution(name, None, float(share)) for name, share in pairs]
    shares = found.values[INPUT][:, 0]
    parts = np.array_split(np.arange(len(shares)), _STRETCHES)
    names = _stretch_names(CONFIG)
    return [
        Attribution(name, None, float(shares[part].sum(dtype=np.float64)))
        for name, part in zip(names, parts, strict=True)
    ]


def _reasons(report: Report, config: Mapping[str, Any]) -> tuple[View, ...]:
    if report.explanation is None or report.inputs is None or report.prediction is None:
        return ()
    assert isinstance(report.sample, EcgSample)
    item = report.explained_item
    at_s = report.prediction.items[item] / report.sample.rate_hz
    margin_s = (config["samples"] - config["core"]) / 2 / config["rate_hz"]
    return (
        Trace(
            title="Along the trace",
            caption=f"The window as the network sees it. The output is about its middle, {at_s:.2f} s to "
            f"{at_s + config['core'] / config['rate_hz']:.2f} s. It shows where the model looked.",
            signal=np.ascontiguousarray(report.inputs[INPUT][item], np.float32),
            rate_hz=float(config["rate_hz"]),
            leads=(_lead(report),),
            unit="of the lead's usual height",
            attribution=report.explanation.values[INPUT].astype(np.float32),
            attribution_label=f"Share in the output for {report.explanation.target}",
            start_s=float(at_s - margin_s),
            paper=False,
        ),
    )
