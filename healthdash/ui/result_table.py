"""The results of many inputs as a table: one line an input or row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from healthdash.bundles import Bundle
from healthdash.task import Gate, Prediction, Report, Task

__all__ = ["is_many", "table"]


def table(task: Task, bundle: Bundle, reports: list[Report]) -> pd.DataFrame:
    """Return one row a result: source, label, probabilities, verdict of the gate, its reason, what to do."""
    frame = pd.concat([_lines(task, bundle, report) for report in reports], ignore_index=True)
    last = ["gate", "message", "what to do"]
    return frame[[*(c for c in frame.columns if c not in last), *last]]


def _lines(task: Task, bundle: Bundle, report: Report) -> pd.DataFrame:
    """Return the lines of a report: of a table the rows in order, the refused ones among them."""
    if report.prediction is None:
        message = report.error.message if report.error else ""
        result = "refused" if report.gate and report.gate.verdict == "refuse" else "failed"
        line = {"source": report.source, "result": result, "gate": "refuse", "message": message}
        return pd.DataFrame([{**line, "what to do": report.error.hint if report.error else ""}])
    if task.unit in ("beat", "window"):
        return pd.DataFrame(_recording(task, bundle, report, report.prediction))
    if report.prediction.unit == "slice":
        return pd.DataFrame(_slice(task, bundle, report, report.prediction))
    predicted = pd.DataFrame(_predicted(task, bundle, report, report.prediction))
    if not report.refusals:
        return predicted
    return pd.concat([predicted, pd.DataFrame(_refused_rows(report))]).sort_values("row")


def _refused_rows(report: Report) -> Mapping[str, object]:
    """Return the columns of the rows that were refused; they have no probabilities."""
    refused = report.refusals
    return {
        "source": [report.source] * len(refused),
        "row": [row + 1 for row in refused],
        "result": ["refused"] * len(refused),
        "gate": ["refuse"] * len(refused),
        "message": [error.message for error in refused.values()],
        "what to do": [error.hint for error in refused.values()],
    }


def _slice(task: Task, bundle: Bundle, report: Report, prediction: Prediction) -> Mapping[str, object]:
    """Return the columns of a volume: its most suspicious slice."""
    item = task.first_item(report, bundle)
    gate = task.item_gates(report, bundle)[item]
    chances = {f"P({name})": [p] for name, p in prediction.probabilities(item).items()}
    return {
        "source": [report.source],
        "slice": [int(prediction.items[item]) + 1],
        "result": [prediction.label(item)],
        **chances,
        **_told([gate]),
    }


def _predicted(task: Task, bundle: Bundle, report: Report, prediction: Prediction) -> Mapping[str, object]:
    """Return the columns of what was predicted: pictures, or rows of a table."""
    gates = task.item_gates(report, bundle)
    rows = {"row": prediction.items + 1} if task.unit == "row" and is_many(report, prediction) else {}
    chances = {f"P({name})": prediction.calibrated[:, k] for k, name in enumerate(prediction.labels)}
    return {
        "source": [report.source] * len(prediction),
        **rows,
        "result": np.asarray(prediction.labels, object)[prediction.decided],
        **chances,
        **_told(gates),
    }


def is_many(report: Report, prediction: Prediction) -> bool:
    """Say whether a report has more than one line."""
    return len(prediction) + len(report.sample.refused if report.sample else ()) > 1


def _recording(task: Task, bundle: Bundle, report: Report, prediction: Prediction) -> dict[str, object]:
    """Return one line for a recording: its verdict, or what was measured where the task has none."""
    gate = report.gate or Gate()
    figures = task.figures(report, bundle)
    if figures is None:
        said = _counted(prediction, task.unit) | _mean_of_windows(task, bundle, prediction)
    else:
        # Not None: a column that no recording has a figure for is one of numbers all the same.
        taken = {name: [np.nan if value is None else value] for name, value in figures.items()}
        said = {"result": ["measured"], **taken}
    return {"source": [report.source], **said, **_told([gate])}


def _told(gates: Sequence[Gate]) -> dict[str, list[str]]:
    """Return the columns of what the gate says of each line."""
    return {
        "gate": [gate.verdict for gate in gates],
        "message": ["; ".join(gate.reasons) for gate in gates],
        "what to do": [gate.hint for gate in gates],
    }


def _counted(prediction: Prediction, unit: str) -> dict[str, object]:
    """Return the most frequent class, and how many beats, or windows, are of each."""
    counts = np.bincount(prediction.decided, minlength=len(prediction.labels))
    each = zip(prediction.labels, counts, strict=True)
    usual = prediction.labels[int(counts.argmax())]
    return {"result": [f"mostly {usual}"], **{f"{label} {unit}s": [int(count)] for label, count in each}}


def _mean_of_windows(task: Task, bundle: Bundle, prediction: Prediction) -> dict[str, object]:
    """Return the result of a recording that is judged by the mean of its windows."""
    if task.unit != "window":
        return {}
    mean = prediction.calibrated.mean(axis=0)
    label = prediction.labels[int(bundle.info.decide(mean[None])[0])]
    chances = {f"P({name})": [float(share)] for name, share in zip(prediction.labels, mean, strict=True)}
    return {"result": [label], **chances}
