"""What people see of a table: its values in words, probabilities, and reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from healthdash import DISCLAIMER
from healthdash.errors import ContractError
from healthdash.fields import CategoryField, Field, NumberField
from healthdash.task import Attribution, Report
from healthdash.views import ClassBars, Grid, Sections, View, Waterfall

if TYPE_CHECKING:
    from healthdash.bundles import Bundle

    from .task import TableSample

__all__ = ["attributions", "in_words", "inputs", "named", "sections"]

#: Rows drawn in the page; the download has them all.
_MOST_ROWS = 1000
_MOST_BARS = 12
_MISSING = "missing"


def in_words(value: object, field: Field) -> str:
    """Return a value as people read it: with its unit, or as the meaning of its code."""
    if isinstance(field, NumberField):
        number = float(value)  # type: ignore[arg-type]
        return _MISSING if np.isnan(number) else f"{number:g} {field.unit}".strip()
    code = str(value)
    meaning = field.choices.get(code, code) if isinstance(field, CategoryField) else code
    return meaning or _MISSING


def inputs(sample: TableSample, fields: Sequence[Field]) -> tuple[View, ...]:
    """Return the views of a table before any model."""
    if sample.problems:
        return (Grid(title="Your table, as read", frame=sample.text.frame.head(_MOST_ROWS)),)
    if len(sample.frame) == 1:
        return (_one_row(sample.frame, fields, 0),)
    words = {f.label: [in_words(v, f) for v in sample.frame[f.name].head(_MOST_ROWS)] for f in fields}
    frame = pd.DataFrame(words, index=(sample.frame.index[:_MOST_ROWS] + 1).rename("row"))
    rows = len(sample.frame)
    caption = f"{rows:,} rows" + (f"; the first {_MOST_ROWS:,} are shown" if rows > _MOST_ROWS else "")
    caption += f"; {len(sample.refused):,} more were refused" if sample.refused else ""
    return (Grid(title="Your table", caption=caption, frame=frame),)


def attributions(names: Sequence[str], fields: Sequence[Field], report: Report) -> list[Attribution]:
    """Return one line a column: its name, its value as stored, its share, its value in words."""
    row, shares = _explained(report)
    known = {field.name: field for field in fields}
    return [
        Attribution(name, _plain(row[name]), float(share), in_words(row[name], known[name]))
        for name, share in zip(names, shares, strict=True)
    ]


def sections(
    report: Report, bundle: Bundle, fields: Sequence[Field], names: Sequence[str], item: int
) -> Sections:
    """Return the views of a report for one row."""
    sample: TableSample = report.sample  # type: ignore[assignment]
    result: list[View] = []
    if report.prediction is not None:
        many = len(report.prediction) + len(sample.refused) > 1
        row = int(report.prediction.items[item]) + 1
        result += [_bars(report, bundle, item, f"Row {row}" if many else "Estimated probability")]
        if many:
            result += [_one_row(sample.frame, fields, item)]
    explanation: tuple[View, ...] = ()
    if report.explanation is not None and report.explained_item == item:
        explanation = (_waterfall(report, {field.name: field for field in fields}, names),)
    return Sections(inputs(sample, fields) if sample else (), tuple(result), explanation)


def named(view: View, said: Callable[[str], str]) -> View:
    """Return a view with its labels as `said` names them."""
    if isinstance(view, ClassBars):
        decided, limit = view.predicted, view.threshold_label
        return replace(
            view,
            labels=tuple(map(said, view.labels)),
            predicted=decided and said(decided),
            threshold_label=limit and said(limit),
        )
    if isinstance(view, Waterfall):
        return replace(view, title=f"Why: {said(view.target)}", target=said(view.target))
    return view


def _explained(report: Report) -> tuple[pd.Series, np.ndarray]:
    if report.explanation is None or report.sample is None:
        raise ContractError("the report holds no explanation")
    sample: TableSample = report.sample  # type: ignore[assignment]
    return sample.frame.iloc[report.explained_item], report.explanation.values["features"]


def _plain(value: object) -> str | float | None:
    """Return a stored value for JSON: None where it is missing."""
    if isinstance(value, str):
        return value or None
    number = float(value)  # type: ignore[arg-type]
    return None if np.isnan(number) else number


def _one_row(frame: pd.DataFrame, fields: Sequence[Field], item: int) -> Grid:
    words = [in_words(frame[field.name].iloc[item], field) for field in fields]
    table = pd.DataFrame({"Feature": [field.label for field in fields], "Value": words})
    return Grid(title=f"Values of row {frame.index[item] + 1}", frame=table)


def _bars(report: Report, bundle: Bundle, item: int, title: str) -> ClassBars:
    assert report.prediction is not None
    point = next(iter(bundle.info.operating_points), None)
    probabilities = report.prediction.probabilities(item)
    return ClassBars(
        title=title,
        caption=f"Model output. {DISCLAIMER}",
        labels=tuple(probabilities),
        probabilities=tuple(probabilities.values()),
        threshold=point.threshold if point else None,
        threshold_label=point.label if point else None,
        predicted=report.prediction.label(item),
    )


def _waterfall(report: Report, fields: dict[str, Field], names: Sequence[str]) -> Waterfall:
    """Order columns by their share; the smallest are put together so that the sum stays right."""
    explanation = report.explanation
    assert explanation is not None
    row, shares = _explained(report)
    order = np.argsort(-np.abs(shares), kind="stable")
    first, rest = order[:_MOST_BARS], order[_MOST_BARS:]
    texts = [f"{fields[names[i]].label} = {in_words(row[names[i]], fields[names[i]])}" for i in first]
    values = [float(shares[i]) for i in first]
    if len(rest):
        texts.append(f"{len(rest)} other column{'s' if len(rest) > 1 else ''}")
        values.append(float(shares[rest].sum()))
    return Waterfall(
        title=f"Why: {explanation.target}",
        caption="Shapley values: how each value moves the estimated probability away from the average of "
        "the stored background. They say what the model used, not what causes what.",
        features=tuple(texts),
        attributions=np.asarray(values, np.float32),
        base=explanation.base,
        output=explanation.output,
        residual=explanation.residual,
        target=explanation.target,
    )
