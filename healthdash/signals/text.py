"""Signals as text: one row a sample, one column a channel, with a time column or a stated rate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.tables.numeric import to_numeric
from healthdash.tables.units import unit_named
from healthdash.task import Upload

from .entered import rate_taken, unit_taken
from .leads import guessed_unit, lead_kind, tidy_unit, to_millivolt
from .limits import checked_rate, checked_size
from .recording import Recording, channels_of
from .stated import stated_rate
from .text_cells import cells, frame_of, is_number, marks
from .times import clock_seconds, rate_and_jumps, rises_evenly, unit_s, with_jumps

__all__ = ["looks_like_signal", "read_text"]

_SNIFFED = 65536
_COMMENT = ("#", "%", "//")
_TIME = re.compile(
    r"^\W*(time|zeit|temps|tiempo|tempo|t|seconds|sec|elapsed[ _]?time|timestamp|ms|s)\b|"
    r"^time_?(s|ms|us)?$",
    re.IGNORECASE,
)
_INDEX = re.compile(r"^(unnamed.*|index|sample|samples|sample[_ ]?(number|index|#)|n|#)?$", re.IGNORECASE)
_UNIT = re.compile(r"[\[(_\s](mv|uv|µv|μv|nv|v)[\])]?$", re.IGNORECASE)
_STATED_UNIT = re.compile(r"units?\W{1,4}(mv|uv|µv|μv|nv|v|millivolts?|microvolts?)\b", re.IGNORECASE)
_BRACKETED = re.compile(r"[\[(]\s*([^\[\]()]{2,20}?|[%sg])\s*[\])]$")
_FEWEST_ROWS = 32


@dataclass(frozen=True, slots=True)
class _Table:
    """Values as the file holds them; the rate is None, and a unit empty, where it is silent."""

    signal: NDArray[np.float32]
    leads: tuple[str, ...]
    rate_hz: float | None
    units: tuple[str, ...]
    format: str
    gaps: tuple[str, ...]


def looks_like_signal(data: bytes) -> bool:
    """Say whether text looks like a signal: leads or a time axis above many rows of numbers."""
    text = _decoded(data[:_SNIFFED])
    if text is None:
        return False
    comments, rows = _split(text)
    if len(rows) < _FEWEST_ROWS:
        return False
    separator, _ = marks(rows)
    names = cells(rows[0], separator)
    has_lead = any(lead_kind(_without_unit(name)) == "ecg" for name in names)
    has_time = any(re.match(r"^\W*time", name, re.IGNORECASE) for name in names[:2])
    is_numeric = all(map(is_number, cells(rows[1], separator)))
    return is_numeric and (has_lead or has_time or stated_rate(comments) is not None)


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
            hint="Add a first line such as '# rate_hz: 250' or a column time_s to the file, or enter the "
            "rate in hertz (with predict and inspect: --rate).",
        )
    columns = np.ascontiguousarray(table.signal.T)
    units, notice = _units(table, str(hinted_unit or ""), columns)
    notices = [] if table.rate_hz else [rate_taken(rate_hz)]
    return Recording(
        format=table.format,
        channels=channels_of(table.leads, units, checked_rate(rate_hz), list(columns)),
        stored_dtype="text",
        calibration="the values are in the unit of the file",
        gaps=table.gaps,
        notices=(*notices, notice) if notice else tuple(notices),
        unit_stated=bool(hinted_unit) or all(table.units),
    )


def _units(table: _Table, entered: str, columns: NDArray[np.float32]) -> tuple[list[str], str]:
    """Return the unit of each lead, and where those that the file does not state are from.

    Parameters
    ----------
    entered : str
        The unit that the user said; empty for none.
    columns : float32, shape (n_leads, n_samples)
        The values as the file holds them.
    """
    silent = [number for number, unit in enumerate(table.units) if not unit]
    if not silent:
        return list(table.units), ""
    unit = entered or guessed_unit(columns[silent])
    leads = "" if len(silent) == len(table.units) else _named(table.leads, silent)
    guessed = f"The file states no unit{f' of {leads}' if leads else ''}; from the size of its values, "
    notice = unit_taken(unit, leads) if entered else f"{guessed}{unit} is assumed."
    return [stated or unit for stated in table.units], notice


def _named(leads: Sequence[str], which: Sequence[int]) -> str:
    """Return the names of some leads for a sentence: a few, or their number."""
    return ", ".join(leads[one] for one in which) if len(which) <= 3 else f"{len(which)} channels"


def _read_table(upload: Upload) -> _Table:
    text = _decoded(upload.data)
    if text is None:
        raise UnreadableUpload(
            "expected text, got binary data", hint="Export the recording as CSV, WFDB or EDF."
        )
    comments, rows = _split(text)
    if len(rows) < 2:
        raise InvalidInput("expected one row a sample, got no rows", hint="Export the recording again.")
    separator, decimal = marks(rows)
    first = cells(rows[0], separator)
    checked_size(len(rows), len(first))
    has_header = not all(map(is_number, first))
    frame = frame_of(rows, separator, decimal, has_header=has_header)
    names = (
        [str(name).strip() for name in frame.columns]
        if has_header
        else [f"lead {i + 1}" for i in range(len(first))]
    )
    checked_size(len(frame), len(names))
    numbers, below = _numbers(frame)
    form = "CSV" if separator == "," else "text table"
    return _recording(numbers, names, below, comments, form, has_header)


def _decoded(data: bytes) -> str | None:
    if b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:  # an older export, whose only such letter is the micro sign
        text = data.decode("cp1252", "replace")
    odd = sum(not (c.isprintable() or c in "\r\n\t") for c in text[:2000])
    return text if odd <= 0.02 * len(text[:2000]) else None


def _split(text: str) -> tuple[list[str], list[str]]:
    """Return comment lines and the others, without the line by which Excel is told the separator."""
    text = re.sub(r"\A\"?sep=.\"?\r?\n", "", text)
    lines = [line for line in text.splitlines() if line.strip()]
    comments = [line for line in lines[:200] if line.lstrip().startswith(_COMMENT)]
    return comments, [line for line in lines if not line.lstrip().startswith(_COMMENT)]


def _numbers(frame: pd.DataFrame) -> tuple[NDArray[np.float64], list[str]]:
    """Return all cells as numbers, and the row of units below the header; empty words without one."""
    below = [""] * frame.shape[1]
    frame = frame.apply(lambda column: clock_seconds(column) if _TIME.search(str(column.name)) else column)
    values = frame.apply(to_numeric)
    wrong = values.isna() & frame.notna() & ~frame.astype(str).isin(["-", "NaN", "nan"])
    if len(frame) > 1 and wrong.iloc[0].all():
        below = [str(cell).strip().strip("'\"") for cell in frame.iloc[0]]
        frame, values, wrong = frame.iloc[1:], values.iloc[1:], wrong.iloc[1:]
    if wrong.to_numpy().any():
        row, column = np.argwhere(wrong.to_numpy())[0]
        raise InvalidInput(
            f"expected numbers only; data row {row + 1}, column {column + 1} holds text",
            hint="Keep one column a lead, and one time column at most.",
        )
    return np.asarray(values, np.float64), below


def _recording(
    numbers: NDArray[np.float64],
    names: list[str],
    below: list[str],
    comments: Sequence[str],
    form: str,
    has_header: bool,
) -> _Table:
    time = _time_column(numbers, names, below) if has_header else None
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
    signal = numbers[:, leads].astype(np.float32)
    gaps = ["empty cells"] if np.isnan(signal).any() else []
    rate_hz = stated_rate(comments) or stated_rate(names)
    if time is not None:
        rate_hz, missing = rate_and_jumps(numbers[:, time], f"{names[time]} {below[time]}".strip())
        if missing.any():
            signal = with_jumps(signal, missing)
            gaps.append("jumps of the time column")
    stated = _STATED_UNIT.search(" ".join(comments))
    units = [_unit(names[i], below[i]) or (stated.group(1) if stated else "") for i in leads]
    voltages = {tidy_unit(unit) for unit in units if to_millivolt(unit)}
    if len(voltages) == 1:  # the one that is stated is that of the leads beside it
        units = [unit or next(iter(voltages)) for unit in units]
    return _Table(
        signal=signal,
        leads=tuple(_without_unit(names[i]) for i in leads),
        rate_hz=rate_hz,
        units=tuple(units),
        format=form,
        gaps=tuple(gaps),
    )


def _time_column(numbers: NDArray[np.float64], names: list[str], below: list[str]) -> int | None:
    """Return the number of the column of times by its name, else by its unit and steps; None without one."""
    columns = range(len(names))
    by_name = next((i for i in columns if _TIME.search(names[i])), None)
    if by_name is not None:
        return by_name
    by_unit = (i for i in columns if unit_s(_unit(names[i], below[i])) and rises_evenly(numbers[:, i]))
    return next(by_unit, None)


def _unit(name: str, below: str) -> str:
    """Return the unit of a column by its name or the cell below it; empty where neither says one."""
    if voltage := _UNIT.search(name):
        return voltage.group(1)
    told = _BRACKETED.search(name)
    return next((one for one in (told.group(1) if told else "", below) if _is_unit(one)), "")


def _is_unit(text: str) -> bool:
    return bool(to_millivolt(text) or unit_s(text) or unit_named(text))


def _counts_up(column: NDArray[np.float64]) -> bool:
    return len(column) > 2 and bool(np.all(np.diff(column) == 1))


def _without_unit(name: str) -> str:
    plain = name.strip().strip("'\"")
    told = _BRACKETED.search(plain)
    return (plain[: told.start()] if told and _unit(plain, "") else _UNIT.sub("", plain)).strip()
