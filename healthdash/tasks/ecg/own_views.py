"""What people see of a model of own signals: the trace, the output, and reasons along a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from healthdash.task import Attribution, Prediction, Report
from healthdash.views import ClassBars, Grid, Marker, Metric, Metrics, Notice, Sections, Trace, View

from .own_windows import INPUT
from .sample import EcgSample
from .views import trace_of

if TYPE_CHECKING:
    from healthdash.bundles import Bundle

__all__ = ["attributions", "sections"]

#: Told apart by colour-blind readers too (Okabe & Ito 2008).
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6b7280")
_STRETCHES, _MOST_ROWS = 16, 2000


def sections(report: Report, bundle: Bundle, item: int) -> Sections:
    """Return the recording with its items, the mean output and one item's, and what spoke for it."""
    sample, prediction = report.sample, report.prediction
    if not isinstance(sample, EcgSample) or prediction is None:
        return Sections()
    config = bundle.info.preprocessing
    word = "Beat" if config["form"] == "beats" else "Window"
    notices = tuple(Notice(level="info", text=text) for text in sample.notices)
    bars = ClassBars(
        title=f"{word} {item + 1}, at {prediction.items[item] / sample.rate_hz:.2f} s",
        caption="Estimated probability of each label. Model output, not a diagnosis.",
        labels=prediction.labels,
        probabilities=tuple(prediction.probabilities(item).values()),
        predicted=prediction.label(item),
    )
    return Sections(
        input=(*notices, _trace(sample, prediction)),
        result=(_summary(prediction, bundle, word), bars, _table(sample, prediction, word)),
        explanation=_reasons(report, config),
    )


def attributions(report: Report) -> list[Attribution]:
    """Return the explanation by lead and stretch of the window; shares sum to that of all values."""
    if report.explanation is None or report.inputs is None:
        return []
    found = report.explanation
    if found.players is not None and found.shares is not None:
        pairs = zip(found.players.names, found.shares, strict=True)
        return [Attribution(name, None, float(share)) for name, share in pairs]
    shares = found.values[INPUT]
    return [
        Attribution(
            f"lead {lead + 1}, part {number + 1} of {_STRETCHES}",
            None,
            float(shares[places, lead].sum(dtype=np.float64)),
        )
        for lead in range(shares.shape[1])
        for number, places in enumerate(np.array_split(np.arange(len(shares)), _STRETCHES))
    ]


def _trace(sample: EcgSample, prediction: Prediction) -> Trace:
    markers = tuple(
        Marker(
            label=label,
            samples=prediction.items[prediction.decided == number],
            color=_COLORS[number % len(_COLORS)],
        )
        for number, label in enumerate(prediction.labels)
        if (prediction.decided == number).any()
    )
    return trace_of(sample, markers)


def _summary(prediction: Prediction, bundle: Bundle, word: str) -> Metrics:
    mean = prediction.calibrated.mean(axis=0, keepdims=True)
    decided = prediction.labels[int(bundle.info.decide(mean)[0])]
    found = [
        Metric(label=label, value=f"{share:.1%}")
        for label, share in zip(prediction.labels, mean[0].tolist(), strict=True)
    ]
    return Metrics(
        title="The whole recording",
        items=(Metric(label=f"{word}s", value=f"{len(prediction):,}"), *found),
        caption=f"Mean of all {word.lower()}s: {decided}. Model output, not a diagnosis.",
    )


def _table(sample: EcgSample, prediction: Prediction, word: str) -> Grid:
    shown = np.arange(min(len(prediction), _MOST_ROWS))
    columns: dict[str, Any] = {
        word.lower(): shown + 1,
        "time (s)": np.round(prediction.items[shown] / sample.rate_hz, 3),
        "label": np.asarray(prediction.labels)[prediction.decided[shown]],
    }
    columns |= {label: prediction.calibrated[shown, n] for n, label in enumerate(prediction.labels)}
    cut = f"The first {len(shown):,} of {len(prediction):,}." if len(shown) < len(prediction) else ""
    frame = pd.DataFrame(columns)
    return Grid(title=f"Every {word.lower()}", caption=cut, frame=frame, percent=prediction.labels)


def _reasons(report: Report, config: dict[str, Any]) -> tuple[View, ...]:
    explanation = report.explanation
    if explanation is None or report.inputs is None or report.prediction is None:
        return ()
    assert isinstance(report.sample, EcgSample)
    at_s = report.prediction.items[report.explained_item] / report.sample.rate_hz
    half_s = config["samples"] / config["rate_hz"] / 2 if config["form"] == "beats" else 0.0
    along = Trace(
        title="Along the trace",
        caption="The window as the network sees it. Where the model looked, not where the disease is.",
        signal=np.ascontiguousarray(report.inputs[INPUT][report.explained_item], np.float32),
        rate_hz=float(config["rate_hz"]),
        leads=tuple(config["leads"]),
        attribution=explanation.values[INPUT].astype(np.float32),
        attribution_label=f"Share in the probability of {explanation.target}",
        start_s=float(at_s - half_s),
        paper=False,
    )
    return (along,)
