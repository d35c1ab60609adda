"""Elements of a DICOM header, taken so that a malformed one counts as missing."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom import Dataset

__all__ = ["found", "number", "numbers", "sequence", "text", "vector"]

_LONGEST_TEXT = 60


def found(dataset: Dataset, keyword: str, frame: int = 0) -> Any:
    """Return an element of the file, or of a frame's functional groups (PS3.3 C.7.6.16); None: missing."""
    if keyword in dataset:
        return dataset.get(keyword)
    own = sequence(dataset, "PerFrameFunctionalGroupsSequence")[frame : frame + 1]
    for group in (*own, *sequence(dataset, "SharedFunctionalGroupsSequence")):
        for element in group:
            if element.VR == "SQ" and element.value and keyword in element.value[0]:
                return element.value[0].get(keyword)
    return None


def sequence(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence, none where it is missing or no sequence."""
    items = dataset.get(keyword)
    return [item for item in items or () if isinstance(item, Dataset)] if _is_list(items) else []


def numbers(value: Any) -> list[float]:
    """Return the finite numbers of an element; none where one of them is malformed.

    A decimal comma, which some writers take from the language of their system, is read as a point.
    """
    if value is None or value == "":
        return []
    try:
        each = [_number(one) for one in (value if _is_list(value) else [value])]
    except (TypeError, ValueError):
        return []
    return each if np.isfinite(each).all() else []


def number(dataset: Dataset, keyword: str, frame: int = 0) -> float | None:
    """Return the first number of an element of the file or frame, None where there is none."""
    values = numbers(found(dataset, keyword, frame))
    return values[0] if values else None


def vector(dataset: Dataset, keyword: str, length: int, frame: int = 0) -> np.ndarray | None:
    """Return an element of so many numbers, float64 (length,), None where it has another number."""
    values = numbers(found(dataset, keyword, frame))
    return np.array(values, np.float64) if len(values) == length else None


def text(dataset: Dataset, keyword: str) -> str:
    """Return a short printable text, or nothing."""
    value = dataset.get(keyword)
    told = "" if value is None else str(value)
    return "".join(c for c in told if c.isprintable()).strip()[:_LONGEST_TEXT]


def _number(value: Any) -> float:
    return float(value.replace(",", ".") if isinstance(value, str) else value)


def _is_list(value: Any) -> bool:
    return hasattr(value, "__iter__") and not isinstance(value, str | bytes)
