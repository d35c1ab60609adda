"""What people see of an ECG: the trace with its beats, counts, probabilities, and reasons along the trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.task import Attribution, Prediction, Report
from healthdash.views import (
    ClassBars,
    Grid,
    Marker,
    Metric,
    Metrics,
    Notice,
    Sections,
    Span,
    Trace,
    View,
    Waterfall,
)

from .alike import ALIKE
from .measurements import Measurement
from .moments import Beats
from .players import PARTS_S
from .prepare import INTERVALS, P_WAVES, RHYTHM, SHAPES
from .rhythm_views import labelled_beats, rhythm_figures, rhythm_views
from .sample import EcgSample

if TYPE_CHECKING:
    from healthdash.bundles import Bundle

__all__ = ["COLORS", "attributions", "measurement_table", "median_beats", "sections", "shown", "trace_of"]

#: Colours of the labels, told apart by colour-blind readers too (Okabe & Ito 2008).
COLORS = {"N": "#6b7280", "S": "#0072b2", "V": "#d55e00", "F": "#cc79a7", "Q": "#009e73"}
_MOST_ROWS = 2000
#: Of the median beat: seconds before and after the complex, most and fewest beats.
_MEDIAN_S = (0.35, 0.55)
_MOST_MEDIAN, _FEWEST_MEDIAN = 400, 2


def shown(sample: EcgSample) -> tuple[View, ...]:
    """Return the recording on ECG paper, and what the reader found."""
    notices = tuple(Notice(level="info", text=text) for text in sample.notices)
    return (*notices, trace_of(sample))


def sections(report: Report, bundle: Bundle, labels: Mapping[str, str], item: int) -> Sections:
    """Return the trace with beats, the summary, and one beat's probabilities and reasons."""
    assert isinstance(report.sample, EcgSample)
    assert report.prediction is not None
    sample, prediction = report.sample, report.prediction
    notices = tuple(Notice(level="info", text=text) for text in sample.notices)
    beats = labelled_beats(sample, prediction)
    return Sections(
        input=(*notices, trace_of(sample, _markers(prediction, labels))),
        result=(
            _summary(sample, prediction, labels),
            _bars(sample, prediction, bundle, item),
            _table(sample, prediction),
            measurement_table(rhythm_figures(beats)),
            *rhythm_views(sample, beats),
            *median_beats(sample, beats),
        ),
        explanation=_reasons(report, bundle.info.preprocessing),
    )


def trace_of(sample: EcgSample, markers: tuple[Marker, ...] = (), spans: tuple[Span, ...] = ()) -> Trace:
    """Return the recording on ECG paper, with beats and waves marked and poor leads flagged."""
    return Trace(
        title="The recording",
        caption=f"{sample.format}, {sample.rate_hz:g} Hz, {sample.duration_s:,.0f} s.",
        signal=sample.drawn_mv,
        rate_hz=sample.rate_hz,
        leads=sample.leads,
        markers=markers,
        spans=spans,
        flags=sample.flags,
    )


def median_beats(sample: EcgSample, beats: Beats) -> tuple[Trace, ...]:
    """Return the median of the normal beats of each lead; nothing where there are fewer than two."""
    at = np.rint(beats.at_s[beats.is_normal] * sample.rate_hz).astype(np.int64)
    before, after = (round(seconds * sample.rate_hz) for seconds in _MEDIAN_S)
    at = at[(at >= before) & (at + after <= len(sample.signal_mv))]
    at = at[:: max(1, -(-len(at) // _MOST_MEDIAN))]
    if len(at) < _FEWEST_MEDIAN:
        return ()
    cut = sample.drawn_mv[at[:, None] + np.arange(-before, after)]
    # Each beat from its own level before the P wave, so that drift does not blur the middle one.
    cut = cut - np.median(cut[:, : max(1, before // 6)], axis=1, keepdims=True)
    middle = [_middle(cut[:, :, lead]) for lead in range(cut.shape[2])]
    view = Trace(
        title="Median beat of each lead",
        caption=f"The middle value of {len(at)} normal beats at each moment, aligned at the complex"
        f"{', in each lead of those that were recorded whole' if sample.lead_gaps else ''}.",
        signal=np.stack(middle, axis=1).astype(np.float32),
        rate_hz=sample.rate_hz,
        leads=sample.leads,
        start_s=-_MEDIAN_S[0],
    )
    return (view,)


def _middle(beats: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median (n_samples,) of beats (n_beats, n_samples) that were recorded whole; NaN without."""
    whole = beats[np.isfinite(beats).all(axis=1)]
    return np.asarray(np.median(whole, axis=0) if len(whole) else np.full(beats.shape[1], np.nan, np.float32))


def measurement_table(figures: Sequence[Measurement]) -> Grid:
    """Return measurements with their spread, what they were taken from, and their formula."""
    frame = pd.DataFrame(
        {
            "measured": [one.title for one in figures],
            "value": [one.words if not one.reason else f"{one.words}: {one.reason}" for one in figures],
            "middle half over": [
                "" if one.spread is None else f"{one.spread:.0f} {one.unit}" for one in figures
            ],
            "from": [one.beats for one in figures],
            "formula": [one.source for one in figures],
        }
    )
    return Grid(
        title="Every measurement", folded=True, caption="From: beats, or intervals between them.", frame=frame
    )


def _markers(prediction: Prediction, labels: Mapping[str, str]) -> tuple[Marker, ...]:
    return tuple(
        Marker(
            label=label,
            samples=prediction.items[prediction.decided == number],
            color=COLORS[label],
            description=labels.get(label, label),
        )
        for number, label in enumerate(prediction.labels)
        if (prediction.decided == number).any()
    )


def _summary(sample: EcgSample, prediction: Prediction, labels: Mapping[str, str]) -> Metrics:
    counts = np.bincount(prediction.decided, minlength=len(prediction.labels))
    gaps_s = np.diff(prediction.items) / sample.rate_hz
    rate = f"{60 / np.median(gaps_s):.0f} /min" if len(gaps_s) else "-"
    found = [
        Metric(label=f"{label} beats", value=f"{count:,}", help=labels.get(label, label))
        for label, count in zip(prediction.labels, counts.tolist(), strict=True)
    ]
    shape_and_rate = (
        Metric(label="Beats", value=f"{len(prediction):,}"),
        Metric(label="Median heart rate", value=rate),
    )
    leads = " and ".join(sample.leads[i] for i in sample.model_leads)
    return Metrics(
        title="Rhythm",
        items=(*shape_and_rate, *found),
        caption=f"Model output, from {leads}; not a diagnosis.",
    )


def _bars(sample: EcgSample, prediction: Prediction, bundle: Bundle, item: int) -> ClassBars:
    label = prediction.label(item)
    point = next((p for p in bundle.info.operating_points if p.label == label), None)
    return ClassBars(
        title=f"Beat {item + 1}, at {prediction.items[item] / sample.rate_hz:.2f} s",
        caption="Estimated probability of each label; the operating points of the card decide.",
        labels=prediction.labels,
        probabilities=tuple(prediction.probabilities(item).values()),
        predicted=label,
        threshold=point.threshold if point else None,
        threshold_label=label if point else None,
    )


def _table(sample: EcgSample, prediction: Prediction) -> Grid:
    """Return one row a beat; of long recordings the beats that are not N come first."""
    unusual = np.flatnonzero(prediction.decided != 0)
    usual = np.flatnonzero(prediction.decided == 0)
    order = (
        np.concatenate([unusual, usual])[:_MOST_ROWS]
        if len(prediction) > _MOST_ROWS
        else np.arange(len(prediction))
    )
    names = np.asarray(prediction.labels)
    columns: dict[str, Any] = {
        "beat": order + 1,
        "time (s)": np.round(prediction.items[order] / sample.rate_hz, 3),
        "label": names[prediction.decided[order]],
    }
    columns |= {label: prediction.calibrated[order, i] for i, label in enumerate(prediction.labels)}
    cut = f"{len(order):,} of {len(prediction):,} beats, not N first." if len(order) < len(prediction) else ""
    return Grid(title="Every beat", caption=cut, frame=pd.DataFrame(columns), percent=prediction.labels)


def _reasons(report: Report, config: Mapping[str, Any]) -> tuple[View, ...]:
    explanation = report.explanation
    if explanation is None or report.inputs is None:
        return ()
    trace = _beat_trace(report, config)
    if not explanation.is_additive:  # nothing that a waterfall could add up
        return (trace,)
    lines = sorted(attributions(report, config), key=lambda line: -abs(line.attribution))
    largest, rest = lines[:12], lines[12:]
    features = [line.feature if line.value is None else f"{line.feature} = {line.value}" for line in largest]
    waterfall = Waterfall(
        title=f"What moved the output towards {explanation.target}",
        caption="Where the model looked, not where the disease is. Likenesses are correlations, "
        "intervals are scaled logarithms as the model sees them.",
        features=(*features, f"{len(rest)} others") if rest else tuple(features),
        attributions=np.array(
            [
                *(line.attribution for line in largest),
                *([sum(line.attribution for line in rest)] if rest else []),
            ],
            np.float32,
        ),
        base=explanation.base,
        output=explanation.output,
        residual=explanation.residual,
        target=explanation.target,
    )
    return (trace, waterfall)


def _beat_trace(report: Report, config: Mapping[str, Any]) -> Trace:
    """Return the explained beat as the model sees it, its attribution along the trace."""
    assert isinstance(report.sample, EcgSample)
    assert report.explanation is not None
    assert report.inputs is not None
    assert report.prediction is not None
    window = report.inputs["window"][report.explained_item]
    shares = report.explanation.values["window"]
    leads = [report.sample.leads[i] for i in report.sample.model_leads]
    signal = window[:, [0, 2]][:, : len(leads)]
    along = np.stack([shares[:, 0] + shares[:, 1], shares[:, 2] + shares[:, 3]], axis=1)
    if len(leads) == 1:  # one lead takes both places, so that its shares come twice
        along = along.sum(axis=1, keepdims=True)
    at_s = report.prediction.items[report.explained_item] / report.sample.rate_hz
    return Trace(
        title="Along the trace",
        caption="The beat as the network sees it: in units of the usual beat's height.",
        signal=np.ascontiguousarray(signal, np.float32),
        rate_hz=config["working_hz"],
        leads=tuple(leads),
        unit="of the usual height",
        attribution=along.astype(np.float32),
        attribution_label=f"Share in the probability of {report.explanation.target}",
        start_s=float(at_s - config["before_s"]),
        paper=False,
    )


def attributions(report: Report, config: Mapping[str, Any]) -> list[Attribution]:
    """Return the explanation in groups that have a name; their shares sum to that of all inputs."""
    assert report.explanation is not None
    assert report.inputs is not None
    found = report.explanation
    if found.players is not None and found.shares is not None:
        return [
            _line(name, None, share) for name, share in zip(found.players.names, found.shares, strict=True)
        ]
    values = found.values
    item = {name: array[report.explained_item] for name, array in report.inputs.items()}
    lines = _trace_lines(values["window"], config)
    lines += _beat_lines(INTERVALS, values["intervals"], item["intervals"], 1)
    lines += _beat_lines(SHAPES, values["shapes"], item["shapes"], 2)
    rate, waves = values["rhythm"][: len(RHYTHM)], values["rhythm"][len(RHYTHM) :].reshape(2, -1)
    known = item["rhythm"]
    lines += [_line(name, known[i], rate[i]) for i, name in enumerate(RHYTHM)]
    lines += [_line(name, known[len(RHYTHM) + i], waves[:, i].sum()) for i, name in enumerate(P_WAVES)]
    alike = zip((*INTERVALS, *SHAPES, *ALIKE), item["alike"], values["alike"], strict=True)
    lines += [_line(f"{name}, of beats that look alike", value, share) for name, value, share in alike]
    return lines


def _line(name: str, value: float | None, share: float) -> Attribution:
    return Attribution(name, None if value is None else round(float(value), 3), float(share))


def _trace_lines(shares: NDArray[np.float32], config: Mapping[str, Any]) -> list[Attribution]:
    time_s = np.arange(len(shares)) / config["working_hz"] - config["before_s"]
    of_sample = shares.sum(axis=1)
    return [
        _line(f"trace, {name}", None, of_sample[(time_s >= start) & (time_s < stop)].sum())
        for name, start, stop in PARTS_S
    ]


def _beat_lines(
    names: tuple[str, ...], shares: NDArray[np.float32], values: NDArray[np.float32], leads: int
) -> list[Attribution]:
    """Return for each feature the share of the beat itself, and that of its neighbours."""
    middle = len(shares) // 2
    by_name = shares.reshape(len(shares), leads, len(names)).sum(axis=1)
    lines = []
    for i, name in enumerate(names):
        own = by_name[middle, i]
        lines.append(_line(name, values[middle, i], own))
        lines.append(_line(f"{name}, of the neighbours", None, by_name[:, i].sum() - own))
    return lines
