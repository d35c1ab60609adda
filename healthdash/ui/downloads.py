"""Tables for download: CSV that a spreadsheet program shows and never runs."""

from __future__ import annotations

import pandas as pd

__all__ = ["safe_csv"]

#: A cell that begins so is a formula to a spreadsheet program (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe_csv(frame: pd.DataFrame) -> bytes:
    """Return a table as CSV in UTF-8; text that begins like a formula gets a leading apostrophe.

    Numbers stay numbers, negative ones too.
    """
    safe = frame.rename(columns=_disarmed)
    for number, dtype in enumerate(safe.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            safe.isetitem(number, [_disarmed(cell) for cell in safe.iloc[:, number]])
    # The mark of byte order makes spreadsheet programs read UTF-8.
    return safe.to_csv(index=False, lineterminator="\n").encode("utf-8-sig")


def _disarmed(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
