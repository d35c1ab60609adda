"""Signals as text: one row a sample, one column a channel, with a time column or a stated rate."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.tables.numeric import has_absurd_exponent, to_numeric
from healthdash.task import Upload

from .leads import guessed_unit, lead_kind
from .limits import checked_rate, checked_size
from .recording import Recording, channels_of

__all__ = ["looks_like_signal", "read_text"]

_SNIFFED = 65536
_COMMENT = ("#", "%", "//")
_TIME = re.compile(
    r"^\W*(time|t|seconds|sec|elapsed[ _]?time|timestamp|ms|s)\b|^time_?(s|ms|us)?$", re.IGNORECASE
)
_INDEX = re.compile(r"^(unnamed.*|index|sample|samples|sample[_ ]?(number|index|#)|n|#)?$", re.IGNORECASE)
_UNIT = re.compile(r"[\[(_\s](mv|uv|µv|μv|nv|v)[\])]?$", re.IGNORECASE)
_STATED_RATE = re.compile(
    r"(?:sampl\w*[ _]?(?:rate|freq\w*)|rate(?:_hz)?|freq\w*|fs|hz)\W{0,12}?(?:hz\W{0,4})?(\d+(?:\.\d+)?)|"
    r"(\d+(?:\.\d+)?)\s*(?:hz|samples? ?/ ?s)",
    re.IGNORECASE,
)
_STATED_UNIT = re.compile(r"units?\W{1,4}(mv|uv|µv|μv|nv|v|millivolts?|microvolts?)\b", re.IGNORECASE)
_WORDS = {"millivolt": "mV", "millivolts": "mV", "microvolt": "uV", "microvolts": "uV"}
_FEWEST_ROWS = 32


@dataclass(frozen=True, slots=True)
class _Table:
    """Values as the file holds them; `rate_hz` and `unit` are None where it is silent."""

    signal: NDArray[np.float32]
    leads: tuple[str, ...]
    rate_hz: float | None
    unit: str | None
    rate_from: str
    format: str
    notices: tuple[str, ...] = ()


def looks_like_signal(data: bytes) -> bool:
    """Say whether text looks like a signal: leads or a time axis above many rows of numbers."""
    text = _decoded(data[:_SNIFFED])
    if text is None:
        return False
    comments, rows = _split(text)
    if len(rows) < _FEWEST_ROWS:
        return False
    cells = _cells(rows[0], _delimiter(rows))
    has_lead = any(lead_kind(_without_unit(cell)) == "ecg" for cell in cells)
    has_time = any(re.match(r"^\W*time", cell, re.IGNORECASE) for cell in cells[:2])
    body = _cells(rows[1], _delimiter(rows))
    is_numeric = all(_number(cell) is not None for cell in body)
    return is_numeric and (has_lead or has_time or _STATED_RATE.search(" ".join(comments)) is not None)


def read_text(uploads: Sequence[Upload]) -> Recording:
    """Read a text recording; the upload's hints say the rate and the unit where the file is silent.

    Raises
    ------
    UnreadableUpload
        It is no text.
    InvalidInput
        It has too few rows, a cell that is no number, a time column that does not rise evenly, or nothing and
        nobody says its rate.
    """
    upload = uploads[0]
    table = _read_table(upload)
    hinted_rate, hinted_unit = upload.hints.get("rate_hz"), upload.hints.get("unit")
    rate_hz = table.rate_hz or (float(hinted_rate) if hinted_rate else None)
    if rate_hz is None:
        raise InvalidInput(
            "the file does not say its sampling rate",
            hint="Enter the rate in hertz, add a column time_s, or a first line such as '# rate_hz: 250'.",
        )
    unit = table.unit or (str(hinted_unit) if hinted_unit else None)
    notices = list(table.notices)
    if unit is None:
        unit = guessed_unit(table.signal)
        notices.append(f"The file states no unit; from the size of its values, {unit} is assumed.")
    columns = np.ascontiguousarray(table.signal.T)
    return Recording(
        format=table.format,
        channels=channels_of(table.leads, [unit] * len(table.leads), checked_rate(rate_hz), list(columns)),
        stored_dtype="text",
        calibration="the values are in the unit of the file",
        gaps=("empty cells",) if np.isnan(columns).any() else (),
        notices=tuple(notices),
        rate_stated=table.rate_hz is not None,
        unit_stated=table.unit is not None or hinted_unit is not None,
    )


def _read_table(upload: Upload) -> _Table:
    text = _decoded(upload.data)
    if text is None:
        raise UnreadableUpload(
            "expected text, got binary data", hint="Export the recording as CSV, WFDB or EDF."
        )
    comments, rows = _split(text)
    if len(rows) < 2:
        raise InvalidInput("expected one row a sample, got no rows", hint="Export the recording again.")
    delimiter = _delimiter(rows)
    first = _cells(rows[0], delimiter)
    checked_size(len(rows), len(first))
    has_header = any(_number(cell) is None for cell in first)
    frame = _frame(rows, delimiter, has_header)
    names = (
        [str(name).strip() for name in frame.columns]
        if has_header
        else [f"lead {i + 1}" for i in range(len(first))]
    )
    checked_size(len(frame), len(names))
    numbers = _numbers(frame, names)
    return _recording(
        numbers, names, " ".join(comments), "CSV" if delimiter == "," else "text table", has_header
    )


def _decoded(data: bytes) -> str | None:
    if b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    text = data.decode(encoding, "replace")
    odd = sum(not (c.isprintable() or c in "\r\n\t") for c in text[:2000])
    return text if odd <= 0.02 * len(text[:2000]) else None


def _split(text: str) -> tuple[list[str], list[str]]:
    """Return comment lines and the others."""
    lines = [line for line in text.splitlines() if line.strip()]
    comments = [line for line in lines[:200] if line.lstrip().startswith(_COMMENT)]
    return comments, [line for line in lines if not line.lstrip().startswith(_COMMENT)]


def _delimiter(rows: list[str]) -> str:
    counted = {mark: rows[min(1, len(rows) - 1)].count(mark) for mark in (";", "\t", ",")}
    best = max(counted, key=lambda mark: counted[mark])
    if counted[";"]:
        return ";"
    return best if counted[best] else ("," if " " not in rows[-1].strip() else " ")


def _cells(row: str, delimiter: str) -> list[str]:
    return [cell.strip().strip("'\"") for cell in (row.split() if delimiter == " " else row.split(delimiter))]


def _number(cell: str) -> float | None:
    try:
        return float(cell.replace(",", ".")) if cell else float("nan")
    except ValueError:
        return None


def _frame(rows: list[str], delimiter: str, has_header: bool) -> pd.DataFrame:
    text = "\n".join(rows)
    if has_absurd_exponent(text):
        raise UnreadableUpload(
            "expected numbers of a signal, got an exponent of five digits", hint="Export it again."
        )
    try:
        return pd.read_csv(
            io.StringIO(text),
            sep=r"\s+" if delimiter == " " else delimiter,
            header=0 if has_header else None,
            decimal="," if delimiter == ";" and "," in rows[-1] else ".",
            skipinitialspace=True,
            quotechar="'" if "'" in rows[0] else '"',
        )
    except (pd.errors.ParserError, ValueError) as error:
        raise UnreadableUpload(
            "the rows of the text have different numbers of columns", hint="Export it again as plain CSV."
        ) from error


def _numbers(frame: pd.DataFrame, names: list[str]) -> NDArray[np.float64]:
    """Return all cells as numbers; a row of units below the header is passed over."""
    values = frame.apply(to_numeric)
    wrong = values.isna() & frame.notna() & ~frame.astype(str).isin(["-", "NaN", "nan"])
    if len(frame) > 1 and wrong.iloc[0].all():
        frame, values, wrong = frame.iloc[1:], values.iloc[1:], wrong.iloc[1:]
    if wrong.to_numpy().any():
        row, column = np.argwhere(wrong.to_numpy())[0]
        raise InvalidInput(
            f"expected numbers only; data row {row + 1}, column {column + 1} holds text",
            hint="Keep one column a lead, and one time column at most.",
        )
    return np.asarray(values, np.float64)


def _recording(
    numbers: NDArray[np.float64], names: list[str], comments: str, form: str, has_header: bool
) -> _Table:
    time = next((i for i, name in enumerate(names) if has_header and _TIME.search(name)), None)
    skipped = {time} | {
        i
        for i, name in enumerate(names)
        if _INDEX.match(name) or (len(names) > 1 and _counts_up(numbers[:, i]))
    }
    leads = [i for i in range(len(names)) if i not in skipped]
    if not leads:
        raise InvalidInput(
            "expected a column with the signal, got a time or number column only",
            hint="Add a column for each lead, named after it.",
        )
    rate_hz, source = _rate(numbers, names, time, comments)
    units = {m.group(1) for i in leads if (m := _UNIT.search(names[i]))}
    stated = _STATED_UNIT.search(comments)
    unit = next(iter(units), stated.group(1) if stated else None)
    return _Table(
        signal=numbers[:, leads].astype(np.float32),
        leads=tuple(_without_unit(names[i]) for i in leads),
        rate_hz=rate_hz,
        unit=_WORDS.get(unit.lower(), unit) if unit else None,
        rate_from=source,
        format=form,
    )


def _counts_up(column: NDArray[np.float64]) -> bool:
    return len(column) > 2 and bool(np.all(np.diff(column) == 1))


def _without_unit(name: str) -> str:
    return _UNIT.sub("", name.strip().strip("'\"")).strip()


def _rate(
    numbers: NDArray[np.float64], names: list[str], time: int | None, comments: str
) -> tuple[float | None, str]:
    """Return the rate, from the time column or else from a comment or the header."""
    if time is not None:
        return _rate_of_times(numbers[:, time], names[time]), "its time column"
    match = _STATED_RATE.search(comments) or _STATED_RATE.search(" ".join(names))
    if match:
        return float(match.group(1) or match.group(2)), "a comment or the header"
    return None, ""


def _rate_of_times(times: NDArray[np.float64], name: str) -> float:
    steps = np.diff(times)
    middle = float(np.median(steps)) if len(steps) else 0.0
    if not np.isfinite(middle) or middle <= 0:
        raise InvalidInput(
            "the time column does not rise", hint="It must hold the time of each sample, in seconds."
        )
    if np.mean(np.abs(steps - middle) > 0.5 * middle) > 0.01:
        raise InvalidInput(
            "the time column does not rise evenly; a fixed rate is needed",
            hint="Resample to a fixed rate first.",
        )
    seconds = _seconds_of(name, middle)
    # The mean step is truer than the median where times are rounded.
    return round(float(1 / (np.nanmean(steps) * seconds)), 3)


def _seconds_of(name: str, step: float) -> float:
    """Return what one unit of the time column is, in seconds."""
    lowered = name.lower()
    if re.search(r"(^|[\s_(\[])(ms|msec|milliseconds?)\W*$", lowered):
        return 1e-3
    if re.search(r"(^|[\s_(\[])(us|µs|microseconds?)\W*$", lowered):
        return 1e-6
    named_seconds = re.search(r"(^|[\s_(\[])(s|sec|seconds?)\W*$", lowered)
    # No ECG has fewer than one sample in half a second: such a step is in milliseconds.
    return 1.0 if named_seconds or step < 0.5 else 1e-3
