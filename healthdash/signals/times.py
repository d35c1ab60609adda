"""The time column of a text recording: how many samples a second, and where it jumps."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.errors import InvalidInput

from .limits import checked_size

__all__ = ["clock_seconds", "rate_and_jumps", "rises_evenly", "unit_s", "with_jumps"]

#: Share of the steps that may be uneven, of which the longer ones are jumps: samples are missing there.
_MOST_UNEVEN = 0.01
#: A step is uneven from half a usual one above or below; from two samples missing it is a jump, below it
#: may be a late reading that the next one makes up for.
_UNEVEN, _JUMP = 0.5, 2.5
_CLOCK = re.compile(
    r"^(?:(?P<day>\d{4}-\d\d-\d\d)[T ])?"
    r"(?:(?P<hours>\d+):)?(?P<minutes>\d{1,2}):(?P<seconds>\d{1,2}(?:\.\d+)?)Z?$"
)
_CLOCK_S = {"hours": 3600, "minutes": 60, "seconds": 1}
_DAY_S, _FEWEST_TIMES = 86_400, 3
_UNITS_S = {"s|sec|seconds?": 1.0, "ms|msec|milliseconds?": 1e-3, "us|[µμ]s|microseconds?": 1e-6}
#: No ECG has fewer than one sample in half a second.
_LONGEST_STEP_S = 0.5


def rate_and_jumps(times: NDArray[np.float64], name: str) -> tuple[float, NDArray[np.int64]]:
    """Return the rate in hertz, and how many samples are missing before each row (n,).

    Parameters
    ----------
    times : (n,)
        In the unit that the name of their column says; without one in seconds, or in milliseconds or
        microseconds where a step would be half a second or longer.

    Raises
    ------
    InvalidInput
        The times do not rise, go back, or have no even step.
    """
    steps = np.diff(times)
    middle = float(np.median(steps)) if len(steps) else 0.0
    if not np.isfinite(middle) or middle <= 0:
        raise InvalidInput(
            "the time column does not rise", hint="It must hold the time of each sample, in seconds."
        )
    if not _is_even(steps, middle):
        raise InvalidInput(
            "the time column does not rise evenly; a fixed rate is needed",
            hint="Resample to a fixed rate first.",
        )
    if len(back := np.flatnonzero(steps < -_UNEVEN * middle)):
        raise InvalidInput(
            f"the time column goes back at data row {back[0] + 2:,}",
            hint="Sort the rows by time, or give the recordings one by one.",
        )
    jumps = steps > _JUMP * middle
    # The mean step is truer than the median where times are rounded.
    step = float(steps[~jumps].mean())
    missing = np.zeros(len(times), np.int64)
    missing[1:][jumps] = np.rint(steps[jumps] / step).astype(np.int64) - 1
    return round(1 / (step * _seconds_of(name, middle)), 3), missing


def rises_evenly(times: NDArray[np.float64]) -> bool:
    """Say whether values (n,) rise by like steps, but for a few, as times do."""
    steps = np.diff(times)
    middle = float(np.median(steps)) if len(steps) else 0.0
    return middle > 0 and _is_even(steps, middle)


def _is_even(steps: NDArray[np.float64], middle: float) -> bool:
    return bool(np.mean(np.abs(steps - middle) > _UNEVEN * middle) <= _MOST_UNEVEN)


def clock_seconds(cells: pd.Series) -> pd.Series:
    """Return a column of clock times ("0:00.004", "23:59:59.996", "2026-01-31 10:00:00.004") in seconds.

    Times of day that fall by most of a day have passed midnight. A column of anything else comes back as it
    is; so does a first cell that says the form ("hh:mm:ss.mmm").
    """
    if cells.dtype != object or len(cells) < _FEWEST_TIMES:  # a day of numbers takes seconds as text
        return cells
    parts = cells.astype(str).str.strip("'\"[] ").str.extract(_CLOCK)
    if parts["seconds"].iloc[1:].isna().any():
        return cells
    days = pd.to_datetime(parts["day"], format="%Y-%m-%d", errors="coerce")
    day = (days - days.min()).dt.days.fillna(0)
    clock = sum(pd.to_numeric(parts[name]).fillna(0) * unit for name, unit in _CLOCK_S.items()) + day * _DAY_S
    passed = (clock.diff() < -_DAY_S / 2).cumsum() if parts["day"].isna().all() else 0
    return (clock + passed * _DAY_S).astype(object).where(parts["seconds"].notna(), cells)


def with_jumps(values: NDArray[np.float32], missing: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return samples (n, channels) with rows of NaN where some are missing.

    Raises
    ------
    InvalidInput
        A jump is longer than any recording that is opened.
    """
    places = np.arange(len(values)) + np.cumsum(missing)
    checked_size(float(places[-1]) + 1, values.shape[1])
    spread = np.full((places[-1] + 1, values.shape[1]), np.nan, np.float32)
    spread[places] = values
    return spread


def unit_s(unit: str) -> float | None:
    """Return what a unit of time is in seconds, None where it is another one."""
    return next((one for form, one in _UNITS_S.items() if re.fullmatch(form, unit, re.IGNORECASE)), None)


def _seconds_of(name: str, step: float) -> float:
    """Return what one unit of the time column is, in seconds."""
    stated = unit_s(re.split(r"[\s_(\[]", re.sub(r"\W*$", "", name))[-1])
    return stated or next((one for one in (1.0, 1e-3) if step * one < _LONGEST_STEP_S), 1e-6)
