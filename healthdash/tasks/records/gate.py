"""Which rows lie outside what a model was trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.task import Gate

from .prepare import features

__all__ = ["Finding", "findings", "gate", "row_gates"]

_HINT = "Check these values; outside its training range the model guesses."
_MANY_GAPS = 0.5


@dataclass(frozen=True, slots=True)
class Finding:
    """One oddity: what it is, and the rows (n,) that have it."""

    what: str
    rows: NDArray[np.bool_]


def gate(frame: pd.DataFrame, config: Mapping[str, Any]) -> Gate:
    """Warn of values outside the training range, unknown codes and many gaps; refuse an empty table.

    Parameters
    ----------
    frame : DataFrame
        Typed columns; the index is the row number, from 0.
    config : dict
        Preprocessing of the bundle: `low` and `high` of a number, `values` of a category.
    """
    values = features(frame, config)
    if _gaps(values, config).all():
        return Gate.of(refuse=["Every value is missing."], hint="Fill in the columns of the task.")
    warn = [
        f"{finding.what} in {_rows(frame.index[finding.rows].tolist())}."
        for finding in findings(frame, values, config)
    ]
    return Gate.of(warn=warn, hint=_HINT if warn else "")


def row_gates(frame: pd.DataFrame, config: Mapping[str, Any]) -> list[Gate]:
    """Return the gate of each row by itself."""
    reasons: list[list[str]] = [[] for _ in range(len(frame))]
    for finding in findings(frame, features(frame, config), config):
        for row in np.flatnonzero(finding.rows):
            reasons[row].append(f"{finding.what}.")
    passed = Gate()
    return [Gate.of(warn=found, hint=_HINT) if found else passed for found in reasons]


def findings(
    frame: pd.DataFrame, values: NDArray[np.float32], config: Mapping[str, Any]
) -> Iterator[Finding]:
    """Yield every oddity that at least one row has."""
    for place, column in enumerate(config["columns"]):
        cells, name = values[:, place], column["name"]
        if column["kind"] == "number":
            low, high = np.float32(column["low"]), np.float32(column["high"])
            what = f"Column {name}: outside the training range of {low:g} to {high:g}"
            finding = Finding(what, (cells < low) | (cells > high))
        else:
            known_text = (frame[name] != "").to_numpy(bool)
            finding = Finding(
                f"Column {name}: a code that the model does not know", (cells == 0) & known_text
            )
        if finding.rows.any():
            yield finding
    many = _gaps(values, config).mean(axis=1) >= _MANY_GAPS
    if many.any():
        yield Finding("Half of the values or more are missing", many)


def _gaps(values: NDArray[np.float32], config: Mapping[str, Any]) -> NDArray[np.bool_]:
    categories = np.array([column["kind"] == "category" for column in config["columns"]])
    return np.where(categories, values == 0, np.isnan(values))


def _rows(rows: Sequence[int]) -> str:
    """Name rows, counted from 1; many by their number and the first."""
    if len(rows) <= 3:
        return f"row{'s' if len(rows) > 1 else ''} {', '.join(str(row + 1) for row in rows)}"
    return f"{len(rows):,} rows (the first is row {rows[0] + 1})"
