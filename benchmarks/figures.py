"""The table of measured figures in the README, written from the bundles' evaluation.json.

``python -m benchmarks.figures`` replaces the table between the two marks; a test says when it is stale.
"""

from __future__ import annotations

from pathlib import Path

from healthdash import bundles, tasks
from healthdash.training.evaluation import MetricRow

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- figures: python -m benchmarks.figures -->", "<!-- end of figures -->"
_SHOWN = 3


def table() -> str:
    """Return the table: one line a task, its first figures with 95 % intervals, data and licence."""
    lines = ["| task | in | out | measured (95 % interval) | data, licence |", "|---|---|---|---|---|"]
    for task in tasks.all_tasks():
        for bundle in bundles.available(task.slug)[:1]:
            figures = "; ".join(_figure(row) for row in bundle.evaluation.metrics[:_SHOWN])
            info = bundle.info
            labels = ", ".join(info.labels)
            formats = ", ".join(suffix.lstrip(".") for suffix in task.accepts)
            data = f"{info.data.name}, {info.data.licence}"
            lines.append(f"| `{task.slug}` | {formats} | {labels} | {figures} | {data} |")
    return "\n".join(lines)


def _figure(row: MetricRow) -> str:
    interval = f" ({row.low:.3f}-{row.high:.3f})" if row.low is not None and row.high is not None else ""
    return f"{row.name} {row.value:.3f}{interval}, {row.part}"


def main() -> None:
    """Replace the table in the README."""
    text = README.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    README.write_text(f"{head}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
