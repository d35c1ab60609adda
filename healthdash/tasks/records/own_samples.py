"""Synthetic rows for a user's own columns, and a synthetic table to learn from."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from healthdash.fields import CategoryField, Field, NumberField
from healthdash.task import Example, Upload
from healthdash.training import TrainSettings

from .samples import as_upload

__all__ = ["drawn_rows", "own_training_set", "usual_row"]

_ROWS = 20
_PATIENTS = 240


def usual_row(fields: Sequence[Field]) -> Example:
    """Return one row of medians and commonest codes."""
    row = {one.name: _default(one) for one in fields}
    return Example(
        slug="usual",
        title="The usual row",
        description="Synthetic: the median of each number and the commonest code of each category.",
        make=lambda: [as_upload(fields, [row], "usual-row.csv")],
    )


def drawn_rows(fields: Sequence[Field], columns: Sequence[Mapping[str, Any]]) -> Example:
    """Return a table of rows whose columns are drawn each by itself from what the bundle keeps of them."""

    def make() -> list[Upload]:
        rng = np.random.default_rng(0)
        by_name = {column["name"]: column for column in columns}
        rows = [{one.name: _drawn(one, by_name[one.name], rng) for one in fields} for _ in range(_ROWS)]
        return [as_upload(fields, rows, "drawn-rows.csv")]

    return Example(
        slug="drawn",
        title=f"A table of {_ROWS} drawn rows",
        description="Synthetic: each column drawn by itself, so that the rows belong to nobody.",
        make=make,
    )


def own_training_set() -> Example:
    """Return a labelled table of drawn patients, with an identifier, gaps and zeros for gaps."""
    return Example(
        slug="synthetic-kidney",
        title="Synthetic table of 240 patients",
        description="Synthetic: invented kidney patients with the outcome in the column `outcome`.",
        make=lambda: [Upload("synthetic-table.csv", _table().encode())],
        settings=TrainSettings(epochs=6, members=2, folds=2, target="outcome"),
    )


def _table() -> str:
    rng = np.random.default_rng(7)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["synthetic_row", "age_years", "sex", "systolic_mmhg", "creatinine_mg_dl", "diabetes", "outcome"]
    )
    for number in range(1, _PATIENTS + 1):
        age, creatinine = rng.normal(62, 12), rng.lognormal(0.2, 0.5)
        diabetes = rng.random() < 0.3
        ill = rng.random() < 1 / (1 + np.exp(-((age - 62) / 8 + 2 * (creatinine - 1.4) + diabetes)))
        systolic = 0 if rng.random() < 0.05 else round(rng.normal(135, 15))
        writer.writerow(
            [
                number,
                f"{age:.0f}",
                "female" if rng.random() < 0.5 else "male",
                systolic,
                "" if rng.random() < 0.1 else f"{creatinine:.2f}",
                "yes" if diabetes else "no",
                "progressed" if ill else "stable",
            ]
        )
    return text.getvalue()


def _default(one: Field) -> str:
    if isinstance(one, NumberField):
        return "" if one.default is None else f"{one.default:.10g}"
    return (one.default if isinstance(one, CategoryField) else None) or ""


def _drawn(one: Field, column: Mapping[str, Any], rng: np.random.Generator) -> str:
    if isinstance(one, CategoryField):
        return str(rng.choice(list(one.choices)))
    if "center" not in column:
        return _default(one)
    value = rng.normal(column["center"], column["scale"])
    value = np.expm1(value) if column.get("log") else value
    value = float(np.clip(value, column["low"], column["high"]))
    return f"{round(value) if isinstance(one, NumberField) and one.step == 1 else value:.4g}"
