"""Texts to numbers, where pandas alone would break off the process."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["CLOCK", "clock_hours", "has_absurd_exponent", "to_numeric"]

# pandas 2.3.3 keeps an exponent in 32 bits: "1e2147483648" ends the process by a signal and "1e4294967290"
# is read as 1e-06 (pandas/_libs/src/parser/tokenizer.c, precise_xstrtod). No quantity needs five digits.
_ABSURD = r"[eE][+-]?0*[1-9]\d{4,}"
_PERCENT = re.compile(r"^\s*([+-]?[\d.]+)\s*%\s*$")

#: A time of day or a duration: "08:30", "8:30 PM", "27:05:10".
CLOCK = re.compile(r"(\d{1,4}):([0-5]\d)(?::([0-5]\d)(?:\.\d+)?)?(?:\s*([ap])\.?m\.?)?", re.IGNORECASE)


def has_absurd_exponent(text: str) -> bool:
    """Say whether a text holds a number that `pandas.read_csv` must not be given either."""
    return re.search(_ABSURD, text) is not None


def to_numeric(text: pd.Series) -> pd.Series:
    """Return the numbers of a column of text or numbers, any index; 6.5 for "6.5 %", NaN for what is none."""
    if text.dtype == object:
        plain = text.astype(str)
        absurd = plain.str.contains(_ABSURD, regex=True)
        text = text.where(~absurd, "") if absurd.any() else text
        if plain.str.contains("%", regex=False).any():
            text = text.replace(_PERCENT, r"\1", regex=True)
    return pd.to_numeric(text, errors="coerce")


def clock_hours(cells: Iterable[str]) -> NDArray[np.float64]:
    """Return the hours (n,) of cells such as "3:37" and "8:30 PM"; NaN for what is no `CLOCK`."""
    found = [CLOCK.fullmatch(cell.strip()) for cell in cells]
    return np.array([_hours(parts) if parts else np.nan for parts in found], np.float64)


def _hours(parts: re.Match[str]) -> float:
    hour, half = int(parts[1]), (parts[4] or "").lower()
    hour = hour % 12 + 12 * (half == "p") if half else hour
    return hour + int(parts[2]) / 60 + int(parts[3] or 0) / 3600
