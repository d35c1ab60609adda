"""What the number format of a cell makes of its number: a date, a time of day, a duration, percent.

A date is stored as days since a day 0, and 6.5 % as 0.065; only the format tells (ECMA-376 part 1, 18.8.30
and 18.8.31). The cells are told as a CSV file of the sheet would tell them.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from typing import Literal

__all__ = ["Shown", "in_percent", "plain_number", "shown", "shown_by"]

#: "elapsed" are hours that may be more than 24; "": the number itself.
Shown = Literal["", "date", "time", "elapsed", "percent"]
#: Formats that need no definition, 18.8.30.
_BUILT_IN: dict[int, Shown] = {
    **dict.fromkeys((9, 10), "percent"),
    **dict.fromkeys((*range(14, 18), 22), "date"),
    **dict.fromkeys((*range(18, 22), 45, 47), "time"),
    46: "elapsed",
}  # fmt: skip
#: Whole numbers below it are exact as float64, and have no exponent.
_EXACT = 1e15
#: What is shown as it stands: quoted, escaped, as wide as a letter ("_-"), filled up with ("* ").
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.')


def shown_by(number: str | int, code: str | None = None) -> Shown:
    """Return what a format shows.

    Parameters
    ----------
    number : str or int
        Of the format.
    code : str or None
        Such as "[h]:mm"; None: the format is one that needs no definition.
    """
    if code is None:
        return _BUILT_IN.get(int(number), "") if str(number).isdecimal() else ""
    plain = _LITERAL.sub("", code.split(";")[0]).lower()
    if re.search(r"\[(h+|m+|s+)\]", plain):
        return "elapsed"
    plain = re.sub(r"\[[^\]]*\]", "", plain)
    if "general" in plain:
        return ""
    if "%" in plain:
        return "percent"
    if re.search(r"[dy]|mmm", plain):
        return "date"
    return "time" if re.search(r"h|m.*s", plain) else ""


def shown(stored: str, how: Shown, day_0: datetime) -> str:
    """Return a number as its format shows it: ISO date, "36:00:00", "6.5%"; what is none stays as it is.

    Parameters
    ----------
    stored : str
    how : Shown
    day_0 : datetime
        The day from which dates count.
    """
    if how == "percent":
        return in_percent(stored)
    try:
        value = float(stored)
        moment = day_0 + timedelta(days=value)
    except (ValueError, OverflowError):
        return stored
    if how == "elapsed" or (how == "time" and 0 <= value < 1):
        return _clock(value) if value >= 0 else stored
    if how == "" or value < 1:
        return stored
    return moment.date().isoformat() if value == int(value) else moment.isoformat(" ", "seconds")


def in_percent(stored: str) -> str:
    """Return a share as percent, "0.065" as "6.5%"; what is no number stays as it is."""
    try:
        percent = float(stored) * 100
    except ValueError:
        return stored
    return f"{percent:.15g}%" if math.isfinite(percent) else stored


def plain_number(value: float) -> str:
    """Return a stored number as text with all its digits, "3" for 3.0."""
    return repr(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(float(value))


def _clock(days: float) -> str:
    seconds = round(days * 86_400)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
