"""Which rows lie outside what a model was trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.task import Gate

from .prepare import features

__all__ = ["gate"]

_HINT = "Check these values; outside its training range the model guesses."
_MANY_GAPS = 0.5


def gate(frame: pd.DataFrame, config: Mapping[str, Any]) -> Gate:
    """Warn of values outside the training range, unknown codes and many gaps; refuse empty rows only.

    Parameters
    ----------
    frame : DataFrame
        Typed columns.
    config : dict
        Preprocessing of the bundle: `low` and `high` of a number, `values` of a category.
    """
    values = features(frame, config)
    categories = np.array([column["kind"] == "category" for column in config["columns"]])
    gaps = np.where(categories, values == 0, np.isnan(values))
    if gaps.all():
        return Gate.of(refuse=["Every value is missing."], hint="Fill in the columns of the task.")
    warn = [*_outside(values, config), *_unseen(frame, values, config), *_gaps(gaps)]
    return Gate.of(warn=warn, hint=_HINT if warn else "")


def _outside(values: NDArray[np.float32], config: Mapping[str, Any]) -> Iterator[str]:
    for place, column in enumerate(config["columns"]):
        if column["kind"] != "number":
            continue
        low, high = np.float32(column["low"]), np.float32(column["high"])
        rows = np.flatnonzero((values[:, place] < low) | (values[:, place] > high))
        if len(rows):
            yield (
                f"Column {column['name']}: outside the training range of "
                f"{column['low']:g} to {column['high']:g} in {_rows(rows)}."
            )


def _unseen(frame: pd.DataFrame, values: NDArray[np.float32], config: Mapping[str, Any]) -> Iterator[str]:
    for place, column in enumerate(config["columns"]):
        if column["kind"] != "category":
            continue
        rows = np.flatnonzero((values[:, place] == 0) & (frame[column["name"]] != "").to_numpy())
        if len(rows):
            yield f"Column {column['name']}: a code that the model has not seen, in {_rows(rows)}."


def _gaps(gaps: NDArray[np.bool_]) -> Iterator[str]:
    rows = np.flatnonzero(gaps.mean(axis=1) >= _MANY_GAPS)
    if len(rows):
        yield f"Half of the values or more are missing in {_rows(rows)}."


def _rows(rows: NDArray[np.int64]) -> str:
    """Name the rows, counted from 1; many by their number and the first."""
    if len(rows) <= 3:
        return f"row{'s' if len(rows) > 1 else ''} {', '.join(str(row + 1) for row in rows)}"
    return f"{len(rows):,} rows (the first is row {rows[0] + 1})"
