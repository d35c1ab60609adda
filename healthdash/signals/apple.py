"""ECG of Apple Health as CSV: a few lines of name and value, then one number a line (lead I, microvolt).

Apple does not publish the format; labels, numbers and units are in the language of the phone, so that lines
are told apart by what their values are. The name and the date of birth in it are never kept.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload

from .leads import tidy_unit, to_millivolt
from .limits import checked_rate, checked_size
from .recording import Recording, channels_of

__all__ = ["is_apple", "read_apple"]

_SNIFFED = 8192
_MOST_FACTS = 40
_FEWEST_FACTS = 4
#: "512 hertz", "512,414 Hz", "511.9 Hertz", also in Chinese, Japanese, Korean and Russian.
_RATE = re.compile(
    r"^(\d+(?:[.,]\d+)?)\s*"
    r"(?:hertz|herz|hercios|hz|赫兹|赫茲|ヘルツ|헤르츠|герц\w*)$",
    re.IGNORECASE,
)
_LEAD = re.compile(r"\b(I{1,3}|aV[RLF]|V[1-6])\b|([ⅠⅡⅢ])")
_ROMAN = {"Ⅰ": "I", "Ⅱ": "II", "Ⅲ": "III"}
_NUMBER = re.compile(r"^[-−–]?\d+(?:[.,]\d+)*$")
_MINUS = str.maketrans({"−": "-", "–": "-", "\u00a0": None, "\u202f": None})


def is_apple(data: bytes) -> bool:
    """Say whether text begins like an ECG of Apple Health: facts with rate and unit, then bare numbers."""
    if b"\0" in data[:_SNIFFED]:
        return False
    try:
        facts, numbers = _parted(data[:_SNIFFED].decode("utf-8-sig", "ignore"), last_is_whole=False)
    except csv.Error:
        return False
    values = [value for _, value in facts]
    has_rate = any(_RATE.match(value) for value in values)
    has_unit = any(to_millivolt(value) is not None for value in values)
    return len(facts) >= _FEWEST_FACTS and len(numbers) > 1 and has_rate and has_unit


def read_apple(uploads: Sequence[Upload]) -> Recording:
    """Read the recording of a watch.

    Raises
    ------
    UnreadableUpload
        A line is no number.
    InvalidInput
        There are no numbers, or no rate.
    """
    facts, lines = _parted(uploads[0].data.decode("utf-8-sig", "replace"))
    rate = next((match for _, value in facts if (match := _RATE.match(value))), None)
    unit = next((tidy_unit(value) for _, value in facts if to_millivolt(value) is not None), None)
    if rate is None or unit is None or not lines:
        raise InvalidInput(
            "expected a rate, a unit and numbers in the ECG of Apple Health, one of them is missing",
            hint="Export the ECG from the Health app again, as one CSV file.",
        )
    checked_size(len(lines))
    leads = [found for _, value in facts if (found := _lead(value))]
    return Recording(
        format="Apple Health ECG",
        channels=channels_of(
            [leads[-1] if leads else "I"], [unit], checked_rate(float(rate.group(1).replace(",", "."))),
            [_numbers(lines)],
        ),
        stored_dtype="text",
        calibration="the values are in the unit of the file",
    )  # fmt: skip


def _parted(text: str, *, last_is_whole: bool = True) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the named facts, and the lines of numbers after them."""
    lines = [line.strip() for line in text.splitlines()]
    lines = lines if last_is_whole else lines[:-1]
    first = next((n for n, line in enumerate(lines) if _is_number(line)), len(lines))
    facts = []
    for row in csv.reader(lines[: min(first, _MOST_FACTS)], delimiter=_delimiter(lines)):
        if len(row) >= 2 and row[0].strip():
            facts.append((row[0].strip(), row[1].strip()))
    return facts, [line for line in lines[first:] if line.strip('", ;')]


def _delimiter(lines: Sequence[str]) -> str:
    head = "".join(lines[:8])
    return ";" if head.count(";") > head.count(",") else ","


def _bare(line: str) -> str:
    return line.strip().strip(",;").strip('"').translate(_MINUS)


def _is_number(line: str) -> bool:
    return bool(line) and _NUMBER.match(_bare(line)) is not None


def _lead(value: str) -> str:
    match = _LEAD.search(value) if len(value) < 40 else None
    return (match.group(1) or _ROMAN[match.group(2)]) if match else ""


def _numbers(lines: Sequence[str]) -> NDArray[np.float32]:
    """Return localised numbers: the last of point and comma is the decimal mark."""
    try:
        return np.array([_number(_bare(line)) for line in lines], np.float32)
    except ValueError as error:
        raise UnreadableUpload(
            "expected one number a line in the ECG of Apple Health, got other text",
            hint="Export it again.",
        ) from error


def _number(text: str) -> float:
    if "," not in text:
        return float(text)
    if "." not in text:
        return float(text.replace(",", "."))
    decimal = max(text.rfind(","), text.rfind("."))
    return float(text[:decimal].replace(",", "").replace(".", "") + "." + text[decimal + 1 :])
