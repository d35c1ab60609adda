"""The table of measured figures in the README, written from the bundles' evaluation.json.

``python -m benchmarks.figures`` replaces the table between the two marks; a test says when it is stale.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from healthdash import bundles, tasks
from healthdash.bundles import Bundle
from healthdash.training.evaluation import MetricRow

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- figures: python -m benchmarks.figures -->", "<!-- end of figures -->"
_SHOWN = 3
#: Where the first figures of a bundle are not those that people ask for first.
_ASKED_FOR = {
    "ecg-beats": (
        "V sensitivity",
        "V +P by EC57",
        "V +P",
        "S sensitivity",
        "S +P",
        "beat detection sensitivity",
    ),
    "ecg-waves": tuple(
        f"{limit}, {rate}" for limit in ("QRS onset", "P onset", "T offset") for rate in ("sensitivity", "+P")
    ),
    "chest-xray": ("pneumonia AUC", "bacterial against viral AUC", "bacterial against viral AUC, in folds"),
    "lung-ct": ("macro AUC", "benign recall", "malignant recall"),
    "heart-disease": ("AUC", "AUC, Hungarian"),
    "readmission": ("AUC",),
}
#: Where the first figures flatter: rows of another cut of the same data, and of another model, that belong
#: beside them.
_BESIDE = {"lung-ct": ("macro AUC", "benign recall", "malignant recall")}


def table() -> str:
    """Return the table: one line a task, its figures with 95 % intervals, data and licence."""
    lines = ["| task | labels | measured (95 % interval) | data, licence |", "|---|---|---|---|"]
    for task in tasks.all_tasks():
        for bundle in bundles.available(task.slug)[:1]:
            figures = "; ".join(
                _told(part, list(rows)) for part, rows in groupby(_rows(bundle), _measured_on)
            )
            info = bundle.info
            labels = ", ".join(info.labels)
            data = f"{info.data.name}, {info.data.licence}"
            lines.append(f"| `{task.slug}` | {labels} | {figures} | {data} |")
    return "\n".join(lines)


def _rows(bundle: Bundle) -> list[MetricRow]:
    """Return the figures that are shown; a name that the bundle lacks is an error."""
    evaluation, task = bundle.evaluation, bundle.info.task
    shown = [evaluation.metric(name) for name in _ASKED_FOR.get(task, ())] or list(
        evaluation.metrics[:_SHOWN]
    )
    beside = [row for row in evaluation.subgroups if row.name in _BESIDE.get(task, ())]
    others = [
        row.model_copy(update={"name": f"{row.name} by {row.note}"})
        for row in evaluation.comparisons
        if row.name in _BESIDE.get(task, ())
    ]
    return sorted([*shown, *beside, *others], key=_measured_on) if beside else shown


def _measured_on(row: MetricRow) -> str:
    return row.part


def _told(part: str, rows: Sequence[MetricRow]) -> str:
    return f"{part}: {', '.join(_figure(row) for row in rows)}"


def _figure(row: MetricRow) -> str:
    interval = f" ({row.low:.3f}-{row.high:.3f})" if row.low is not None and row.high is not None else ""
    return f"{row.name} {row.value:.3f}{interval}"


def main() -> None:
    """Replace the table in the README."""
    text = README.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    README.write_text(f"{head}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
