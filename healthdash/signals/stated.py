"""The sampling rate that the words of a text recording state, among other rates and frequencies."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["stated_rate"]

_NUMBER = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?!\d|\.\d)\s*(k)?"
#: The sampling rate by its name, then by a word that may mean another rate, then a bare number of hertz.
_BY_NAME = re.compile(
    r"(?:sampl\w*[ _]?(?:rate|freq\w*)|rate_hz|\b(?:fs|sfreq|srate)\b)"
    rf"(?:\W*\b(?:of|is|was)\b)?\W{{0,12}}?(?:k?hz\W{{0,4}})?{_NUMBER}|"
    rf"{_NUMBER}\s*(?:samples?|sps\b)\W*(?:/|per)?\s*(?:s\b|sec)",
    re.IGNORECASE,
)
_BY_WORD = re.compile(rf"(?:\brate|\bfreq\w*|\bhz)\W{{0,12}}?(?:k?hz\W{{0,4}})?{_NUMBER}", re.IGNORECASE)
_BARE = re.compile(r"(?<![\d.,-])(\d+(?:\.\d+)?)\s*(k)?hz\b", re.IGNORECASE)
#: What else has a rate or a frequency: the heart, breathing, and filters.
_OTHER = re.compile(
    r"heart|puls|respir|breath|bpm|beats?\b|/ ?min|per minute|filter|notch|mains|pass|cut.?off|corner|"
    r"band|power ?line|\bline\b|baud|frame",
    re.IGNORECASE,
)


def stated_rate(lines: Iterable[str]) -> float | None:
    """Return the sampling rate in hertz, None where nothing or more than one thing may be it.

    Parameters
    ----------
    lines : iterable of str
        Comments, or names of columns. A line may speak of several things: "Filter: 0.05-150 Hz, fs 500".
    """
    told = list(lines)
    if by_name := _rates(_BY_NAME, told):
        return by_name[0]
    others = [line for line in told if not _OTHER.search(line)]
    for form in (_BY_WORD, _BARE):
        if rates := set(_rates(form, others)):
            return rates.pop() if len(rates) == 1 else None
    return None


def _rates(form: re.Pattern[str], lines: Iterable[str]) -> list[float]:
    found = [match for line in lines for match in form.finditer(line)]
    return [_hertz(match) for match in found]


def _hertz(match: re.Match[str]) -> float:
    number, *kilo = (group for group in match.groups() if group)
    is_kilo = bool(kilo) or "khz" in match.group().lower()
    return float(number.replace(",", "")) * (1000 if is_kilo else 1)
