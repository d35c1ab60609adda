"""Turn typed columns into the network's one input: a number for each column and row.

The constants come from the bundle's `preprocessing`:

``{"columns": [{"name", "kind": "number", "center", "scale", "low", "high", "log", "bands"},
{"name", "kind": "category", "values": [...], "icd9"}]}``

`center`, `scale` and `log` are applied inside the network, so that features stay readable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.explain.choices import Column
from healthdash.fields import CategoryField, Field

from .icd9 import category_of, chapter_of

__all__ = ["band_middles", "choices", "features", "fitted_columns", "groups_of"]

_CHAPTER = "chapter "


def features(frame: pd.DataFrame, config: Mapping[str, Any]) -> NDArray[np.float32]:
    """Return the network's input for typed columns.

    Parameters
    ----------
    frame : DataFrame
        Numbers as float64 with NaN for gaps, codes as text with "" for gaps.
    config : dict
        Preprocessing of the bundle.

    Returns
    -------
    float32, shape (n_rows, n_columns)
        Numbers in their own units, NaN where missing; categories as 1, 2, ... in the order of
        the stored values, 0 where missing or unknown.
    """
    columns = config["columns"]
    out = np.empty((len(frame), len(columns)), np.float32)
    for place, column in enumerate(columns):
        values = frame[column["name"]]
        out[:, place] = _numbers(values, column) if column["kind"] == "number" else _codes(values, column)
    return out


def choices(fields: Sequence[Field], config: Mapping[str, Any]) -> tuple[Column, ...]:
    """Return what each column may be: codes that training knew, numbers with their training range.

    Parameters
    ----------
    fields : sequence of Field
        Of the task; each column of the network is one of them.
    config : dict
        Preprocessing of the bundle.
    """
    by_name = {field.name: field for field in fields}
    return tuple(_choice(by_name[column["name"]], column) for column in config["columns"])


def band_middles(text: pd.Series) -> NDArray[np.float64]:
    """Return the middle of bands such as "[70-80)", (n,); NaN where the text is no band."""
    middles = {cell: _middle(str(cell)) for cell in text.unique()}
    return np.asarray(text.map(middles), np.float64)


def groups_of(text: pd.Series, column: Mapping[str, Any]) -> pd.Series:
    """Return the text by which a category column is looked up: the ICD-9 category, or itself."""
    if not column.get("icd9"):
        return text.str.strip().str.lower()
    return text.map({code: category_of(code).lower() for code in text.unique()})


def fitted_columns(
    frame: pd.DataFrame, columns: Sequence[Mapping[str, Any]], *, rarest: int
) -> list[dict[str, Any]]:
    """Fill in what is learnt from the training rows: centre, scale, range, and known values.

    Parameters
    ----------
    frame : DataFrame
        Typed columns of the training rows.
    columns : sequence of dict
        Name and kind, with `log`, `bands` and `icd9` where they apply.
    rarest : int
        Values seen less often than this count as unknown; a rare ICD-9 category counts as
        its chapter.
    """
    return [
        _fitted_number(frame[column["name"]], column)
        if column["kind"] == "number"
        else _fitted_category(frame[column["name"]], column, rarest)
        for column in columns
    ]


def _choice(field: Field, column: Mapping[str, Any]) -> Column:
    low, high = float(column.get("low", np.nan)), float(column.get("high", np.nan))
    if column["kind"] == "number" and not isinstance(field, CategoryField):
        return Column(field, low=low, high=high)
    codes = list(field.choices) if isinstance(field, CategoryField) else column["values"]
    if column["kind"] == "number":  # bands such as "[70-80)", which the network sees by their middle
        middles = zip(codes, band_middles(pd.Series(codes)).tolist(), strict=True)
        return Column(
            field, {code: middle for code, middle in middles if not (middle < low or middle > high)}
        )
    known = {value.lower(): number for number, value in enumerate(column["values"], 1)}
    numbers = {code: known.get(code.strip().lower(), 0) for code in codes}
    return Column(field, {code: float(number) for code, number in numbers.items() if number})


def _numbers(values: pd.Series, column: Mapping[str, Any]) -> NDArray[np.float64]:
    if column.get("bands"):
        return band_middles(values)
    return np.asarray(values, np.float64)


def _codes(values: pd.Series, column: Mapping[str, Any]) -> NDArray[np.float64]:
    # Plain dictionaries: for one row, a Series for each column costs more than the network.
    known = {value.lower(): code for code, value in enumerate(column["values"], 1)}
    cells = values.tolist()
    found = {cell: _code(cell, known, icd9=bool(column.get("icd9"))) for cell in set(cells)}
    return np.array([found[cell] for cell in cells], np.float64)


def _code(cell: str, known: Mapping[str, int], *, icd9: bool) -> int:
    """Return a category's number; a rare ICD-9 category counts as its chapter, others as 0."""
    if not icd9:
        return known.get(cell.strip().lower(), 0)
    return known.get(category_of(cell).lower(), known.get(_CHAPTER + chapter_of(cell), 0))


def _middle(cell: str) -> float:
    band = re.fullmatch(r"[\[(]?(\d+)\s*-\s*(\d+)[\])]?", cell.strip())
    return (int(band[1]) + int(band[2])) / 2 if band else float("nan")


def _fitted_number(values: pd.Series, column: Mapping[str, Any]) -> dict[str, Any]:
    numbers = _numbers(values, column)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        numbers = np.zeros(1)
    scaled = np.log1p(np.maximum(numbers, 0)) if column.get("log") else numbers
    # What one value that is always the same seems to spread is rounding.
    spread = float(scaled.std()) if scaled.max() > scaled.min() else 0.0
    return {
        **column,
        "center": _rounded(float(np.median(scaled))),
        "scale": _rounded(spread or 1.0),
        "low": float(numbers.min()),
        "high": float(numbers.max()),
    }


def _rounded(number: float) -> float:
    """Return a number as far as float32 tells it from others: some are of the order of 1e-10."""
    return float(f"{number:.9g}")


def _fitted_category(values: pd.Series, column: Mapping[str, Any], rarest: int) -> dict[str, Any]:
    groups = groups_of(values, column)
    counts = groups[groups != ""].value_counts()
    known = sorted(counts.index[counts >= rarest])
    if column.get("icd9"):
        rare = values[~groups.isin(known)]
        chapters = sorted({chapter_of(code) for code in rare.unique()} - {""})
        known += [_CHAPTER + chapter for chapter in chapters]
    return {**column, "values": known}
